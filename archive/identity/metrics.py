"""How well found people agree with known ones, and how many keep their id when found anew.

Agreement is pairwise and BCubed precision, recall and F, and normalised mutual information; the
rates of single comparisons are `rates`.

Labels in, numbers out. A face without an identity counts as a person of its own, so leaving
faces out costs recall and joining strangers costs precision; neither can be gamed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import log


@dataclass(frozen=True, slots=True)
class Agreement:
    """Precision and recall, each 0–1; 1 where there was nothing to get wrong."""

    precision: float
    recall: float

    @property
    def f(self) -> float:
        """The harmonic mean of both, 0–1."""
        total = self.precision + self.recall
        return 2.0 * self.precision * self.recall / total if total else 0.0


def pairwise(truth: Sequence[Hashable], found: Sequence[Hashable | None]) -> Agreement:
    """Judge pairs of faces: are two in one identity exactly if they show one person?

    Dominated by people with many faces, whose pairs grow with the square.

    Args:
        truth: The person on each face.
        found: The identity of each face; None is an identity of its own.

    Raises:
        ValueError: The two differ in length.
    """
    found = _alone(found)
    both = _pairs(Counter(zip(truth, found, strict=True)).values())
    return Agreement(
        precision=_share(both, _pairs(Counter(found).values())),
        recall=_share(both, _pairs(Counter(truth).values())),
    )


def bcubed(truth: Sequence[Hashable], found: Sequence[Hashable | None]) -> Agreement:
    """Judge face by face: how pure is its identity, how much of its person is in it?

    The means of both over all faces (Bagga and Baldwin, "Entity-based cross-document
    coreferencing using the vector space model", 1998). Of the usual measures it alone meets the
    four constraints of Amigó et al., "A comparison of extrinsic clustering evaluation metrics
    based on formal constraints", 2009.

    Args:
        truth: The person on each face.
        found: The identity of each face; None is an identity of its own.

    Raises:
        ValueError: The two differ in length.
    """
    found = _alone(found)
    both = Counter(zip(truth, found, strict=True))
    faces, in_identity, of_person = len(truth), Counter(found), Counter(truth)
    return Agreement(
        precision=_share(sum(n * n / in_identity[i] for (_, i), n in both.items()), faces),
        recall=_share(sum(n * n / of_person[p] for (p, _), n in both.items()), faces),
    )


def mutual_information(truth: Sequence[Hashable], found: Sequence[Hashable | None]) -> float:
    """Give the normalised mutual information, 0–1: how much one tells of the other.

    Normalised by the mean of both entropies (Vinh, Epps and Bailey, "Information theoretic
    measures for clusterings comparison", 2010). It grows with the number of identities, so it is
    for comparing with others' figures, not for choosing.

    Args:
        truth: The person on each face.
        found: The identity of each face; None is an identity of its own.

    Raises:
        ValueError: The two differ in length.
    """
    found = _alone(found)
    both = Counter(zip(truth, found, strict=True))
    faces, in_identity, of_person = len(truth), Counter(found), Counter(truth)
    shared = sum(
        n / faces * log(n * faces / (of_person[p] * in_identity[i])) for (p, i), n in both.items()
    )
    entropies = _entropy(of_person.values()) + _entropy(in_identity.values())
    # The terms cancel only up to rounding.
    return min(1.0, max(0.0, 2.0 * shared / entropies)) if entropies > 0.0 else 1.0


@dataclass(frozen=True, slots=True)
class Churn:
    """Identities whose faces are called something else than before.

    Attributes:
        changed: Those of which fewer than half of the faces are still theirs.
        of: How many there were.
    """

    changed: frozenset[Hashable]
    of: int

    @property
    def share(self) -> float:
        """0–1; 0 where there was nobody."""
        return len(self.changed) / self.of if self.of else 0.0


def churn(before: Sequence[Hashable | None], after: Sequence[Hashable | None]) -> Churn:
    """Count the identities that did not keep their id.

    Args:
        before: Whose each face was; None: nobody's.
        after: Whose the same faces are.

    Raises:
        ValueError: The two differ in length.
    """
    sizes = Counter(identity for identity in before if identity is not None)
    kept = Counter(old for old, new in zip(before, after, strict=True) if old == new)
    changed = (identity for identity, size in sizes.items() if 2 * kept[identity] < size)
    return Churn(frozenset(changed), len(sizes))


def _entropy(sizes: Iterable[int]) -> float:
    counts = list(sizes)
    total = sum(counts)
    return -sum(n / total * log(n / total) for n in counts)


@dataclass(frozen=True, slots=True)
class _Alone:
    """The identity of a face that has none: equal to nothing else."""

    position: int


def _alone(found: Iterable[Hashable | None]) -> list[Hashable]:
    return [_Alone(i) if identity is None else identity for i, identity in enumerate(found)]


def _pairs(sizes: Iterable[int]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0
