"""Groups of faces that grow: of all groups, those most alike join, until none are alike enough.

Average linkage, relative to how alike the faces within the two groups are: the mean cosine over
all pairs between them, each weighted by the quality of both faces, divided by the geometric mean
of the same within the groups (Spearman's correction for attenuation, 1904) and multiplied by what
is usual within a person. So groups of poor or ageing faces need less, and two siblings whose
groups are tight need more. What is within a small group is mostly taken to be as usual.

Likeness is exact, because a mean over pairs is a product of sums. Which groups are asked about
comes from pairs of near faces. In every round groups join a larger one if neither has a partner
much better (`SLACK`), so a thousand faces of one person take a dozen rounds and not a thousand
(Dhulipala et al., "TeraHAC: hierarchical agglomerative clustering of trillion-edge graphs", 2024).

Groups that a person parted never join. Faces in one frame are a doubt: it costs a penalty, by the
share of the smaller group that stands beside a face of the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from archive.identity.neighbours import Pairs, sorted_once
from archive.identity.records import Vectors

Rows = NDArray[np.intp]

PARTED: Final = -2.0
"""Instead of a cosine where two must not join: below any other."""

USUAL_WEIGHT: Final = 4.0
"""Pairs of perfect faces within a group that weigh as much as what is usual. Of 1, 4 and 10 this
gave the highest BCubed F on the worlds that `clustering` names."""

SLACK: Final = 0.95
"""How much of the best partner's likeness another one needs. On five worlds of 6,000 to 20,000
faces BCubed F is within .0005 of always joining the best alone, in 30 rounds for 150; at .8 it
takes more rounds again, and precision falls by .001."""

# Decimals kept of a mean: the last bits of a float32 product must not decide.
_DECIMALS = 5

# Pairs of groups measured at a time: 2 × 128 MiB of float32 at 512 dimensions.
_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class _Edges:
    """Pairs of groups, each once, and how alike they are."""

    first: Rows
    second: Rows
    likeness: NDArray[np.float64]


class Agglomeration:
    """Groups of faces. A group is named by one of its rows."""

    def __init__(
        self,
        vectors: Vectors,
        weights: NDArray[np.float32],
        *,
        together: Pairs,
        parted: Pairs,
        beside: Pairs,
        penalty: float,
        usual: float,
        usual_weight: float = USUAL_WEIGHT,
        slack: float = SLACK,
    ) -> None:
        """Begin with every face alone, but for those that must be together.

        Args:
            vectors: (n, dims) float32, unit norm.
            weights: (n,) above 0: how much each face counts.
            together: Faces that a person joined; enough of them that each group hangs together.
            parted: Faces whose groups must never join.
            beside: Faces that one frame shows side by side.
            penalty: What likeness loses where a whole group stands beside the other.
            usual: Mean cosine within a person.
            usual_weight: How many pairs of faces speak against it before it counts half.
            slack: Share of the best partner's likeness that another one needs; 1: only the best.
        """
        self._count = len(vectors)
        self._penalty = penalty
        self._usual = usual
        self._usual_weight = usual_weight
        self._slack = slack
        self._sums = vectors * weights[:, None]
        self._weights = weights.astype(np.float64)
        self._squares = self._weights**2
        # Of the sums, squared: the cosines of all pairs within, each face with itself among them.
        self._lengths = self._squares.copy()
        self._sizes = np.ones(self._count, dtype=np.intp)
        self._group_of = np.arange(self._count)
        self._parted = _keys(parted.first, parted.second, self._count)
        self._beside, self._times = np.unique(
            _keys(beside.first, beside.second, self._count, unique=False), return_counts=True
        )
        for one, other in zip(together.first.tolist(), together.second.tolist(), strict=True):
            first, second = sorted((int(self._group_of[one]), int(self._group_of[other])))
            if first != second:
                self._merge(np.array([first]), np.array([second]))

    @property
    def group_of(self) -> Rows:
        """The group of each face, (n,)."""
        return self._group_of

    @property
    def sizes(self) -> Rows:
        """How many faces a group has, by its name, (n,)."""
        return self._sizes

    def grow(self, near: Pairs, threshold: float) -> None:
        """Join groups until none that hold a near pair are alike enough.

        Args:
            near: Pairs of faces.
            threshold: Mean cosine from which two groups are one.
        """
        keys = _keys(self._group_of[near.first], self._group_of[near.second], self._count)
        edges = self._measured(keys)
        while len(hot := np.flatnonzero(edges.likeness >= threshold)):
            kept, gone = self._joining(edges.first[hot], edges.second[hot], edges.likeness[hot])
            joins_into = self._merge(kept, gone)
            changed = np.zeros(self._count, dtype=np.bool_)
            changed[kept] = changed[gone] = True
            touched = changed[edges.first] | changed[edges.second]
            moved = joins_into[edges.first[touched]], joins_into[edges.second[touched]]
            fresh = self._measured(_keys(*moved, self._count))
            edges = _Edges(
                np.concatenate([edges.first[~touched], fresh.first]),
                np.concatenate([edges.second[~touched], fresh.second]),
                np.concatenate([edges.likeness[~touched], fresh.likeness]),
            )

    def centre_cosines(self, rows: Rows, groups: Rows) -> NDArray[np.float64]:
        """Compare single faces with the mean directions of groups, doubts included.

        Args:
            rows: (m,) faces that are alone.
            groups: (m,) a group for each.

        Returns:
            (m,), −1 to 1 less the penalty; `PARTED` where a person parted the two.
        """
        products = self._products(rows, groups)
        lengths = np.sqrt(self._lengths[rows] * self._lengths[groups])
        keys = np.minimum(rows, groups) * self._count + np.maximum(rows, groups)
        cosines = np.round(products / np.maximum(lengths, 1e-9), _DECIMALS)
        cosines -= self._penalty * (self._times_beside(keys) > 0)
        cosines[np.isin(keys, self._parted)] = PARTED
        return cosines

    def absorb(self, rows: Rows, groups: Rows) -> None:
        """Let faces that are alone join groups of others; many may join one.

        Args:
            rows: (m,) the faces, each once.
            groups: (m,) whom each joins; not parted from it.
        """
        self._merge(groups, rows)

    def _joining(
        self, first: Rows, second: Rows, likeness: NDArray[np.float64]
    ) -> tuple[Rows, Rows]:
        """Choose who joins whom in this round: for each pair who stays and who goes."""
        best = np.full(self._count, -np.inf)
        np.maximum.at(best, first, likeness)
        np.maximum.at(best, second, likeness)
        good = likeness >= self._slack * np.maximum(best[first], best[second])
        one, other, likeness = first[good], second[good], likeness[good]
        # The smaller joins the larger; equals in an arbitrary order, which the rows' would not be:
        # in that a chain of neighbours would join one by one.
        sizes, other_sizes = self._sizes[one], self._sizes[other]
        smaller = sizes < other_sizes
        smaller |= (sizes == other_sizes) & (_scattered(one) < _scattered(other))
        goes, stays = np.where(smaller, one, other), np.where(smaller, other, one)
        order = np.lexsort((stays, -likeness, goes))
        choice = order[np.flatnonzero(np.diff(goes[order], prepend=-1))]
        target = np.arange(self._count)
        target[goes[choice]] = stays[choice]
        # Whoever goes receives nobody in the same round.
        late = target[target] != target
        target[late] = np.flatnonzero(late)
        self._keep_apart(target)
        gone = np.flatnonzero(target != np.arange(self._count))
        return target[gone], gone

    def _keep_apart(self, target: Rows) -> None:
        """Hold back one of two that were parted, or stand side by side, and would meet."""
        for keys in (self._parted, self._beside):
            first, second = np.divmod(keys, self._count)
            meet = (target[first] == target[second]) & (target[second] != second)
            held_back = second[meet & (target[first] != first)]
            target[held_back] = held_back

    def _measured(self, keys: Rows) -> _Edges:
        """Measure pairs of groups; those that a person parted are left out."""
        keys = keys[~np.isin(keys, self._parted)] if len(self._parted) else keys
        first, second = np.divmod(keys, max(1, self._count))
        means = self._products(first, second) / (self._weights[first] * self._weights[second])
        means *= self._usual / np.sqrt(self._within(first) * self._within(second))
        smaller = np.minimum(self._sizes[first], self._sizes[second])
        doubt = np.minimum(1.0, self._times_beside(keys) / smaller)
        return _Edges(first, second, np.round(means - self._penalty * doubt, _DECIMALS))

    def _within(self, groups: Rows) -> NDArray[np.float64]:
        """Give the mean cosine within groups, as far as that is known; above 0."""
        pairs = self._weights[groups] ** 2 - self._squares[groups]
        cosines = self._lengths[groups] - self._squares[groups]
        known = cosines + self._usual_weight * self._usual
        return np.maximum(known / (pairs + self._usual_weight), self._usual / 10.0)

    def _products(self, first: Rows, second: Rows) -> NDArray[np.float64]:
        products = np.empty(len(first))
        for start in range(0, len(first), _BLOCK):
            part = slice(start, start + _BLOCK)
            one, other = self._sums[first[part]], self._sums[second[part]]
            products[part] = np.einsum("ij,ij->i", one, other)
        return products

    def _times_beside(self, keys: Rows) -> Rows:
        """Count for pairs of groups how often one frame shows a face of both."""
        if not len(self._beside):
            return np.zeros(len(keys), dtype=np.intp)
        places = np.minimum(np.searchsorted(self._beside, keys), len(self._beside) - 1)
        return np.where(self._beside[places] == keys, self._times[places], 0)

    def _merge(self, kept: Rows, gone: Rows) -> Rows:
        """Let each of `gone` join one of `kept`; return for every group what it is now part of."""
        order = np.argsort(kept, kind="stable")
        into, first = np.unique(kept[order], return_index=True)
        for totals in (self._sums, self._weights, self._squares, self._sizes):
            totals[into] += np.add.reduceat(totals[gone[order]], first, axis=0)
        self._lengths[into] = self._products(into, into)
        joins_into = np.arange(self._count)
        joins_into[gone] = kept
        self._group_of = joins_into[self._group_of]
        if len(self._parted):
            self._parted = self._renamed(self._parted, joins_into)
        if len(self._beside):
            moved = self._renamed(self._beside, joins_into, unique=False)
            inside = moved % self._count == moved // self._count
            keys, places = np.unique(moved[~inside], return_inverse=True)
            self._times = np.bincount(places, self._times[~inside], len(keys)).astype(np.intp)
            self._beside = keys
        return joins_into

    def _renamed(self, keys: Rows, joins_into: Rows, *, unique: bool = True) -> Rows:
        first, second = np.divmod(keys, self._count)
        return _keys(joins_into[first], joins_into[second], self._count, unique=unique)


def _keys(first: Rows, second: Rows, count: int, *, unique: bool = True) -> Rows:
    """Give pairs as numbers, smaller row first; if unique, sorted, each once, none with itself."""
    low, high = np.minimum(first, second), np.maximum(first, second)
    keys = low.astype(np.int64) * count + high
    return sorted_once(keys[low != high]) if unique else keys


def _scattered(rows: Rows) -> Rows:
    """Give each row a number that has nothing to do with its place, always the same."""
    return rows * 2_654_435_761 % 4_294_967_291
