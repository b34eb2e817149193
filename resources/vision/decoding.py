"""From the bytes of a photo to upright RGB pixels, or to a reason why not.

Nothing is allocated before the header was judged, and whatever Pillow raises on a damaged file
becomes an `ItemRejected`. Videos are `video`'s part.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from archive.errors import ItemRejected
from archive.faces.records import ExifScalar, Pixels

if TYPE_CHECKING:
    from PIL import Image

DEFAULT_MAX_MEGAPIXELS: Final = 120.0
"""Largest photo that is decoded; 120 megapixels are 360 MB of pixels."""

_EXIF_TEXT_LIMIT: Final = 500  # characters; a comment field may hold a novel
_EXIF_SUB_DIRECTORIES: Final = (0x8769, 0x8825)  # photo settings, GPS
_SIXTEEN_BIT_MODES: Final = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N"})


@dataclass(frozen=True, slots=True, eq=False)
class DecodedPhoto:
    """A photo as everything after it sees it.

    Attributes:
        pixels: (h, w, 3) uint8 RGB, upright.
        width: Pixels, upright.
        height: Pixels, upright.
        exif: Tag name → JSON scalar.
    """

    pixels: Pixels
    width: int
    height: int
    exif: Mapping[str, ExifScalar]


def decode_photo(data: bytes, *, max_megapixels: float = DEFAULT_MAX_MEGAPIXELS) -> DecodedPhoto:
    """Decode a photo; of an animation its first frame.

    Args:
        data: The whole file; its name does not matter.
        max_megapixels: Largest picture that is decoded.

    Raises:
        ItemRejected: `empty`, `not_an_image`, `too_many_pixels` (told from the header),
            `truncated` or `corrupt`.
    """
    if not data:
        raise ItemRejected("empty", "0 bytes")
    _quiet_pillow()
    image = _open(data)
    megapixels = image.width * image.height / 1e6
    if megapixels > max_megapixels:
        raise ItemRejected(
            "too_many_pixels",
            f"{image.width} × {image.height} is {megapixels:.0f} megapixels, "
            f"the limit is {max_megapixels:g}",
        )
    try:
        return _read(image)
    except MemoryError:
        raise
    # Pillow's parsers raise OSError, SyntaxError, ValueError, struct.error, zlib.error and more on
    # damaged files; whichever it is, this file is what caused it.
    except Exception as exc:
        reason = "truncated" if "truncated" in str(exc).lower() else "corrupt"
        raise ItemRejected(reason, f"{image.format}: {exc}") from exc


def _open(data: bytes) -> Image.Image:
    """Read the header only."""
    from PIL import Image, UnidentifiedImageError

    try:
        return Image.open(io.BytesIO(data))
    except UnidentifiedImageError as exc:
        raise ItemRejected("not_an_image", f"starts with {data[:8]!r}") from exc
    except MemoryError:
        raise
    except Exception as exc:  # a known format with a damaged header
        raise ItemRejected("corrupt", f"header: {exc}") from exc


def _read(image: Image.Image) -> DecodedPhoto:
    from PIL import ImageOps

    image.load()
    exif = _exif(image)
    ImageOps.exif_transpose(image, in_place=True)  # a copy, even of an upright one, otherwise
    pixels = _to_rgb(image)
    height, width = pixels.shape[:2]
    return DecodedPhoto(pixels, width, height, exif)


def _to_rgb(image: Image.Image) -> Pixels:
    """Bring any mode to 8-bit RGB; what is transparent becomes white, as viewers show it."""
    from PIL import Image

    if image.mode in _SIXTEEN_BIT_MODES:
        return _grey_to_rgb(np.asarray(image))
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        page = Image.new("RGBA", rgba.size, "white")
        return np.asarray(Image.alpha_composite(page, rgba).convert("RGB"))
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _grey_to_rgb(grey: NDArray[Any]) -> Pixels:
    """Scale 16-bit grey down; Pillow's own conversion would cut everything above 255 to white."""
    eight_bit = (np.clip(grey, 0, 65535).astype(np.uint16) >> 8).astype(np.uint8)
    return np.repeat(eight_bit[:, :, None], 3, axis=2)


def _exif(image: Image.Image) -> dict[str, ExifScalar]:
    """Read tags as JSON scalars; a damaged block costs the tags, not the photo."""
    from PIL import ExifTags

    tags: dict[str, ExifScalar] = {}
    try:
        exif = image.getexif()
        directories = [(dict(exif), ExifTags.TAGS)]
        for number in _EXIF_SUB_DIRECTORIES:
            names = ExifTags.GPSTAGS if number == 0x8825 else ExifTags.TAGS
            directories.append((exif.get_ifd(number), names))
    except Exception:  # the photo itself was decoded: its tags are an extra
        return tags
    for values, names in directories:
        for tag, value in values.items():
            scalar = _scalar(value)
            if tag in names and tag not in _EXIF_SUB_DIRECTORIES and scalar is not None:
                tags[names[tag]] = scalar
    return tags


def _scalar(value: Any) -> ExifScalar | None:
    """Make a tag's value storable: PostgreSQL's JSON knows neither NUL nor NaN."""
    if isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return value.replace("\x00", "").strip()[:_EXIF_TEXT_LIMIT] or None
    if isinstance(value, tuple) and value and all(isinstance(part, int | float) for part in value):
        return " ".join(f"{float(part):g}" for part in value)[:_EXIF_TEXT_LIMIT]
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) else None


def _quiet_pillow() -> None:
    """Keep Pillow from judging what we judge ourselves.

    Its size guard warns at 89 megapixels and raises at 179; ours is a setting, is checked on the
    header too, and gives a reason. Its warnings about odd metadata help nobody: what cannot be
    decoded is rejected anyway. Set on every call because both are global to the process, and
    anybody may have set them back.
    """
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    warnings.filterwarnings("ignore", module=r"PIL\.")
