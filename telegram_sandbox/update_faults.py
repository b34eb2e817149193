"""Faults of pushed updates: lost, doubled, out of order, replaced by "too long".

Here belong the rules and what they make of one push. Only pushes of what happened in a chat are
met; the answers to requests are `faults`' business. What is lost here is found by a difference.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from enum import Enum

from telethon.tl import types


class Mishap(Enum):
    """What happens to a pushed update."""

    LOST = "it never arrives"
    DOUBLED = "it arrives twice"
    LATE = "it arrives after the next one"
    TOO_LONG = "updatesTooLong arrives instead of it"


@dataclass(frozen=True, slots=True)
class UpdateFault:
    """What happens to the pushes that the rule meets.

    Args:
        mishap: what happens.
        first: the push that it meets first, counted from 1 since the rule was set; an event that
            goes to several accounts is a push to each.
        times: how many pushes it meets from then on; None means all.
    """

    mishap: Mishap
    first: int = 1
    times: int | None = 1

    def meets(self, push: int) -> bool:
        """Whether the rule holds for the push of that number, counted from 1."""
        return push >= self.first and (self.times is None or push < self.first + self.times)


class UpdateFaults:
    """The rules for pushed updates."""

    def __init__(self) -> None:
        """Starts without any rule."""
        self.struck: list[Mishap] = []
        """What happened to pushes, in order."""
        self._rules: list[UpdateFault] = []
        self._pushes: Counter[int] = Counter()
        self._late: defaultdict[int, list[bytes]] = defaultdict(list)

    def add(self, fault: UpdateFault) -> None:
        """Puts a rule in force; it counts pushes from now."""
        self._rules.append(fault)

    def clear(self) -> None:
        """Puts an end to all rules; what is late comes with the next push all the same."""
        self._rules.clear()
        self._pushes.clear()

    def lose(self, *, first: int = 1, times: int | None = 1) -> None:
        """Lets pushes get lost: a gap in the sequence."""
        self.add(UpdateFault(Mishap.LOST, first, times))

    def double(self, *, first: int = 1, times: int | None = 1) -> None:
        """Lets pushes arrive twice."""
        self.add(UpdateFault(Mishap.DOUBLED, first, times))

    def swap(self, *, first: int = 1, times: int | None = 1) -> None:
        """Lets pushes arrive after the one that follows them."""
        self.add(UpdateFault(Mishap.LATE, first, times))

    def too_long(self, *, first: int = 1, times: int | None = 1) -> None:
        """Pushes `updatesTooLong` instead: the client must ask for the difference."""
        self.add(UpdateFault(Mishap.TOO_LONG, first, times))

    def deliver(self, account_id: int, body: bytes) -> list[bytes]:
        """Counts a push and returns what arrives instead of it, in order."""
        mishap = self._mishap()
        if mishap is Mishap.LATE:
            self._late[account_id].append(body)
            return []
        late = self._late.pop(account_id, [])
        instead = {
            Mishap.LOST: [],
            Mishap.DOUBLED: [body, body],
            Mishap.TOO_LONG: [bytes(types.UpdatesTooLong())],
        }
        return [*(instead[mishap] if mishap else [body]), *late]

    def _mishap(self) -> Mishap | None:
        found = None
        for index, rule in enumerate(self._rules):
            self._pushes[index] += 1
            if rule.meets(self._pushes[index]):
                found = found or rule.mishap
        if found is not None:
            self.struck.append(found)
        return found
