"""The three kinds of error the product knows.

Adapters translate whatever their library raises into one of these at their edge
(``raise … from exc``); nothing else crosses a port. A use case needs to know only
what to do next: try again, give up, or set this one item aside.

::

    ArchiveError
    ├── Transient      try again, after a while if one is given
    ├── Permanent      trying again is useless until a person changes something
    └── ItemRejected   this item can never be processed; everything else goes on
"""

from __future__ import annotations


class ArchiveError(Exception):
    """Base of every error that crosses a port."""


class Transient(ArchiveError):
    """A failure that time alone may heal: a flood wait, a lost connection, a busy lock.

    Args:
        message: What happened, in a sentence for a person.
        retry_after_seconds: When to try again; ``None`` leaves it to the caller's policy.
    """

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Permanent(ArchiveError):
    """A failure that stays until a person acts; the message says what to do."""


class ItemRejected(ArchiveError):
    """One item cannot be processed, ever; the ledger keeps the reason.

    Args:
        reason: A short code for counting (``corrupt``, ``too_many_pixels`` …).
        detail: What exactly was wrong, for a person.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type[ItemRejected], tuple[str, str]]:
        """Pickle by both arguments: rejections travel home from worker processes."""
        return type(self), (self.reason, self.detail)
