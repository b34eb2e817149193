"""How like an identity a face is, and which faces join one.

The score of a face for an identity is the mean of two numbers: the mean cosine to the `TOP` of
the identity's exemplars that are nearest to it, and the cosine to its centre (`gallery`). The
first keeps a person of several looks together, the second resists a single odd face. A face joins
the identity of its best score if that is as high as a face like it needs (`Rules.need`) and beats
the second by the margin.

Centres come first: where the cosine to a centre is below `Rules.gate`, exemplars are not looked
at, and the identity has no score. Every decision about a face and an identity depends on these
two alone, so it is the same whenever and beside whomever it is made.

Measured in the generated worlds (`identity.quality`), the share of known faces that are told right
where one stranger in a hundred is taken for somebody, default world / siblings: nearest face .997 /
.923, mean vector .996 / .933, this score .996 / .928 – and .999 / .968 where clear faces need .1
more, as by `Rules.need`. So it is the need that beats both, not the score alone. On lfw10 with
MobileFaceNet the score beats the nearest face at every size of gallery, and ties with the mean
vector.

All faces that may join are decided against the same gallery, then join together, and the round
repeats with the larger gallery until nothing joins. So the order of faces plays no part.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archive.identity.gallery import Gallery
from archive.identity.records import Vectors
from archive.identity.rules import TOP, Rules
from archive.provenance import one_model

# Cosines held at a time: 64 MiB of float32; and pairs of a face and an identity whose exemplars
# are copied side by side: 64 MiB at 512 dimensions.
_BLOCK = 16 << 20
_PAIRS = 4096

# Decimals kept of a score. A float32 dot product of 512 terms is good to about 1e-6 and depends
# in its last bits on the shape of the whole product; thresholds must not.
_DECIMALS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Scores that can decide something, in no particular order.

    Attributes:
        rows: (m,) which probe.
        identities: (m,) for which identity, by its number.
        values: (m,) float32, −1 to 1.
    """

    rows: NDArray[np.intp]
    identities: NDArray[np.intp]
    values: NDArray[np.float32]


def score(
    probes: Vectors, gallery: Gallery, rules: Rules, only: Sequence[int] | None = None
) -> Scores:
    """Score probes for identities, leaving out what is below the floor.

    Args:
        probes: (n, dims) float32 of unit norm.
        gallery: The identities.
        rules: The numbers to decide by.
        only: Numbers of the identities to score for; all if None.
    """
    numbers = np.arange(len(gallery)) if only is None else np.asarray(only, dtype=np.intp)
    # A slice is no copy, and a gallery is large.
    centres = gallery.centres[: len(gallery)] if only is None else gallery.centres[numbers]
    parts = [Scores(numbers[:0], numbers[:0], np.empty(0, dtype=np.float32))]
    step = max(1, _BLOCK // max(1, len(numbers)))
    for start in range(0, len(probes) if len(numbers) else 0, step):
        cosines = probes[start : start + step] @ centres.T
        # Flat: forty times as fast as looking for rows and columns.
        places = np.flatnonzero(cosines.ravel() >= rules.gate - 10.0**-_DECIMALS)
        rows, columns = np.divmod(places, len(numbers))
        centre = np.round(cosines.ravel()[places], _DECIMALS)
        kept = centre >= np.float32(rules.gate)
        rows, columns, centre = rows[kept] + start, columns[kept], centre[kept]
        near = nearest_exemplars(probes, gallery, rows, numbers[columns])
        values = np.round((near + centre) / 2.0, _DECIMALS).astype(np.float32)
        good = values >= np.float32(rules.floor)
        parts.append(Scores(rows[good], numbers[columns[good]], values[good]))
    return Scores(
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.identities for part in parts]),
        np.concatenate([part.values for part in parts]),
    )


def nearest_exemplars(
    probes: Vectors,
    gallery: Gallery,
    rows: NDArray[np.intp],
    identities: NDArray[np.intp],
) -> NDArray[np.float32]:
    """Give for pairs of a probe and an identity the mean cosine to its nearest exemplars.

    Args:
        probes: (n, dims) float32 of unit norm.
        gallery: The identities.
        rows: (m,) the probe of each pair.
        identities: (m,) the number of its identity.

    Returns:
        (m,) float32.
    """
    means = np.empty(len(rows), dtype=np.float32)
    places = np.arange(gallery.exemplars.shape[1])
    for start in range(0, len(rows), _PAIRS):
        part = slice(start, start + _PAIRS)
        those = identities[part]
        cosines = np.matmul(gallery.exemplars[those], probes[rows[part], :, None])[:, :, 0]
        sizes = gallery.sizes[those]
        # Empty places are nearest to nothing.
        cosines[places >= sizes[:, None]] = -2.0
        top = -np.sort(-cosines, axis=1)[:, :TOP]
        counts = np.minimum(sizes, TOP)
        top[np.arange(TOP) >= counts[:, None]] = 0.0
        means[part] = top.sum(axis=1) / counts
    return means


def identity_scores(probes: Vectors, members: Vectors) -> NDArray[np.float32]:
    """Score probes for faces that are taken as one identity, without making a portrait of them.

    Args:
        probes: (n, dims) float32, unit norm.
        members: (m, dims) float32, unit norm, m ≥ 1: its exemplars, or whatever faces there are.

    Returns:
        (n,) float32, −1 to 1, see the head of this module; also below the gate and the floor.
    """
    centre = members.mean(axis=0)
    # Only vectors that cancel out have no mean direction; then the nearest faces decide alone.
    norm = float(np.linalg.norm(centre))
    has_centre = norm > 1e-6
    # The centre is one more row: the probes are read once.
    rows = np.vstack([members, centre / norm]) if has_centre else members
    step = max(1, _BLOCK // len(rows))
    parts = [np.empty(0, dtype=np.float32)]
    for start in range(0, len(probes), step):
        cosines = rows @ probes[start : start + step].T
        nearest = cosines[: len(members)]
        if len(members) > TOP:
            nearest = np.partition(nearest, -TOP, axis=0)[-TOP:]
        near = nearest.mean(axis=0)
        parts.append((near + cosines[-1]) / 2.0 if has_centre else near)
    scores: NDArray[np.float32] = np.round(np.concatenate(parts), _DECIMALS).astype(np.float32)
    return scores


@dataclass(frozen=True, slots=True)
class Match:
    """A face, by its row, that may join an identity, by its number in the gallery."""

    row: int
    identity: int
    score: float


class ScoreBoard:
    """The scores of open faces for identities, as far as they can decide anything.

    A face is awake when its scores for all identities are known; the others sleep, because
    nothing has changed near them since they were last looked at. An identity whose portrait
    changed is scored anew for all, and wakes the sleepers near it.
    """

    def __init__(self, vectors: Vectors, gallery: Gallery, rules: Rules) -> None:
        """Begin with all faces asleep.

        Args:
            vectors: (n, dims) float32 of the open faces.
            gallery: The identities; whoever changes it calls `changed`.
            rules: The numbers to decide by.

        Raises:
            MixedModels: Faces and identities are of two models.
        """
        one_model(vectors, gallery.centres)
        self._vectors = vectors
        self._gallery = gallery
        self._rules = rules
        self._entries: dict[int, dict[int, float]] = {}
        self._rows_of: dict[int, set[int]] = {}
        self._open = np.ones(len(vectors), dtype=np.bool_)

    def awake(self) -> list[int]:
        """Return the open faces whose scores are known, ascending."""
        return sorted(self._entries)

    def is_awake(self, row: int) -> bool:
        """Tell whether a face is open and its scores are known."""
        return row in self._entries

    def is_open(self, row: int) -> bool:
        """Tell whether a face has not joined an identity."""
        return bool(self._open[row])

    def open_rows(self) -> NDArray[np.intp]:
        """Return the faces that have not joined an identity, ascending, awake or not."""
        return np.flatnonzero(self._open)

    def wake(self, rows: Iterable[int]) -> list[int]:
        """Score open faces for all identities; return those that slept."""
        woken = sorted({row for row in rows if self._open[row] and row not in self._entries})
        for row in woken:
            self._entries[row] = {}
        self._keep(score(self._vectors[woken], self._gallery, self._rules), np.asarray(woken))
        return woken

    def changed(self, identities: Sequence[int]) -> list[int]:
        """Score all open faces for identities that changed or began.

        Returns:
            The faces that this woke.
        """
        for identity in identities:
            for row in self._rows_of.pop(identity, ()):
                self._entries.get(row, {}).pop(identity, None)
        rows = self.open_rows()
        whole = len(rows) == len(self._vectors)
        probes = self._vectors if whole else self._vectors[rows]
        found = score(probes, self._gallery, self._rules, identities)
        known = np.asarray([row in self._entries for row in rows[found.rows].tolist()], dtype=bool)
        self._keep(Scores(found.rows[known], found.identities[known], found.values[known]), rows)
        return self.wake(rows[found.rows[~known]].tolist())

    def _keep(self, found: Scores, rows: NDArray[np.intp]) -> None:
        """Note scores; `rows` says which face each probe was."""
        faces = rows[found.rows].tolist() if len(found.rows) else []
        entries = zip(faces, found.identities.tolist(), found.values.tolist(), strict=True)
        for row, identity, value in entries:
            self._entries[row][identity] = value
            self._rows_of.setdefault(identity, set()).add(row)

    def close(self, rows: Sequence[int]) -> None:
        """Forget faces that have joined an identity."""
        for row in rows:
            for identity in self._entries.pop(row, ()):
                self._rows_of[identity].discard(row)
        self._open[np.asarray(rows, dtype=np.intp)] = False

    def like(self, identity: int) -> frozenset[int]:
        """Return the awake faces that have a score for an identity."""
        return frozenset(self._rows_of.get(identity, ()))

    def scores(self, row: int) -> Iterator[tuple[int, float]]:
        """Give the identities that an awake face is like, and its scores for them."""
        return iter(self._entries[row].items())


def choose(
    row: int, scores: Iterable[tuple[int, float]], need: float, margin: float
) -> Match | None:
    """Take the best identity if it is good enough and better than the second.

    Args:
        row: The face.
        scores: Identities that it may join, with its scores.
        need: The score that it needs.
        margin: By which the best must beat the second.
    """
    ranked = sorted((-value, identity) for identity, value in scores)
    if not ranked or -ranked[0][0] < need:
        return None
    best, identity = -ranked[0][0], ranked[0][1]
    if len(ranked) > 1 and best + ranked[1][0] < margin:
        return None
    return Match(row, identity, best)
