"""A made-up log of people: years of the matcher and of a person who corrects it, with a seed.

Every decision is made of the same registers as a real one and leaves the same links, but nobody
asks whether it makes sense: replaying does not either. What is claimed of it is in
``identity_replay``.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final
from uuid import UUID

from archive.identity.constraints import LinkKind
from archive.identity.events import (
    Cell,
    DecidedBy,
    Decision,
    EventKind,
    Membership,
    Register,
    Standing,
    Value,
    Write,
    assigning,
    beginning,
    face_cell,
    identity_cell,
    link_cell,
    suppressed_cell,
)
from archive.identity.records import Assignment, IdentityState
from archive.ids import DecisionId, FaceId, IdentityId

MODEL: Final = "benchmark"

# Of 100 rows so many are the matcher's; the rest are corrections of some rows each.
_BY_MATCHER: Final = 0.7
_CORE: Final = 3
_UNDONE: Final = 0.15


def face_id(number: int) -> FaceId:
    """Give the id of a face by its number, from 1."""
    return FaceId(UUID(int=number))


def faces_of(rows: int) -> int:
    """Say how many faces a log of so many rows is about."""
    return int(rows * _BY_MATCHER)


def made_log(rows: int, seed: int) -> Iterator[Decision]:
    """Make up decisions, one after the other, until they have so many rows."""
    return _Log(faces_of(rows), seed).decisions(rows)


class _Log:
    """What has been decided so far, as far as the next decision needs it."""

    def __init__(self, faces: int, seed: int) -> None:
        self._random = Random(seed)
        self._faces = list(range(1, faces + 1))
        self._random.shuffle(self._faces)
        self._people: list[IdentityId] = []
        self._placed: list[FaceId] = []
        self._values: dict[Cell, Value] = {}
        self._takeable: list[tuple[DecisionId, list[tuple[Cell, Value]]]] = []

    def decisions(self, rows: int) -> Iterator[Decision]:
        written = 0
        while written < rows:
            by_matcher = self._faces and (
                not self._people or self._random.random() < _BY_MATCHER * 0.9
            )
            decision = self._matched() if by_matcher else self._corrected()
            for write in decision.writes:
                self._values[write.cell] = write.value
            written += len(decision.writes)
            yield decision

    def _matched(self) -> Decision:
        """Found a person, or let faces join one; few have many."""
        joining = [face_id(self._faces.pop()) for _ in range(min(len(self._faces), _CORE))]
        writes = []
        if not self._people or self._random.random() < 0.07:
            identity_id = IdentityId(self._uuid())
            self._people.append(identity_id)
            writes.append(beginning(identity_id, len(self._people), MODEL))
        else:
            rank = self._random.paretovariate(1.0)
            identity_id = self._people[int(len(self._people) / rank) - 1]
        self._placed += joining
        writes += [assigning(Assignment(face, identity_id, 0.75)) for face in joining]
        return self._decision(EventKind.ASSIGNED, "matcher", writes)

    def _corrected(self) -> Decision:
        if self._takeable and self._random.random() < _UNDONE:
            undoes, values = self._takeable.pop(self._random.randrange(len(self._takeable)))
            writes = [Write(cell, value) for cell, value in values]
            return self._decision(EventKind.UNDONE, "somebody", writes, undoes)
        make = self._random.choice((self._confirmed, self._rejected, self._merged, self._told))
        kind, writes = make()
        before = [(write.cell, self._values.get(write.cell)) for write in writes]
        decision = self._decision(kind, "somebody", writes)
        if kind is not EventKind.NOT_A_FACE:
            self._takeable.append((decision.decision_id, before))
        return decision

    def _confirmed(self) -> tuple[EventKind, list[Write]]:
        face, *others = self._some(4)
        identity_id = self._random.choice(self._people)
        writes = [Write(face_cell(face), Membership(identity_id, 1.0, DecidedBy.PERSON))]
        return EventKind.CONFIRMED, writes + _links(face, others, LinkKind.MUST)

    def _rejected(self) -> tuple[EventKind, list[Write]]:
        face, *others = self._some(6)
        left = self._values.get(face_cell(face))
        writes = [
            Write(face_cell(face), None, left.identity_id if isinstance(left, Membership) else None)
        ]
        return EventKind.REJECTED, writes + _links(face, others, LinkKind.CANNOT)

    def _merged(self) -> tuple[EventKind, list[Write]]:
        absorbed, into = self._random.choice(self._people), self._random.choice(self._people)
        if absorbed == into:
            return self._told()
        cell = identity_cell(Register.STATE, absorbed)
        moved = [
            Write(face_cell(face), Membership(into, 0.75, DecidedBy.MATCHER), absorbed)
            for face in self._some(20)
        ]
        return EventKind.MERGED, [*moved, Write(cell, Standing(IdentityState.MERGED, into))]

    def _told(self) -> tuple[EventKind, list[Write]]:
        """Say one thing of one person or face."""
        identity_id, (face,) = self._random.choice(self._people), self._some(1)
        label = f"Name {self._random.randrange(10_000)}"
        hidden = Standing(IdentityState.HIDDEN)
        return self._random.choice(
            (
                (EventKind.RENAMED, [Write(identity_cell(Register.LABEL, identity_id), label)]),
                (EventKind.HIDDEN, [Write(identity_cell(Register.STATE, identity_id), hidden)]),
                (EventKind.COVER_CHOSEN, [Write(identity_cell(Register.COVER, identity_id), face)]),
                (EventKind.NOT_A_FACE, [Write(suppressed_cell(face), True)]),
            )
        )

    def _some(self, count: int) -> list[FaceId]:
        """Give faces that somebody has, each once."""
        chosen = [self._random.choice(self._placed) for _ in range(count)]
        return list(dict.fromkeys(chosen))

    def _decision(
        self, kind: EventKind, actor: str, writes: list[Write], undoes: DecisionId | None = None
    ) -> Decision:
        latest = {write.cell: write for write in writes}
        decision_id = DecisionId(self._uuid())
        return Decision(decision_id, kind, actor, "benchmark", tuple(latest.values()), undoes)

    def _uuid(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)


def _links(face: FaceId, others: list[FaceId], kind: LinkKind) -> list[Write]:
    return [Write(link_cell(face, other), kind) for other in others]
