"""What an account may ask of Telegram: one budget for all its runs, on all machines.

The port that whoever sends requests asks first, and what it answers. Keeping the budget is the
store's part, waiting the sender's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from archive.errors import Transient


@dataclass(frozen=True, slots=True)
class Permit:
    """How long to wait before a request.

    Attributes:
        flood_seconds: Telegram asked the account to wait, and for so long it still holds. Above
            zero nothing was taken from the budget: ask again afterwards.
        pace_seconds: The request is granted, from then on.
    """

    flood_seconds: float
    pace_seconds: float


class RequestBudget(Protocol):
    """One account's budget."""

    def take(self, requests: int) -> Permit:
        """Take some requests from the budget; with 0 only ask whether Telegram listens.

        Raises:
            Transient: The store does not answer: nothing may be sent.
            AccountHeld: The account may not be used any more.
        """
        ...

    def flooded(self, method: str, seconds: float) -> None:
        """Tell all others that Telegram asked the account to wait.

        Args:
            method: The request that it answered so.
            seconds: From now on.
        """
        ...


class AskedToWait(Transient):
    """Telegram asked to wait for longer than is slept in place.

    Args:
        message: For what, and how long.
        seconds: From now on.
    """

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message, seconds)
        self.seconds = seconds

    def __reduce__(self) -> tuple[type[AskedToWait], tuple[str, float]]:
        """Pickle by both arguments: errors travel between processes."""
        return type(self), (str(self), self.seconds)


class Unmetered:
    """What a lane gets that waits for nobody, but tells the others what Telegram told it.

    Args:
        budget: The account's.
    """

    def __init__(self, budget: RequestBudget) -> None:
        self._budget = budget

    def take(self, requests: int) -> Permit:
        """Let any request through, out of nobody's budget."""
        return Permit(flood_seconds=0.0, pace_seconds=0.0)

    def flooded(self, method: str, seconds: float) -> None:
        """Tell all others that Telegram asked the account to wait."""
        self._budget.flooded(method, seconds)
