"""Reconciling: what no live update told, found by asking how far each chat has come.

One bulk request an account names the newest message of every chat; what lies beyond the known
becomes an entry of the inbox, and windows that are missing are planned. For the time when nobody
listened, and for updates that were lost on the way. Not here: edits and deletions of old
messages, which a newest id says nothing about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from archive.history import plan_windows
from archive.history.ports import HistorySource, HistoryStore
from archive.ids import AccountId, ChatNo, MessageId
from archive.records import Chat, IdSpace


@dataclass(frozen=True, slots=True)
class Top:
    """How far a chat has come.

    Attributes:
        message_id: The newest message; 0 in an empty chat.
        pts: Where its own sequence of updates stands; ``None`` for a chat that has none.
    """

    chat: Chat
    message_id: MessageId
    pts: int | None = None


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The outcome of a reconciliation.

    Attributes:
        chats: How many were compared.
        unreachable: How many more there are that the account cannot see.
        behind: How many have messages that nobody had told of.
        planned: How many windows are new.
    """

    chats: int
    unreachable: int
    behind: int
    planned: int


class TopsSource(Protocol):
    """Whoever can ask how far chats have come."""

    async def tops(self, chats: Sequence[Chat]) -> Sequence[Top]:
        """Ask for all of them at once; chats that the account cannot see are left out."""
        ...


class TopsStore(Protocol):
    """What the archive remembers of how far it has read."""

    def sources(self, account_id: AccountId) -> Sequence[Chat]:
        """Return the chats that an account archives and can see."""
        ...

    def note_tops(self, tops: Mapping[ChatNo, MessageId]) -> int:
        """Put newest messages into the inbox that neither it nor a reading knows.

        Returns:
            How many.
        """
        ...


async def reconcile(
    account_id: AccountId,
    source: TopsSource,
    history: HistorySource,
    tops_store: TopsStore,
    store: HistoryStore,
) -> Reconciled:
    """Compare all chats of an account with what is known of them.

    Args:
        account_id: Whose chats.
        source: That account's connection.
        history: The same connection, for the planning.
        tops_store: Where newest messages are compared and noted.
        store: Where windows are remembered.

    Raises:
        Transient: Telegram or the store did not answer.
        Permanent: The session is no longer valid.
    """
    chats = await asyncio.to_thread(tops_store.sources, account_id)
    tops = await source.tops(chats)
    behind, planned = await cover(tops, history, tops_store, store)
    return Reconciled(len(tops), len(chats) - len(tops), behind, planned)


async def cover(
    tops: Sequence[Top], history: HistorySource, tops_store: TopsStore, store: HistoryStore
) -> tuple[int, int]:
    """Plan what windows do not cover and note what nobody has told of.

    Returns:
        How many chats were behind, and how many windows are new.
    """
    # Noted first: a message that lies in no window yet is new, once windows are planned for it
    # nobody could tell.
    newest = {top.chat.chat_no: top.message_id for top in tops if top.message_id > 0}
    behind = await asyncio.to_thread(tops_store.note_tops, newest)
    planned = 0
    for top in tops:
        if await asyncio.to_thread(_needs_planning, top, store):
            planned += len((await plan_windows(top.chat, history, store)).windows)
    return behind, planned


def _needs_planning(top: Top, store: HistoryStore) -> bool:
    """Whether Telegram has to be asked where messages are.

    A dense space needs no question: the window of its newest message brings all below it.
    """
    chat = store.chat(top.chat.chat_no)
    if chat.window_width is None:
        return top.message_id > 0
    is_sparse = chat.id_space is IdSpace.ACCOUNT
    return is_sparse and top.message_id > store.planned_through(chat.chat_no)
