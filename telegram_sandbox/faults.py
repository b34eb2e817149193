"""Faults on demand: what may go wrong between a request and its answer.

Here belong the rules that a test sets and the question which of them meets a request. Carrying
a fault out is `calls`' business; faults of pushed updates are `update_faults`', and drawing
many at once `schedule`'s.
"""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from telegram_sandbox.registry import method_name
from telegram_sandbox.update_faults import UpdateFault, UpdateFaults


class Drop(Enum):
    """When the connection is cut."""

    BEFORE = "before the request has any effect"
    DURING = "as soon as the request has come in; it has its effect all the same"
    AFTER = "after the effect, before the answer"
    MIDWAY = "when half of the answer's bytes are written"


class Upset(Enum):
    """What happens to the server when a request comes in, before it is handled."""

    EXPIRE_REFERENCES = "every file reference given out so far is out of date"
    MOVE_FILES = "every file moves to the other data centre"
    END_TAKEOUTS = "every takeout session is invalid"
    REVOKE_SESSION = "the session that asks is logged out"
    NEW_SALTS = "every key has a new salt"
    CUT_ALL = "every connection is cut"


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
        chunk_limit: a piece of a file holds no more than this many bytes.
        too_long: a difference is "too long".
        upset: what happens to the server first.
    """

    method: str | None = None
    first: int = 1
    times: int | None = 1
    delay_seconds: float = 0.0
    error: str | None = None
    drop: Drop | None = None
    page_limit: int | None = None
    chunk_limit: int | None = None
    too_long: bool = False
    upset: Upset | None = None

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
    chunk_limit: int | None = None
    too_long: bool = False
    upset: Upset | None = None

    def and_also(self, fault: Fault) -> "Verdict":
        """Returns this with what a further rule adds; of two answers the earlier rule's counts."""
        return Verdict(
            self.delay_seconds + fault.delay_seconds,
            self.error or fault.error,
            self.drop or fault.drop,
            self.page_limit or fault.page_limit,
            self.chunk_limit or fault.chunk_limit,
            self.too_long or fault.too_long,
            self.upset or fault.upset,
        )


class Faults:
    """The rules in force."""

    def __init__(self, seed: int = 0) -> None:
        """Starts without any rule; the seed decides the jitter."""
        self.latency_seconds = 0.0
        """Every request waits this long: half of it before its effect, half before its answer."""
        self.jitter_seconds = 0.0
        """Every request waits up to this much longer, each its own time."""
        self.bytes_per_second: float | None = None
        """What one connection carries, each way; None means no limit."""
        self.updates = UpdateFaults()
        self.struck: list[tuple[str, Fault]] = []
        """Which rules met which methods, in order."""
        self._random = random.Random(seed)
        self._rules: list[Fault] = []
        self._calls: Counter[int] = Counter()

    def add(self, fault: Fault) -> None:
        """Puts a rule in force; it counts calls from now."""
        self._rules.append(fault)

    def follow(self, rules: Iterable[Fault | UpdateFault]) -> None:
        """Puts many rules in force, such as those of a `FaultSchedule`."""
        for rule in rules:
            if isinstance(rule, UpdateFault):
                self.updates.add(rule)
            else:
                self.add(rule)

    def clear(self) -> None:
        """Puts an end to all rules, to latency and to the limit of bytes."""
        self._rules.clear()
        self._calls.clear()
        self.updates.clear()
        self.latency_seconds = self.jitter_seconds = 0.0
        self.bytes_per_second = None

    def delay(self, method: Any, seconds: float, *, first: int = 1, times: int | None = 1) -> None:
        """Lets calls of a method wait before they have any effect."""
        self.add(Fault(_name(method), first, times, delay_seconds=seconds))

    def error(self, method: Any, error: str, *, first: int = 1, times: int | None = 1) -> None:
        """Refuses calls of a method with an error such as `INTERNAL_SERVER_ERROR`."""
        self.add(Fault(_name(method), first, times, error=error))

    def flood(
        self,
        method: Any,
        seconds: int,
        *,
        first: int = 1,
        times: int | None = 1,
        premium: bool = False,
    ) -> None:
        """Refuses calls with FLOOD_WAIT_n, or the FLOOD_PREMIUM_WAIT_n of slow downloads."""
        kind = "FLOOD_PREMIUM_WAIT" if premium else "FLOOD_WAIT"
        self.error(method, f"{kind}_{seconds}", first=first, times=times)

    def drop(self, method: Any, when: Drop, *, first: int = 1, times: int | None = 1) -> None:
        """Cuts the connection at that moment of a call."""
        self.add(Fault(_name(method), first, times, drop=when))

    def drop_before(self, method: Any, *, first: int = 1, times: int | None = 1) -> None:
        """Cuts the connection when a call comes in; it has no effect."""
        self.drop(method, Drop.BEFORE, first=first, times=times)

    def drop_after(self, method: Any, *, first: int = 1, times: int | None = 1) -> None:
        """Lets a call have its effect, then cuts the connection before the answer."""
        self.drop(method, Drop.AFTER, first=first, times=times)

    def upset(self, method: Any, upset: Upset, *, first: int = 1, times: int | None = 1) -> None:
        """Lets something happen to the server when a call comes in."""
        self.add(Fault(_name(method), first, times, upset=upset))

    def short_page(
        self,
        limit: int,
        *,
        first: int = 1,
        times: int | None = 1,
        method: Any = "messages.getHistory",
    ) -> None:
        """Cuts pages of a history to that many messages."""
        self.add(Fault(_name(method), first, times, page_limit=limit))

    def truncate_chunk(self, limit: int, *, first: int = 1, times: int | None = 1) -> None:
        """Cuts pieces of files to that many bytes, as if the file ended there."""
        self.add(Fault("upload.getFile", first, times, chunk_limit=limit))

    def too_long(self, method: Any, *, first: int = 1, times: int | None = 1) -> None:
        """Lets `updates.getDifference` or `updates.getChannelDifference` be "too long"."""
        self.add(Fault(_name(method), first, times, too_long=True))

    def judge(self, method: str) -> Verdict:
        """Counts a call and returns what goes wrong with it."""
        verdict = Verdict()
        for index, rule in enumerate(self._rules):
            if rule.method not in {None, method}:
                continue
            self._calls[index] += 1
            if rule.meets(self._calls[index]):
                self.struck.append((method, rule))
                verdict = verdict.and_also(rule)
        return verdict

    def draw_latency(self) -> float:
        """Returns how many seconds the next request takes on its way there and back."""
        if not self.jitter_seconds:
            return self.latency_seconds
        return self.latency_seconds + self._random.uniform(0, self.jitter_seconds)


def _name(method: Any) -> str | None:
    return method if method is None or isinstance(method, str) else method_name(method)
