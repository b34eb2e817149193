"""One content from its bytes to everything that is stored about it, decoded once.

Runs in a worker, on one thread, with one engine. Who feeds it is `pool`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from archive.errors import Permanent
from archive.faces.engine import FaceEngine
from archive.faces.records import (
    Fingerprint,
    MediaAnalysis,
    MediaKind,
    Pixels,
)
from archive.faces.sampling import SamplingPolicy
from archive.faces.tracks import TrackCollapser
from resources.vision.decoding import (
    DEFAULT_MAX_MEGAPIXELS,
    DecodedPhoto,
    decode_photo,
    load_decoders,
)
from resources.vision.fingerprints import fingerprint
from resources.vision.search import Search
from resources.vision.video import VideoReader


@dataclass(frozen=True, slots=True)
class AnalystLimits:
    """How closely an analyst looks, and what it refuses.

    Attributes:
        max_megapixels: Largest photo or video frame that is decoded.
        min_quality: Replaces the model's own lowest quality, 0–1; None keeps it.
        sampling: Which frames of videos are looked at.
    """

    max_megapixels: float = DEFAULT_MAX_MEGAPIXELS
    min_quality: float | None = None
    sampling: SamplingPolicy = field(default_factory=SamplingPolicy)


class Analyst:
    """Analyses photos and videos with one engine; not for two threads at once."""

    def __init__(self, engine: FaceEngine | None, limits: AnalystLimits | None = None) -> None:
        """Take an engine.

        Args:
            engine: None for an analyst that only fingerprints.
            limits: The defaults if None.
        """
        load_decoders()
        self._engine = engine
        self._limits = limits or AnalystLimits()

    def analyse(self, data: bytes, kind: MediaKind) -> MediaAnalysis:
        """Fingerprint a content and find its faces.

        Args:
            data: The whole file.
            kind: What it is.

        Raises:
            ItemRejected: It cannot be decoded; see `decode_photo` and `VideoReader`.
            Permanent: There is no engine.
        """
        if self._engine is None:
            raise Permanent("no model is loaded: this analyst only fingerprints")
        search = Search(self._engine, self._limits.min_quality)
        if kind == "image":
            return self._analyse_photo(self._engine, data, search)
        return self._analyse_video(self._engine, data, kind, search)

    def fingerprint(self, data: bytes, kind: MediaKind) -> Fingerprint:
        """Fingerprint a content without looking for faces, for chats that have them off.

        Raises:
            ItemRejected: It cannot be decoded.
        """
        if kind == "image":
            limit = self._limits.max_megapixels
            return _of_photo(data, decode_photo(data, max_megapixels=limit))
        with VideoReader(data, max_megapixels=self._limits.max_megapixels) as video:
            first = next(video.sampled(self._limits.sampling, kind))
            return _of_video(data, video, first.pixels)

    def _analyse_photo(self, engine: FaceEngine, data: bytes, search: Search) -> MediaAnalysis:
        limit = self._limits.max_megapixels
        photo = decode_photo(data, max_megapixels=limit, useful_scale=engine.useful_scale)
        faces = search.photo(photo, partial(_whole, data, limit))
        fingerprint = _of_photo(data, photo)
        return MediaAnalysis(fingerprint, tuple(faces), search.rejected, search.dropped)

    def _analyse_video(
        self, engine: FaceEngine, data: bytes, kind: MediaKind, search: Search
    ) -> MediaAnalysis:
        collapser = TrackCollapser(engine.model.thresholds)
        first: Pixels | None = None
        with VideoReader(data, max_megapixels=self._limits.max_megapixels) as video:
            for frame in video.sampled(self._limits.sampling, kind):
                first = frame.pixels if first is None else first
                collapser.add(search.frame(frame.pixels, frame.seconds))
            fingerprint = _of_video(data, video, first)
            return MediaAnalysis(fingerprint, collapser.finish(), search.rejected, search.dropped)


def _whole(data: bytes, max_megapixels: float) -> Pixels:
    return decode_photo(data, max_megapixels=max_megapixels).pixels


def _of_photo(data: bytes, photo: DecodedPhoto) -> Fingerprint:
    return fingerprint(
        data,
        photo.pixels,
        width=photo.width,
        height=photo.height,
        duration_seconds=None,
        exif=photo.exif,
    )


def _of_video(data: bytes, video: VideoReader, first: Pixels | None) -> Fingerprint:
    height, width = (0, 0) if first is None else first.shape[:2]
    return fingerprint(
        data,
        first,
        width=width,
        height=height,
        duration_seconds=video.duration_seconds,
        exif={},
    )
