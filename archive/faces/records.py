"""What the vision rooms say to each other and to the store.

Records only: boxes, faces, fingerprints, and the description of a model. How they come about
lives in `resources.vision`, what they mean for people in `archive.identity`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from archive.provenance import one_model

Pixels = NDArray[np.uint8]
"""(h, w, 3) uint8, RGB, upright (EXIF orientation or video rotation already applied)."""

Landmarks = NDArray[np.float32]
"""(5, 2) float32, x and y in pixels of the upright image; the schema names the points."""

Embedding = NDArray[np.float32]
"""(dims,) float32 with L2 norm 1."""

PictureKind = Literal["image", "video", "round_video"]
"""How a content is looked at; what Telegram calls it is `archive.records.MediaKind`."""
ModelKind = Literal["insightface", "dlib"]

Provider = Literal["cpu", "openvino", "openvino-bf16", "cuda", "tensorrt", "coreml"]
"""What a model's networks run on."""

FIVE_POINTS = "eyes_nose_mouth"
"""Eye centre, eye centre, nose tip, mouth corner, mouth corner; left before right as seen in
the picture. What SCRFD and RetinaFace predict and what the ArcFace template is drawn for."""

EYE_CORNERS = "eye_corners_nose"
"""Outer and inner corner of the eye on the right of the picture, outer and inner corner of the
eye on its left, base of the nose. The order of dlib's 5-point predictor."""

ExifScalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle x1, y1, x2, y2 in pixels of the upright image; may reach past its edges."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def width(self) -> float:
        """Pixels, never negative."""
        return max(0.0, self.x2 - self.x1)

    @property
    def height(self) -> float:
        """Pixels, never negative."""
        return max(0.0, self.y2 - self.y1)

    @property
    def side(self) -> float:
        """The shorter side in pixels: the face's size as the thresholds mean it.

        The box rather than the distance between the eyes, because that shrinks when a head
        turns, and pose is judged on its own.
        """
        return min(self.width, self.height)

    @property
    def area(self) -> float:
        """Square pixels."""
        return self.width * self.height


@dataclass(frozen=True, slots=True, eq=False)
class DetectedFace:
    """A face as a detector reports it.

    Attributes:
        box: Where it is.
        landmarks: (5, 2) float32 in the schema of the engine's model record.
        detection_score: The detector's own confidence; 0–1 for SCRFD, and dlib's HOG margin
            (about 0–3) brought to 0–1 by the engine.
    """

    box: Box
    landmarks: Landmarks
    detection_score: float


@dataclass(frozen=True, slots=True, eq=False)
class FoundFace:
    """A face that passed the quality gate, with everything that is stored about it.

    Attributes:
        frame_seconds: Time of its frame on the video's own clock; 0 for a photo.
        box: Where it is in the upright frame.
        landmarks: (5, 2) float32 in `landmark_schema`.
        landmark_schema: `FIVE_POINTS` or `EYE_CORNERS`, or one of their estimated forms.
        detection_score: 0–1.
        quality: 0–1, see `archive.faces.quality`.
        embedding: (dims,) float32, L2 norm 1.
        crop: WebP of the face with 50 % margin, at most 512 px.
        track: Number of its appearance within one video, from 0; None for a photo.
        first_seconds: When the appearance was first seen; None for a photo.
        last_seconds: When it was last seen; None for a photo.
    """

    frame_seconds: float
    box: Box
    landmarks: Landmarks
    landmark_schema: str
    detection_score: float
    quality: float
    embedding: Embedding
    crop: bytes
    track: int | None = None
    first_seconds: float | None = None
    last_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class RejectedFace:
    """A detection that was not kept: no crop, no vector, only where and why.

    Attributes:
        frame_seconds: As of a `FoundFace`.
        box: Where it is in the upright frame.
        detection_score: 0–1.
        quality: 0–1.
        reason: See `archive.faces.quality.why_rejected`.
    """

    frame_seconds: float
    box: Box
    detection_score: float
    quality: float
    reason: str


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells one content from another.

    Attributes:
        sha256: 32 raw bytes over the file; None where only parts of it were read.
        phash: 64-bit perceptual hash as a signed integer (PostgreSQL `bigint`) of the photo or
            the video's first sampled frame; two near copies differ in few bits. None when
            there was no picture to hash.
        width: Pixels of the upright picture.
        height: Pixels of the upright picture.
        duration_seconds: Length of a video; None for a photo or when unknown.
        size_bytes: Length of the file.
        exif: Tag name → JSON scalar; empty for what Telegram sent as *photo*.
        truncated: The file of a photo ends too early: what arrived is all there is to see.
    """

    sha256: bytes | None
    phash: int | None
    width: int
    height: int
    duration_seconds: float | None
    size_bytes: int
    exif: Mapping[str, ExifScalar]
    truncated: bool = False


PictureRole = Literal["thumbnail", "strip"]
"""A thumbnail shows a photo, or a video's poster; a strip shows frames of a whole video."""

PictureFormat = Literal["webp", "avif", "jpeg"]


@dataclass(frozen=True, slots=True)
class DerivedPicture:
    """A small picture made of a content, without metadata.

    Attributes:
        edge: Longest edge in pixels that was asked for; of a strip its height.
        width: Pixels as they are: nothing is enlarged.
        height: Pixels as they are.
        data: The encoded picture.
    """

    role: PictureRole
    edge: int
    format: PictureFormat
    width: int
    height: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class MediaAnalysis:
    """Everything one pass over one content found.

    Attributes:
        fingerprint: Of the content.
        faces: What passed the gate; for a video one face an appearance, its best frame.
        rejected: Reason → number of detections dropped for it (over all frames).
        pictures: Thumbnails and the like, where they were asked for.
        dropped: The detections that `rejected` counts; of very many the best.
        provider: What the search for faces ran on; None without one.
    """

    fingerprint: Fingerprint
    faces: tuple[FoundFace, ...]
    rejected: Mapping[str, int]
    pictures: tuple[DerivedPicture, ...] = ()
    dropped: tuple[RejectedFace, ...] = ()
    provider: Provider | None = None

    def __post_init__(self) -> None:
        """Refuse faces that do not belong together.

        Raises:
            MixedModels: Two models made their vectors.
        """
        one_model(*(face.embedding for face in self.faces))


@dataclass(frozen=True, slots=True)
class ModelThresholds:
    """Where one model's numbers change their meaning. They fit no other model.

    Attributes:
        accept: Cosine from which a face may belong to an identity.
        margin: Cosine by which the best identity must beat the second.
        found: Cosine that faces need among each other to found an identity.
        min_quality: Quality below which a detection is not kept, not even for display, 0–1.
        min_quality_to_found: Quality from which a face may help to found an identity.
        min_face_pixels: Shorter side of the box below which a detection is not kept.
        min_face_pixels_to_found: Shorter side from which a face may help to found an identity.
        min_quality_to_match: Quality from which a face is compared with people at all, 0–1.
    """

    accept: float
    margin: float
    found: float
    min_quality: float
    min_quality_to_found: float
    min_face_pixels: float
    min_face_pixels_to_found: float
    min_quality_to_match: float = 0.0


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A model as the store, the licence gate and every summary know it.

    Attributes:
        name: `dlib`, or the name of the pack's folder.
        kind: What loads it.
        licence: In words, for a person to read.
        commercial_use: Whether the licence allows it; unknown counts as no.
        dims: Length of its embeddings.
        detector: File or algorithm that finds faces.
        recogniser: File that embeds them.
        landmark_schema: Schema of the landmarks it predicts.
        thresholds: Its own.
        sha256: Hex digest over its files in order of use.
        detector_version: Producer of boxes and landmarks: model, file digest, policy.
        embedding_version: Producer of vectors: model, file digest, alignment.
        provider: What it runs on here. No part of a version: providers differ in the last digits
            of a vector, and an archive may move to another machine.
    """

    name: str
    kind: ModelKind
    licence: str
    commercial_use: bool
    dims: int
    detector: str
    recogniser: str
    landmark_schema: str
    thresholds: ModelThresholds
    sha256: str
    detector_version: str
    embedding_version: str
    provider: Provider = "cpu"
