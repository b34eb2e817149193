"""Which faces are near each other: pairs of faces with a cosine worth knowing.

Exact up to `EXACT_UP_TO` faces: every face is compared with every other. Beyond, vectors are put
into lists by their nearest of some directions (k-means, an inverted file), and a face is compared
with the lists nearest to it; a pair that falls between is missed. What is compared is compared
exactly, by matrix products. Clustering needs no more: it measures clusters anew by all of their
faces. Decisions about single faces never come here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from archive.identity.records import Vectors

EXACT_UP_TO: Final = 30_000
"""Faces up to which all are compared with all: some 10 s on two cores."""

NEAREST: Final = 24
"""Neighbours kept of a face in each list it is compared with."""

# Measured on 88 000 faces of 2 000 made-up people: BCubed F of what `clustering` makes of the pairs
# is .9989, of exact ones .9990, in 4 s for 68 s.
_LIST_LENGTH = 400
_PROBES = 8
# Faces a list that k-means looks at, and how often: more finds no better lists.
_SAMPLED = 40
_TURNS = 4
_SEED = 1

# Cosines held at a time: 32 MiB of float32.
_BLOCK = 8 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of faces, each once, by their rows.

    Attributes:
        first: (m,) the smaller row.
        second: (m,) the larger row.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]]) -> Self:
        """Take pairs one by one, the smaller row of each first."""
        flat = np.asarray([row for pair in pairs for row in pair], dtype=np.intp)
        return cls(flat[::2], flat[1::2])

    def take(self, chosen: NDArray[np.bool_]) -> Self:
        """Return the pairs that are chosen, (m,)."""
        return type(self)(self.first[chosen], self.second[chosen])

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.first)


def near_pairs(
    vectors: Vectors,
    among: NDArray[np.intp],
    floor: float,
    *,
    exact_up_to: int = EXACT_UP_TO,
) -> Pairs:
    """Find for every face those that are like it.

    Args:
        vectors: (n, dims) float32, unit norm.
        among: (m,) ascending: the faces that are looked for; every face looks.
        floor: Cosine from which a pair counts.
        exact_up_to: Faces up to which nothing is left to an approximation.

    Returns:
        For each face at least its `NEAREST` nearest, as far as they reach `floor`. The same
        vectors in the same order give the same pairs.
    """
    count = len(vectors)
    keys = [np.empty(0, dtype=np.int64)]
    for queries, members in _comparisons(vectors, among, exact_up_to):
        targets = vectors[members]
        step = max(1, _BLOCK // max(1, len(members)))
        for start in range(0, len(queries), step):
            block = queries[start : start + step]
            row, column = _nearest(vectors[block] @ targets.T, floor)
            one, other = block[row], members[column]
            low, high = np.minimum(one, other), np.maximum(one, other)
            keys.append((low * count + high)[low != high])
    return Pairs(*np.divmod(sorted_once(np.concatenate(keys)), max(1, count)))


def sorted_once(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give numbers from 0 on in order, each once; several times as fast as `np.unique`."""
    ordered = np.sort(numbers)
    return ordered[np.flatnonzero(np.diff(ordered, prepend=-1))]


def _nearest(
    cosines: NDArray[np.float32], floor: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Choose the cosines that count, as rows and columns; of equal ones all."""
    chosen = cosines >= floor
    crowded = np.flatnonzero(np.count_nonzero(chosen, axis=1) > NEAREST + 1)
    if len(crowded):
        # One more than asked for, because a face is nearest to itself.
        last = np.partition(cosines[crowded], -NEAREST - 1, axis=1)[:, -NEAREST - 1]
        chosen[crowded] &= cosines[crowded] >= last[:, None]
    row, column = np.nonzero(chosen)
    return row, column


def _comparisons(
    vectors: Vectors, among: NDArray[np.intp], exact_up_to: int
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Say which faces are compared with which: rows of both."""
    if len(vectors) <= exact_up_to:
        yield np.arange(len(vectors)), among
        return
    nearest = _nearest_lists(vectors)
    homes = _in_lists(nearest[among, :1])
    visits = _in_lists(nearest)
    for queries, members in zip(visits, homes, strict=False):
        yield queries, among[members]


def _in_lists(numbers: NDArray[np.int32]) -> list[NDArray[np.intp]]:
    """Give for each list the rows that name it, ascending; `numbers` is (n, names a row)."""
    flat = numbers.ravel()
    order = np.argsort(flat, kind="stable")
    ends = np.searchsorted(flat[order], np.arange(flat.max(initial=-1) + 1), side="right")
    return np.split(order // numbers.shape[1], ends[:-1])


def _nearest_lists(vectors: Vectors) -> NDArray[np.int32]:
    """Give for each face the numbers of the lists nearest to it, the nearest first: (n, probes)."""
    import faiss

    count, dims = vectors.shape
    lists = max(1, count // _LIST_LENGTH)
    sample = np.random.default_rng(_SEED).choice(
        count, min(count, _SAMPLED * lists), replace=False, shuffle=False
    )
    means = faiss.Kmeans(dims, lists, niter=_TURNS, spherical=True, seed=_SEED)
    means.train(vectors[np.sort(sample)])
    directions = means.centroids
    assert directions is not None, "it was trained"
    probes = min(_PROBES, lists)
    found = np.empty((count, probes), dtype=np.int32)
    step = max(1, _BLOCK // lists)
    for start in range(0, count, step):
        cosines = vectors[start : start + step] @ directions.T
        top = np.argpartition(-cosines, probes - 1, axis=1)[:, :probes]
        order = np.argsort(-np.take_along_axis(cosines, top, axis=1), axis=1, kind="stable")
        found[start : start + step] = np.take_along_axis(top, order, axis=1)
    return found
