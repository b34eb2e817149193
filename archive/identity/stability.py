"""Who is who after faces were grouped anew: identities live on in the groups that hold them.

A group is taken over by the identity that has most faces in it, and an identity lives on where
most of its faces are. Pinned identities – those with a name, and hidden ones – choose first and
never end in another: where two of them meet in one group, each keeps the faces it had there.
Everyone else who meets a larger one in a group ends in it: a merger. A group that nobody takes
over begins a person if it is enough for one.

What no group claims stays where it is, and so does what a person decided: faces put by hand, and
all that is linked to them. A move that would bring parted faces together is not made.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from archive.identity.clustering import may_begin
from archive.identity.constraints import Links
from archive.identity.records import FaceSet
from archive.identity.rules import Rules
from archive.ids import FaceId, IdentityId


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody who is about to begin; the number is arbitrary."""

    number: int


Place = IdentityId | Newcomer | None
"""Whose a face is; None: nobody's."""


@dataclass(frozen=True, slots=True)
class Succession:
    """Who is who afterwards.

    Attributes:
        places: For each face whose it is.
        mergers: Identities that end, and in whom.
    """

    places: tuple[Place, ...]
    mergers: Mapping[IdentityId, IdentityId] = field(default_factory=dict)


def succeed(
    faces: FaceSet,
    groups: Sequence[int],
    rules: Rules,
    links: Links,
    *,
    pinned: frozenset[IdentityId],
    held: frozenset[FaceId],
) -> Succession:
    """Let identities take over groups.

    Args:
        faces: With whom they are assigned to now.
        groups: The number of each face's group.
        rules: The numbers to decide by.
        links: What people said.
        pinned: Identities that have a name or are hidden.
        held: Faces that a person put where they are.
    """
    return _Taking(faces, groups, rules, links, pinned, held).succession()


class _Taking:
    def __init__(
        self,
        faces: FaceSet,
        groups: Sequence[int],
        rules: Rules,
        links: Links,
        pinned: frozenset[IdentityId],
        held: frozenset[FaceId],
    ) -> None:
        self._faces, self._rules, self._links = faces, rules, links
        self._pinned, self._held = pinned, held
        self._groups = list(groups)
        self._row_of = {face.face_id: row for row, face in enumerate(faces.faces)}
        self._members: dict[IdentityId, list[int]] = defaultdict(list)
        for row, identity in enumerate(faces.assigned):
            if identity is not None:
                self._members[identity].append(row)
        self._owner: dict[int, IdentityId] = {}
        self._mergers: dict[IdentityId, IdentityId] = {}
        self._places: list[Place] = []

    def succession(self) -> Succession:
        self._take_over()
        self._claim()
        self._bind()
        while self._parted_met() or self._newcomers_lost():
            pass
        return Succession(tuple(self._places), dict(self._mergers))

    def _take_over(self) -> None:
        """Let each identity live on where most of it is: pinned ones first, then the largest."""
        overlaps = Counter(
            (identity, group)
            for identity, group in zip(self._faces.assigned, self._groups, strict=True)
            if identity is not None
        )
        best: dict[IdentityId, tuple[int, int]] = {}
        for (identity, group), count in overlaps.items():
            best[identity] = max(best.get(identity, (0, 0)), (count, -group))
        # Equals go by their first face.
        order = sorted(
            best,
            key=lambda one: (one not in self._pinned, -best[one][0], self._members[one][0]),
        )
        for identity in order:
            group = -best[identity][1]
            winner = self._owner.setdefault(group, identity)
            if winner != identity:
                self._meet(identity, winner, group)

    def _meet(self, identity: IdentityId, winner: IdentityId, group: int) -> None:
        """Let an identity end in the one that has its group, unless it must not."""
        if identity not in self._pinned and not self._parted(identity, winner):
            self._mergers[identity] = winner
            self._members[winner] += self._members[identity]
            return
        own = len(self._groups) + len(self._owner)
        self._owner[own] = identity
        for row in self._members[identity]:
            if self._groups[row] == group:
                self._groups[row] = own

    def _parted(self, one: IdentityId, other: IdentityId) -> bool:
        if not self._links:
            return False
        ids = {self._faces.faces[row].face_id for row in self._members[other]}
        rows = self._members[one]
        return any(ids & self._links.parted_from(self._faces.faces[row].face_id) for row in rows)

    def _claim(self) -> None:
        """Give each face to whoever has its group; what nobody claims stays."""
        rows_of: dict[int, list[int]] = defaultdict(list)
        for row, group in enumerate(self._groups):
            rows_of[group].append(row)
        self._places = [self._stays(row) for row in range(len(self._groups))]
        for group, rows in rows_of.items():
            place: Place = self._owner.get(group)
            if place is None and self._is_enough(rows):
                place = Newcomer(group)
            if place is not None:
                for row in rows:
                    self._places[row] = place

    def _is_enough(self, rows: Iterable[int]) -> bool:
        faces = (self._faces.faces[row] for row in rows)
        return may_begin((face for face in faces if face.face_id not in self._held), self._rules)

    def _stays(self, row: int) -> IdentityId | None:
        """Give whose a face is if it goes nowhere by itself."""
        identity = self._faces.assigned[row]
        return None if identity is None else self._mergers.get(identity, identity)

    def _bind(self) -> None:
        """Leave what a person decided, and bring what is linked to it there."""
        for face_id in sorted(self._held & self._row_of.keys()):
            here = self._stays(self._row_of[face_id])
            for row in self._rows(self._links.together(face_id)):
                if self._faces.faces[row].face_id not in self._held - {face_id}:
                    self._places[row] = here
        for component in self._links.components():
            rows = self._rows(component)
            if not component & self._held and len({self._places[row] for row in rows}) > 1:
                self._take_back(rows)

    def _parted_met(self) -> bool:
        """Take back the moves by which parted faces met; tell whether there were any."""
        taken = 0
        for one, other in self._links.parted_pairs():
            sides = [self._rows(self._links.together(face_id)) for face_id in (one, other)]
            places = [{self._places[row] for row in rows} - {None} for rows in sides]
            if places[0] & places[1]:
                taken += self._take_back(sides[0] + sides[1])
        return taken > 0

    def _newcomers_lost(self) -> bool:
        """Take back the moves to newcomers whose faces are not enough any more."""
        rows_of: dict[Newcomer, list[int]] = defaultdict(list)
        for row, place in enumerate(self._places):
            if isinstance(place, Newcomer):
                rows_of[place].append(row)
        lost = [rows for rows in rows_of.values() if not self._is_enough(rows)]
        return sum(self._take_back(rows) for rows in lost) > 0

    def _take_back(self, rows: Iterable[int]) -> int:
        """Leave faces where they are; return how many would have moved."""
        moved = [row for row in rows if self._places[row] != self._stays(row)]
        for row in moved:
            self._places[row] = self._stays(row)
        return len(moved)

    def _rows(self, face_ids: Iterable[FaceId]) -> list[int]:
        return sorted(self._row_of[face_id] for face_id in face_ids if face_id in self._row_of)
