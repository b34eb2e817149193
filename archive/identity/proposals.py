"""What a new grouping would change, in numbered parts that a person applies or leaves.

A difference between who is who now and who would be, and nothing that carries it out: that is
`archive.reclustering`. A part names the faces that move, whose they were when it was made, and
whose they become, so that whoever applies it can tell whether it still fits.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from archive.identity.records import FaceSet
from archive.identity.stability import Newcomer, Place, Succession
from archive.ids import FaceId, IdentityId


class PartKind(StrEnum):
    """What a part does, in the order in which parts are applied."""

    SPLIT = "split"
    """Faces leave one identity or several and begin another."""
    MOVE = "move"
    """Faces go from one identity to another."""
    MERGE = "merge"
    """An identity ends in another."""
    JOIN = "join"
    """Faces that nobody had join an identity."""
    FOUND = "found"
    """Faces that nobody had begin one."""


@dataclass(frozen=True, slots=True)
class Part:
    """One change, applicable alone.

    Attributes:
        number: Names it within its proposal, from 1.
        sources: Whom faces leave; of a merger, who ends.
        target: Who gets them; None: they begin an identity.
        faces: Each face and whose it was; of a merger, those that the proposal saw.
    """

    number: int
    kind: PartKind
    sources: tuple[IdentityId, ...]
    target: IdentityId | None
    faces: Mapping[FaceId, IdentityId | None]

    @property
    def identities(self) -> tuple[IdentityId, ...]:
        """The identities that it names."""
        return self.sources if self.target is None else (*self.sources, self.target)


@dataclass(frozen=True, slots=True)
class Proposal:
    """All that a new grouping would change.

    Attributes:
        model: Whose vectors were compared.
        faces: How many were.
        parts: By number.
        versions: Of each identity that a part names, as it was seen.
        people: The number of each such identity.
        applied: Numbers of the parts that were carried out.
    """

    model: str
    faces: int
    parts: tuple[Part, ...]
    versions: Mapping[IdentityId, int]
    people: Mapping[IdentityId, int]
    applied: frozenset[int] = field(default_factory=frozenset)

    @property
    def summary(self) -> str:
        """Say it in a line: "3 merges, 1 split, 212 faces move, 17 new people"."""
        counts = Counter(part.kind for part in self.parts)
        moved = sum(
            len(part.faces) for part in self.parts if part.kind in {PartKind.MOVE, PartKind.JOIN}
        )
        said = [
            _counted(counts[PartKind.MERGE], "merge", "merges"),
            _counted(counts[PartKind.SPLIT], "split", "splits"),
            _counted(moved, "face moves", "faces move"),
            _counted(counts[PartKind.FOUND], "new person", "new people"),
        ]
        return ", ".join(filter(None, said)) or "nothing changes"

    def chosen(self, numbers: Sequence[int] | None) -> tuple[Part, ...]:
        """Give parts by number, in the order in which they are applied; None: all.

        Raises:
            KeyError: There is no such part.
        """
        by_number = {part.number: part for part in self.parts}
        return self.parts if numbers is None else tuple(by_number[n] for n in sorted({*numbers}))

    def after(self, part: Part, versions: Mapping[IdentityId, int]) -> Proposal:
        """Note that a part was carried out, and the versions that this gave."""
        return replace(
            self, applied=self.applied | {part.number}, versions={**self.versions, **versions}
        )


def compare(faces: FaceSet, succession: Succession) -> tuple[Part, ...]:
    """Put what would change into parts: by kind, then by the earliest face.

    Args:
        faces: With whom they are assigned to now.
        succession: Whose they would be.
    """
    moving: dict[tuple[PartKind, IdentityId | None, Place], list[int]] = defaultdict(list)
    for row, (old, new) in enumerate(zip(faces.assigned, succession.places, strict=True)):
        merged = succession.mergers.get(old) if old is not None else None
        if new == merged and old is not None and merged is not None:
            moving[PartKind.MERGE, old, new].append(row)
        elif isinstance(new, Newcomer):
            moving[PartKind.FOUND, None, new].append(row)
        elif new != old:
            moving[PartKind.JOIN if old is None else PartKind.MOVE, old, new].append(row)
    parts = [_part(faces, kind, new, rows) for (kind, _, new), rows in moving.items()]
    order = list(PartKind)
    place = {face.face_id: face.place for face in faces.faces}
    parts.sort(key=lambda part: (order.index(part.kind), min(place[f] for f in part.faces)))
    return tuple(replace(part, number=number) for number, part in enumerate(parts, start=1))


def _part(faces: FaceSet, kind: PartKind, new: Place, rows: Sequence[int]) -> Part:
    moved = {faces.faces[row].face_id: faces.assigned[row] for row in rows}
    sources = tuple(dict.fromkeys(old for old in moved.values() if old is not None))
    if kind is PartKind.FOUND and sources:
        kind = PartKind.SPLIT
    return Part(0, kind, sources, None if isinstance(new, Newcomer) else new, moved)


def _counted(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}" if count else ""
