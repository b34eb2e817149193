"""From the bytes of a photo to upright RGB pixels, or to a reason why not.

Nothing is allocated before the header was judged, and whatever a decoder raises on a damaged file
becomes an `ItemRejected`. Pillow reads headers and all formats; JPEGs, which are nearly all, go
through `jpeg` in half the time. HEIC comes from pillow-heif. Videos are `video`'s part.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from archive.errors import ItemRejected
from archive.faces.records import ExifScalar, Pixels
from resources.vision.jpeg import REDUCTIONS, decode_jpeg, decode_what_is_left, upright

if TYPE_CHECKING:
    from PIL import Image

DEFAULT_MAX_MEGAPIXELS: Final = 120.0
"""Largest photo that is decoded; 120 megapixels are 360 MB of pixels."""

_EXIF_TEXT_LIMIT: Final = 500  # characters; a comment field may hold a novel
_EXIF_SUB_DIRECTORIES: Final = (0x8769, 0x8825)  # photo settings, GPS
_SIXTEEN_BIT_MODES: Final = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N"})


# What people send as pictures. The rest of what Pillow opens is left out on purpose: some of it
# starts other programs (EPS), most of it has had its share of memory errors.
_FORMATS: Final = (
    "JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "DIB", "AVIF", "HEIF", "JPEG2000", "PPM",
)  # fmt: skip
# MPO is a JPEG with further pictures behind it (depth, the other eye); the first one counts.
_JPEGS: Final = frozenset({"JPEG", "MPO"})
_ORIENTATION: Final = 0x0112


@dataclass(frozen=True, slots=True, eq=False)
class DecodedPhoto:
    """A photo as everything after it sees it.

    Attributes:
        pixels: (h, w, 3) uint8 RGB, upright; `reduction` times smaller than the photo.
        width: Pixels of the whole photo, upright.
        height: Pixels of the whole photo, upright.
        exif: Tag name → JSON scalar.
        reduction: 1, or 2, 4 or 8 where less was asked for.
        truncated: The file ends too early; what is missing is grey.
    """

    pixels: Pixels
    width: int
    height: int
    exif: Mapping[str, ExifScalar]
    reduction: int = 1
    truncated: bool = False


def decode_photo(
    data: bytes,
    *,
    max_megapixels: float = DEFAULT_MAX_MEGAPIXELS,
    useful_scale: Callable[[int, int], float] | None = None,
) -> DecodedPhoto:
    """Decode a photo; of an animation its first frame.

    Args:
        data: The whole file; its name does not matter.
        max_megapixels: Largest picture that is decoded.
        useful_scale: From the photo's width and height to the scale, 1 or less, that is enough.
            A JPEG is then decoded at the smallest of 1, ½, ¼ and ⅛ that has it.

    Raises:
        ItemRejected: `empty`, `not_an_image`, `too_many_pixels` (told from the header),
            `truncated` or `corrupt`.
    """
    if not data:
        raise ItemRejected("empty", "0 bytes")
    _prepare_pillow()
    image = _open(data)
    megapixels = image.width * image.height / 1e6
    if megapixels > max_megapixels:
        raise ItemRejected(
            "too_many_pixels",
            f"{image.width} × {image.height} is {megapixels:.0f} megapixels, "
            f"the limit is {max_megapixels:g}",
        )
    enough = 1.0 if useful_scale is None else useful_scale(image.width, image.height)
    try:
        return _read(image, data, enough)
    except MemoryError:
        raise
    # Pillow's parsers raise OSError, SyntaxError, ValueError, struct.error, zlib.error and more on
    # damaged files; whichever it is, this file is what caused it.
    except Exception as exc:
        reason = "truncated" if "truncated" in str(exc).lower() else "corrupt"
        raise ItemRejected(reason, f"{image.format}: {exc}") from exc


def load_decoders() -> None:
    """Load what decodes, for a worker: before its memory is limited, and on one thread each.

    A library that hits the limit while it is mapped ends the process without a word. Workers are
    parallel over files already; OpenCV's own threads would only take their cores.
    """
    import cv2

    _prepare_pillow()
    cv2.setNumThreads(1)


def _open(data: bytes) -> Image.Image:
    """Read the header only."""
    from PIL import Image, UnidentifiedImageError

    try:
        return Image.open(io.BytesIO(data), formats=_FORMATS)
    except UnidentifiedImageError as exc:
        raise ItemRejected("not_an_image", f"starts with {data[:8]!r}") from exc
    except MemoryError:
        raise
    except Exception as exc:  # a known format with a damaged header
        raise ItemRejected("corrupt", f"header: {exc}") from exc


def _read(image: Image.Image, data: bytes, enough: float) -> DecodedPhoto:
    if image.format in _JPEGS and image.mode in {"RGB", "L"}:
        photo = _read_jpeg(image, data, enough)
        if photo is not None:
            return photo
    return _read_by_pillow(image)


def _read_jpeg(image: Image.Image, data: bytes, enough: float) -> DecodedPhoto | None:
    reduction = next((each for each in REDUCTIONS if enough <= 1 / each), 1)
    whole = decode_jpeg(data, reduction)
    pixels = decode_what_is_left(data, reduction) if whole is None else whole
    stored = (-(-image.height // reduction), -(-image.width // reduction))
    # What OpenCV cannot read, or reads as another picture than the header's, Pillow judges.
    if pixels is None or pixels.shape[:2] != stored:
        return None
    orientation = _orientation(image)
    turned = isinstance(orientation, int) and 5 <= orientation <= 8
    return DecodedPhoto(
        pixels=upright(pixels, orientation),
        width=image.height if turned else image.width,
        height=image.width if turned else image.height,
        exif=_exif(image),
        reduction=reduction,
        truncated=whole is None,
    )


def _read_by_pillow(image: Image.Image) -> DecodedPhoto:
    image.load()
    orientation, exif = _orientation(image), _exif(image)
    pixels = upright(_to_rgb(image), orientation)
    height, width = pixels.shape[:2]
    return DecodedPhoto(pixels, width, height, exif)


def _orientation(image: Image.Image) -> object:
    try:
        return image.getexif().get(_ORIENTATION)
    except Exception:  # a damaged block costs the tag, not the photo
        return None


def _to_rgb(image: Image.Image) -> Pixels:
    """Bring any mode to 8-bit RGB; what is transparent becomes white, as viewers show it."""
    from PIL import Image

    if image.mode in _SIXTEEN_BIT_MODES:
        return _grey_to_rgb(np.asarray(image))
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        page = Image.new("RGB", rgba.size, "white")
        page.paste(rgba, mask=rgba.getchannel("A"))
        return np.asarray(page)
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
    if isinstance(value, tuple) and value and all(isinstance(part, Real) for part in value):
        return " ".join(f"{float(part):.10g}" for part in value)[:_EXIF_TEXT_LIMIT]
    if isinstance(value, bytes) and len(value) == 1:  # GPSAltitudeRef: 1 is below the sea
        return value[0]
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) else None


def _prepare_pillow() -> None:
    """Teach Pillow HEIC, and keep it from judging what we judge ourselves.

    Its size guard warns at 89 megapixels and raises at 179; ours is a setting, is checked on the
    header too, and gives a reason. Its warnings about odd metadata help nobody: what cannot be
    decoded is rejected anyway. Set on every call because both are global to the process, and
    anybody may have set them back.
    """
    import pillow_heif
    from PIL import Image

    if "HEIF" not in Image.OPEN:
        pillow_heif.register_heif_opener(thumbnails=False)
    Image.MAX_IMAGE_PIXELS = None
    warnings.filterwarnings("ignore", module=r"PIL\.")
