"""`face-archive import`: a Telegram Desktop export, or a folder of pictures, as a source.

Options, output and exit codes; the chats themselves are `cli.import_chats`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from archive.errors import Permanent
from archive.records import Switches
from cli.context import open_toolbox
from cli.import_chats import Importer
from cli.output import emit, say
from resources.desktop_export.folder import ExportFolder

_ALLOWABLE: Final = ("archive", "faces")


def import_command(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder of the export, or of pictures.")
    ],
    *,
    pictures: Annotated[
        bool,
        typer.Option("--folder", help="DIR is a plain folder: its pictures become one chat."),
    ] = False,
    account: Annotated[
        int | None,
        typer.Option(
            help="Whose export it is, by Telegram's user id: needed for private chats and small "
            "groups, whose messages are numbered account by account.",
            min=1,
        ),
    ] = None,
    allowed: Annotated[
        str | None,
        typer.Option(
            "--allow",
            metavar="archive,faces",
            help="What may be done with the chats, instead of being asked for each.",
        ),
    ] = None,
    chat: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TITLE|ID", help="Of a whole account's export only this chat; repeatable."
        ),
    ] = None,
) -> None:
    """Read a Telegram Desktop export (JSON), or a folder of pictures; nothing in it is changed.

    No account is needed. The windows are then worked through by `face-archive up`, as if Telegram
    had sent them. Import again whenever you like: what is known changes nothing, what is new is
    added. If you log in later, the chat is joined message by message.

    For example:

    - `face-archive import ~/Downloads/ChatExport_2026-11-20`
    - `face-archive import ~/Export --account 123456789 --chat Family --allow archive,faces`
    - `face-archive import --folder ~/Pictures/Summer`
    """
    switches = _switches(allowed)
    source = ExportFolder.at(folder)
    with open_toolbox() as toolbox:
        importer = Importer(toolbox, source, switches, account, chat or [])
        if pictures:
            importer.import_folder()
        else:
            importer.import_export()
    emit(importer.rows, title="Imported", empty="Nothing was imported.")
    if importer.broken is not None:
        raise importer.broken
    if importer.rows and all(row["chat_no"] is None for row in importer.rows):
        raise Permanent(str(importer.rows[0]["outcome"]))
    if any(row["messages"] for row in importer.rows):
        say("`face-archive up` looks at the files now; it takes what it needs from the folder.")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("import")(import_command)


def _switches(text: str | None) -> Switches | None:
    if text is None:
        return None
    names = {name.strip() for name in text.split(",")}
    if not names <= set(_ALLOWABLE) or "archive" not in names:
        raise typer.BadParameter(
            "say `archive`, or `archive,faces`: faces are found in what is archived.",
            param_hint="--allow",
        )
    return Switches(archive=True, faces="faces" in names)
