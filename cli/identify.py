"""`face-archive identify`: faces become people, now.

The same use case that the schedule runs, in this process, under the same lock.
"""

from __future__ import annotations

import dataclasses
from time import monotonic

import typer

from archive.identify import identify
from cli.context import open_toolbox
from cli.output import emit, progress
from resources.store.search_index import make_missing_index


def identify_command() -> None:
    """Match every face without a person, and found the people who are new.

    Deterministic for what is stored; a second run changes nothing. The row says which model's
    vectors were compared.

    For example:

    - `face-archive identify`
    """
    started = monotonic()
    with open_toolbox() as toolbox:
        model = toolbox.engine_spec.build().model
        with progress("Comparing faces"):
            result = identify(
                toolbox.people, model, toolbox.identify_options, cause="face-archive identify"
            )
        with progress("Making the index of search, where it is missing"):
            make_missing_index(toolbox.database, result.model)
        seconds = monotonic() - started
        toolbox.overview.record_stage("identity_clusters", None, seconds, result.probes)
    emit([{**dataclasses.asdict(result), "licence": model.licence}], title="People")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("identify")(identify_command)
