"""The search of one content for faces: detect, judge, embed, cut, and remember what was dropped.

One `Search` lives as long as one photo or video is looked at. What is kept follows from the
model's thresholds and `archive.faces.quality`; where the pixels come from is `analyst`'s part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from archive.faces.engine import FaceEngine
from archive.faces.geometry import crop_rectangle, enlarged
from archive.faces.quality import judge, why_rejected
from archive.faces.records import DetectedFace, FoundFace, ModelThresholds, Pixels, RejectedFace
from resources.vision.crops import CROP_MARGIN, CROP_SIDE, encode_crop, quality_patch
from resources.vision.decoding import DecodedPhoto

_MOST_DROPPED: Final = 100
"""Dropped detections that are remembered one by one; a film of a crowd has thousands."""


class Search:
    """Finds the faces of one content, frame after frame."""

    def __init__(self, engine: FaceEngine, min_quality: float | None = None) -> None:
        """Begin with nothing seen.

        Args:
            engine: What finds and embeds.
            min_quality: Replaces the model's own lowest quality, 0–1; None keeps it.
        """
        self._engine = engine
        own = engine.model.thresholds
        self._thresholds: ModelThresholds = (
            own if min_quality is None else replace(own, min_quality=min_quality)
        )
        self._dropped: list[RejectedFace] = []
        self.provider: Final = engine.model.provider
        self.rejected: Counter[str] = Counter()

    @property
    def dropped(self) -> tuple[RejectedFace, ...]:
        """The detections that were not kept, best first; of very many the best."""
        return tuple(self._dropped)

    def photo(self, photo: DecodedPhoto, whole: Callable[[], Pixels]) -> list[FoundFace]:
        """Find the faces of a photo, which may be decoded at reduced scale.

        Args:
            photo: What is looked at.
            whole: Decodes it in full; called only if a face's crop needs those pixels.
        """
        size = photo.width, photo.height
        kept = self._keep(photo.pixels, photo.reduction, size, 0.0, closely=True)
        pixels, factor = photo.pixels, photo.reduction
        if factor > 1 and any(_lacks_pixels(face, factor, size) for face, _ in kept):
            pixels, factor = whole(), 1
        return self._finish(pixels, factor, kept, 0.0)

    def frame(self, pixels: Pixels, seconds: float) -> list[FoundFace]:
        """Find the faces of one frame of a video.

        Args:
            pixels: (h, w, 3) uint8 RGB, upright.
            seconds: Its time on the video's own clock.
        """
        size = pixels.shape[1], pixels.shape[0]
        return self._finish(pixels, 1, self._keep(pixels, 1, size, seconds, closely=False), seconds)

    def _keep(
        self,
        pixels: Pixels,
        factor: int,
        size: tuple[int, int],
        seconds: float,
        *,
        closely: bool,
    ) -> list[tuple[DetectedFace, float]]:
        """Detect and judge; faces come in pixels of the whole picture, `factor` times larger."""
        kept = []
        schema = self._engine.model.landmark_schema
        for seen in self._engine.detect(pixels, closely=closely):
            face = enlarged(seen, factor)
            quality = judge(face, schema, quality_patch(pixels, seen.box), *size)
            reason = why_rejected(face.box.side, quality, self._thresholds)
            if reason is None:
                kept.append((face, quality.score))
            else:
                score = face.detection_score
                self._drop(RejectedFace(seconds, face.box, score, quality.score, reason))
        return kept

    def _drop(self, face: RejectedFace) -> None:
        self.rejected[face.reason] += 1
        self._dropped.append(face)
        self._dropped.sort(key=lambda each: -each.quality)
        del self._dropped[_MOST_DROPPED:]

    def _finish(
        self,
        pixels: Pixels,
        factor: int,
        kept: Sequence[tuple[DetectedFace, float]],
        seconds: float,
    ) -> list[FoundFace]:
        """Embed and cut; `pixels` are `factor` times smaller than the picture."""
        seen = [enlarged(face, 1 / factor) for face, _ in kept]
        vectors = self._engine.embed(pixels, seen)
        return [
            FoundFace(
                frame_seconds=seconds,
                box=face.box,
                landmarks=face.landmarks,
                landmark_schema=self._engine.model.landmark_schema,
                detection_score=face.detection_score,
                quality=quality,
                embedding=vector,
                crop=encode_crop(pixels, here.box),
            )
            for (face, quality), here, vector in zip(kept, seen, vectors, strict=True)
        ]


def _lacks_pixels(face: DetectedFace, factor: int, size: tuple[int, int]) -> bool:
    """Whether the face's crop would be smaller, cut from the reduced picture."""
    crop = crop_rectangle(face.box, *size, CROP_MARGIN)
    longest = max(crop.width, crop.height)
    return longest / factor < min(CROP_SIDE, longest)
