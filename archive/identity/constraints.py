"""What people said about which faces belong together: must-links and cannot-links.

A link joins or parts two faces; people give them by correcting (`archive.correcting`), and every
later pass asks `Links` before it decides. Must-links are closed: faces linked in a row are one
group. A cannot-link between two faces parts their whole groups. Two faces in one frame are no
link, only a doubt (`Rules.same_frame_penalty`): mirrors and collages exist.

Links may contradict each other after an import or an erasure. Then parting goes before joining:
the must-links of a group that holds a cannot-link within itself are not followed until a person
has taken one of them back, and `contradictions` names them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from archive.ids import DecisionId, FaceId


class LinkKind(StrEnum):
    """Whether two faces are one person's."""

    MUST = "must"
    CANNOT = "cannot"


@dataclass(frozen=True, slots=True)
class Link:
    """What one decision said of two faces.

    Attributes:
        face_id: The smaller of the two ids, see `between`.
        other_face_id: The larger.
        decision_id: Who says so and when is found by it.
    """

    face_id: FaceId
    other_face_id: FaceId
    kind: LinkKind
    decision_id: DecisionId

    def __post_init__(self) -> None:
        """Refuse a pair out of order: a pair has one link, however it is asked for.

        Raises:
            ValueError: The ids are equal or the wrong way round.
        """
        if self.face_id >= self.other_face_id:
            raise ValueError("a link needs two faces, the smaller id first")

    @classmethod
    def between(cls, one: FaceId, other: FaceId, kind: LinkKind, decision_id: DecisionId) -> Self:
        """Link two faces given in any order.

        Raises:
            ValueError: They are the same face.
        """
        return cls(*pair(one, other), kind, decision_id)


def pair(one: FaceId, other: FaceId) -> tuple[FaceId, FaceId]:
    """Give two faces in the order in which a link names them."""
    return (one, other) if one < other else (other, one)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A cannot-link, and the must-links in a row that say the opposite."""

    cannot: Link
    musts: tuple[Link, ...]

    @property
    def decisions(self) -> frozenset[DecisionId]:
        """The decisions of which at least one must be taken back."""
        return frozenset({self.cannot.decision_id, *(link.decision_id for link in self.musts)})


class Links:
    """All links that hold, closed.

    Asking costs next to nothing for a face that no link speaks of, which is nearly every face.
    The order of the links plays no part.
    """

    def __init__(self, links: Iterable[Link] = ()) -> None:
        """Close the links.

        Args:
            links: In any order.
        """
        everything = sorted(links, key=lambda link: (link.face_id, link.other_face_id))
        self._musts = [link for link in everything if link.kind is LinkKind.MUST]
        self._cannots = [link for link in everything if link.kind is LinkKind.CANNOT]
        closed = _Groups(self._musts)
        self._inner = [c for c in self._cannots if closed.joined(c.face_id, c.other_face_id)]
        unsound = {closed.group(link.face_id) for link in self._inner}
        self._groups = _Groups(m for m in self._musts if closed.group(m.face_id) not in unsound)
        self._parted: dict[FaceId, set[FaceId]] = {}
        for link in self._cannots:
            one, other = self.group(link.face_id), self.group(link.other_face_id)
            self._parted.setdefault(one, set()).add(other)
            self._parted.setdefault(other, set()).add(one)

    def __bool__(self) -> bool:
        """Tell whether there is any link."""
        return bool(self._musts or self._cannots)

    def __iter__(self) -> Iterator[Link]:
        """Give the links as they came: must-links first, by pair."""
        return iter([*self._musts, *self._cannots])

    def group(self, face_id: FaceId) -> FaceId:
        """Name a face's group by its smallest face; a face without must-links is its own."""
        return self._groups.group(face_id)

    def together(self, face_id: FaceId) -> frozenset[FaceId]:
        """Give the faces that must be with a face, itself among them."""
        return self._groups.members(self.group(face_id))

    def components(self) -> list[frozenset[FaceId]]:
        """Give the groups of two faces and more, by their smallest face."""
        return self._groups.all()

    def parted_from(self, face_id: FaceId) -> frozenset[FaceId]:
        """Give the faces that a face must not be with, those of whole groups among them."""
        groups = self._parted.get(self.group(face_id), ())
        return frozenset(face for group in groups for face in self._groups.members(group))

    def barred(self, face_id: FaceId, member_face_ids: Iterable[FaceId]) -> bool:
        """Tell whether a face must not join an identity.

        Args:
            face_id: The face.
            member_face_ids: All faces of the identity; read only where a link speaks of the face.
        """
        parted = self._parted.get(self.group(face_id))
        if not parted:
            return False
        return any(self.group(member) in parted for member in member_face_ids)

    def reasons(self, one: FaceId, other: FaceId) -> tuple[Link, ...]:
        """Give the links that say that two faces must, or must not, be together."""
        first, second = self.group(one), self.group(other)
        if first == second:
            return _road(_roads(self._musts), one, other)
        return tuple(
            link
            for link in self._cannots
            if {self.group(link.face_id), self.group(link.other_face_id)} == {first, second}
        )

    def parted_pairs(self) -> list[tuple[FaceId, FaceId]]:
        """Give the groups that must not be together, each pair once, smaller name first."""
        return sorted(
            (one, other) for one, others in self._parted.items() for other in others if one < other
        )

    def contradictions(self) -> list[Contradiction]:
        """Give every cannot-link between faces that must-links join, with those must-links."""
        roads = _roads(self._musts)
        return [
            Contradiction(link, _road(roads, link.face_id, link.other_face_id))
            for link in self._inner
        ]

    def against(self, new: Iterable[Link]) -> list[Contradiction]:
        """Give the contradictions that would exist with more links and do not exist now.

        Args:
            new: At most one a pair. What is said of a pair already stands against its opposite.
        """
        everything = Links([*self, *new])
        before = {contradiction.cannot for contradiction in self.contradictions()}
        return [each for each in everything.contradictions() if each.cannot not in before]


class _Groups:
    """Faces joined by must-links: disjoint sets, each named by its smallest face."""

    def __init__(self, musts: Iterable[Link]) -> None:
        self._parent: dict[FaceId, FaceId] = {}
        for link in musts:
            one, other = self.group(link.face_id), self.group(link.other_face_id)
            low, high = min(one, other), max(one, other)
            self._parent.setdefault(low, low)
            self._parent[high] = low
        self._members: dict[FaceId, set[FaceId]] = {}
        for face_id in self._parent:
            self._members.setdefault(self.group(face_id), set()).add(face_id)

    def group(self, face_id: FaceId) -> FaceId:
        path = []
        parent = self._parent.get(face_id, face_id)
        while parent != face_id:
            path.append(face_id)
            face_id, parent = parent, self._parent.get(parent, parent)
        for passed in path:
            self._parent[passed] = face_id
        return face_id

    def joined(self, one: FaceId, other: FaceId) -> bool:
        return self.group(one) == self.group(other)

    def members(self, group: FaceId) -> frozenset[FaceId]:
        return frozenset(self._members.get(group, {group}))

    def all(self) -> list[frozenset[FaceId]]:
        return [frozenset(self._members[group]) for group in sorted(self._members)]


def _roads(musts: Iterable[Link]) -> dict[FaceId, list[tuple[FaceId, Link]]]:
    roads: dict[FaceId, list[tuple[FaceId, Link]]] = {}
    for link in musts:
        roads.setdefault(link.face_id, []).append((link.other_face_id, link))
        roads.setdefault(link.other_face_id, []).append((link.face_id, link))
    return roads


def _road(
    roads: Mapping[FaceId, list[tuple[FaceId, Link]]], start: FaceId, goal: FaceId
) -> tuple[Link, ...]:
    """Walk from face to face along the fewest must-links; they are known to be joined."""
    came: dict[FaceId, tuple[FaceId, Link] | None] = {start: None}
    queue = deque([start])
    while goal not in came:
        here = queue.popleft()
        for there, link in roads[here]:
            if there not in came:
                came[there] = (here, link)
                queue.append(there)
    walked = []
    while (step := came[goal]) is not None:
        goal = step[0]
        walked.append(step[1])
    return tuple(reversed(walked))
