"""How a person begins: with a core of mutually similar faces from different pictures.

One similar pair is a coincidence that any large archive is full of, so a core needs `min_faces`
faces each of which is like *every* other (complete linkage), all from different pictures, all
good and large enough: poor faces resemble each other more than themselves (in the test video
blurred strangers of a crowd reach cosine .9). What is found is only the core; everyone else joins
by `matching`, whose lower threshold keeps a second core of the same person from starting.

A face that resembles an identity already counts only as far as it resembles the core more, by
the margin: from `accept` on it needs that, from `found` on it is that identity's and begins
nothing. So siblings who arrive together get a person each, and a burst of photos of somebody
known begins no second one. What people said comes first: no core holds two faces of which
somebody said that they are not one person's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from archive.identity.constraints import Links
from archive.identity.records import FaceVector, Vectors
from archive.identity.rules import Rules, same_picture

# Neighbours kept for a face, nearest first: enough for any core (min_faces is at most 100), and
# 100 000 faces of one person take some 150 MB instead of 80 GB.
_NEIGHBOURS = 256
_ROWS = 1024


class FoundingGraph:
    """Which faces could found together, and which of them still may.

    Faces are indices into the faces it was made from. They are compared once; `allow` and
    `forbid` say what has become of them since.
    """

    def __init__(
        self, faces: Sequence[FaceVector], vectors: Vectors, rules: Rules, links: Links
    ) -> None:
        """Compare all faces with all, a block of rows at a time.

        Args:
            faces: The faces without an identity that pass the founding gate.
            vectors: (n, dims) float32, row i for faces[i].
            rules: The numbers to decide by.
            links: What people said about faces.
        """
        self._links = links
        self._faces = faces
        self._vectors = vectors
        self._rules = rules
        # The cosine that each face needs to every other of its core; infinite: it founds nothing.
        self._need = np.full(len(faces), rules.found, dtype=np.float32)
        self._near: list[NDArray[np.intp]] = []
        self._cosines: list[NDArray[np.float32]] = []
        if rules.min_faces > 1:
            for start in range(0, len(faces), _ROWS):
                self._link(start, vectors[start : start + _ROWS] @ vectors.T)

    def _link(self, start: int, cosines: NDArray[np.float32]) -> None:
        """Keep the neighbours of the faces from `start` on; `cosines` is (block, n)."""
        block = np.arange(len(cosines))
        cosines[block, start + block] = -1.0
        for row in cosines:
            near = np.flatnonzero(row >= self._rules.found)
            near = near[np.argsort(-row[near], kind="stable")[:_NEIGHBOURS]]
            self._near.append(near)
            self._cosines.append(row[near])

    def allow(self, face: int, best_score: float) -> None:
        """Say how much an identity claims a face.

        Args:
            face: Which.
            best_score: Its highest score for an identity.
        """
        rules = self._rules
        if best_score < rules.accept:
            self._need[face] = rules.found
        elif best_score < rules.found and rules.min_faces > 1:
            self._need[face] = max(rules.found, best_score + rules.margin)
        else:
            self._need[face] = np.inf

    def forbid(self, face: int) -> None:
        """Say that a face has joined an identity."""
        self._need[face] = np.inf

    def nearer(self, face: int, cosine: float) -> NDArray[np.intp]:
        """Return the faces to which a face has a higher cosine than this."""
        if not self._near:
            return np.empty(0, dtype=np.intp)
        return self._near[face][self._cosines[face] > cosine]

    def seeds(self) -> list[int]:
        """Return faces to begin cores with: those of the closest company first.

        The company of a face is as close as its neighbour number `min_faces` − 1; where each face
        founds alone, the best picture goes first.
        """
        others = self._rules.min_faces - 1
        if others == 0:
            return sorted(range(len(self._faces)), key=lambda i: (-self._faces[i].quality, i))
        enough = [i for i, near in enumerate(self._near) if len(near) >= others]
        return sorted(enough, key=lambda i: (-self._cosines[i][others - 1], i))

    def core(self, seed: int) -> list[int] | None:
        """Look for a core that holds one face.

        Every pair of seed and neighbour is tried, so up to three faces the search is exhaustive;
        beyond, the nearest that fits is taken.

        Args:
            seed: The face to begin with.

        Returns:
            `min_faces` faces, the seed first; None if there is no core.
        """
        if np.isinf(self._need[seed]):
            return None
        size = self._rules.min_faces
        if size == 1:
            return [seed]
        near, cosines = self._near[seed], self._cosines[seed]
        company = near[cosines >= np.maximum(self._need[seed], self._need[near])]
        for second in range(len(company) - size + 2):
            core = [seed]
            for candidate in company[second:].tolist():
                if self._fits(candidate, core):
                    core.append(candidate)
                elif len(core) == 1:
                    break
                if len(core) == size:
                    return core
        return None

    def similarities(self, core: Sequence[int]) -> list[float]:
        """Return for each face of a core its mean cosine to the others; 1 for one alone."""
        if len(core) == 1:
            return [1.0]
        cosines = self._vectors[core] @ self._vectors[core].T
        means = (cosines.sum(axis=1) - cosines.diagonal()) / (len(core) - 1)
        return [float(mean) for mean in means]

    def _fits(self, candidate: int, core: list[int]) -> bool:
        """Tell whether a face is like every face of a core, of another picture, and not parted."""
        cosines = self._vectors[core] @ self._vectors[candidate]
        alike = np.all(cosines >= np.maximum(self._need[core], self._need[candidate]))
        if not alike:
            return False
        one, others = self._faces[candidate], [self._faces[member] for member in core]
        return not any(same_picture(one, other) for other in others) and not self._links.barred(
            one.face_id, [other.face_id for other in others]
        )
