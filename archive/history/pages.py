"""Pages in flight: several requests at a time, handed over in the order of the history.

The offset of a page follows from the page above it, so what is left is cut into stripes of ids
that are read side by side. Which windows there are is ``planning``, storing what comes ``reading``.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from math import ceil
from types import TracebackType
from typing import Final, Self

from archive.errors import Transient
from archive.history.ports import Arrival
from archive.ids import MessageId
from archive.records import Message, Page

PAGE: Final = 100
"""Messages that Telegram brings in one answer at most."""

# Where messages are missing, the last page of a stripe reaches into the next one: half a page
# is wasted a stripe. Longer stripes waste less and wait longer in memory for those above them.
_PAGES_AHEAD: Final = 20
_MOST_WAITING: Final = 2 * _PAGES_AHEAD

# Where the store is slower than Telegram, pages are handed over together: a transaction of five
# costs little more than one of one.
_TOGETHER: Final = 5

# Taking a page apart takes as long as receiving it. The next question, and the answer that comes
# in the same moment, go first: else each of them is milliseconds late.
PAUSE_SECONDS: Final = 0.005

InFlight = Callable[[], int]
"""How many requests may be under way now; asked before each of them."""


def one_at_a_time() -> int:
    """Ask for the next page when this one has come."""
    return 1


@dataclass(frozen=True, slots=True)
class Asked:
    """A page as it came.

    Attributes:
        as_of: The store's time before the question.
    """

    arrival: Arrival
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """Pages, and the ids that they speak of: everything from ``first`` up to ``last``."""

    page: Page
    first: MessageId
    last: MessageId
    as_of: datetime

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages among those ids; a page may reach further down."""
        return tuple(m for m in self.page.messages if self.first <= m.message_id <= self.last)


@dataclass(frozen=True, slots=True)
class _Arrived:
    """An answer that is about to be taken apart."""

    page: asyncio.Task[Page]
    first: MessageId
    last: MessageId
    as_of: datetime

    def answer(self) -> Answer:
        return Answer(self.page.result(), self.first, self.last, self.as_of)


@dataclass(slots=True, eq=False)
class _Stripe:
    """A range of ids that is read page by page.

    Attributes:
        rest: Exclusive upper end of what is still to be read.
        floor: Lowest id.
    """

    rest: MessageId
    floor: MessageId
    asking: bool = False
    arrived: deque[_Arrived] = field(default_factory=deque)

    @property
    def is_read(self) -> bool:
        return self.rest <= self.floor

    def ready(self) -> list[Answer]:
        """Take what can be handed over together; raises what taking the next one apart did."""
        ready: list[Answer] = []
        while self.arrived and self.arrived[0].page.done() and len(ready) < _TOGETHER:
            if ready and self.arrived[0].page.exception():
                break
            ready.append(self.arrived.popleft().answer())
        return ready


class PagesAhead:
    """The pages between two ids, newest first, without a gap and without a double.

    How densely messages lie shows the first page, which is asked for alone where nobody knows it
    yet. One request at a time asks for exactly the pages that a plain descent would. An error is
    raised once every page above it has been handed over; nothing more is asked for from the
    moment it happens.

    Args:
        ask: Brings the page below an id.
        top: Exclusive upper end.
        floor: Lowest id, included.
        in_flight: How many requests may be under way.
        ids_per_page: A guess to begin with; where nothing is, it costs as many requests as may be
            under way. ``None``: wait for the first page.
        pause_seconds: Between an answer and taking it apart.
    """

    def __init__(
        self,
        ask: Callable[[MessageId], Awaitable[Asked]],
        *,
        top: MessageId,
        floor: MessageId,
        in_flight: InFlight = one_at_a_time,
        ids_per_page: float | None = None,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._ask = ask
        self._pause_seconds = pause_seconds
        self._floor = floor
        self._in_flight = in_flight
        self._stripes: deque[_Stripe] = deque()
        self._frontier = top
        self._ids_per_page = ids_per_page
        self._bottom: MessageId | None = None
        if ids_per_page is None:
            # It reaches as far as its page will.
            self._stripes.append(_Stripe(top, MessageId(max(floor, top - 1))))
            self._frontier = self._stripes[0].floor
        self._asking: dict[asyncio.Task[Asked], _Stripe] = {}
        self._failure: BaseException | None = None
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give up what is still asked for."""
        opening = (each.page for stripe in self._stripes for each in stripe.arrived)
        tasks = [*self._asking, *opening]
        self._failure = self._failure or asyncio.CancelledError()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def __aiter__(self) -> AsyncIterator[Answer]:
        """Hand over what is ready, some pages at once; requests go on while they are stored."""
        while True:
            self._fill()
            if not self._stripes:
                return
            head = self._stripes[0]
            if ready := head.ready():
                yield ready[0] if len(ready) == 1 else _joined(ready)
            elif not head.arrived and head.is_read:
                self._stripes.popleft()
            elif not (head.arrived or head.asking or self._failure is None):
                raise self._failure
            else:
                self._news.clear()
                await self._news.wait()

    def _fill(self) -> None:
        """Ask for as much as may be under way, the newest first."""
        while self._failure is None and len(self._asking) < max(1, self._in_flight()):
            stripe = next((s for s in self._stripes if not (s.asking or s.is_read)), None)
            waiting = sum(len(each.arrived) for each in self._stripes)
            # What the head lacks is what everything else waits for.
            if waiting >= _MOST_WAITING and (stripe is None or stripe is not self._stripes[0]):
                return
            stripe = stripe or self._open()
            if stripe is None:
                return
            stripe.asking = True
            task = asyncio.ensure_future(self._ask(stripe.rest))
            self._asking[task] = stripe
            task.add_done_callback(self._answered)

    def _open(self) -> _Stripe | None:
        """Cut the next stripe off: shorter ones towards the end, so that all end together."""
        if self._ids_per_page is None or self._frontier <= self._floor:
            return None
        # Nothing is below: the page under way, if empty too, will speak for all the rest.
        if any(each.asking and each.rest <= (self._bottom or 0) for each in self._stripes):
            return None
        floor, most = self._floor, self._in_flight()
        if most > 1:
            pages_left = (self._frontier - floor) / self._ids_per_page
            pages = min(max(1, _PAGES_AHEAD // most), max(1, ceil(pages_left / (2 * most))))
            floor = MessageId(max(floor, self._frontier - ceil(pages * self._ids_per_page)))
        stripe = _Stripe(self._frontier, floor)
        self._frontier = floor
        self._stripes.append(stripe)
        return stripe

    def _answered(self, task: asyncio.Task[Asked]) -> None:
        stripe = self._asking.pop(task)
        stripe.asking = False
        try:
            self._take(stripe, task.result())
        except BaseException as error:
            self._failure = self._failure or error
        self._fill()
        self._news.set()

    def _take(self, stripe: _Stripe, asked: Asked) -> None:
        """Keep a page: it owns the ids from its smallest up to where it was asked to begin."""
        ids = asked.arrival.ids
        lowest = lowest_below(ids, stripe.rest)
        if lowest is None:
            self._bottom = stripe.rest
        first = self._floor if lowest is None else MessageId(max(lowest, self._floor))
        if stripe.floor == self._frontier:
            # Nobody reads below: what the page brings of it is not asked for again.
            stripe.floor = self._frontier = min(stripe.floor, first)
        first = max(first, stripe.floor)
        opening = asyncio.ensure_future(self._opened(asked.arrival))
        opening.add_done_callback(lambda _: self._news.set())
        last = MessageId(stripe.rest - 1)
        stripe.arrived.append(_Arrived(opening, first, last, asked.as_of))
        stripe.rest = first
        if ids:
            self._ids_per_page = max(1.0, (max(ids) - min(ids) + 1) / len(ids)) * PAGE

    async def _opened(self, arrival: Arrival) -> Page:
        await asyncio.sleep(self._pause_seconds)
        return arrival.open()


def _joined(answers: Sequence[Answer]) -> Answer:
    """Put neighbours together, the newest first; they say what was true at the first question."""
    pages = [answer.page for answer in answers]
    page = Page(
        messages=tuple(chain.from_iterable(answer.messages for answer in answers)),
        users=tuple(chain.from_iterable(page.users for page in pages)),
        chats=tuple(chain.from_iterable(page.chats for page in pages)),
        total=pages[0].total,
    )
    as_of = min(answer.as_of for answer in answers)
    return Answer(page, answers[-1].first, answers[0].last, as_of)


def lowest_below(ids: Sequence[MessageId], bound: MessageId) -> MessageId | None:
    """Return the oldest of the ids of a page that was asked to end below a bound.

    Returns:
        ``None`` if the page is empty.

    Raises:
        Transient: Nothing in it is below: to go on from there would never end.
    """
    lowest = min(ids, default=None)
    if lowest is not None and lowest >= bound:
        raise Transient("Telegram answered with messages newer than those it was asked for.")
    return lowest
