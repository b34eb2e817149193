"""`face-archive doctor`: can this installation work, and if not, what is the way out.

Shows and counts; the checks themselves are `resources.doctor` and `resources.doctor_online`.
`up` runs the same ones before it starts anything.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from cli.context import load_settings
from cli.exits import ExitCode
from cli.output import emit, say
from resources.doctor import CheckResult, CheckState, check_model, fail, local_checks
from resources.settings import DEFAULT_ENV_FILE, Settings, SettingsError

__all__ = ["CheckResult", "CheckState", "doctor_command", "report_checks", "run_checks"]


def run_checks(
    settings: Settings, *, online: bool = False, env_file: Path | None = DEFAULT_ENV_FILE
) -> list[CheckResult]:
    """Run every check, in the order in which a person would repair things.

    Args:
        settings: Of the installation.
        online: Ask Telegram whether the session lives and what is allowed in the hub.
        env_file: Where secrets may lie.
    """
    return list(_checks(settings, online=online, env_file=env_file))


def report_checks(results: Iterable[CheckResult]) -> None:
    """Show the results; fail if one of them did.

    Raises:
        typer.Exit: With code 1, where anything failed.
    """
    listed = list(results)
    emit((dataclasses.asdict(each) for each in listed), title="Doctor")
    failed = sum(each.state is CheckState.FAIL for each in listed)
    if failed:
        say(f"{failed} of {len(listed)} checks failed; each says its way out.")
        raise typer.Exit(ExitCode.FAILED)


def doctor_command(
    *,
    online: Annotated[
        bool, typer.Option("--online", help="Ask Telegram, too: session, rights in the hub.")
    ] = False,
) -> None:
    """Check Python, settings, disk, database, model, session and hub; name each way out.

    Exits with 1 if a check failed; warnings do not count.

    For example:

    - `face-archive doctor`
    - `face-archive doctor --online`
    """
    try:
        settings = load_settings()
    except SettingsError as exc:
        way_out = "Correct it in .env or in the environment."
        report_checks(fail("settings", problem, way_out) for problem in exc.problems)
        return
    report_checks(run_checks(settings, online=online))


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("doctor")(doctor_command)


def _checks(settings: Settings, *, online: bool, env_file: Path | None) -> Iterator[CheckResult]:
    database_works = False
    for result in local_checks(settings, env_file):
        if result.name == "database":
            database_works = result.state is CheckState.OK
        yield result
    if not database_works:
        yield check_model(settings)
        return
    from resources.doctor_online import stored_checks

    yield from stored_checks(settings, online=online)
