"""Pieces of a table: which there are, and which of them changed.

A piece is a half-open range of whole numbers in a space: of messages their ids in one chat, of
what is kept by the day the days since 1970-01-01, of a small table everything. Arithmetic only.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

END: Final = 2**62
"""Above every id and every day."""


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """One piece; `first` is in it, `until` is not."""

    space: int
    first: int
    until: int

    @property
    def name(self) -> str:
        """Of its files: it stays when the piece grows."""
        return f"{self.space}_{self.first:010}"


WHOLE: Final = Part(0, 0, END)
"""The only piece of a small table."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something between two numbers, both included, is not what it was."""

    relation: str
    space: int
    first: int
    last: int


def tiles(firsts: Mapping[int, Sequence[int]]) -> list[Part]:
    """Cut each chat at the first ids of its windows; no id lies outside, whoever stored it.

    Args:
        firsts: First ids of the windows of each chat; a chat without any is one piece.
    """
    parts = []
    for space, ids in firsts.items():
        cuts = [0, *sorted(ids)[1:], END]
        parts += [Part(space, cuts[n], cuts[n + 1]) for n in range(len(cuts) - 1)]
    return parts


def days(numbers: Iterable[int]) -> list[Part]:
    """Make a piece of each day."""
    return [Part(0, number, number + 1) for number in sorted(set(numbers))]


def touched(parts: Iterable[Part], changes: Iterable[Change]) -> set[Part]:
    """Find the pieces in which a change lies; the pieces of a space do not overlap."""
    by_space: defaultdict[int, list[Part]] = defaultdict(list)
    for part in sorted(parts):
        by_space[part.space].append(part)
    found: set[Part] = set()
    for change in set(changes):
        there = by_space[change.space]
        at = max(bisect_right(there, change.first, key=lambda part: part.first) - 1, 0)
        while at < len(there) and there[at].first <= change.last:
            if there[at].until > change.first:
                found.add(there[at])
            at += 1
    return found
