"""`face-archive warehouse`: build what `query` and `stats` are answered from, now.

The job that `up` runs once a day, in this process; what it builds is `archive_assets.analytics`.
"""

from __future__ import annotations

import typer

from archive.errors import Permanent
from cli.context import load_settings
from cli.output import progress, say
from cli.unsupervised import alone


def warehouse_command() -> None:
    """Bring the warehouse up to date: snapshots of what changed, then every mart and its tests.

    For whoever does not run `up`, which does it once a day; beside `up`, launch the job
    `analytics` in its UI. If a test fails, the warehouse stays as it was.

    For example:

    - `face-archive warehouse`
    """
    with alone(load_settings()):
        from cli.runs import runner

        with runner() as dagster, progress("Snapshots and marts"):
            outcome = dagster.analytics()
    if outcome.failed:
        raise Permanent("The warehouse could not be built: the log above says why.")
    say("Next: `face-archive stats`, or `face-archive query --tables`.")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("warehouse")(warehouse_command)
