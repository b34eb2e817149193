"""How others group faces: the peers of the identity claims, on the same vectors.

Each takes (n, dims) vectors in the order of arrival and gives one label a face, None for nobody.
Thresholds are the ones that the claims name; cosine distance is 1 − cosine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
from sklearn.cluster import DBSCAN

from archive.identity.records import Vectors

Labels = Sequence[int | None]


def dbscan(vectors: Vectors) -> Labels:
    """Group densely: eps 0.4, three faces a core."""
    fitted = DBSCAN(eps=0.4, min_samples=3, metric="cosine", algorithm="brute").fit(vectors)
    return [None if label < 0 else int(label) for label in fitted.labels_]


def immich_like(vectors: Vectors) -> Labels:
    """Take the person of the nearest face within distance 0.5 that has one.

    A face with three within reach, itself among them, begins a person where nobody near has one;
    the others are asked once more when all have been.
    """
    cosines = vectors @ vectors.T
    labels: list[int | None] = [None] * len(vectors)
    people = 0
    for last in (False, True):
        for row in range(len(vectors)):
            if labels[row] is not None:
                continue
            near = np.flatnonzero(cosines[row] >= 0.5)
            order = near[np.argsort(-cosines[row, near], kind="stable")].tolist()
            labels[row] = next((labels[i] for i in order if labels[i] is not None), None)
            if labels[row] is None and len(near) >= 3 and not last:
                labels[row], people = people, people + 1
    return labels


def nearest_neighbour(vectors: Vectors) -> Labels:
    """Take the person of the nearest face so far, from cosine 0.55; else begin one."""
    cosines = vectors @ vectors.T
    labels = [0]
    for row in range(1, len(vectors)):
        nearest = int(np.argmax(cosines[row, :row]))
        known = cosines[row, nearest] >= 0.55
        labels.append(labels[nearest] if known else max(labels) + 1)
    return labels


def nearest_mean(vectors: Vectors) -> Labels:
    """Take the person of the nearest mean above cosine 0.6; else begin one."""
    sums = np.zeros_like(vectors)
    means = np.zeros_like(vectors)
    labels: list[int] = []
    people = 0
    for vector in vectors:
        scores = means[:people] @ vector
        label = int(np.argmax(scores)) if people and scores.max() > 0.6 else people
        people = max(people, label + 1)
        sums[label] += vector
        means[label] = sums[label] / np.linalg.norm(sums[label])
        labels.append(label)
    return labels


PEERS: Final[Mapping[str, Callable[[Vectors], Labels]]] = MappingProxyType(
    {
        "DBSCAN 0.4/3": dbscan,
        "Immich-like 0.5/3": immich_like,
        "1-NN 0.55": nearest_neighbour,
        "nearest mean 0.6": nearest_mean,
    }
)
