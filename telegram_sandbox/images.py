"""What the server works out about a picture: its size, and a smaller copy.

Here belongs reading dimensions and making thumbnails, both only when first needed. Pillow does
the work when it is installed; bytes that are no picture simply have no thumbnail.
"""

import io
from functools import lru_cache

from telegram_sandbox.media_records import StoredFile

THUMBNAIL_SIDE = 320
"""Longer side of Telegram's `m` size: https://core.telegram.org/api/files#image-thumbnail-types"""

UNKNOWN_SIZE = (1280, 960)
REMEMBERED = 1024
"""Pictures whose size is remembered: big histories repeat a few."""


@lru_cache(maxsize=REMEMBERED)
def measure(data: bytes) -> tuple[int, int]:
    """Returns width and height in pixels; a usual photo's where the bytes are no picture."""
    try:
        from PIL import Image

        with Image.open(io.BytesIO(data)) as image:
            return image.size
    except (ImportError, OSError):
        return UNKNOWN_SIZE


def ensure_thumbnail(file: StoredFile) -> None:
    """Gives a photo its thumbnail unless it has one, is small, or is no picture."""
    if file.thumbnail is not None or max(file.width, file.height) <= THUMBNAIL_SIDE:
        return
    file.thumbnail, file.thumbnail_size = _thumbnail(file.data)


@lru_cache(maxsize=REMEMBERED)
def _thumbnail(data: bytes) -> tuple[bytes, tuple[int, int]]:
    try:
        from PIL import Image

        with Image.open(io.BytesIO(data)) as image:
            image.draft("RGB", (THUMBNAIL_SIDE, THUMBNAIL_SIDE))
            small = image.convert("RGB")
            small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
            buffer = io.BytesIO()
            small.save(buffer, "JPEG", quality=75)
            return buffer.getvalue(), small.size
    except (ImportError, OSError):
        return b"", (0, 0)
