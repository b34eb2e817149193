"""JPEG, the format of nearly every photo, decoded by OpenCV.

Measured beside Pillow and libvips on the same 4 592-px photo (processor time, one thread): whole
44 ms, 93 ms and 46 ms; at half size 16, 32 and 20 ms; at a quarter 13, 14 and 16 ms. All three
call libjpeg-turbo; Pillow copies more. Headers, other formats and the reasons for refusing a file
stay with `decoding`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from archive.faces.records import Pixels

REDUCTIONS: Final = (8, 4, 2)
"""By how much libjpeg can shrink while it decodes, at a fraction of the work (DCT scaling)."""

_END_OF_IMAGE: Final = b"\xff\xd9"


def decode_jpeg(data: bytes, reduction: int = 1) -> Pixels | None:
    """Decode a JPEG of grey or colour (three components); as stored, not turned.

    Args:
        data: The whole file.
        reduction: 1, 2, 4 or 8: sides are divided by it and rounded up.

    Returns:
        (h, w, 3) uint8 RGB; None if it is damaged or truncated.
    """
    import cv2

    flags = {
        1: cv2.IMREAD_COLOR_RGB,
        2: cv2.IMREAD_REDUCED_COLOR_2,
        4: cv2.IMREAD_REDUCED_COLOR_4,
        8: cv2.IMREAD_REDUCED_COLOR_8,
    }[reduction]
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None
    if decoded is None:
        return None
    if reduction > 1:
        cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB, dst=decoded)
    return np.asarray(decoded, dtype=np.uint8)


def decode_what_is_left(data: bytes, reduction: int = 1) -> Pixels | None:
    """Decode the beginning of a JPEG that was cut off: what is missing is grey.

    Of a progressive one the whole picture may be there, less sharp. libjpeg does this by itself
    as soon as it sees an end.
    """
    return decode_jpeg(data + _END_OF_IMAGE, reduction)


def upright(pixels: Pixels, orientation: object) -> Pixels:
    """Turn a picture as its EXIF tag says; a value that is none of the eight turns nothing.

    Args:
        pixels: (h, w, 3) uint8.
        orientation: The tag's value, 1–8.
    """
    turn = _turns().get(orientation) if isinstance(orientation, int) else None
    return pixels if turn is None else np.asarray(turn(pixels), dtype=np.uint8)


def _turns() -> Mapping[int, Callable[[Pixels], Any]]:
    """Give what brings each orientation upright (EXIF 2.32, tag 0x0112)."""
    import cv2

    return MappingProxyType(
        {
            2: lambda pixels: cv2.flip(pixels, 1),
            3: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_180),
            4: lambda pixels: cv2.flip(pixels, 0),
            5: cv2.transpose,
            6: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE),
            7: lambda pixels: cv2.rotate(cv2.transpose(pixels), cv2.ROTATE_180),
            8: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE),
        }
    )
