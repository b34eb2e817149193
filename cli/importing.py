"""`face-archive import`: a Telegram Desktop export, or a folder of pictures, as a source.

Asks what is allowed and shows what came of it; what an import is belongs to `archive.exports`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from archive.chats import allow
from archive.errors import ItemRejected, Permanent
from archive.exports.importing import import_messages
from archive.exports.messages import chat_of, message_of
from archive.exports.pictures import Picture, folder_chat, messages_of
from archive.exports.records import (
    NO_ACCOUNT,
    BrokenExport,
    ExportedChat,
    ExportedMessage,
    Imported,
    Rejected,
)
from archive.ids import AccountId, ChatNo
from archive.records import Chat, Switches
from cli.context import open_toolbox
from cli.output import emit, progress, say
from resources.desktop_export.folder import ExportFolder
from resources.desktop_export.pictures import pictures_in
from resources.desktop_export.reading import FoundChat, chats_in

if TYPE_CHECKING:
    from resources.toolbox import Toolbox

_RESULT: Final = "result.json"
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
        importer = _Importer(toolbox, source, switches, account, chat or [])
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


class _Importer:
    """One run of the command."""

    def __init__(
        self,
        toolbox: Toolbox,
        source: ExportFolder,
        switches: Switches | None,
        account: int | None,
        wanted: list[str],
    ) -> None:
        self.rows: list[dict[str, object]] = []
        self.broken: BrokenExport | None = None
        self._toolbox = toolbox
        self._source = source
        self._switches = switches
        self._account = None if account is None else AccountId(account)
        self._wanted = wanted

    def import_export(self) -> None:
        """Import every chat that is wanted and allowed; remember what broke the export off."""
        self._require_result()
        try:
            with self._source.open(_RESULT) as number, open(number, "rb", closefd=False) as file:
                for found in chats_in(file):
                    self._import_found(found)
        except BrokenExport as broken:
            self.broken = broken

    def import_folder(self) -> None:
        """Import the pictures of a plain folder."""
        root = self._source.root
        chat = self._toolbox.exports.add_chat(folder_chat(str(root), root.name), NO_ACCOUNT)
        chat = self._ask(chat)
        listed = list(pictures_in(root))
        known = self._toolbox.exports.numbers_of(chat.chat_no)
        files = [each for each in listed if isinstance(each, Picture)]
        others = [each for each in listed if isinstance(each, Rejected)]
        self._import(chat, [*messages_of(files, known, chat.chat_no), *others])

    def _require_result(self) -> None:
        try:
            with self._source.open(_RESULT):
                return
        except ItemRejected as exc:
            raise Permanent(
                f"{self._source.root} holds no {_RESULT} ({exc.detail}): export as "
                "'Machine-readable JSON', or give --folder for a folder of pictures."
            ) from exc

    def _import_found(self, found: FoundChat) -> None:
        try:
            head = chat_of(found.head)
            if not self._is_wanted(head):
                return
            account_id = self._account_of(head)
        except Permanent as exc:
            name = str(found.head.get("name"))
            if not self._wanted or name in self._wanted:
                self.rows.append(_row(name, None, str(exc)))
            return
        chat = self._ask(self._toolbox.exports.add_chat(head, account_id))
        self._import(chat, _converted(found.items, chat.chat_no))

    def _is_wanted(self, head: ExportedChat) -> bool:
        return not self._wanted or head.title in self._wanted or str(head.chat_id) in self._wanted

    def _account_of(self, head: ExportedChat) -> AccountId:
        if not head.needs_account:
            return NO_ACCOUNT
        if self._account is None:
            raise Permanent(
                f"{head.title!r} is numbered among all chats of one account: say whose export "
                "this is with --account and the user id (Telegram Desktop shows it in Settings, "
                "Advanced, Experimental settings, 'Show Peer IDs in Profile')."
            )
        return self._account

    def _ask(self, chat: Chat) -> Chat:
        """Switch on what the person allows; what is on already is not asked again."""
        now = chat.switches
        if self._switches is not None:
            wanted = self._switches
        else:
            archive = now.archive or typer.confirm(
                f"Archive {chat.title!r}: store its messages, fingerprint its photos and videos?",
                err=True,
            )
            faces = archive and (
                now.faces or typer.confirm("Look for faces in them, and find people?", err=True)
            )
            wanted = Switches(archive=archive, faces=faces)
        return allow(chat, wanted, self._toolbox.chats) if wanted != Switches() else chat

    def _import(self, chat: Chat, messages: Iterable[ExportedMessage | Rejected]) -> None:
        if not chat.switches.archive:
            self.rows.append(_row(chat.title, chat, "not allowed: nothing was read"))
            return
        exports = self._toolbox.exports
        number = exports.number_of(self._source.root)
        with progress(f"Importing {chat.title}") as advance:
            done = import_messages(
                chat,
                number,
                messages,
                self._source,
                exports,
                advance=lambda count: advance(count, None),
            )
        self.rows.append(_row(chat.title, chat, "breaks off" if done.broken else "imported", done))
        if done.broken:
            raise done.broken


def _converted(items: Iterator[object], chat_no: ChatNo) -> Iterator[ExportedMessage | Rejected]:
    for item in items:
        try:
            yield message_of(item, chat_no)
        except ItemRejected as exc:
            yield Rejected(exc.reason, exc.detail)


def _row(
    title: str, chat: Chat | None, outcome: str, done: Imported | None = None
) -> dict[str, object]:
    done = done or Imported()
    return {
        "chat_no": chat and chat.chat_no,
        "title": title,
        "outcome": outcome,
        "messages": done.messages,
        "added": done.added,
        "updated": done.updated,
        "media": done.media,
        "reopened": done.reopened,
        "windows": done.windows,
        "rejected": dict(done.rejected),
    }


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
