"""Pace: how many requests may be under way, from how fast Telegram answers.

Soft throttling shows as latency long before a flood wait does. The rule and its numbers are
here; measuring is the adapter's, remembering the store's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from archive.ids import AccountId

SAMPLES: Final = 100
"""Answers whose median counts: about one window of a dense chat."""

SLOW_FACTOR: Final = 3.0
"""So many times the account's usual median is no chance any more."""

LEAST_SLOW_SECONDS: Final = 0.25
"""Faster than this is never slow. A real account's usual answer takes 95–130 ms (FIELD_NOTES)."""

NEW_USUAL_AFTER: Final = timedelta(hours=24)
"""Slow for so long is a slower line, not a limit: it becomes the usual."""

PROBE_AFTER: Final = timedelta(minutes=10)
"""How long submitting pauses after a slow answer before one window is tried."""

# A fast hour lowers the baseline at once; a slower one raises it by a tenth of the difference
# every hundred answers.
_DRIFT: Final = 0.1 / SAMPLES


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast Telegram answers an account.

    Attributes:
        newest_seconds: Of at most a hundred answers, oldest first.
        baseline_seconds: Their usual median; ``None`` before the first hundred.
        slow_since: When answers became slow; ``None`` while they are not.
        measured_at: When the newest answer came; ``None`` before the first.
    """

    account_id: AccountId
    newest_seconds: tuple[float, ...] = ()
    baseline_seconds: float | None = None
    slow_since: datetime | None = None
    measured_at: datetime | None = None

    @property
    def resumes_at(self) -> datetime | None:
        """When a window may be tried again; ``None`` where nothing is held back."""
        if self.slow_since is None or self.measured_at is None:
            return None
        return self.measured_at + PROBE_AFTER

    def explain(self) -> str:
        """Say in a sentence how slow it is."""
        usual = f"{(self.baseline_seconds or 0) * 1000:.0f} ms"
        return f"Telegram answers in {median(self.newest_seconds) * 1000:.0f} ms, usual is {usual}"

    def after(self, seconds: float, now: datetime) -> Pace:
        """Judge by one more answer.

        Args:
            seconds: How long it took.
            now: When it came.
        """
        newest = (*self.newest_seconds[1 - SAMPLES :], seconds)
        heard = replace(self, newest_seconds=newest, measured_at=now)
        if len(newest) < SAMPLES:
            return heard
        middle = median(newest)
        usual = middle if self.baseline_seconds is None else self.baseline_seconds
        if middle <= max(SLOW_FACTOR * usual, LEAST_SLOW_SECONDS):
            usual = min(middle, usual + _DRIFT * (middle - usual))
            return replace(heard, baseline_seconds=usual, slow_since=None)
        since = self.slow_since or now
        if now - since > NEW_USUAL_AFTER:
            return replace(heard, baseline_seconds=middle, slow_since=None)
        return replace(heard, baseline_seconds=usual, slow_since=since)


class Throttle:
    """Decides between requests how many may be under way.

    Args:
        most: While answers are as fast as usual.
        pace: What is remembered of the account.
    """

    def __init__(self, most: int, pace: Pace) -> None:
        self._most = most
        self.pace = pace

    def in_flight(self) -> int:
        """Return how many requests may be under way now."""
        return self._most if self.pace.slow_since is None else 1

    def answered(self, seconds: float, now: datetime) -> None:
        """Note how long an answer took."""
        self.pace = self.pace.after(seconds, now)
