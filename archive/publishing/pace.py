"""How often a hub may be written to, by all runs together.

The budget itself is the store's, see ``archive.budgets``; here its answers are waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from archive.budgets import AskedToWait, RequestBudget


class Pace(Protocol):
    """When a hub may be written to."""

    async def __call__(self) -> None:
        """Return when one more write may happen.

        Raises:
            AskedToWait: Telegram asked to leave the hub alone for longer than is slept in place.
        """
        ...

    async def asked_to_wait(self, wait: AskedToWait) -> None:
        """Tell all who write there that Telegram asked to wait."""
        ...


class BudgetPace:
    """Let a write happen when the hub's budget grants it.

    Args:
        budget: The hub's; whoever else writes there takes from it too.
        flood_sleep_limit_seconds: What one write may wait because Telegram asked for it.
        on_wait: Told before a wait of that kind, to show it.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        budget: RequestBudget,
        *,
        flood_sleep_limit_seconds: float,
        on_wait: Callable[[float], None] = lambda _: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._budget = budget
        self._limit_seconds = flood_sleep_limit_seconds
        self._on_wait = on_wait
        self._sleep = sleep

    async def __call__(self) -> None:
        """Wait until one more write is allowed, and take it from the budget."""
        slept = 0.0
        while (permit := await asyncio.to_thread(self._budget.take, 1)).flood_seconds > 0:
            slept += permit.flood_seconds
            if slept > self._limit_seconds:
                raise AskedToWait(
                    f"Telegram asks to leave the hub alone for {permit.flood_seconds:.0f} s.",
                    permit.flood_seconds,
                )
            self._on_wait(permit.flood_seconds)
            await self._sleep(permit.flood_seconds)
        if permit.pace_seconds > 0:
            await self._sleep(permit.pace_seconds)

    async def asked_to_wait(self, wait: AskedToWait) -> None:
        """Tell all who write there that Telegram asked to wait."""
        await asyncio.to_thread(self._budget.flooded, "publish", wait.seconds)


class NoPace:
    """Wait for nothing: the loopback Telegram of tests and demo has no limit."""

    async def __call__(self) -> None:
        """Let every write happen at once."""

    async def asked_to_wait(self, wait: AskedToWait) -> None:
        """Remember nothing: whoever tries again is told again."""


no_pace = NoPace()
