"""Everybody as arrays: what questions about people are looked for in.

The faces of visible people and those of nobody, with the mean of each person, in a form in which a
million faces are a few products of matrices. Which questions follow is `suggesting`.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from archive.identity.constraints import Links
from archive.identity.gallery import Gallery, Portrait, portrait
from archive.identity.matching import identity_scores, nearest_exemplars
from archive.identity.records import FaceSet, Vectors
from archive.identity.rules import Rules
from archive.ids import FaceId, IdentityId
from archive.provenance import made_by, model_of, one_model

Rows = NDArray[np.intp]

SCORE_DECIMALS: Final = 5
"""As many as `matching` keeps."""

_BLOCK: Final = 1024
# Faces of a person that an estimate is made by.
_BEST: Final = 64
# One face among more than so many moves what is remembered of them by less than a hundredth.
_FEW: Final = 30


@dataclass(frozen=True, slots=True, eq=False)
class Gathering:
    """Faces in the order of their places; people and frames are numbers.

    Attributes:
        faces: All of them.
        identities: The people, by number.
        members: The rows of each person's faces, the best first.
        open_rows: Faces that are nobody's, the best first.
        person: (n,) the number of each face's person; −1 for nobody's.
        frame: (n,) the number of the still picture that shows it.
        content: (n,) the number of its photo or video.
        seats: Ascending, person × n + frame: who is in which frame.
        centres: (p, dims) float32 of unit norm: where each person's faces point.
        need: (n,) the score that each face needs to join somebody.
        by_hand: (n,) whether a person put the face where it is.
        links: What people said of faces.
        portraits: Those that were asked for; a portrait costs a millisecond, and few are.
    """

    faces: FaceSet
    identities: tuple[IdentityId, ...]
    members: tuple[Rows, ...]
    open_rows: Rows
    person: Rows
    frame: Rows
    content: Rows
    seats: Rows
    centres: Vectors
    need: NDArray[np.float32]
    by_hand: NDArray[np.bool_]
    links: Links
    portraits: dict[int, Portrait] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse parts that do not belong together.

        Raises:
            MixedModels: Faces and centres are of two models.
        """
        one_model(self.vectors, self.centres)

    @classmethod
    def of(
        cls,
        faces: FaceSet,
        rules: Rules,
        *,
        by_hand: Collection[FaceId] = (),
        links: Links | None = None,
    ) -> Self:
        """Gather faces.

        Args:
            faces: Of visible people and of nobody, in any order.
            rules: The numbers to decide by.
            by_hand: Faces that a person put where they are.
            links: What people said of faces; None: nothing.
        """
        faces = faces.in_order()
        identities = tuple(dict.fromkeys(i for i in faces.assigned if i is not None))
        number: dict[IdentityId | None, int] = {each: n for n, each in enumerate(identities)}
        person = np.asarray([number.get(i, -1) for i in faces.assigned], dtype=np.intp)
        quality = np.asarray([face.quality for face in faces.faces])
        order = np.lexsort((-quality, person))
        starts = np.searchsorted(person[order], np.arange(-1, len(identities) + 1))
        groups = [order[low:high] for low, high in pairwise(starts)]
        frame = _numbered(face.frame for face in faces.faces)
        return cls(
            faces=faces,
            identities=identities,
            members=tuple(groups[1:]),
            open_rows=groups[0],
            person=person,
            frame=frame,
            content=_numbered(face.content_key for face in faces.faces),
            seats=np.unique(person * len(faces) + frame),
            centres=_centres(faces.vectors, groups[1:]),
            need=np.asarray([rules.need(face) for face in faces.faces], dtype=np.float32),
            by_hand=np.asarray([f.face_id in by_hand for f in faces.faces], dtype=np.bool_),
            links=Links() if links is None else links,
        )

    def scores(self, rows: Rows, people: Rows, rules: Rules) -> NDArray[np.float32]:
        """Score each face for its person of the pair, as the matcher does.

        Args:
            rows: (m,) faces that are not that person's.
            people: (m,) numbers; −1 for nobody, who is like nothing.
            rules: The numbers to decide by.
        """
        found = np.full(len(rows), -1.0, dtype=np.float32)
        some = np.flatnonzero(people >= 0)
        rows, people = rows[some], people[some]
        found[some] = self._scores(rows, people)
        keys = people * len(self.faces) + self.frame[rows]
        at = np.searchsorted(self.seats, keys)
        beside = self.seats[np.minimum(at, len(self.seats) - 1)] == keys
        found[some[beside]] -= np.float32(rules.same_frame_penalty)
        return found

    def own_scores(self, rows: Rows) -> NDArray[np.float32]:
        """Score faces for their own people, by the people's other pictures.

        Where a face is no exemplar and one of many, leaving it out changes nothing.
        """
        found = self._scores(rows, self.person[rows])
        for at, row in enumerate(rows.tolist()):
            person = int(self.person[row])
            members = self.members[person]
            exemplars = members[list(self.portrait_of(person).rows)]
            if len(members) <= _FEW or row in exemplars:
                others = members[self.content[members] != self.content[row]]
                one = self.vectors[row : row + 1]
                found[at] = self.scores_within(one, others)[0] if len(others) else 1.0
        return found

    def estimates(self, rows: Rows, people: Rows) -> NDArray[np.float32]:
        """Score each face for its person of the pair by that person's best faces.

        It costs nothing to prepare, and errs upwards by a few hundredths: enough to choose by.
        """
        found = np.empty(len(rows), dtype=np.float32)
        order = np.argsort(people, kind="stable")
        for group in np.split(order, np.flatnonzero(np.diff(people[order])) + 1):
            if len(group):
                members = self.members[people[group[0]]][:_BEST]
                found[group] = identity_scores(self.vectors[rows[group]], self.vectors[members])
        return found

    def scores_within(self, probes: Vectors, rows: Rows) -> NDArray[np.float32]:
        """Score vectors for some faces, as if these were all that is known of a person."""
        some = portrait(self.faces.take(rows.tolist()))
        places = np.arange(len(probes))
        return scores_of_pairs(probes, Gallery([some], self.dims), places, np.zeros_like(places))

    def portrait_of(self, person: int) -> Portrait:
        """Give what the matcher remembers of somebody."""
        if person not in self.portraits:
            members = self.faces.take(self.members[person].tolist())
            self.portraits[person] = portrait(members)
        return self.portraits[person]

    def _scores(self, rows: Rows, people: Rows) -> NDArray[np.float32]:
        asked, places = np.unique(people, return_inverse=True)
        gallery = Gallery([self.portrait_of(person) for person in asked.tolist()], self.dims)
        return scores_of_pairs(self.vectors, gallery, rows, places)

    @property
    def dims(self) -> int:
        """Length of the vectors."""
        return int(self.vectors.shape[1])

    @property
    def vectors(self) -> Vectors:
        """(n, dims) float32 of unit norm."""
        return self.faces.vectors

    def face_ids(self, rows: Iterable[int]) -> tuple[FaceId, ...]:
        """Name faces."""
        return tuple(self.faces.faces[row].face_id for row in rows)

    def parted(self) -> set[tuple[int, int]]:
        """Give the people of whom somebody said that they are not one, smaller number first."""
        number = {
            face.face_id: int(n) for face, n in zip(self.faces.faces, self.person, strict=True)
        }
        found = set()
        for one, other in self.links.parted_pairs():
            ones, others = (
                {number.get(face, -1) for face in self.links.together(group)}
                for group in (one, other)
            )
            found |= {(min(a, b), max(a, b)) for a in ones for b in others if a >= 0 <= b != a}
        return found


def scores_of_pairs(
    probes: Vectors, gallery: Gallery, rows: Rows, people: Rows
) -> NDArray[np.float32]:
    """Score each probe for its person of the pair, see `matching`; nothing is left out.

    Args:
        probes: (n, dims) float32 of unit norm.
        gallery: What is remembered of people.
        rows: (m,) probes.
        people: (m,) numbers of people.
    """
    near = nearest_exemplars(probes, gallery, rows, people)
    centre = np.empty(len(rows), dtype=np.float32)
    for start in range(0, len(rows), _BLOCK):
        part = slice(start, start + _BLOCK)
        centre[part] = np.sum(probes[rows[part]] * gallery.centres[people[part]], axis=1)
    return np.round((near + centre) / 2.0, SCORE_DECIMALS).astype(np.float32)


def nearest(probes: Vectors, centres: Vectors, least: float, most: int) -> list[Rows]:
    """Find for each probe the centres nearest to it, the nearest first.

    Args:
        probes: (n, dims) float32 of unit norm.
        centres: (p, dims) float32 of unit norm.
        least: Cosine that a centre must reach.
        most: Centres a probe.
    """
    found: list[Rows] = []
    for start in range(0, len(probes), _BLOCK):
        cosines = probes[start : start + _BLOCK] @ centres.T
        near, which = np.nonzero(cosines >= least)
        bounds = np.searchsorted(near, np.arange(len(cosines) + 1))
        for row, (low, high) in enumerate(pairwise(bounds)):
            columns = which[low:high]
            order = np.argsort(-cosines[row, columns], kind="stable")[:most]
            found.append(columns[order])
    return found


def _centres(vectors: Vectors, groups: Sequence[Rows]) -> Vectors:
    centres = np.zeros((len(groups), vectors.shape[1]), dtype=np.float32)
    for number, rows in enumerate(groups):
        centres[number] = vectors[rows].sum(axis=0)
    # What cancels out points nowhere and is like nobody.
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-6)
    return made_by(model_of(vectors), centres)


def _numbered(things: Iterable[Hashable]) -> Rows:
    numbers: dict[Hashable, int] = {}
    return np.asarray([numbers.setdefault(thing, len(numbers)) for thing in things], dtype=np.intp)
