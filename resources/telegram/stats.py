"""What the requests of one connection cost: how many, how slow, how long waited.

Counts that grow with the kinds of requests and a window of the newest latencies; soft throttling
shows there before any flood wait does. Not here: deciding what to do about it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

_LATENCIES_KEPT = 1000

_log = structlog.get_logger(__name__)

OnWait = Callable[[str, float], None]
"""Told before a wait: what is waited for, and how many seconds."""

OnAnswer = Callable[[str, float], None]
"""Told after an answer: to which method, and how many seconds it took."""


@dataclass(slots=True)
class RequestStats:
    """Counts of one connection since it was opened.

    Attributes:
        requests: Sent requests by Telegram's name of the method.
        floods: How often Telegram asked to wait.
        waited_seconds: Slept in place because Telegram asked for it, all together.
        paced_seconds: Waited for the account's own budget, all together.
        on_wait: Told before each wait, to show it.
        on_answer: Told after each answer.
    """

    requests: Counter[str] = field(default_factory=Counter)
    floods: int = 0
    waited_seconds: float = 0.0
    paced_seconds: float = 0.0
    on_wait: OnWait | None = None
    on_answer: OnAnswer | None = None
    _latencies: deque[tuple[str, float]] = field(
        default_factory=lambda: deque(maxlen=_LATENCIES_KEPT)
    )

    def sent(self, method: str) -> None:
        """Count a request."""
        self.requests[method] += 1

    def answered(self, method: str, seconds: float) -> None:
        """Note how long an answer took."""
        self._latencies.append((method, seconds))
        if self.on_answer is not None:
            self.on_answer(method, seconds)

    def waiting(self, method: str, seconds: float) -> None:
        """Count a wait that begins now, and make it visible."""
        self.waited_seconds += seconds
        _log.warning("telegram_wait", method=method, seconds=seconds)
        if self.on_wait is not None:
            self.on_wait(method, seconds)

    def latency_seconds(self, quantile: float, method: str | None = None) -> float | None:
        """Return a quantile of the newest thousand latencies.

        Args:
            quantile: 0 … 1, such as 0.95.
            method: Of this one only; ``None`` for all.
        """
        ordered = sorted(seconds for name, seconds in self._latencies if method in (None, name))
        if not ordered:
            return None
        return ordered[min(int(quantile * len(ordered)), len(ordered) - 1)]

    def summary(self, method: str) -> dict[str, int | float]:
        """Return what a run says of its requests: how many, how slow one kind, how long waited.

        Args:
            method: The one whose latency counts.
        """
        latencies = {
            f"latency_p{percent}_ms": round(seconds * 1000, 1)
            for percent in (50, 95)
            if (seconds := self.latency_seconds(percent / 100, method)) is not None
        }
        return {
            "telegram_requests": self.requests.total(),
            "floods": self.floods,
            "waited_seconds": round(self.waited_seconds, 1),
            "paced_seconds": round(self.paced_seconds, 1),
            **latencies,
        }
