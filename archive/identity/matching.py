"""How like an identity a face is, and which faces join one.

The score of a face for an identity is the mean of two numbers: the mean cosine to the `TOP` of
the identity's faces that are nearest to it, and the cosine to the identity's mean vector. The
first keeps a person of several looks together, the second resists a single odd face in the
gallery. Measured on lfw10 with MobileFaceNet, 100 genuine faces and 116 impostors, galleries of
2 / 3 / 5 / 9 faces, as the distance d′ between the score of the right identity and that of the
best wrong one:

    nearest face   7.10  7.36  8.06  8.45      (the highest impostor scores: .363)
    mean of top 3  7.33  7.52  8.48  9.00
    mean vector    7.68  8.10  8.72  9.20
    this blend     7.56  7.88  8.69  9.22      (impostors reach .348 .334 .341 .328)

The mean vector alone is as good there, but ten adults in press photos have one look each.

All faces that may join are decided against the same gallery, then join together, and the round
repeats with the larger gallery until nothing joins. So the order of faces plays no part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archive.identity.records import Vectors
from archive.identity.rules import TOP, Rules

# Cosines held at a time: 32 MiB of float32.
_BLOCK = 8 << 20

# Decimals kept of a score. A float32 dot product of 512 terms is good to about 1e-6 and depends
# in its last bits on the shape of the whole product; thresholds must not.
_DECIMALS = 5


def identity_scores(probes: Vectors, members: Vectors) -> NDArray[np.float32]:
    """Score probes for one identity.

    Args:
        probes: (n, dims) float32, unit norm.
        members: (m, dims) float32, unit norm, m ≥ 1: the identity's faces.

    Returns:
        (n,) float32, −1 to 1, see the head of this module.
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

    Scores below `rules.floor` are not kept, so a face has a handful of entries however many
    identities there are. An identity whose faces changed is scored anew, the others stand.
    """

    def __init__(
        self,
        vectors: Vectors,
        frames: NDArray[np.intp],
        open_rows: Sequence[int],
        rules: Rules,
    ) -> None:
        """Begin with no identity.

        Args:
            vectors: (n, dims) float32 of all faces, open and assigned.
            frames: (n,) the number of the frame that shows each face.
            open_rows: Which faces have no identity, ascending.
            rules: The numbers to decide by.
        """
        self._vectors = vectors
        self._frames = frames
        self._rules = rules
        self._entries: dict[int, dict[int, float]] = {}
        self._rows_of: dict[int, list[int]] = {}
        self._is_open = np.zeros(len(vectors), dtype=np.bool_)
        self._is_open[np.asarray(open_rows, dtype=np.intp)] = True
        self._gather()

    def _gather(self) -> None:
        """Copy the open faces' vectors together, so that scoring reads them in one sweep."""
        self._probe_rows = np.flatnonzero(self._is_open)
        self._probes = self._vectors[self._probe_rows]
        self._closed_since = 0

    @property
    def open_rows(self) -> list[int]:
        """The faces that have not joined an identity, ascending."""
        return [int(row) for row in np.flatnonzero(self._is_open)]

    def score(self, identity: int, members: Sequence[int]) -> list[int]:
        """Score the open faces for one identity, anew if it was scored before.

        Args:
            identity: Its number in the gallery.
            members: Rows of its faces, at least one.

        Returns:
            The rows for which the score can decide something.
        """
        for row in self._rows_of.pop(identity, ()):
            self._entries.get(row, {}).pop(identity, None)
        rows = np.asarray(members, dtype=np.intp)
        scores = identity_scores(self._probes, self._vectors[rows])
        beside = np.isin(self._frames[self._probe_rows], self._frames[rows])
        scores[beside] -= np.float32(self._rules.same_frame_penalty)
        kept = (scores >= self._rules.floor) & self._is_open[self._probe_rows]
        self._rows_of[identity] = self._probe_rows[kept].tolist()
        for row, score in zip(self._rows_of[identity], scores[kept].tolist(), strict=True):
            self._entries.setdefault(row, {})[identity] = score
        return self._rows_of[identity]

    def close(self, rows: Sequence[int]) -> None:
        """Forget faces that have joined an identity."""
        for row in rows:
            self._entries.pop(row, None)
        self._is_open[np.asarray(rows, dtype=np.intp)] = False
        self._closed_since += len(rows)
        if 2 * self._closed_since > len(self._probe_rows):
            self._gather()

    def best(self, row: int) -> float:
        """Return a face's highest score; −1 where none could decide anything."""
        return max(self._entries.get(row, {}).values(), default=-1.0)

    def matches(self) -> list[Match]:
        """Return the faces that may join now, in the order of their rows.

        Of several faces in one frame that would join one identity only the best does; the others
        are scored again with it in the gallery, at the penalty for a second face in a frame.
        """
        chosen: dict[tuple[int, int], Match] = {}
        for row in sorted(self._entries):
            match = self._match(row)
            if match is None:
                continue
            place = int(self._frames[row]), match.identity
            if place not in chosen or match.score > chosen[place].score:
                chosen[place] = match
        return sorted(chosen.values(), key=lambda match: match.row)

    def _match(self, row: int) -> Match | None:
        """Accept a face's best identity if it is good enough and better than the second."""
        ranked = sorted((-score, identity) for identity, score in self._entries[row].items())
        if not ranked or -ranked[0][0] < self._rules.accept:
            return None
        best, identity = -ranked[0][0], ranked[0][1]
        if len(ranked) > 1 and best + ranked[1][0] < self._rules.margin:
            return None
        return Match(row, identity, best)
