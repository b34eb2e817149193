"""One appearance of a person in a video: many frames of one face become its best frame.

Only within one video. Whom the appearance shows is decided in `archive.identity`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from archive.faces.geometry import iou
from archive.faces.records import Box, FoundFace, ModelThresholds

# Two boxes of neighbouring samples that overlap this much are one head in one shot, unless the
# picture was cut; so a likeness somewhat below the threshold is enough to follow it.
SAME_PLACE_IOU: Final = 0.5
# How far below `accept`, in the model's own margins. In hamilton_clip.mp4 a man who turns his head
# has 0.21 to himself a second earlier (accept 0.38, margin 0.05); strangers have 0.01 in the
# median and 0.26 in the 99th percentile (lfw10).
_MARGINS_BELOW: Final = 4


@dataclass(slots=True, eq=False)
class _Track:
    best: FoundFace
    vector_sum: NDArray[np.float64]
    last_sample: int
    last_box: Box
    count: int = field(default=1)

    def likeness(self, face: FoundFace) -> float:
        """Give the cosine to the track's mean, which no single odd frame dominates."""
        norm = float(np.linalg.norm(self.vector_sum))
        return float(self.vector_sum @ face.embedding) / norm if norm > 0 else 0.0

    def take(self, face: FoundFace, sample: int) -> None:
        self.vector_sum = self.vector_sum + face.embedding
        self.last_sample, self.last_box = sample, face.box
        self.count += 1
        if face.quality > self.best.quality:
            self.best = face


class TrackCollapser:
    """Follows faces through the sampled frames of one video and keeps one face an appearance.

    Memory grows with the number of appearances, not with the length of the video. The result
    depends on nothing but the faces and their order.
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
        pairs = [
            (likeness, track_no, face_no)
            for track_no, track in enumerate(self._tracks)
            for face_no, face in enumerate(faces)
            if (likeness := self._link(track, face)) is not None
        ]
        # The likeliest pairs first; each face joins one track and each track takes one face,
        # since one frame shows a person once.
        pairs.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
        taken_tracks: set[int] = set()
        taken_faces: set[int] = set()
        for _, track_no, face_no in pairs:
            if track_no in taken_tracks or face_no in taken_faces:
                continue
            taken_tracks.add(track_no)
            taken_faces.add(face_no)
            self._tracks[track_no].take(faces[face_no], self._sample)
        for face_no, face in enumerate(faces):
            if face_no not in taken_faces:
                vector = face.embedding.astype(np.float64)
                self._tracks.append(_Track(face, vector, self._sample, face.box))

    def finish(self) -> tuple[FoundFace, ...]:
        """Give the best face of each appearance, numbered in order of first sight."""
        return tuple(replace(track.best, track=no) for no, track in enumerate(self._tracks))

    def _link(self, track: _Track, face: FoundFace) -> float | None:
        """Give the likeness of a face to a track if it may join it."""
        likeness = track.likeness(face)
        in_place = (
            track.last_sample == self._sample - 1
            and iou(track.last_box, face.box) >= SAME_PLACE_IOU
        )
        return (
            likeness if likeness >= (self._accept_in_place if in_place else self._accept) else None
        )


def collapse(
    frames: Sequence[Sequence[FoundFace]], thresholds: ModelThresholds
) -> tuple[FoundFace, ...]:
    """Collapse all sampled frames of a video at once.

    Args:
        frames: The faces of each sampled frame, in order of time.
        thresholds: Of the model that made the embeddings.

    Returns:
        One face an appearance, numbered by `track`.
    """
    collapser = TrackCollapser(thresholds)
    for faces in frames:
        collapser.add(faces)
    return collapser.finish()
