"""Questions worth asking a person, the most useful first.

Three queues: two identities that may be one, an identity that may be two, a face whose place is
doubtful. Each question is worth what an answer is expected to put right:

    gain = faces affected × uncertainty

The *uncertainty* is how likely the archive is wrong as it stands: apart where it should be
together, or together where it should be apart. It comes from the *evidence*, by how much a score
is above or below what the matcher would ask of these faces:

    P(one person) = 1 ÷ (1 + exp(−evidence ÷ (margin ÷ 2)))

with the model's own margin as the measure of how far a score may be trusted: one margin past the
threshold is 88 %. *Faces affected* are those that change their place, or that would follow.

Nothing is asked that somebody has answered: answers are links between faces
(`archive.identity.constraints`), and no question contradicts one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from archive.identity.gathering import Gathering, Rows, nearest
from archive.identity.matching import identity_scores
from archive.identity.records import Vectors
from archive.identity.rules import Rules
from archive.ids import FaceId, IdentityId

# Others that a person is compared with, the nearest: nobody answers more questions about one.
RIVALS: Final = 8
# Faces of the smaller person that are scored for the larger: a mean of 32 is good to a hundredth.
_PROBES: Final = 32
# Faces of a person among whom two are looked for: who is one in twenty is still in there.
_SAMPLE: Final = 200
# Members by whom a part is judged first, and by how many margins it must be like them.
_BEST: Final = 64
_CLEARLY: Final = 2.0
_ROUNDS: Final = 10
_LEAST_PART: Final = 2


class Worth:
    """What a question is worth, see above."""

    __slots__ = ()
    faces: int
    uncertainty: float

    @property
    def gain(self) -> float:
        """Faces that an answer is expected to put right."""
        return self.faces * self.uncertainty


@dataclass(frozen=True, slots=True)
class MergeQuestion(Worth):
    """Are these two one person?

    Attributes:
        larger: Who would stay.
        smaller: Whose faces would move.
        score: Mean score of the smaller's faces for the larger.
        uncertainty: How likely it is that they are, 0–1.
        faces: How many would move.
    """

    larger: IdentityId
    smaller: IdentityId
    score: float
    uncertainty: float
    faces: int


@dataclass(frozen=True, slots=True)
class MixedQuestion(Worth):
    """Are some of this identity's faces somebody else's?

    Attributes:
        identity: Who looks like two.
        part: The smaller part's faces, the best first: those that would leave.
        rest: Some of the others, the best first, to look at beside them.
        score: Mean score of the part's faces for the rest.
        uncertainty: How likely it is that they are somebody else's, 0–1.
        faces: How many would leave.
    """

    identity: IdentityId
    part: tuple[FaceId, ...]
    rest: tuple[FaceId, ...]
    score: float
    uncertainty: float
    faces: int


def one_person(evidence: NDArray[np.floating] | float, rules: Rules) -> NDArray[np.float64]:
    """Say how likely faces are one person's.

    Args:
        evidence: By how much a score exceeds where the matcher decides the other way.
        rules: For the margin.
    """
    # No margin: every score is taken at its word.
    scale = max(rules.margin / 2.0, 1e-4)
    bounded = np.clip(np.asarray(evidence, dtype=np.float64) / scale, -50.0, 50.0)
    return np.asarray(1.0 / (1.0 + np.exp(-bounded)))


def merges(everybody: Gathering, rules: Rules) -> list[MergeQuestion]:
    """Ask about people who may be one.

    Candidates are people whose means are alike; each pair is then scored as the matcher would
    score the smaller's faces for the larger, faces side by side in one frame included.
    """
    parted = everybody.parted()
    found = []
    for one, other in sorted(_pairs(everybody, rules) - parted):
        sizes = len(everybody.members[one]), len(everybody.members[other])
        smaller, larger = (one, other) if sizes[0] < sizes[1] else (other, one)
        probes = everybody.members[smaller][:_PROBES]
        scores = everybody.scores(probes, np.full(len(probes), larger), rules)
        evidence = float((scores - everybody.need[probes]).mean())
        if evidence >= -rules.margin:
            found.append(
                MergeQuestion(
                    everybody.identities[larger],
                    everybody.identities[smaller],
                    float(scores.mean()),
                    float(one_person(evidence, rules)),
                    min(sizes),
                )
            )
    return sorted(found, key=lambda question: -question.gain)


def mixed(everybody: Gathering, rules: Rules) -> list[MixedQuestion]:
    """Ask about identities that fall into two.

    Each is cut where it is weakest, and the smaller part scored for the larger one. Whoever is of
    several minds about one face is asked about the face: a part has two contents at least.
    """
    found = []
    for number, identity in enumerate(everybody.identities):
        part, rest = _cut(everybody, everybody.members[number])
        if _is_small(everybody, part) or _joined(everybody, part, rest):
            continue
        probes = part[:_PROBES]
        vectors, need = everybody.vectors[probes], everybody.need[probes]
        # Nearly everybody is one person: tell them at little cost.
        estimates = identity_scores(vectors, everybody.vectors[rest[:_BEST]])
        if float((estimates - need).mean()) >= _CLEARLY * rules.margin:
            continue
        scores = everybody.scores_within(vectors, rest)
        evidence = float((scores - need).mean())
        # Where the matcher would not doubt, nobody is asked.
        if evidence < rules.margin:
            found.append(
                MixedQuestion(
                    identity,
                    everybody.face_ids(part),
                    everybody.face_ids(rest[:_PROBES]),
                    float(scores.mean()),
                    1.0 - float(one_person(evidence, rules)),
                    len(part),
                )
            )
    return sorted(found, key=lambda question: -question.gain)


def _pairs(everybody: Gathering, rules: Rules) -> set[tuple[int, int]]:
    centres = everybody.centres
    near = nearest(centres, centres, rules.floor, RIVALS + 1)
    return {
        (min(one, other), max(one, other))
        for one, others in enumerate(near)
        for other in others.tolist()
        if one != other
    }


def _cut(everybody: Gathering, members: Rows) -> tuple[Rows, Rows]:
    """Cut an identity in two; the smaller part first, both the best face first."""
    if len(members) < 2 * _LEAST_PART:
        return members[:0], members
    step = max(1, len(members) // _SAMPLE)
    halves = _two_means(everybody.vectors[members[::step]])
    nearer = np.argmax(everybody.vectors[members] @ halves.T, axis=1)
    ones, others = members[nearer == 0], members[nearer == 1]
    return (ones, others) if len(ones) <= len(others) else (others, ones)


def _two_means(vectors: Vectors) -> Vectors:
    """Return (2, dims) means, by k-means on the sphere from the two faces most unlike.

    From the face least like all, and the one least like that: a small second person is in a
    corner, where chance would hardly begin.
    """
    first = int(np.argmin(vectors @ vectors.sum(axis=0)))
    second = int(np.argmin(vectors @ vectors[first]))
    means = vectors[[first, second]]
    side = np.zeros(len(vectors), dtype=np.bool_)
    for _ in range(_ROUNDS):
        before, side = side, np.argmax(vectors @ means.T, axis=1) == 1
        if np.array_equal(before, side) or side.all():
            break
        means = np.stack([vectors[~side].sum(axis=0), vectors[side].sum(axis=0)])
        means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-6)
    return means


def _is_small(everybody: Gathering, part: Rows) -> bool:
    return len(np.unique(everybody.content[part])) < _LEAST_PART


def _joined(everybody: Gathering, part: Rows, rest: Rows) -> bool:
    """Tell whether somebody said that a face of the part and one of the rest are one person."""
    links = everybody.links
    if not links:
        return False
    groups = {links.group(face) for face in everybody.face_ids(part)}
    return any(links.group(face) in groups for face in everybody.face_ids(rest))
