"""Groups that grow by average linkage, held against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import AgglomerativeClustering

from archive.identity.agglomeration import Agglomeration
from archive.identity.neighbours import Pairs, near_pairs
from archive.identity.records import Vectors
from tests.unit.identity.worlds import unit, world

NONE = Pairs.of([])


def grown(vectors: Vectors, threshold: float, near: Pairs | None = None) -> Agglomeration:
    groups = Agglomeration(
        vectors,
        np.ones(len(vectors), dtype=np.float32),
        together=NONE,
        parted=NONE,
        beside=NONE,
        penalty=0.3,
        usual=0.5,
        # So sure of what is usual that no group differs: plain average linkage is left.
        usual_weight=1e12,
        slack=1.0,
    )
    pairs = near_pairs(vectors, np.arange(len(vectors)), threshold) if near is None else near
    groups.grow(pairs, threshold)
    return groups


def same(first: np.ndarray, second: np.ndarray) -> bool:
    pairs = set(zip(first.tolist(), second.tolist(), strict=True))
    return len(pairs) == len(set(first.tolist())) == len(set(second.tolist()))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("threshold", [0.25, 0.4, 0.55])
def test_it_ends_where_average_linkage_does(seed: int, threshold: float) -> None:
    faces, _ = world([20, 12, 8, 5, 3, 2, 1], seed, likeness=0.45)
    peer = AgglomerativeClustering(
        n_clusters=None, metric="cosine", linkage="average", distance_threshold=1 - threshold
    )
    expected = peer.fit(faces.vectors.astype(np.float64)).labels_
    assert same(grown(faces.vectors, threshold).group_of, expected)


def test_many_copies_of_one_vector_are_one_group() -> None:
    # More pairs than are measured at a time.
    vectors = np.tile(unit(np.ones((1, 64))), (400, 1))
    groups = grown(vectors, 0.9)
    assert groups.sizes[groups.group_of].tolist() == [400] * 400


@pytest.mark.parametrize("exact_up_to", [0, 10_000])
def test_near_pairs_are_the_pairs_that_are_near(exact_up_to: int) -> None:
    faces, _ = world([15] * 34 + [1] * 30, seed=5)
    found = near_pairs(faces.vectors, np.arange(len(faces)), 0.5, exact_up_to=exact_up_to)
    cosines = faces.vectors @ faces.vectors.T
    first, second = np.nonzero(np.triu(cosines >= 0.5, 1))
    expected = set(zip(first.tolist(), second.tolist(), strict=True))
    pairs = set(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert pairs <= expected
    assert len(pairs) >= 0.99 * len(expected)


def test_faces_look_only_among_those_who_may_be_found() -> None:
    faces, _ = world([6], seed=6)
    found = near_pairs(faces.vectors, np.array([0, 2]), -1.0)
    assert {(a, b) for a, b in zip(found.first.tolist(), found.second.tolist(), strict=True)} == {
        (0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (1, 2), (2, 3), (2, 4), (2, 5),
    }  # fmt: skip
