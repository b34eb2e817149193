"""Resizing pictures: never to nothing, averaging when they shrink."""

from __future__ import annotations

import numpy as np

from archive.faces.records import Pixels


def scale_by(image: Pixels, factor: float) -> Pixels:
    """Resize by a factor; a side never becomes less than one pixel.

    Args:
        image: (h, w, 3) uint8.
        factor: Above 0. Shrinking averages areas, enlarging interpolates.
    """
    import cv2

    height, width = image.shape[:2]
    size = max(1, round(width * factor)), max(1, round(height * factor))
    method = cv2.INTER_AREA if factor < 1.0 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=method), dtype=np.uint8)


def shrink_to(image: Pixels, longest_side: int) -> Pixels:
    """Shrink until the longer side fits; a smaller image comes back as it is."""
    factor = longest_side / max(image.shape[:2])
    return scale_by(image, factor) if factor < 1.0 else image
