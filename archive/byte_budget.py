"""A bound on bytes in flight: what waits in memory is counted by size, not by number.

Knows nothing of files. Belongs to one event loop.
"""

from __future__ import annotations

from asyncio import Future, get_running_loop
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class ByteBudget:
    """Lets holders in while their bytes fit, in the order in which they asked.

    Whoever alone is larger than the whole limit passes when nobody else is in: it must be held
    anyway, and waiting would never end.

    Args:
        limit_bytes: Most bytes held at a time.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._held = 0
        self._waiting: deque[tuple[int, Future[None]]] = deque()

    @property
    def held_bytes(self) -> int:
        """Bytes that are in now."""
        return self._held

    @asynccontextmanager
    async def hold(self, size_bytes: int) -> AsyncIterator[None]:
        """Wait until ``size_bytes`` fit, and keep them while the body runs."""
        await self._enter(size_bytes)
        try:
            yield
        finally:
            self._held -= size_bytes
            self._admit()

    async def _enter(self, size_bytes: int) -> None:
        turn: Future[None] = get_running_loop().create_future()
        self._waiting.append((size_bytes, turn))
        self._admit()
        try:
            await turn
        except BaseException:
            # Cancelled while waiting, or after being admitted but before waking up.
            if turn.done() and not turn.cancelled():
                self._held -= size_bytes
            self._waiting = deque(each for each in self._waiting if each[1] is not turn)
            self._admit()
            raise

    def _admit(self) -> None:
        """Let in from the front; a small one never overtakes, or a large one would starve."""
        while self._waiting:
            size_bytes, turn = self._waiting[0]
            if self._held and self._held + size_bytes > self._limit:
                return
            self._waiting.popleft()
            if not turn.cancelled():
                self._held += size_bytes
                turn.set_result(None)
