"""Reading: one window whole, once, and again after a crash.

Pages go down from the newest id, each is stored together with the cursor, and what a page proves
to be missing was deleted. Several pages at a time are ``pages``; which windows there are is
``planning``.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime

from archive.history.pages import PAGE, Answer, Asked, InFlight, PagesAhead, one_at_a_time
from archive.history.ports import (
    ChatLost,
    HistorySource,
    HistoryStore,
    Look,
    PageCommit,
    StoppedReason,
)
from archive.ids import MessageId
from archive.records import Chat, ChatState, Counts, IdSpace, PeerInfo, User
from archive.windows import Descent, Window, next_descent

# Telegram answers at most this many messages asked for by id.
_NAMED_PER_REQUEST = 100


@dataclass(frozen=True, slots=True)
class HistoryResult:
    """The outcome of reading a window.

    Attributes:
        counts: ``requests``, ``messages`` (received and kept), ``added``, ``deleted``,
            ``media``, ``named`` (asked for by id).
    """

    counts: Counts
    stopped_reason: StoppedReason


async def read_window(
    window: Window,
    source: HistorySource,
    store: HistoryStore,
    *,
    whole: bool = False,
    in_flight: InFlight = one_at_a_time,
) -> HistoryResult:
    """Read what is missing of a window; a crash anywhere costs the pages in flight.

    A window that was never read is read whole, an open one above its watermark, a sealed one
    not at all; then every message that a live update named and no page has brought.

    Args:
        window: A planned window.
        source: The connection of the account that reads its chat.
        store: Where messages are remembered.
        whole: Read all of it again, which also finds what was deleted unnoticed.
        in_flight: How many pages may be asked for at a time; they are stored newest first.

    Raises:
        Transient: Telegram or the store did not answer; what was stored stays.
        Permanent: The window was never planned, or Telegram refuses for another reason than
            that the chat is lost.
    """
    chat = await asyncio.to_thread(store.chat, window.chat_no)
    reading = _Reading(chat, window, source, store, in_flight)
    try:
        await reading.run(whole=whole)
    except _SwitchedOff:
        return HistoryResult(Counts(reading.counts), "switched_off")
    except ChatLost as lost:
        await asyncio.to_thread(store.mark_lost, chat, lost.reason)
        return HistoryResult(Counts(reading.counts), "lost")
    return HistoryResult(Counts(reading.counts), "done")


class _SwitchedOff(Exception):
    """The owner forbade archiving the chat while it was being read."""


class _Reading:
    """One call of ``read_window``: what stays the same from page to page."""

    def __init__(
        self,
        chat: Chat,
        window: Window,
        source: HistorySource,
        store: HistoryStore,
        in_flight: InFlight,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._chat = chat
        self._window = window
        self._source = source
        self._store = store
        self._in_flight = in_flight
        self._as_of: datetime
        self._inbox_up_to: int
        self._known_top: MessageId
        self._known: set[User | PeerInfo] = set()

    async def run(self, *, whole: bool) -> None:
        if not self._chat.switches.archive:
            raise _SwitchedOff
        if self._chat.state is ChatState.LOST:
            # A sealed window would ask nothing: this is what finds out that access is back.
            await self._source.page(self._chat, offset_id=0, limit=1)
            self.counts["requests"] += 1
            await asyncio.to_thread(self._store.mark_active, self._chat.chat_no)
        look = await self._look()
        if look.row.descent is not None:
            # It began before we looked, so it proves nothing about gaps, nor about ids above
            # its reach: look again afterwards.
            await self._descend(look.row.descent)
            look = await self._look()
        whole = whole or look.has_gap
        descent = next_descent(look.row, whole=whole)
        if descent is not None:
            closes_gaps = whole and look.row.descent is None
            await self._descend(descent, gaps_up_to=look.inbox_up_to if closes_gaps else 0)
        await self._read_named()
        await asyncio.to_thread(self._store.settle, self._window)

    async def _look(self) -> Look:
        look = await asyncio.to_thread(self._store.look, self._window)
        self._as_of, self._inbox_up_to = look.as_of, look.inbox_up_to
        self._known_top = look.row.known_top
        return look

    async def _descend(self, descent: Descent, gaps_up_to: int = 0) -> None:
        """Read pages downwards until the floor is reached."""
        async with PagesAhead(
            self._ask,
            top=descent.cursor,
            floor=descent.floor,
            in_flight=self._in_flight,
            ids_per_page=PAGE if self._is_dense(descent) else None,
        ) as pages:
            async for answer in pages:
                descent = await self._keep(answer, descent)
        await asyncio.to_thread(self._store.finish, self._window, descent, gaps_up_to=gaps_up_to)

    def _is_dense(self, descent: Descent) -> bool:
        """Whether few ids are missing: a space of its own, and no ids still to come."""
        return self._chat.id_space is IdSpace.OWN and descent.cursor <= self._known_top + 1

    async def _ask(self, below: MessageId) -> Asked:
        as_of = self._as_of
        self.counts["requests"] += 1
        return Asked(await self._source.below(self._chat, below), as_of)

    async def _keep(self, answer: Answer, descent: Descent) -> Descent:
        """Store what came with the place to go on from."""
        messages = answer.messages
        reach = max([descent.reach, *(m.message_id for m in messages)])
        after = Descent(answer.first, descent.floor, reach)
        await self._commit(
            PageCommit(
                self._window,
                messages,
                answer.page.users,
                answer.page.chats,
                answer.first,
                answer.last,
                None,
                answer.as_of,
                self._inbox_up_to,
                after,
            )
        )
        return after

    async def _read_named(self) -> None:
        """Read what live updates named and no page of this run has answered."""
        waiting = await asyncio.to_thread(self._store.waiting, self._window, self._inbox_up_to)
        for start in range(0, len(waiting), _NAMED_PER_REQUEST):
            ids = waiting[start : start + _NAMED_PER_REQUEST]
            self.counts["requests"] += 1
            page = await self._source.messages(self._chat, ids)
            self.counts["named"] += len(ids)
            await self._commit(
                PageCommit(
                    self._window,
                    tuple(m for m in page.messages if m.message_id in ids),
                    page.users,
                    page.chats,
                    min(ids),
                    max(ids),
                    ids,
                    self._as_of,
                    self._inbox_up_to,
                    None,
                )
            )

    async def _commit(self, commit: PageCommit) -> None:
        # Each page brings the same people again.
        fresh = replace(
            commit,
            users=tuple(user for user in commit.users if user not in self._known),
            chats=tuple(peer for peer in commit.chats if peer not in self._known),
        )
        stored = await asyncio.to_thread(self._store.store_page, self._chat, fresh)
        if stored is None:
            raise _SwitchedOff
        self._known.update(fresh.users, fresh.chats)
        self._as_of = stored.as_of
        self.counts["messages"] += len(commit.messages)
        self.counts["added"] += stored.added
        self.counts["deleted"] += stored.deleted
        self.counts["deletions_held"] += stored.held
        self.counts["media"] += stored.media
