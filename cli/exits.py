"""How a command ends: the exit codes, and the one place where an error becomes a message.

Commands let the archive's errors pass; here each kind gets its code and one readable line on
stderr, never a traceback. An error of no known kind is a defect of ours and keeps its traceback.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

import typer
from typer.core import TyperGroup

from archive.errors import ArchiveError, Permanent, Transient
from resources.settings_source import SettingsError


class ExitCode(IntEnum):
    """What the exit status says to a script."""

    OK = 0
    FAILED = 1
    USAGE = 2
    TRY_LATER = 3
    PERSON_MUST_ACT = 4


EXIT_CODES_HELP: Final = (
    "Exit codes: 0 done; 1 failed, or a check found something wrong; 2 wrong usage or settings; "
    "3 try again later (Telegram or the database did not answer, or somebody else is at it); "
    "4 a person must act, the message says how."
)


class ArchiveGroup(TyperGroup):
    """The program's top group: turns the archive's errors into messages and exit codes."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for.

        Raises:
            typer.Exit: With the code of the error, where there was one.
        """
        try:
            return super().invoke(ctx)
        except (ArchiveError, SettingsError) as exc:
            for line in explanation(exc):
                typer.secho(line, err=True, fg=typer.colors.RED)
            # The cause is dropped: whatever it holds, a person needs the message alone.
            raise typer.Exit(exit_code(exc)) from None


def exit_code(error: ArchiveError | SettingsError) -> ExitCode:
    """Return the code for an error that ends a command."""
    match error:
        case SettingsError():
            return ExitCode.USAGE
        case Transient():
            return ExitCode.TRY_LATER
        case Permanent():
            return ExitCode.PERSON_MUST_ACT
        case _:
            return ExitCode.FAILED


def explanation(error: ArchiveError | SettingsError) -> list[str]:
    """Say in lines what went wrong, and when it is worth another try."""
    if isinstance(error, SettingsError):
        return list(error.problems)
    if isinstance(error, Transient):
        seconds = error.retry_after_seconds
        when = f"in {seconds:.0f} seconds" if seconds else "in a while"
        return [str(error), f"Nothing is lost: run it again {when}."]
    return [str(error)]
