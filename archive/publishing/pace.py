"""How often a hub may be written to.

One process's share only; a budget that all runs share belongs to the store.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

Pace = Callable[[], Awaitable[None]]
"""Awaited before every write to a hub; returns when it may happen."""

_WINDOW_SECONDS = 60.0


class MinutePace:
    """Let at most so many operations happen within any minute.

    A window over the last operations and not a bucket that refills: a full bucket and its
    refill together allow nearly twice the rate in the first minute, and Telegram's limit of
    about 20 messages a minute in a group (https://core.telegram.org/bots/faq) has no room for
    that. A small plan still runs without any wait.

    Args:
        operations_per_minute: At least 1.
        clock: Seconds that never go back.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        operations_per_minute: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._times: deque[float] = deque(maxlen=operations_per_minute)
        self._turn = asyncio.Lock()

    async def __call__(self) -> None:
        """Wait until one more operation is allowed, and count it."""
        async with self._turn:
            if len(self._times) == self._times.maxlen:
                await self._sleep(max(0.0, self._times[0] + _WINDOW_SECONDS - self._clock()))
            self._times.append(self._clock())


async def no_pace() -> None:
    """Wait for nothing: the loopback Telegram of tests and demo has no limit."""
