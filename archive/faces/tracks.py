"""One appearance of a person in a video: many frames of one face become one vote.

Only within one video. Whom the appearance shows is decided in `archive.identity`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from archive.faces.geometry import iou
from archive.faces.records import FoundFace, ModelThresholds
from archive.provenance import made_by, model_of

# Two boxes of neighbouring samples that overlap this much are one head in one shot, unless the
# picture was cut; so a likeness somewhat below the threshold is enough to follow it.
SAME_PLACE_IOU: Final = 0.5
# Later than that there may have been a cut.
_SAME_SHOT_SECONDS: Final = 2.5
# How far below `accept`, in the model's own margins. In hamilton_clip.mp4 a man who turns his head
# has 0.21 to himself a second earlier (accept 0.38, margin 0.05); strangers have 0.01 in the
# median and 0.26 in the 99th percentile (lfw10).
_MARGINS_BELOW: Final = 4


# An appearance votes with so many of its best frames. The man of hamilton_clip.mp4 has 0.56 to his
# portrait by his best frame, 0.66 by three and 0.67 by five (dlib: 0.955, 0.962, 0.974).
_BEST_FRAMES: Final = 5


class _Track:
    """The faces that one track has taken, as far as they are still needed."""

    def __init__(self, face: FoundFace, sample: int) -> None:
        self.best = face
        self.samples = {sample}
        self.last_box = face.box
        self._vector_sum = face.embedding.astype(np.float64)
        self._best_vectors = [(_rank(face), self._vector_sum)]
        self.first_seconds = self.last_seconds = face.frame_seconds

    @property
    def mean(self) -> NDArray[np.float64]:
        """The direction all its faces share, unit norm; no single odd frame dominates it."""
        return made_by(model_of(self.best.embedding), _unit(self._vector_sum))

    def take(self, face: FoundFace, sample: int) -> None:
        self.swallow(_Track(face, sample))
        self.last_box = face.box

    def swallow(self, other: _Track) -> None:
        self.samples |= other.samples
        self.best = min(self.best, other.best, key=_rank)
        self._vector_sum = self._vector_sum + other._vector_sum
        both = sorted(self._best_vectors + other._best_vectors, key=lambda ranked: ranked[0])
        self._best_vectors = both[:_BEST_FRAMES]
        self.first_seconds = min(self.first_seconds, other.first_seconds)
        self.last_seconds = max(self.last_seconds, other.last_seconds)

    def vote(self, number: int) -> FoundFace:
        """Give the best face, with the direction of the best few and the time of all."""
        best_few = np.sum([vector for _, vector in self._best_vectors], axis=0)
        return replace(
            self.best,
            track=number,
            embedding=made_by(model_of(self.best.embedding), _unit(best_few).astype(np.float32)),
            first_seconds=self.first_seconds,
            last_seconds=self.last_seconds,
        )


class TrackCollapser:
    """Follows faces through the sampled frames of one video and keeps one face an appearance.

    Memory grows with the number of appearances, not of frames (but for a number each). The
    result depends on nothing but the faces and their order.
    """

    def __init__(self, thresholds: ModelThresholds) -> None:
        """Start with a video's first sample.

        Args:
            thresholds: Of the model that made the embeddings.
        """
        self._accept = thresholds.accept
        self._accept_in_place = thresholds.accept - _MARGINS_BELOW * thresholds.margin
        self._tracks: list[_Track] = []
        self._sample = -1

    def add(self, faces: Sequence[FoundFace]) -> None:
        """Take the faces of the next sampled frame, in order of time; it may have none."""
        self._sample += 1
        joined: dict[int, int] = {}
        for _, track_no, face_no in sorted(self._links(faces)):
            # Each face joins one track and each track takes one face: a frame shows nobody twice.
            if track_no not in joined.values() and face_no not in joined:
                joined[face_no] = track_no
        for face_no, face in enumerate(faces):
            if face_no in joined:
                self._tracks[joined[face_no]].take(face, self._sample)
            else:
                self._tracks.append(_Track(face, self._sample))

    def finish(self) -> tuple[FoundFace, ...]:
        """Join tracks that show one person, and give one face of each: its vote.

        Returns:
            One face an appearance, numbered by `track` in order of first sight.
        """
        self._join()
        self._tracks.sort(key=lambda track: min(track.samples))
        return tuple(track.vote(number) for number, track in enumerate(self._tracks))

    def _links(self, faces: Sequence[FoundFace]) -> Iterator[tuple[float, int, int]]:
        """Give (minus likeness, track, face) of all that may join: the likeliest sort first."""
        if not self._tracks or not faces:
            return
        means = np.stack([track.mean for track in self._tracks])
        likeness = means @ np.stack([face.embedding for face in faces]).T
        for (track_no, face_no), cosine in np.ndenumerate(likeness):
            if cosine < self._accept_in_place:
                continue
            in_place = self._is_in_place(self._tracks[track_no], faces[face_no])
            if in_place or cosine >= self._accept:
                yield -float(cosine), track_no, face_no

    def _is_in_place(self, track: _Track, face: FoundFace) -> bool:
        seen_just_before = (
            self._sample - 1 in track.samples
            and face.frame_seconds - track.last_seconds <= _SAME_SHOT_SECONDS
        )
        return seen_just_before and iou(track.last_box, face.box) >= SAME_PLACE_IOU

    def _join(self) -> None:
        """Merge the most alike tracks until no two are: somebody who left came back."""
        while (pair := self._most_alike()) is not None:
            first, second = pair
            self._tracks[first].swallow(self._tracks.pop(second))

    def _most_alike(self) -> tuple[int, int] | None:
        if len(self._tracks) < 2:
            return None
        means = np.stack([track.mean for track in self._tracks])
        likeness = np.triu(means @ means.T, k=1)
        for flat in np.argsort(-likeness, axis=None, kind="stable"):
            first, second = divmod(int(flat), len(self._tracks))
            if likeness[first, second] < self._accept or first >= second:
                return None
            # Two heads in one frame are two people (or a mirror), however alike they look.
            if not self._tracks[first].samples & self._tracks[second].samples:
                return first, second
        return None


def _rank(face: FoundFace) -> tuple[float, float]:
    """Sort the face of highest quality first; of equals the earlier one."""
    return -face.quality, face.frame_seconds


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    norm = float(np.linalg.norm(vector))
    return vector / norm if norm > 0 else vector
