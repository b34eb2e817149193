"""One content from its bytes to everything that is stored about it, decoded once.

Runs in a worker, on one thread, with one engine. Who feeds it is `pool`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from archive.errors import Permanent
from archive.faces.engine import FaceEngine
from archive.faces.records import (
    Box,
    DerivedPicture,
    Fingerprint,
    FoundFace,
    MediaAnalysis,
    PictureKind,
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
from resources.vision.drawn import face_in_box
from resources.vision.fingerprints import fingerprint
from resources.vision.ranges import RangedFile
from resources.vision.search import Search
from resources.vision.thumbnails import ContactSheet, thumbnail_scale
from resources.vision.thumbnails import thumbnails as make_thumbnails
from resources.vision.video import VideoReader

Scale = Callable[[int, int], float]


@dataclass(frozen=True, slots=True)
class AnalystLimits:
    """How closely an analyst looks, and what it refuses.

    Attributes:
        max_megapixels: Largest photo or video frame that is decoded.
        min_quality: Replaces the model's own lowest quality, 0–1; None keeps it.
        sampling: Which frames of videos are looked at.
        avif: Whether thumbnails are made in AVIF too.
    """

    max_megapixels: float = DEFAULT_MAX_MEGAPIXELS
    min_quality: float | None = None
    sampling: SamplingPolicy = field(default_factory=SamplingPolicy)
    avif: bool = True


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

    @property
    def engine(self) -> FaceEngine:
        """What it works with.

        Raises:
            Permanent: There is no engine.
        """
        if self._engine is None:
            raise Permanent("no model is loaded: this analyst only fingerprints")
        return self._engine

    def pixels(self, data: bytes) -> Pixels:
        """Decode a photo whole.

        Raises:
            ItemRejected: It cannot be decoded.
        """
        return _whole(data, self._limits.max_megapixels)

    def analyse(
        self,
        data: bytes | RangedFile,
        kind: PictureKind,
        *,
        faces: bool = True,
        thumbnails: bool = False,
    ) -> MediaAnalysis:
        """Fingerprint a content, and make of its one decode what else is asked for.

        Args:
            data: The whole file; of a video also one that is read only where it is looked at.
            kind: What it is.
            faces: Find and embed its faces.
            thumbnails: Make small pictures of it.

        Raises:
            ItemRejected: It cannot be decoded; see `decode_photo` and `VideoReader`.
            Permanent: There is no engine.
        """
        engine = self.engine if faces else None
        if kind == "image":
            whole = data if isinstance(data, bytes) else data.open().readall()
            return self._analyse_photo(engine, whole, thumbnails=thumbnails)
        return self._analyse_video(engine, data, kind, thumbnails=thumbnails)

    def draw(
        self, data: bytes | RangedFile, kind: PictureKind, box: Box, seconds: float
    ) -> FoundFace:
        """Make a face of a box that a person drew; see `drawn.face_in_box`.

        Args:
            data: As for `analyse`.
            kind: As for `analyse`.
            box: In pixels of the upright picture.
            seconds: Of a video, which frame; the face has the frame's own time.

        Raises:
            ItemRejected: It cannot be decoded, or has no frame then.
            Permanent: There is no engine, or the box shows too little of the picture.
        """
        engine = self.engine
        if kind == "image":
            whole = data if isinstance(data, bytes) else data.open().readall()
            return face_in_box(engine, self.pixels(whole), box)
        source = data if isinstance(data, bytes) else data.open()
        with VideoReader(source, max_megapixels=self._limits.max_megapixels) as video:
            frame = video.frame_at(seconds)
        return face_in_box(engine, frame.pixels, box, frame.seconds)

    def _analyse_photo(
        self, engine: FaceEngine | None, data: bytes, *, thumbnails: bool
    ) -> MediaAnalysis:
        limit = self._limits.max_megapixels
        wishes = [engine.useful_scale] if engine else []
        wishes += [thumbnail_scale] if thumbnails else []
        photo = decode_photo(data, max_megapixels=limit, useful_scale=_enough_for(wishes))
        search = self._search(engine)
        found = search.photo(photo, partial(_whole, data, limit)) if search else []
        pictures = make_thumbnails(photo.pixels, avif=self._limits.avif) if thumbnails else ()
        return _analysis(_of_photo(data, photo), found, search, pictures)

    def _analyse_video(
        self,
        engine: FaceEngine | None,
        data: bytes | RangedFile,
        kind: PictureKind,
        *,
        thumbnails: bool,
    ) -> MediaAnalysis:
        search = self._search(engine)
        collapser = TrackCollapser(engine.model.thresholds) if engine else None
        sheet = ContactSheet() if thumbnails else None
        first: Pixels | None = None
        source = data if isinstance(data, bytes) else data.open()
        with VideoReader(source, max_megapixels=self._limits.max_megapixels) as video:
            for frame in video.sampled(self._limits.sampling, kind):
                first = frame.pixels if first is None else first
                if search is not None and collapser is not None:
                    collapser.add(search.frame(frame.pixels, frame.seconds))
                if sheet is not None:
                    sheet.add(frame.pixels)
                elif collapser is None:
                    break  # a fingerprint needs no second frame
            return _analysis(
                _of_video(data, video, first),
                collapser.finish() if collapser else (),
                search,
                sheet.pictures(avif=self._limits.avif) if sheet else (),
            )

    def _search(self, engine: FaceEngine | None) -> Search | None:
        return Search(engine, self._limits.min_quality) if engine else None


def _analysis(
    of: Fingerprint,
    faces: Sequence[FoundFace],
    search: Search | None,
    pictures: tuple[DerivedPicture, ...],
) -> MediaAnalysis:
    if search is None:
        return MediaAnalysis(of, (), {}, pictures)
    return MediaAnalysis(
        of, tuple(faces), search.rejected, pictures, search.dropped, search.provider
    )


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
        truncated=photo.truncated,
    )


def _enough_for(wishes: Sequence[Scale]) -> Scale | None:
    """Ask for the largest of several scales; for the whole photo where nobody says less will do."""
    if not wishes:
        return None
    return lambda width, height: max(wish(width, height) for wish in wishes)


def _of_video(data: bytes | RangedFile, video: VideoReader, first: Pixels | None) -> Fingerprint:
    height, width = (0, 0) if first is None else first.shape[:2]
    return fingerprint(
        data,
        first,
        width=width,
        height=height,
        duration_seconds=video.duration_seconds,
        exif={},
    )
