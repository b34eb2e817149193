"""Cutting faces out of a frame: the stored crop, and the patch on which quality is judged."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from numpy.typing import NDArray

from archive.faces.geometry import crop_rectangle
from archive.faces.quality import PATCH_SIZE
from archive.faces.records import Box, Pixels
from resources.vision.scaling import shrink_to

# Re-embedding such a crop equals re-embedding the picture: cosine ≥ 0.997 for faces of 80 px and
# more, 0.991 at 40 px (measured on lfw10 and t1.jpg); without margin 0.89.
CROP_MARGIN: Final = 0.5
CROP_SIDE: Final = 512
_WEBP_QUALITY: Final = 95
# Encoding took longer than finding faces until its effort followed the size: for 512 px method 4
# takes 21 ms, 1 takes 9 and 0 takes 7, at 44.4, 44.1 and 44.0 dB. Small crops need the care, and
# cost 2 ms.
_SMALL_CROP: Final = 160  # pixels
_METHOD_SMALL: Final = 4
_METHOD_LARGE: Final = 0


def encode_crop(image: Pixels, box: Box) -> bytes:
    """Cut a face with margin.

    Args:
        image: (h, w, 3) uint8 RGB, upright.
        box: The face, in its pixels.

    Returns:
        WebP, at most 512 px on the longer side, never enlarged, without metadata.
    """
    from PIL import Image

    height, width = image.shape[:2]
    part = crop_rectangle(box, width, height, CROP_MARGIN)
    pixels = image[int(part.y1) : int(part.y2), int(part.x1) : int(part.x2)]
    crop = Image.fromarray(np.ascontiguousarray(shrink_to(pixels, CROP_SIDE)))
    method = _METHOD_SMALL if max(crop.size) <= _SMALL_CROP else _METHOD_LARGE
    buffer = io.BytesIO()
    crop.save(buffer, "WEBP", quality=_WEBP_QUALITY, method=method)
    return buffer.getvalue()


def quality_patch(image: Pixels, box: Box) -> NDArray[np.float32]:
    """Give the face's grey levels at one size for all faces.

    Args:
        image: (h, w, 3) uint8 RGB, upright.
        box: The face; only what lies inside the image is seen.

    Returns:
        (64, 64) float32, 0–255.
    """
    import cv2

    height, width = image.shape[:2]
    inside = crop_rectangle(box, width, height, margin=0.0)
    part = image[int(inside.y1) : int(inside.y2), int(inside.x1) : int(inside.x2)]
    method = cv2.INTER_AREA if min(part.shape[:2]) > PATCH_SIZE else cv2.INTER_LINEAR
    grey = cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_RGB2GRAY)
    return np.asarray(
        cv2.resize(grey, (PATCH_SIZE, PATCH_SIZE), interpolation=method), dtype=np.float32
    )
