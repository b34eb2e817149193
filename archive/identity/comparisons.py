"""Labelled faces compared with people: the scores that a threshold has to tell apart.

A comparison is what the matcher does: one face against one person's faces, by the archive's own
score, less what a face like it needs beyond the threshold (`Rules.need`): so one threshold stands
for all. Genuine where the face is that person's, impostor where it is somebody else's. What
follows from the scores is `calibration`; where labels come from is the store's or a folder's part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from archive.identity.gallery import Gallery, portrait
from archive.identity.gathering import scores_of_pairs
from archive.identity.records import FaceSet, FaceVector, Vectors
from archive.identity.rules import Rules, same_picture

MOST_PEOPLE: Final = 200
"""People compared; 200 with 25 faces each give a million comparisons, enough for any rate that
can be told by hand-made labels, in seconds."""

MOST_FACES: Final = 25
"""Faces of one person compared, so that nobody's album decides for all."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFaces:
    """Faces, and whom they show as far as somebody said so.

    Attributes:
        faces: In any order.
        vectors: (n, dims) float32 of unit norm, row i for faces[i].
        people: Whom each face shows; None where it is only known whom it does not show.
        by_hand: How many of the labels a person gave face by face, not by naming an identity.
        rejections: A row and a person whom that face does not show.
    """

    faces: tuple[FaceVector, ...]
    vectors: Vectors
    people: tuple[str | None, ...]
    by_hand: int = 0
    rejections: tuple[tuple[int, str], ...] = ()

    def __post_init__(self) -> None:
        """Refuse parts that do not belong together.

        Raises:
            ValueError: They differ in length.
        """
        if not len(self.faces) == len(self.vectors) == len(self.people):
            raise ValueError("labelled faces need one vector and one label for each face")


@dataclass(frozen=True, slots=True, eq=False)
class Comparisons:
    """Scores of faces for people, one a row.

    Attributes:
        scores: (m,) float32, as if every face needed the threshold and no more; about −1 to 1.
        rows: (m,) the face, a row of the labelled faces.
        genuine: (m,) whether the face shows the person compared with.
        shown: (m,) the number of whoever the face shows; a face of whom nobody knows whom it
            shows has a number of its own, beyond the people's.
        compared: (m,) the number of the person it was compared with.
        people: The people compared with, by number.
    """

    scores: NDArray[np.float32]
    rows: NDArray[np.intp]
    genuine: NDArray[np.bool_]
    shown: NDArray[np.intp]
    compared: NDArray[np.intp]
    people: tuple[str, ...]


def compare(labelled: LabelledFaces, rules: Rules) -> Comparisons:
    """Compare every labelled face with every labelled person.

    A face is compared with its own person's *other* pictures: without that it would meet itself
    or a near copy, and everybody would look well recognised. People of one picture have none, so
    nobody is compared with them.

    Args:
        labelled: Of at most `MOST_PEOPLE` people at most `MOST_FACES` faces each are used: those
            that come first.
        rules: What faces need.
    """
    members = _members(labelled)
    people = tuple(members)
    number = {person: n for n, person in enumerate(people)}
    used = sorted(row for rows in members.values() for row in rows)
    parts = [_none()]
    for person, rows in members.items():
        parts.append(_genuine(labelled, rows, number[person]))
        others = [row for row in used if labelled.people[row] != person]
        parts.append(_impostors(labelled, others, rows, number))
    for row, person in labelled.rejections:
        if person in members and row not in used:
            parts.append(_impostors(labelled, [row], members[person], number))
    columns = (np.concatenate(column) for column in zip(*parts, strict=True))
    scores, faces, genuine, shown, compared = columns
    beyond = [rules.need(face) - rules.accept for face in labelled.faces]
    scores = np.round(scores - np.asarray(beyond, dtype=np.float32)[faces], 5)
    return Comparisons(scores, faces, genuine.astype(np.bool_), shown, compared, people)


_Part = tuple[NDArray[np.float32], NDArray[np.intp], NDArray[np.bool_], NDArray[np.intp],
              NDArray[np.intp]]  # fmt: skip


def _none() -> _Part:
    return _part(np.empty(0, dtype=np.float32), [], [], 0, genuine=False)


def _part(
    scores: NDArray[np.float32],
    rows: list[int],
    shown: list[int],
    compared: int,
    *,
    genuine: bool,
) -> _Part:
    return (
        scores,
        np.asarray(rows, dtype=np.intp),
        np.full(len(rows), genuine),
        np.asarray(shown, dtype=np.intp),
        np.full(len(rows), compared, dtype=np.intp),
    )


def _members(labelled: LabelledFaces) -> dict[str, list[int]]:
    """Give the rows of each person that has at least two pictures."""
    rows_of: dict[str, list[int]] = {}
    for row, person in enumerate(labelled.people):
        if person is not None:
            rows = rows_of.setdefault(person, [])
            if len(rows) < MOST_FACES:
                rows.append(row)
    enough = {
        person: rows
        for person, rows in rows_of.items()
        if any(not same_picture(labelled.faces[rows[0]], labelled.faces[row]) for row in rows)
    }
    return dict(list(enough.items())[:MOST_PEOPLE])


def _genuine(labelled: LabelledFaces, rows: list[int], person: int) -> _Part:
    """Score each of a person's faces for the person's other pictures."""
    scores, kept = [], []
    for row in rows:
        face = labelled.faces[row]
        others = [other for other in rows if not same_picture(face, labelled.faces[other])]
        if others:
            scores.append(_scores(labelled, [row], others)[0])
            kept.append(row)
    found = np.asarray(scores, dtype=np.float32)
    return _part(found, kept, [person] * len(kept), person, genuine=True)


def _impostors(
    labelled: LabelledFaces, rows: list[int], members: list[int], number: dict[str, int]
) -> _Part:
    """Score faces for a person whom they do not show."""
    scores = _scores(labelled, rows, members)
    person = labelled.people[members[0]]
    assert person is not None, "members have a label"
    shown = [number.get(labelled.people[row] or "", len(number) + row) for row in rows]
    return _part(scores, rows, shown, number[person], genuine=False)


def _scores(labelled: LabelledFaces, rows: list[int], members: list[int]) -> NDArray[np.float32]:
    """Score faces for the person whom these members are all that is known of."""
    faces = tuple(labelled.faces[row] for row in members)
    known = FaceSet(faces, labelled.vectors[members], (None,) * len(faces))
    gallery = Gallery([portrait(known)], labelled.vectors.shape[1])
    probes = np.arange(len(rows))
    return scores_of_pairs(labelled.vectors[rows], gallery, probes, np.zeros_like(probes))
