"""How much a face may be trusted, as one number from 0 to 1.

The detector's score alone will not do: a sharp small profile and a blurred frontal face can both
score 0.8. What hurts is that recognisers map *all* unreadable faces to one corner of their space:
different people, each blurred or 28 pixels wide, were measured at cosine 0.5–0.9 to each other
(MobileFaceNet, the crowd of hamilton_clip.mp4 and the audience of Vladimir_Putin_0007.jpg), well
above the 0.45 that founds a person. Hence a product: one bad property is enough to spoil a face.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from archive.faces.geometry import eye_centres, nose
from archive.faces.records import Box, DetectedFace, ModelThresholds

PATCH_SIZE: Final = 64
"""Side of the grey patch on which sharpness is measured; below the size of most faces, so that
enlarged small faces show as the blurred ones they are."""

# Each factor's scale was set on lfw10 (100 portraits, 16 bystanders), hamilton_clip.mp4 and t1.jpg
# so that the worst portrait keeps about half of it; see `tests/integration/vision`.
_SCORE_NOTHING, _SCORE_FULL = 0.4, 0.8  # portraits score 0.80–0.92, blurred crowds 0.51–0.65
_SIDE_SCALE = 40.0  # pixels; portraits 77–113, audiences 20–30
_YAW_SCALE = 0.8  # nose offset over eye distance; portraits ≤ 0.39, full profiles ≥ 1
_SHARPNESS_HALF = 60.0  # variance of the Laplacian; portraits 137–1278, blurred faces 1–40
_VISIBLE_NOTHING, _VISIBLE_FULL = 0.5, 0.9  # share of the box inside the picture
_RANGE_NOTHING, _RANGE_FULL = 10.0, 60.0  # grey levels, 5th to 95th percentile


@dataclass(frozen=True, slots=True)
class Quality:
    """What speaks for a face, each from 0 (it spoils everything) to 1 (nothing to complain of).

    Attributes:
        certain: How sure the detector is.
        large: Pixels of the box; not those between the eyes, which vanish when a head turns.
        frontal: How little the head is turned.
        sharp: Detail at the size that all faces are brought to.
        whole: Share of the face inside the picture.
        lit: Range of its grey levels: neither night nor a window behind.
    """

    certain: float
    large: float
    frontal: float
    sharp: float
    whole: float
    lit: float

    @property
    def score(self) -> float:
        """The product: 0 (useless) to 1 (large, sharp, frontal, whole, well lit)."""
        factors = (self.certain, self.large, self.frontal, self.sharp, self.whole, self.lit)
        return float(min(1.0, max(0.0, prod(factors))))

    @property
    def fault(self) -> str:
        """Name what is worst about it."""
        factors = {
            "uncertain": self.certain,
            "small": self.large,
            "turned_away": self.frontal,
            "blurred": self.sharp,
            "cut_off": self.whole,
            "badly_lit": self.lit,
        }
        return min(factors, key=lambda name: factors[name])


def judge(
    face: DetectedFace,
    schema: str,
    patch: NDArray[np.float32],
    image_width: int,
    image_height: int,
) -> Quality:
    """Judge one detection.

    Args:
        face: As the engine reported it.
        schema: Schema of its landmarks.
        patch: (64, 64) float32 grey levels 0–255 of the box, see `PATCH_SIZE`.
        image_width: Pixels of the upright image.
        image_height: Pixels of the upright image.
    """
    laplacian = sharpness(patch)
    share = _visible_share(face.box, image_width, image_height)
    dark, bright = np.percentile(patch, (5, 95))
    return Quality(
        certain=_ramp(face.detection_score, _SCORE_NOTHING, _SCORE_FULL),
        large=1.0 - float(np.exp(-face.box.side / _SIDE_SCALE)),
        frontal=1.0 / (1.0 + (yaw_offset(face, schema) / _YAW_SCALE) ** 2),
        sharp=laplacian / (laplacian + _SHARPNESS_HALF),
        whole=_ramp(share, _VISIBLE_NOTHING, _VISIBLE_FULL),
        lit=_ramp(float(bright - dark), _RANGE_NOTHING, _RANGE_FULL),
    )


def yaw_offset(face: DetectedFace, schema: str) -> float:
    """Measure how far the head is turned sideways.

    Returns:
        Distance of the nose from the middle of the eyes along the line between them, in eye
        distances: 0 frontal, about 0.5 at 45 degrees, beyond 1 in profile (the eyes fall
        together). Inclining the head changes nothing.
    """
    left, right = eye_centres(face.landmarks, schema).astype(np.float64)
    between = right - left
    distance = float(np.hypot(*between))
    if distance < 1e-6:
        return float("inf")
    offset = nose(face.landmarks, schema) - (left + right) / 2.0
    return abs(float(offset @ between)) / distance**2


def sharpness(patch: NDArray[np.float32]) -> float:
    """Give the variance of the 4-neighbour Laplacian over a grey patch; 0 for a flat one.

    Not divided by contrast: a dissolve between two scenes is flat *and* unreadable.
    """
    inner = patch[1:-1, 1:-1]
    around = patch[:-2, 1:-1] + patch[2:, 1:-1] + patch[1:-1, :-2] + patch[1:-1, 2:]
    return float(np.var(around - 4.0 * inner))


def why_rejected(side: float, quality: Quality, thresholds: ModelThresholds) -> str | None:
    """Name what keeps a detection from being stored.

    Args:
        side: Shorter side of its box in pixels.
        quality: How it was judged.
        thresholds: Of its model.

    Returns:
        `too_small`, the worst fault of one that is not good enough, or None when it is kept.
    """
    if side < thresholds.min_face_pixels:
        return "too_small"
    if quality.score < thresholds.min_quality:
        return quality.fault
    return None


def _visible_share(box: Box, image_width: int, image_height: int) -> float:
    width = min(box.x2, image_width) - max(box.x1, 0.0)
    height = min(box.y2, image_height) - max(box.y1, 0.0)
    if width <= 0.0 or height <= 0.0:
        return 0.0
    return width * height / box.area


def _ramp(value: float, nothing: float, full: float) -> float:
    return min(1.0, max(0.0, (value - nothing) / (full - nothing)))
