"""Geometry of boxes and landmarks.

Overlap, suppression of doubles, the alignment transform and crop rectangles, in numpy only.
Warping pixels is the adapters' part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from archive.faces.records import EYE_CORNERS, FIVE_POINTS, Box, DetectedFace, Landmarks

# Where the five points lie in a 112 × 112 ArcFace input. Source: InsightFace's published
# alignment template, with which all of its recognisers were trained (ArcFace, Deng et al. 2019).
ARCFACE_TEMPLATE: Final[NDArray[np.float32]] = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655],
     [70.7299, 92.2041]],
    dtype=np.float32,
)  # fmt: skip
ARCFACE_SIZE: Final = 112


def similarity_transform(
    source: NDArray[np.floating], target: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Fit rotation, uniform scale and shift that bring `source` closest to `target`.

    Least squares without reflection (Umeyama, "Least-squares estimation of transformation
    parameters between two point patterns", 1991).

    Args:
        source: (n, 2) points, n ≥ 2, not all equal.
        target: (n, 2) points.

    Returns:
        (2, 3) float64 matrix M with target ≈ source @ M[:, :2].T + M[:, 2].

    Raises:
        ValueError: All source points coincide or one is not finite: no scale fits.
    """
    src = np.asarray(source, dtype=np.float64)
    dst = np.asarray(target, dtype=np.float64)
    if not (np.isfinite(src).all() and np.isfinite(dst).all()):
        raise ValueError("points must be finite")
    src_centred = src - src.mean(axis=0)
    dst_centred = dst - dst.mean(axis=0)
    variance = (src_centred**2).sum()
    if variance <= 0.0:
        raise ValueError("all source points coincide")
    u, singular, vt = np.linalg.svd(dst_centred.T @ src_centred)
    signs = np.ones(2)
    if np.linalg.det(u) * np.linalg.det(vt) < 0:
        signs[-1] = -1.0
    rotation = (u * signs) @ vt
    scale = (singular * signs).sum() / variance
    linear = scale * rotation
    shift = dst.mean(axis=0) - linear @ src.mean(axis=0)
    return np.hstack([linear, shift[:, None]])


def alignment_transform(landmarks: Landmarks, size: int) -> NDArray[np.float64]:
    """Fit the transform from the image to a recogniser's square input.

    Args:
        landmarks: (5, 2) in schema `FIVE_POINTS`.
        size: Side of the input in pixels; 112 for nearly every recogniser.

    Returns:
        (2, 3) float64 matrix for an affine warp, image → input.

    Raises:
        ValueError: The landmarks coincide.
    """
    return similarity_transform(landmarks, ARCFACE_TEMPLATE * (size / ARCFACE_SIZE))


def eye_centres(landmarks: Landmarks, schema: str) -> NDArray[np.float32]:
    """Give the two eye centres, the one on the left of the picture first.

    Args:
        landmarks: (5, 2) in `schema`.
        schema: `FIVE_POINTS` or `EYE_CORNERS`.

    Returns:
        (2, 2) float32, pixels.

    Raises:
        ValueError: The schema is unknown.
    """
    if schema == FIVE_POINTS:
        return landmarks[:2]
    if schema == EYE_CORNERS:
        corners = np.stack([landmarks[2:4], landmarks[0:2]])
        return np.asarray(corners.mean(axis=1), dtype=np.float32)
    raise ValueError(f"unknown landmark schema {schema!r}")


def nose(landmarks: Landmarks, schema: str) -> NDArray[np.float32]:
    """Give the nose point of `landmarks`, (2,) float32 in pixels."""
    point: NDArray[np.float32] = landmarks[2] if schema == FIVE_POINTS else landmarks[4]
    return point


def iou(first: Box, second: Box) -> float:
    """Give the intersection over union of two boxes, 0–1."""
    width = min(first.x2, second.x2) - max(first.x1, second.x1)
    height = min(first.y2, second.y2) - max(first.y1, second.y1)
    if width <= 0.0 or height <= 0.0:
        return 0.0
    shared = width * height
    return shared / (first.area + second.area - shared)


def enlarged(face: DetectedFace, factor: float) -> DetectedFace:
    """Bring a face into the pixels of a picture that is `factor` times as large."""
    if factor == 1:
        return face
    box = face.box
    corners = (side * factor for side in (box.x1, box.y1, box.x2, box.y2))
    landmarks = np.asarray(face.landmarks * factor, dtype=np.float32)
    return DetectedFace(Box(*corners), landmarks, face.detection_score)


def suppress_doubles(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], threshold: float
) -> NDArray[np.intp]:
    """Keep the strongest of boxes that show the same face (greedy non-maximum suppression).

    It also merges what several scales found, since all boxes are in pixels of one image.

    Args:
        boxes: (n, 4) float32, xyxy in pixels of the upright image.
        scores: (n,) float32; equal scores keep their order.
        threshold: IoU above which the weaker box is dropped, 0–1.

    Returns:
        Indices of the kept boxes, strongest first.
    """
    order = np.argsort(-scores, kind="stable")
    areas = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    kept: list[int] = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        corner_low = np.maximum(boxes[best, :2], boxes[rest, :2])
        corner_high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        shared = np.clip(corner_high - corner_low, 0, None).prod(axis=1)
        union = areas[best] + areas[rest] - shared
        order = rest[shared <= threshold * union]
    return np.array(kept, dtype=np.intp)


def crop_rectangle(box: Box, image_width: int, image_height: int, margin: float) -> Box:
    """Give the part of the image that a crop of `box` shows.

    Args:
        box: The face.
        image_width: Pixels.
        image_height: Pixels.
        margin: Share of the box's longer side added on every side; 0.5 makes the crop about
            twice the face, which is what aligning the face again needs.

    Returns:
        Whole pixels, inside the image, at least one pixel wide and high.
    """
    extra = margin * max(box.width, box.height)
    x1 = min(max(0, int(np.floor(box.x1 - extra))), image_width - 1)
    y1 = min(max(0, int(np.floor(box.y1 - extra))), image_height - 1)
    x2 = max(min(image_width, int(np.ceil(box.x2 + extra))), x1 + 1)
    y2 = max(min(image_height, int(np.ceil(box.y2 + extra))), y1 + 1)
    return Box(x1, y1, x2, y2)


@dataclass(frozen=True, slots=True)
class View:
    """A part of a picture, resized.

    Attributes:
        part: What it shows, in whole pixels of the picture.
        factor: How many times larger it is than that part; below 1 it is smaller.
    """

    part: Box
    factor: float

    def into(self, landmarks: Landmarks) -> Landmarks:
        """Bring points from the picture into the view: (n, 2) float32, pixels of the view."""
        moved = landmarks.astype(np.float64) - (self.part.x1, self.part.y1)
        # Pixel centres lie at whole numbers, so resizing moves them by half a pixel of difference.
        return np.asarray((moved + 0.5) * self.factor - 0.5, dtype=np.float32)

    def out_of(self, landmarks: Landmarks) -> Landmarks:
        """Bring points from the view back into the picture: (n, 2) float32, its pixels."""
        origin = np.array((self.part.x1, self.part.y1))
        whole = (landmarks.astype(np.float64) + 0.5) / self.factor - 0.5
        return np.asarray(origin + whole, dtype=np.float32)

    def box_into(self, box: Box) -> Box:
        """Bring a box from the picture into the view; its edges lie between pixels."""
        part, factor = self.part, self.factor
        xs = ((x - part.x1) * factor for x in (box.x1, box.x2))
        ys = ((y - part.y1) * factor for y in (box.y1, box.y2))
        return Box(*(side for point in zip(xs, ys, strict=True) for side in point))


def into_crop(landmarks: Landmarks, crop: Box, longest_side: int) -> Landmarks:
    """Move landmarks from the image into its crop, so that the crop can be embedded again.

    With them the vector equals the picture's (cosine ≥ 0.997, measured); landmarks detected anew
    in the crop differ by a pixel or two, and the vector with them (0.95–0.99).

    Args:
        landmarks: (5, 2) in pixels of the upright image.
        crop: The part that was cut out, see `crop_rectangle`.
        longest_side: Pixels to which larger crops were shrunk.

    Returns:
        (5, 2) float32 in pixels of the crop.
    """
    return View(crop, min(1.0, longest_side / max(crop.width, crop.height))).into(landmarks)
