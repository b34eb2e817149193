"""Resizing pictures: never to nothing, averaging when they shrink; and where shrinking hurts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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


def scale_quickly(image: Pixels, factor: float) -> Pixels:
    """Resize by a factor from a half to one, a third of `scale_by`'s time: each pixel still counts.

    Args:
        image: (h, w, 3) uint8.
        factor: Below a half it is as slow as `scale_by`, because linear would skip pixels.
    """
    import cv2

    if factor < 0.5:
        return scale_by(image, factor)
    height, width = image.shape[:2]
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def shrink_to(image: Pixels, longest_side: int) -> Pixels:
    """Shrink until the longer side fits; a smaller image comes back as it is."""
    factor = longest_side / max(image.shape[:2])
    return scale_by(image, factor) if factor < 1.0 else image


def detail_map(image: Pixels, block: int) -> NDArray[np.float32]:
    """Measure how much detail each block of a picture has.

    Args:
        image: (h, w, 3) uint8 RGB.
        block: Side of a block in pixels.

    Returns:
        (h // block, w // block) float32: mean |Laplacian| of the grey levels, 0 for a flat one.
    """
    import cv2

    rows, columns = image.shape[0] // block, image.shape[1] // block
    if not rows or not columns:
        return np.zeros((rows, columns), dtype=np.float32)
    grey = cv2.cvtColor(image[: rows * block, : columns * block], cv2.COLOR_RGB2GRAY)
    laplacian = np.abs(cv2.Laplacian(grey, cv2.CV_16S, ksize=1))
    means = cv2.resize(laplacian, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(means, dtype=np.float32)
