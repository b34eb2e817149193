"""Discovering: which chats an account is in, so that their owner can choose among them.

Everything found is stored with every switch off. The list is read page by page, and each page is
stored together with the place to go on from: a kill or a long wait costs no page twice. It is read
when a person asks for it and never by itself; chats joined later come with updates
(``archive.listening``). Not here: what may be done with a chat (``allowing``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from archive.ids import AccountId, ChatId
from archive.records import Chat, ChatKind, PeerInfo

_CLOCKS_DIFFER_BY: Final = timedelta(minutes=5)


class DialogList(StrEnum):
    """Which of an account's lists is read, in this order."""

    MAIN = "main"
    ARCHIVE = "archive"
    """What its owner put out of sight."""

    MOVED = "moved"
    """The main list from its top again: who wrote meanwhile moved up, past the place of reading."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """The dialog behind which a page begins, in Telegram's three words for it.

    Attributes:
        sent_at: Of its newest message.
        access_hash: The account's key to it; ``None`` where none is needed.
    """

    sent_at: datetime
    message_id: int
    chat_id: ChatId
    kind: ChatKind
    access_hash: int | None


@dataclass(frozen=True, slots=True)
class DialogCursor:
    """Where the reading of the lists goes on; without ``beyond`` at a list's top."""

    list: DialogList = DialogList.MAIN
    beyond: Beyond | None = None


@dataclass(frozen=True, slots=True)
class DialogPage:
    """Some dialogs of one list.

    Attributes:
        total: How many the list holds, as Telegram claims.
        beyond: Where the next page begins; ``None`` at the end of the list.
    """

    peers: tuple[PeerInfo, ...]
    total: int
    beyond: Beyond | None


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that an account's owner made in the app.

    Attributes:
        chat_ids: Chats that it names.
        kinds: Kinds of chats that it holds by a rule.
        without: Chats that are no part of it in spite of a rule.
        has_other_rules: It holds some by a rule that cannot be followed here, as all contacts.
    """

    title: str
    chat_ids: frozenset[ChatId]
    kinds: frozenset[ChatKind] = frozenset()
    without: frozenset[ChatId] = frozenset()
    has_other_rules: bool = False

    def holds(self, chat: Chat) -> bool:
        """Whether a chat of the account is in it."""
        by_rule = chat.kind in self.kinds and chat.chat_id not in self.without
        return chat.chat_id in self.chat_ids or by_rule


@dataclass(frozen=True, slots=True)
class Sweep:
    """One reading of all lists.

    Attributes:
        cursor: ``None`` once it is over.
        seen: How many chats it has found so far.
    """

    started_at: datetime
    cursor: DialogCursor | None
    seen: int


@dataclass(frozen=True, slots=True)
class Discovered:
    """What a reading came to.

    Attributes:
        chats: How many the account is in.
        pages: Read just now; those before a kill are not among them.
        resumed: It went on with a reading that was broken off.
    """

    chats: int
    pages: int
    resumed: bool


class DialogSource(Protocol):
    """Whoever can ask for an account's dialogs."""

    async def page(self, cursor: DialogCursor) -> DialogPage:
        """Read one page, the pinned dialogs among the first.

        Raises:
            Transient: Telegram asks to wait, or did not answer.
        """
        ...


class DialogStore(Protocol):
    """What the archive remembers of an account's dialogs."""

    def begin(self, account_id: AccountId) -> Sweep:
        """Begin a reading, or go on with one that was broken off."""
        ...

    def keep(
        self, account_id: AccountId, peers: Sequence[PeerInfo], cursor: DialogCursor | None
    ) -> Sweep:
        """Store a page and where to go on, in one transaction.

        The last page ends the reading: what it did not find is no dialog any more.
        """
        ...


async def discover(
    account_id: AccountId,
    source: DialogSource,
    store: DialogStore,
    *,
    advance: Callable[[int, int], None] = lambda seen, total: None,
) -> Discovered:
    """Store all chats that an account is in, with every switch off.

    Args:
        account_id: Whose.
        source: That account's connection.
        store: Where chats are remembered.
        advance: Told of the chats found so far, and how many there are at least.

    Raises:
        Transient: Telegram asks to wait for long, or did not answer; called again it goes on.
    """
    sweep = await asyncio.to_thread(store.begin, account_id)
    resumed, pages, total = sweep.cursor != DialogCursor(), 0, 0
    while sweep.cursor is not None:
        page = await source.page(sweep.cursor)
        following = _following(sweep, sweep.cursor, page)
        sweep = await asyncio.to_thread(store.keep, account_id, page.peers, following)
        pages, total = pages + 1, max(total, page.total)
        advance(sweep.seen, max(sweep.seen, total))
    return Discovered(sweep.seen, pages, resumed)


def _following(sweep: Sweep, cursor: DialogCursor, page: DialogPage) -> DialogCursor | None:
    """Say where to go on behind a page."""
    # A page that leads nowhere would be read for ever.
    is_last = page.beyond is None or page.beyond == cursor.beyond
    match cursor.list:
        case DialogList.MAIN if is_last:
            return DialogCursor(DialogList.ARCHIVE)
        case DialogList.ARCHIVE if is_last:
            return DialogCursor(DialogList.MOVED)
        case DialogList.MOVED if page.beyond is None or is_last or _is_before(page.beyond, sweep):
            return None
    return replace(cursor, beyond=page.beyond)


def _is_before(place: Beyond, sweep: Sweep) -> bool:
    """Whether whatever comes behind a place has not moved since a reading began."""
    return place.sent_at < sweep.started_at - _CLOCKS_DIFFER_BY
