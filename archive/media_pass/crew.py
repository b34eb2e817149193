"""The crew of a pass: a fixed number of tasks that claim items and take them through.

Keeps the leases alive meanwhile, and decides what stops the crew: a switch that went off and an
account that must wait end it after the items in hand, any other error at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from archive.errors import Transient
from archive.ids import MediaId
from archive.ledger import ChatPolicy, Product
from archive.media_pass.fetching import Item
from archive.media_pass.records import Claimed, Claims, Committed, Surveyed
from archive.media_pass.result import SWITCHED_OFF


@dataclass(frozen=True, slots=True)
class Todo:
    """A medium that asks for work.

    Attributes:
        products: What somebody allows to be made of it.
        crashed_before: It killed the child in which it was alone.
    """

    medium: Surveyed
    products: frozenset[Product]
    crashed_before: bool

    def claimed(self, claimed: Claimed) -> Item:
        """Turn it into an item, now that it is ours."""
        return Item(
            file=self.medium.file,
            message_id=self.medium.message_id,
            claimed=claimed,
            products=self.products,
            alone=self.crashed_before or claimed.was_in_flight,
            original=self.medium.original,
        )


class Crew:
    """Works through media with a bounded number of tasks; belongs to one event loop.

    Args:
        size: Tasks, and media claimed at a time: no more are in flight than are worked on, so
            few are suspects when a pass is killed.
        policy: What the chat allowed when the work was listed.
        claim: Takes some media.
        process: Takes one item to its end.
        renew: Holds on to what was claimed.
        renew_seconds: How often to do so.
    """

    def __init__(
        self,
        size: int,
        *,
        policy: ChatPolicy,
        claim: Callable[[Sequence[MediaId]], Awaitable[Claims]],
        process: Callable[[Item], Awaitable[Committed]],
        renew: Callable[[], Awaitable[None]],
        renew_seconds: float,
    ) -> None:
        self.stopped_reason: str | None = None
        self.must_wait: Transient | None = None
        self._size = size
        self._policy = policy
        self._claim = claim
        self._process = process
        self._renew = renew
        self._renew_seconds = renew_seconds
        self._claiming = asyncio.Lock()
        self._todo: deque[Todo] = deque()
        self._ready: deque[Item] = deque()

    @property
    def has_stopped(self) -> bool:
        """Whether no further item may be taken."""
        return self.stopped_reason is not None or self.must_wait is not None

    async def work_through(self, work: Mapping[MediaId, Todo]) -> dict[MediaId, Todo]:
        """Do what can be had, and return what another pass holds.

        Raises:
            ArchiveError: The first error that stopped the crew at once.
        """
        if not work:
            return {}
        self._todo.extend(work.values())
        busy: dict[MediaId, Todo] = {}
        try:
            async with asyncio.TaskGroup() as group:
                renewal = group.create_task(self._keep_leases())
                members = [
                    group.create_task(self._work(work, busy))
                    for _ in range(min(self._size, len(work)))
                ]
                await asyncio.wait(members)
                renewal.cancel()
        except BaseExceptionGroup as errors:
            raise _first(errors) from errors
        return busy

    async def _work(self, work: Mapping[MediaId, Todo], busy: dict[MediaId, Todo]) -> None:
        while (item := await self._next(work, busy)) is not None:
            try:
                outcome = await self._process(item)
            except Transient as exc:
                if exc.retry_after_seconds is None:
                    raise
                self._wait_for(exc)
            else:
                if outcome is Committed.SWITCHED_OFF:
                    self.stopped_reason = SWITCHED_OFF

    def _wait_for(self, wait: Transient) -> None:
        """Remember the longest wait: several downloads run into one flood."""
        known = self.must_wait.retry_after_seconds if self.must_wait else None
        if (wait.retry_after_seconds or 0) > (known or 0) or self.must_wait is None:
            self.must_wait = wait

    async def _next(self, work: Mapping[MediaId, Todo], busy: dict[MediaId, Todo]) -> Item | None:
        async with self._claiming:
            while not self._ready and self._todo and not self.has_stopped:
                await self._claim_some(work, busy)
            if self.has_stopped or not self._ready:
                return None
            return self._ready.popleft()

    async def _claim_some(self, work: Mapping[MediaId, Todo], busy: dict[MediaId, Todo]) -> None:
        some = [self._todo.popleft() for _ in range(min(self._size, len(self._todo)))]
        claims = await self._claim([each.medium.file.media_id for each in some])
        if self._was_switched_off(claims.policy):
            self.stopped_reason = SWITCHED_OFF
        busy.update({media_id: work[media_id] for media_id in claims.busy})
        self._ready.extend(work[each.media_id].claimed(each) for each in claims.items)

    def _was_switched_off(self, now: ChatPolicy) -> bool:
        return (
            not now.archive
            or (self._policy.faces and not now.faces)
            or (self._policy.keep_originals and not now.keep_originals)
        )

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self._renew_seconds)
            await self._renew()


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """Unwrap the error that came first: the port's own, which callers know."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
