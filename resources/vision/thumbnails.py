"""Small pictures for looking at: thumbnails of a photo, poster and contact strip of a video.

One decode: the largest is made of the pixels that the analysis has already, the smaller ones of
the larger. What is encoded from pixels has no metadata. Crops of faces are `crops`'s part.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from archive.faces.records import DerivedPicture, PictureFormat, PictureRole, Pixels
from resources.vision.scaling import scale_by

if TYPE_CHECKING:
    from PIL import Image

EDGES: Final = (1024, 512, 256)
"""Longest edges in pixels."""

FORMATS: Final[tuple[PictureFormat, ...]] = ("webp", "avif", "jpeg")

# Pillow's own AVIF threads would fight over the cores with the other workers, so one each unless
# somebody has cores to spare. Measured at 1024 px
# on one core: AVIF speed 6 360 ms (libvips' effort 3 the same), speed 8 156 ms; WebP method 2
# 25 ms, and 3 % larger than method 4 in 54 ms; JPEG 2 ms.
_OPTIONS: Final[dict[PictureFormat, dict[str, Any]]] = {
    "webp": {"format": "WEBP", "quality": 85, "method": 2},
    "avif": {"format": "AVIF", "quality": 75, "speed": 6},
    "jpeg": {"format": "JPEG", "quality": 90, "optimize": True},
}

# Pillow's Lanczos over 10 megapixels takes 100 ms. Averaged down to no less than this times the
# wanted size first, it takes 30, and no eye sees the difference.
_KEPT_FOR_LANCZOS: Final = 1.5

_STRIP_FRAMES: Final = 6
_STRIP_HEIGHT: Final = 160  # pixels
# Grey levels: what varies less is black, white or fading in, and shows nothing.
_BLANK_DEVIATION: Final = 12.0


def version(*, avif: bool) -> str:
    """Name the producer of thumbnails in the ledger; another one makes all of them anew."""
    return "thumbnails/1" if avif else "thumbnails/1 without avif"


def thumbnails(
    picture: Pixels, *, avif: bool = True, threads: int = 1
) -> tuple[DerivedPicture, ...]:
    """Shrink and encode one picture.

    Args:
        picture: (h, w, 3) uint8 RGB, upright.
        avif: AVIF too, which takes most of the time.
        threads: Cores to encode on; a pool of analysts has other work for the others.

    Returns:
        One of each format for each edge that the picture reaches and for the first it does not:
        nothing is enlarged, and nothing is there twice.
    """
    formats = [each for each in FORMATS if avif or each != "avif"]
    jobs = [
        partial(_encoded, image, edge, each, threads=threads)
        for edge, image in _shrunk(picture)
        for each in formats
    ]
    if threads == 1:
        return tuple(job() for job in jobs)
    # The longest first, or one core waits at the end for the other.
    jobs.sort(key=lambda job: job.args[2] != "avif")
    with ThreadPoolExecutor(threads, thread_name_prefix="thumbnails") as pool:
        return tuple(pool.map(lambda job: job(), jobs))


def thumbnail_scale(width: int, height: int) -> float:
    """Give the scale, at most 1, below which thumbnails of a photo of this size lose pixels."""
    return min(1.0, EDGES[0] / max(width, height))


class ContactSheet:
    """Gathers a video's poster and the frames of its strip; bounded, however long it is."""

    def __init__(self) -> None:
        """Begin a video."""
        self.poster: Pixels | None = None
        self._poster_is_blank = True
        self._frames: list[Pixels] = []
        self._every = 1
        self._count = 0

    def add(self, frame: Pixels) -> None:
        """Take the next sampled frame: (h, w, 3) uint8 RGB, upright."""
        if self._poster_is_blank:
            blank = float(np.std(frame[::8, ::8])) < _BLANK_DEVIATION
            if self.poster is None or not blank:
                self.poster, self._poster_is_blank = frame, blank
        if self._count % self._every == 0:
            self._frames.append(scale_by(frame, min(1.0, _STRIP_HEIGHT / frame.shape[0])))
            if len(self._frames) >= 2 * _STRIP_FRAMES:
                del self._frames[1::2]
                self._every *= 2
        self._count += 1

    def pictures(self, *, avif: bool) -> tuple[DerivedPicture, ...]:
        """Give thumbnails of the poster, and the strip; nothing of a video without frames."""
        poster = () if self.poster is None else thumbnails(self.poster, avif=avif)
        strip = self._strip()
        return poster if strip is None else (*poster, strip)

    def _strip(self) -> DerivedPicture | None:
        """Set frames of the whole length side by side; None where one would be all."""
        from PIL import Image

        if len(self._frames) < 2:
            return None
        count = min(_STRIP_FRAMES, len(self._frames))
        chosen = np.linspace(0, len(self._frames) - 1, count).round().astype(int)
        # A stream may change its size in the middle.
        height, width = self._frames[0].shape[:2]
        same = [f for f in (self._frames[n] for n in chosen) if f.shape[:2] == (height, width)]
        side_by_side = Image.fromarray(np.hstack(same))
        return _encoded(side_by_side, _STRIP_HEIGHT, "webp", role="strip")


def _shrunk(picture: Pixels) -> Iterator[tuple[int, Image.Image]]:
    """Give the edges with their pictures, the largest first, each made of the one before."""
    from PIL import Image

    longest = max(picture.shape[:2])
    reached = [edge for edge in EDGES if edge < longest]
    beyond = [edge for edge in EDGES if edge >= longest]
    if beyond:
        yield beyond[-1], Image.fromarray(picture)
    if not reached:
        return
    factor = reached[0] / longest
    image = Image.fromarray(_averaged(picture, _KEPT_FOR_LANCZOS * factor))
    height, width = picture.shape[:2]
    for edge in reached:
        size = _fitted(width, height, edge)
        image = image.resize(size, Image.Resampling.LANCZOS)
        yield edge, image


def _averaged(picture: Pixels, at_least: float) -> Pixels:
    """Shrink by the largest whole number that keeps this share; OpenCV is quick only at those."""
    number = int(1 / at_least)
    if number < 2 or min(picture.shape[:2]) < number:
        return picture
    height, width = picture.shape[0] // number * number, picture.shape[1] // number * number
    return scale_by(picture[:height, :width], 1 / number)


def _fitted(width: int, height: int, edge: int) -> tuple[int, int]:
    factor = edge / max(width, height)
    return max(1, round(width * factor)), max(1, round(height * factor))


def encode(image: Image.Image, form: PictureFormat, threads: int = 1) -> bytes:
    """Encode an RGB picture, without metadata.

    Args:
        image: What to encode.
        form: How.
        threads: Of the AVIF encoder: the largest picture takes longer than all others together,
            so one core would end up waiting for the other.
    """
    buffer = io.BytesIO()
    options = _OPTIONS[form] | ({"max_threads": threads} if form == "avif" else {})
    # Pillow leaves the options of a save on the picture: two threads that encode the same one at
    # once would take each other's.
    image.copy().save(buffer, **options)
    return buffer.getvalue()


def _encoded(
    image: Image.Image,
    edge: int,
    form: PictureFormat,
    role: PictureRole = "thumbnail",
    threads: int = 1,
) -> DerivedPicture:
    data = encode(image, form, threads)
    return DerivedPicture(role, edge, form, image.width, image.height, data)
