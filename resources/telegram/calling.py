"""One request to Telegram: sent, waited for, counted, its errors translated.

Every request of this room goes through a ``Caller``, so that a flood is slept and shown in one
way, the account's budget is asked first, and no error of Telethon's leaves. Not here: which
errors mean what (``errors``) and any retry but the wait that Telegram itself asks for; retries
belong to Dagster and the ledger.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from archive.budgets import AskedToWait, RequestBudget
from resources.telegram.errors import concerns_account, lost_connection, translate, wait_seconds
from resources.telegram.stats import RequestStats

Sleep = Callable[[float], Awaitable[None]]

# Whatever only looks is named so by Telegram; writing to a hub has a pace of its own.
_READS = ("get", "resolve", "check")


def method_name(request: Any) -> str:
    """Return Telegram's name of a request, wrapped or not, such as ``messages.getHistory``."""
    cls = type(getattr(request, "query", request))
    namespace = cls.__module__.rpartition(".")[2]
    name = cls.__name__.removesuffix("Request")
    name = name[:1].lower() + name[1:]
    return name if namespace == "functions" else f"{namespace}.{name}"


def is_counted(name: str) -> bool:
    """Whether a request is taken from the account's budget; waits hold for the others too."""
    return name.rpartition(".")[2].startswith(_READS)


class Caller:
    """Sends the requests of one client.

    Args:
        client: A Telethon client.
        stats: Where requests and waits are counted.
        flood_sleep_limit_seconds: What one request may sleep, all its waits together.
        request_timeout_seconds: When an answer counts as lost.
        budget: The account's; ``None`` while nobody is logged in yet.
        sleep: How to wait.
    """

    def __init__(
        self,
        client: Any,
        stats: RequestStats,
        *,
        flood_sleep_limit_seconds: float,
        request_timeout_seconds: float,
        budget: RequestBudget | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.client = client
        self.stats = stats
        self.flood_sleep_limit_seconds = flood_sleep_limit_seconds
        self._request_timeout_seconds = request_timeout_seconds
        self._budget = budget
        self._sleep = sleep

    def impatient(self) -> Caller:
        """Return one that sleeps for no flood: for what has another way that costs no wait."""
        return Caller(
            self.client,
            self.stats,
            flood_sleep_limit_seconds=0,
            request_timeout_seconds=self._request_timeout_seconds,
            budget=self._budget,
            sleep=self._sleep,
        )

    async def __call__(self, request: Any, *, sender: Any = None) -> Any:
        """Send one request and return its answer.

        Args:
            request: A Telethon request.
            sender: The connection to another data centre; ``None`` for the account's own.

        Raises:
            Transient: A wait longer than the limit, or an answer that was lost: the request
                may or may not have had its effect.
            Permanent: Telegram refused (``TelegramRefused``, ``SessionLost``).
        """
        client = self.client
        return await self.run(
            method_name(request), lambda: client._call(sender or client._sender, request)
        )

    async def run(self, name: str, operation: Callable[[], Awaitable[Any]]) -> Any:
        """Run something of Telethon's under the same rules as a request.

        Args:
            name: What it is counted and shown as.
            operation: Starts it; called again after a wait.
        """
        slept = 0.0
        while True:
            slept = await self._permitted(name, slept)
            try:
                return await self._once(name, operation)
            except asyncio.CancelledError:
                if _is_cancelled():
                    raise
                # Telethon cancels what waits for an answer when it gives a connection up.
                raise lost_connection("given up") from None
            except Exception as error:
                waiting = wait_seconds(error)
                if waiting is None:
                    self._raise(error)
                else:
                    slept += waiting
                    await self.note_flood(name, waiting, error)
                    await self._wait_out(name, waiting, slept, error)

    async def note_flood(self, name: str, seconds: float, error: Exception) -> None:
        """Count a flood, and tell the account's other runs."""
        self.stats.floods += 1
        if self._budget is not None and concerns_account(error):
            await asyncio.to_thread(self._budget.flooded, name, seconds)

    async def _permitted(self, name: str, slept: float) -> float:
        """Wait for what any run of the account was told, and for the budget.

        Returns:
            What this request has slept for floods, all together.
        """
        if self._budget is None:
            return slept
        requests = int(is_counted(name))
        while (permit := await asyncio.to_thread(self._budget.take, requests)).flood_seconds > 0:
            slept += permit.flood_seconds
            await self._wait_out(name, permit.flood_seconds, slept)
        if permit.pace_seconds > 0:
            self.stats.paced_seconds += permit.pace_seconds
            await self._sleep(permit.pace_seconds)
        return slept

    async def _once(self, name: str, operation: Callable[[], Awaitable[Any]]) -> Any:
        self.stats.sent(name)
        started = time.monotonic()
        # A request that was queued while Telethon reconnects in vain is never answered.
        async with asyncio.timeout(self._request_timeout_seconds):
            answer = await operation()
        self.stats.answered(name, time.monotonic() - started)
        return answer

    async def _wait_out(
        self, name: str, seconds: float, total_seconds: float, error: Exception | None = None
    ) -> None:
        if total_seconds > self.flood_sleep_limit_seconds:
            raise AskedToWait(
                f"Telegram asks to wait {seconds:.0f} s before {name}.", seconds
            ) from error
        self.stats.waiting(name, seconds)
        await self._sleep(seconds)

    @staticmethod
    def _raise(error: Exception) -> None:
        translated = translate(error)
        if translated is None or translated is error:
            raise error
        raise translated from error


def _is_cancelled() -> bool:
    """Whether the cancellation is meant for the task that runs this."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
