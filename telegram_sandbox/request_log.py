"""What clients asked for.

Here belongs the log that tests and benchmarks look at.
"""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, Final

from telegram_sandbox.media_records import HOME_DC
from telegram_sandbox.records import User

LOG_LENGTH: Final = 50_000


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request as the log keeps it."""

    method: str
    account: User | None
    request: Any
    in_takeout: bool = False
    dc: int = HOME_DC


@dataclass(slots=True)
class RequestLog:
    """What clients asked for, by method name such as `messages.getHistory`."""

    counts: Counter[str] = field(default_factory=Counter)
    unknown: list[str] = field(default_factory=list)
    entries: deque[LoggedRequest] = field(default_factory=lambda: deque(maxlen=LOG_LENGTH))
