"""Faces whose place is doubtful: near the threshold, or nearly as like somebody else.

The third queue of `suggesting`, which says what a question is worth. A face that is nobody's may be
somebody's after all; one that the matcher placed may be there wrongly. Where a person placed it
nobody asks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from archive.identity.gathering import Gathering, Rows, nearest
from archive.identity.rules import Rules
from archive.identity.suggesting import RIVALS, Worth, merges, one_person
from archive.ids import FaceId, IdentityId

MOST_OPEN: Final = 50_000
"""Faces of nobody that are looked at, the best first; the rest waits until these are answered."""

# Faces of each kind that are scored exactly, those first of which more is to be hoped: more than
# anybody answers.
_MOST_SCORED: Final = 5_000
# Questions about one person at a time: nobody answers more before the next look.
_MOST_ABOUT_ONE: Final = 200
# People that a face of nobody is compared with, those of the nearest means.
_CANDIDATES: Final = 3


@dataclass(frozen=True, slots=True)
class FaceQuestion(Worth):
    """Is this face that person's?

    Attributes:
        face_id: Which.
        identity: Whom it resembles most, or who has it.
        rival: Who else it resembles; None where nobody comes near.
        placed: Whether the matcher put it there; else it is nobody's yet.
        score: For the identity.
        uncertainty: How likely the archive is wrong about it as it stands, 0–1.
        faces: It, and other doubtful faces of this question that resemble it as one core does:
            they follow its answer.
    """

    face_id: FaceId
    identity: IdentityId
    rival: IdentityId | None
    placed: bool
    score: float
    uncertainty: float
    faces: int


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """Faces, the best person for each, and the second: numbers, −1 for none, and scores.

    Attributes:
        need: (n,) the score that each face needs.
    """

    rows: Rows
    best: Rows
    best_scores: NDArray[np.float32]
    second: Rows
    second_scores: NDArray[np.float32]
    need: NDArray[np.float32]

    def evidence(self, rules: Rules) -> NDArray[np.float32]:
        """Say how far each is from where the matcher would decide the other way."""
        clear = self.best_scores - self.second_scores - np.float32(rules.margin)
        evidence: NDArray[np.float32] = np.minimum(self.best_scores - self.need, clear)
        return evidence


def uncertain(everybody: Gathering, rules: Rules) -> list[FaceQuestion]:
    """Ask about faces whose place is doubtful."""
    # Between two who may well be one person, who they are is the question, not whose a face is.
    one = {
        frozenset((question.larger, question.smaller))
        for question in merges(everybody, rules)
        if question.uncertainty >= 0.5
    }
    nobodys = _without_rivals(everybody, _open_faces(everybody, rules), one)
    placed = _without_rivals(everybody, _placed_faces(everybody, rules), one)
    found = [
        *_questions(everybody, nobodys, rules, placed=False),
        *_questions(everybody, placed, rules, placed=True),
    ]
    return sorted(found, key=lambda question: -question.gain)


def _open_faces(everybody: Gathering, rules: Rules) -> _Scored:
    rows = everybody.open_rows[:MOST_OPEN]
    near = nearest(everybody.vectors[rows], everybody.centres, rules.gate, _CANDIDATES)
    face = np.repeat(np.arange(len(rows)), [len(people) for people in near])
    person = np.concatenate([np.empty(0, dtype=np.intp), *near])
    estimates = everybody.estimates(rows[face], person)
    rough = _ranked(everybody, rows, face, person, estimates)
    doubt = np.abs(rough.evidence(rules))
    asked = rough.rows[np.argsort(doubt, kind="stable")[:_MOST_SCORED]]
    chosen = np.isin(rows[face], asked)
    face, person = face[chosen], person[chosen]
    return _ranked(everybody, rows, face, person, everybody.scores(rows[face], person, rules))


def _without_rivals(
    everybody: Gathering, scored: _Scored, one: Collection[frozenset[IdentityId]]
) -> _Scored:
    """Forget the second where it may be the same person as the best."""
    people = everybody.identities
    same = np.asarray(
        [
            second >= 0 and frozenset((people[best], people[second])) in one
            for best, second in zip(scored.best, scored.second, strict=True)
        ],
        dtype=np.bool_,
    )
    return replace(
        scored,
        second=np.where(same, -1, scored.second),
        second_scores=np.where(same, np.float32(-1.0), scored.second_scores),
    )


def _ranked(
    everybody: Gathering, rows: Rows, face: Rows, person: Rows, scores: NDArray[np.float32]
) -> _Scored:
    """Keep the best and the second of each face's candidates; `face` indexes `rows`."""
    order = np.lexsort((-scores, face))
    face, person, scores = face[order], person[order], scores[order]
    first = np.flatnonzero(np.diff(face, prepend=-1))
    following = np.minimum(first + 1, max(len(face) - 1, 0))
    has_second = (first + 1 < len(face)) & (face[following] == face[first])
    return _Scored(
        rows=rows[face[first]],
        best=person[first],
        best_scores=scores[first],
        second=np.where(has_second, person[following], -1),
        second_scores=np.where(has_second, scores[following], -1.0).astype(np.float32),
        need=everybody.need[rows[face[first]]],
    )


def _placed_faces(everybody: Gathering, rules: Rules) -> _Scored:
    """Score anew the faces that the matcher placed and that look doubtful by their means."""
    rivals = nearest(everybody.centres, everybody.centres, rules.floor, RIVALS + 1)
    parts = [_doubtful(everybody, person, rivals[person], rules) for person in range(len(rivals))]
    nothing = np.empty((3, 0))
    rows, second, doubt = np.concatenate([nothing, *parts], axis=1)
    most = np.argsort(-doubt, kind="stable")[:_MOST_SCORED]
    chosen, rival = rows[most].astype(np.intp), second[most].astype(np.intp)
    return _Scored(
        rows=chosen,
        best=everybody.person[chosen],
        best_scores=everybody.own_scores(chosen),
        second=rival,
        second_scores=everybody.scores(chosen, rival, rules),
        need=everybody.need[chosen],
    )


def _doubtful(everybody: Gathering, person: int, near: Rows, rules: Rules) -> NDArray[np.float64]:
    """Look through a person's faces by means alone: what is clear by them is clear.

    Returns:
        (3, n): the row, the rival's number, how doubtful.
    """
    rows = everybody.members[person]
    if len(rows) < 2:
        return np.empty((3, 0))
    vectors = everybody.vectors[rows]
    own = vectors @ everybody.centres[person]
    rivals = near[near != person]
    second = np.full(len(rows), -1)
    beside = np.full(len(rows), -1.0, dtype=np.float32)
    if len(rivals):
        cosines = vectors @ everybody.centres[rivals].T
        second = rivals[np.argmax(cosines, axis=1)]
        beside = cosines.max(axis=1)
    evidence = np.minimum(own - everybody.need[rows], own - beside - rules.margin)
    keep = (evidence < 2.0 * rules.margin) & ~everybody.by_hand[rows]
    return np.stack([rows[keep], second[keep], -evidence[keep]])


def _questions(
    everybody: Gathering, scored: _Scored, rules: Rules, *, placed: bool
) -> Iterator[FaceQuestion]:
    evidence = scored.evidence(rules)
    likely = one_person(evidence, rules)
    doubt = 1.0 - likely if placed else likely
    near = np.flatnonzero(np.abs(evidence) <= rules.margin)
    if placed:
        near = np.flatnonzero(evidence <= rules.margin)
    order = near[np.lexsort((-doubt[near], scored.best[near]))]
    for group in np.split(order, np.flatnonzero(np.diff(scored.best[order])) + 1):
        unanswered = [at for at in group.tolist() if not _answered(everybody, scored, at)]
        about = np.asarray(unanswered[:_MOST_ABOUT_ONE], dtype=np.intp)
        for at, faces in _leaders(everybody, scored.rows[about], rules):
            place = about[at]
            second = int(scored.second[place])
            comes_near = second >= 0 and scored.second_scores[place] >= rules.floor
            yield FaceQuestion(
                face_id=everybody.face_ids([int(scored.rows[place])])[0],
                identity=everybody.identities[scored.best[place]],
                rival=everybody.identities[second] if comes_near else None,
                placed=placed,
                score=float(scored.best_scores[place]),
                uncertainty=float(doubt[place]),
                faces=faces,
            )


def _answered(everybody: Gathering, scored: _Scored, at: int) -> bool:
    """Tell whether somebody said that this face is, or is not, this person's."""
    links = everybody.links
    if not links:
        return False
    (face_id,) = everybody.face_ids([int(scored.rows[at])])
    said = (links.together(face_id) - {face_id}) | links.parted_from(face_id)
    if not said:
        return False
    return any(face in said for face in everybody.face_ids(everybody.members[scored.best[at]]))


def _leaders(everybody: Gathering, rows: Rows, rules: Rules) -> Iterator[tuple[int, int]]:
    """Give of faces that resemble each other the most doubtful, and how many they are.

    Args:
        everybody: Whose vectors.
        rows: Faces of one question, the most doubtful first.
        rules: `found` says who is as like as the faces of one core.
    """
    vectors = everybody.vectors[rows]
    alike = vectors @ vectors.T >= rules.found
    waiting = np.ones(len(rows), dtype=np.bool_)
    for at in range(len(rows)):
        if waiting[at]:
            follow = waiting & alike[at]
            follow[at] = True
            waiting &= ~follow
            yield at, int(follow.sum())
