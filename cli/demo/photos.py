"""Sample photos and a video, made from the one photo of six people that insightface ships.

Pictures only; what is said about them in which chat is `scenario`. Everything is drawn from a
seeded generator: the same demo each time.
"""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})

# Centres and sizes of the six faces in t1.jpg (1280 × 886), left to right, in pixels.
_FACES = ((117, 336, 105), (319, 223, 90), (515, 362, 125), (786, 417, 105), (935, 141, 105),
          (1166, 336, 105))  # fmt: skip

_FRAME_RATE = 10
_VIDEO_SECONDS = 6
_VIDEO_SIZE = (480, 360)


@dataclass(frozen=True, slots=True)
class SamplePhoto:
    """One photo for the demo chat.

    Attributes:
        data: JPEG.
        person: Number of the person, 0–5; ``None`` where several are in it.
    """

    data: bytes
    person: int | None


def sample_photos(rng: random.Random, per_person: int) -> Iterator[SamplePhoto]:
    """Make different photos of each of the six people.

    Each is cut from the same picture but framed, turned, lit, mirrored and compressed so
    differently that a perceptual hash does not take one for a copy of another.

    Args:
        rng: Decides everything.
        per_person: How many of each.
    """
    group = _group_photo()
    for number in range(per_person):
        for person, face in enumerate(_FACES):
            picture = _portrait(group, face, rng, mirrored=number % 2 == 1)
            yield SamplePhoto(_jpeg(_lit(picture, rng), rng.randint(55, 92)), person)


def group_photo() -> bytes:
    """Give the whole photo as it is shipped."""
    return _jpeg(_group_photo(), 92)


def sample_video(rng: random.Random) -> bytes:
    """Make a short MP4 in which the camera moves along the group and stays at one person."""
    group = _group_photo()
    centre_x, centre_y, size = _FACES[rng.randrange(len(_FACES))]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=_FRAME_RATE)
        stream.width, stream.height = _VIDEO_SIZE
        stream.pix_fmt = "yuv420p"
        for index in range(_FRAME_RATE * _VIDEO_SECONDS):
            drift = (index / (_FRAME_RATE * _VIDEO_SECONDS) - 0.5) * size
            width = size * 3.2
            box = _box(centre_x + drift, centre_y, width, width * 0.75)
            view = group.transform(_VIDEO_SIZE, Image.Transform.EXTENT, box)
            frame = av.VideoFrame.from_ndarray(np.asarray(view), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, _FRAME_RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


def photos_of(folder: Path) -> Iterator[bytes]:
    """Read the photos of a folder and of the folders in it, in the order of their names."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in PHOTO_SUFFIXES and path.is_file():
            yield path.read_bytes()


def _group_photo() -> Image.Image:
    source = files("insightface") / "data" / "images" / "t1.jpg"
    with source.open("rb") as file, Image.open(file) as picture:
        return picture.convert("RGB")


def _portrait(
    group: Image.Image, face: tuple[int, int, int], rng: random.Random, *, mirrored: bool
) -> Image.Image:
    """Cut one face out with a random frame around it, turned a little."""
    centre_x, centre_y, size = face
    height = size * rng.uniform(1.7, 2.8)
    width = height * rng.choice([0.75, 0.8, 1.0, 1.25])
    shift_x, shift_y = (rng.uniform(-0.25, 0.25) * size for _ in range(2))
    # Room to turn in: twice the frame, not the whole group.
    around = group.crop(_box(centre_x, centre_y, height * 3, height * 3))
    turned = around.rotate(rng.uniform(-14, 14), Image.Resampling.BICUBIC)
    middle = turned.width / 2
    out_height = rng.randint(360, 560)
    picture = turned.transform(
        (round(out_height * width / height), out_height),
        Image.Transform.EXTENT,
        _box(middle + shift_x, middle + shift_y, width, height),
        Image.Resampling.BICUBIC,
    )
    return ImageOps.mirror(picture) if mirrored else picture


def _lit(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Change light, colour and sharpness as another day and another camera would."""
    for enhance, low, high in (
        (ImageEnhance.Brightness, 0.65, 1.35),
        (ImageEnhance.Contrast, 0.75, 1.25),
        (ImageEnhance.Color, 0.0, 1.6),
    ):
        picture = enhance(picture).enhance(rng.uniform(low, high))
    return picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.2)))


def _box(x: float, y: float, width: float, height: float) -> tuple[float, float, float, float]:
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
