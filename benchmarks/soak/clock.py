"""An event loop whose waits pass sooner: floods, back-offs and time limits, ours and Telethon's.

Everything that sleeps or has a time limit asks the loop, so no code under test knows. What takes
the processor or another process takes as long as ever.
"""

from __future__ import annotations

import asyncio
import selectors
from typing import Final

SPEED: Final = 20.0
"""Seconds of the loop in one of ours: a flood of 1 s is 50 ms, and the 10 s within which a
connection must stand still leave 500 ms to two busy cores."""


class _Selector(selectors.DefaultSelector):
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(timeout / SPEED if timeout is not None and timeout > 0 else timeout)


class QuickLoop(asyncio.SelectorEventLoop):
    """Runs its clock `SPEED` times as fast."""

    def __init__(self) -> None:
        super().__init__(_Selector())

    def time(self) -> float:
        """Return the loop's own time, in its seconds."""
        return super().time() * SPEED
