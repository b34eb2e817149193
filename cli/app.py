"""The `face-archive` command: every group registered, nothing done here.

How errors end a command is `cli.exits`; how commands speak is `cli.output`.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from cli import (
    accounts,
    backfill,
    calibrate,
    catch_up,
    chats,
    db,
    demo,
    doctor,
    failures,
    hub,
    identify,
    identities,
    importing,
    init,
    login,
    models,
    publish,
    query,
    redo,
    search,
    stats,
    status,
    up,
    warehouse,
    why,
)
from cli.exits import EXIT_CODES_HELP, ArchiveGroup
from cli.settings import settings_command

app = typer.Typer(
    cls=ArchiveGroup,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    # A traceback with its locals would show secrets.
    pretty_exceptions_enable=False,
    epilog=EXIT_CODES_HELP,
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it with the flag
    if wanted:
        typer.echo(f"face-archive {version('telegram-face-archive')}")
        raise typer.Exit


@app.callback()
def _face_archive(
    *,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Turns the media of Telegram chats that you allowed into people and topics.

    A first time: `face-archive init` leads to the first people; from then on `face-archive up`.

    Settings come from `.env` in the current folder and from the environment, which wins.
    Rows are printed as a table on a terminal and as JSON lines elsewhere.
    """


# In the order in which a newcomer meets them.
for group in (
    demo,
    init,
    doctor,
    login,
    accounts,
    chats,
    importing,
    hub,
    up,
    backfill,
    catch_up,
    identify,
    publish,
    identities,
    models,
    calibrate,
    search,
    warehouse,
    stats,
    query,
    status,
    failures,
    redo,
    why,
    db,
):
    group.register(app)
app.command("settings")(settings_command)


def main() -> None:
    """Run the command line: the console script."""
    app(prog_name="face-archive")
