"""The chats of an export, or a folder of pictures, one after the other: asked for and imported.

What an import is belongs to `archive.exports`; options and exit codes are `cli.importing`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

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
from cli.output import progress
from resources.desktop_export.folder import ExportFolder
from resources.desktop_export.pictures import pictures_in
from resources.desktop_export.reading import FoundChat, chats_in

if TYPE_CHECKING:
    from resources.toolbox import Toolbox

_RESULT: Final = "result.json"


class Importer:
    """One run of the command.

    Args:
        toolbox: Of the installation.
        source: The folder.
        switches: Allowed for every chat; ``None`` asks for each.
        account: Whose export it is, where that was said.
        wanted: Titles or ids of the chats to import; empty for all.

    Attributes:
        rows: What became of each chat.
        broken: What the export broke off with, once it did.
    """

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
