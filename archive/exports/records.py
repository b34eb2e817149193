"""What an import is made of: chats, messages and files as an export tells of them, and the ports.

Values and Protocols only. The format of Telegram Desktop is ``messages``', the order in which
things happen is ``importing``'s.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from archive.errors import Permanent
from archive.history.ports import Plan
from archive.ids import AccountId, ChatId, ChatNo, MediaId, MessageId
from archive.records import Chat, ChatKind, IdSpace, Message, PeerInfo, User

NO_ACCOUNT: Final = AccountId(0)
"""Whose chats nobody can read from Telegram: they came without an account."""

EXPORTED: Final = "ExportedMessage"
"""The ``_`` of a message that an export brought; what Telegram says of it later replaces it."""


class Absence(StrEnum):
    """Why the file of an exported medium is not looked at; the reasons of ``skipped`` rows."""

    NOT_INCLUDED = "not_included"
    """The export says so itself."""

    MISSING = "missing"
    """The export names a file that is not there."""

    OUTSIDE = "outside"
    """The name leads out of the folder: by ``..``, or from the root."""

    LINK = "link"
    """The name leads over a symbolic link."""

    NOT_A_FILE = "not_a_file"
    """A folder, a pipe, a device."""

    CHANGED = "changed"
    """It has another size than the export says."""


class BrokenExport(Permanent):
    """The export cannot be read further; what came before the place is kept."""


@dataclass(frozen=True, slots=True)
class ExportedChat:
    """A chat as the head of an export names it."""

    chat_id: ChatId
    kind: ChatKind
    title: str

    @property
    def peer(self) -> PeerInfo:
        """The same as an answer of Telegram would tell it."""
        return PeerInfo(self.chat_id, self.kind, self.title)

    @property
    def needs_account(self) -> bool:
        """Whether its messages are numbered among all chats of one account."""
        return self.peer.id_space is IdSpace.ACCOUNT


@dataclass(frozen=True, slots=True)
class ExportedMessage:
    """A message with who sent it and where its file lies.

    Attributes:
        path: Of the file, as the export writes it; ``None`` where it has none.
    """

    message: Message
    sender: User | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """Something in an export that cannot be a message, and why."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the file of a medium should lie.

    Attributes:
        path: As the export writes it; ``None`` where it says that it has no file.
    """

    folder: Path
    path: str | None


@dataclass(frozen=True, slots=True)
class Absent:
    """A medium that was skipped for want of its file.

    Attributes:
        path: Where it should lie.
        size_bytes: That it should have.
    """

    media_id: MediaId
    path: str
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class Stored:
    """What a page of an export changed.

    Attributes:
        added: Messages that were not there before.
        touched: Ids of messages that are new or say something else now.
    """

    added: int
    touched: tuple[MessageId, ...]


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did to one chat.

    Attributes:
        messages: Seen in the export.
        updated: Known ones that say something else now.
        reopened: Media whose file was absent before and is there now.
        rejected: How many could not be read, by reason.
        broken: What the export broke off with; what came before it is stored.
    """

    messages: int = 0
    added: int = 0
    updated: int = 0
    media: int = 0
    windows: int = 0
    reopened: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    broken: BrokenExport | None = None


class ExportFiles(Protocol):
    """The folder in which an export lies."""

    def size_of(self, path: str) -> int | None:
        """Return how large a file is; ``None`` if it cannot be opened."""
        ...


class ExportStore(Protocol):
    """What the archive remembers of exports."""

    def store_page(
        self, chat: Chat, export_no: int, page: Sequence[ExportedMessage]
    ) -> Stored | None:
        """Store messages in one transaction; what Telegram itself said is left as it is.

        Returns:
            ``None`` where the chat may not be archived: then nothing was stored.
        """
        ...

    def finish(self, chat_no: ChatNo, plan: Plan, touched: Collection[MessageId]) -> int:
        """Remember the windows, ask for those that hold touched ids; return how many are new."""
        ...

    def absent(self, chat_no: ChatNo) -> Sequence[Absent]:
        """Return the media that were skipped for want of their file, where one is named."""
        ...

    def reopen(self, chat_no: ChatNo, media_ids: Collection[MediaId]) -> None:
        """Let the next pass look at media again."""
        ...
