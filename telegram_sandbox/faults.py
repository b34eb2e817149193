"""Faults on demand: what may go wrong between a request and its answer.

Here belong the rules that a test sets and the question which of them meets a request. Carrying
a fault out is the connection's business.
"""

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import Any

from telegram_sandbox.registry import method_name


class Drop(Enum):
    """When the connection is cut."""

    BEFORE = "before the request has any effect"
    AFTER = "after the effect, before the answer"


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the requests that the rule meets.

    Args:
        method: a name such as `messages.getHistory`; None meets every method.
        first: the call that it meets first, counted from 1 since the rule was set.
        times: how many calls it meets from then on; None means all.
        delay_seconds: waits before the request has any effect.
        error: refuses with this error, such as `FLOOD_WAIT_3`, without effect.
        drop: cuts the connection.
        page_limit: a history page holds no more than this many messages.
    """

    method: str | None = None
    first: int = 1
    times: int | None = 1
    delay_seconds: float = 0.0
    error: str | None = None
    drop: Drop | None = None
    page_limit: int | None = None

    def meets(self, call: int) -> bool:
        """Whether the rule holds for the call of that number, counted from 1."""
        return call >= self.first and (self.times is None or call < self.first + self.times)


@dataclass(frozen=True, slots=True)
class Verdict:
    """All that goes wrong with one request."""

    delay_seconds: float = 0.0
    error: str | None = None
    drop: Drop | None = None
    page_limit: int | None = None


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        """Starts without any rule."""
        self.latency_seconds = 0.0
        """Every request waits this long: half of it before its effect, half before its answer."""
        self._rules: list[Fault] = []
        self._calls: Counter[int] = Counter()

    def add(self, fault: Fault) -> None:
        """Puts a rule in force; it counts calls from now."""
        self._rules.append(fault)

    def clear(self) -> None:
        """Puts an end to all rules and to latency."""
        self._rules.clear()
        self._calls.clear()
        self.latency_seconds = 0.0

    def delay(self, method: Any, seconds: float, *, first: int = 1, times: int | None = 1) -> None:
        """Lets calls of a method wait before they have any effect."""
        self.add(Fault(_name(method), first, times, delay_seconds=seconds))

    def error(self, method: Any, error: str, *, first: int = 1, times: int | None = 1) -> None:
        """Refuses calls of a method with an error such as `FLOOD_WAIT_3`."""
        self.add(Fault(_name(method), first, times, error=error))

    def drop_before(self, method: Any, *, first: int = 1, times: int | None = 1) -> None:
        """Cuts the connection when a call comes in; it has no effect."""
        self.add(Fault(_name(method), first, times, drop=Drop.BEFORE))

    def drop_after(self, method: Any, *, first: int = 1, times: int | None = 1) -> None:
        """Lets a call have its effect, then cuts the connection before the answer."""
        self.add(Fault(_name(method), first, times, drop=Drop.AFTER))

    def short_page(self, limit: int, *, first: int = 1, times: int | None = 1) -> None:
        """Cuts pages of `messages.getHistory` to that many messages."""
        self.add(Fault("messages.getHistory", first, times, page_limit=limit))

    def judge(self, method: str) -> Verdict:
        """Counts a call and returns what goes wrong with it."""
        delay, error, drop, page_limit = 0.0, None, None, None
        for index, rule in enumerate(self._rules):
            if rule.method not in {None, method}:
                continue
            self._calls[index] += 1
            if rule.meets(self._calls[index]):
                delay += rule.delay_seconds
                error = error or rule.error
                drop = drop or rule.drop
                page_limit = page_limit or rule.page_limit
        return Verdict(delay, error, drop, page_limit)


def _name(method: Any) -> str | None:
    return method if method is None or isinstance(method, str) else method_name(method)
