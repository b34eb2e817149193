"""What tells one content from another: digest and perceptual hash."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

import numpy as np

from archive.faces.records import ExifScalar, Fingerprint, Pixels
from resources.vision.ranges import RangedFile
from resources.vision.scaling import shrink_to

FINGERPRINT_VERSION: Final = "sha256+phash64+exif/2"
"""Producer of fingerprints in the ledger; a new one makes all of them anew."""

# The hash looks at 32 × 32 pixels. Shrinking first, by a whole number (for which OpenCV is several
# times faster), costs a few milliseconds where Pillow's filter over 14 megapixels costs 60. Always
# done the same way, so hashes stay comparable.
_HASHED_SIDE: Final = 256


def fingerprint(
    data: bytes | RangedFile,
    first_picture: Pixels | None,
    *,
    width: int,
    height: int,
    duration_seconds: float | None,
    exif: Mapping[str, ExifScalar],
    truncated: bool = False,
) -> Fingerprint:
    """Fingerprint a content that was decoded already.

    Args:
        data: The whole file; without a digest if only parts of it were read.
        first_picture: The photo, or the video's first sampled frame.
        width: Pixels of the upright picture.
        height: Pixels of the upright picture.
        duration_seconds: Length of a video.
        exif: Tags of a photo.
        truncated: A photo's file ends too early.
    """
    return Fingerprint(
        sha256=hashlib.sha256(data).digest() if isinstance(data, bytes) else None,
        phash=None if first_picture is None else perceptual_hash(first_picture),
        width=width,
        height=height,
        duration_seconds=duration_seconds,
        size_bytes=len(data) if isinstance(data, bytes) else data.size_bytes,
        exif=dict(exif),
        truncated=truncated,
    )


def perceptual_hash(image: Pixels) -> int:
    """Hash a picture so that near copies differ in few bits.

    Args:
        image: (h, w, 3) uint8 RGB, upright.

    Returns:
        imagehash's 64-bit pHash (DCT of 32 × 32 greys) as a signed integer, which is what
        PostgreSQL's bigint holds.
    """
    import imagehash
    from PIL import Image

    small = shrink_to(_shrunk_by_whole(image, 2 * _HASHED_SIDE), _HASHED_SIDE)
    bits = imagehash.phash(Image.fromarray(small)).hash
    return int(np.packbits(bits).view(">i8")[0])


def _shrunk_by_whole(image: Pixels, at_least: int) -> Pixels:
    """Shrink by the largest whole number that leaves `at_least` pixels on the longer side."""
    import cv2

    height, width = image.shape[:2]
    number = min(max(height, width) // at_least, height, width)
    if number < 2:
        return image
    size = width // number, height // number
    whole = image[: size[1] * number, : size[0] * number]
    return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
