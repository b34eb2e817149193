"""Whole files of every kind that is decoded, and ways to damage them; all from a seed."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable
from functools import cache

import av
import numpy as np
import pillow_heif
from PIL import Image

from tests.integration.vision.pictures import counting_frames, encoded, plain, textured, video

ODD_NUMBERS = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
)


@cache
def photos() -> dict[str, bytes]:
    """Give small photos by the name of their kind."""
    pillow_heif.register_heif_opener()
    photo = textured(96, 64)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "maker"
    exif.get_ifd(0x8825)[2] = (1.0, 2.0, 3.0)
    moving = {"save_all": True, "append_images": [plain(96, 64), plain(96, 64, "blue")]}
    grey16 = Image.fromarray(np.arange(96 * 64, dtype=np.uint16).reshape(64, 96))
    return {
        "jpeg": encoded(photo, exif=exif),
        "progressive": encoded(photo, progressive=True),
        "cmyk": encoded(photo.convert("CMYK")),
        "grey": encoded(photo.convert("L")),
        "png": encoded(photo, "PNG", exif=exif),
        "png-palette": encoded(photo.convert("P"), "PNG", transparency=3),
        "png-16": encoded(grey16, "PNG"),
        "apng": encoded(photo, "PNG", **moving),
        "webp": encoded(photo, "WEBP", exif=exif),
        "webp-lossless": encoded(photo.convert("RGBA"), "WEBP", lossless=True),
        "webp-animated": encoded(photo, "WEBP", **moving),
        "gif": encoded(photo, "GIF", **moving),
        "tiff": encoded(photo, "TIFF"),
        "tiff-lzw": encoded(photo, "TIFF", compression="tiff_lzw"),
        "tiff-jpeg": encoded(photo, "TIFF", compression="jpeg"),
        "bmp": encoded(photo, "BMP"),
        "avif": encoded(photo, "AVIF", exif=exif.tobytes()),
        "heic": encoded(photo, "HEIF", exif=exif.tobytes()),
        "jp2": encoded(photo, "JPEG2000"),
        "ppm": encoded(photo, "PPM"),
    }


@cache
def videos() -> dict[str, bytes]:
    """Give small videos by the name of their kind."""
    frames = counting_frames(20)
    return {"mp4": video(frames), "mp4-part2": video(frames, codec="mpeg4"), "webm": _webm(frames)}


def damaged(whole: bytes, other: bytes, rng: random.Random) -> bytes:
    """Damage a file once to four times.

    Args:
        whole: The file.
        other: Another one, from which parts may come.
        rng: Decides everything.
    """
    data = bytearray(whole)
    for _ in range(rng.randint(1, 4)):
        rng.choice(_DAMAGES)(data, other, rng)
    return bytes(data)


def _cut(data: bytearray, other: bytes, rng: random.Random) -> None:
    del data[rng.randint(0, len(data)) :]


def _flip(data: bytearray, other: bytes, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 8) if data else 0):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _flip_head(data: bytearray, other: bytes, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 4) if data else 0):
        data[rng.randrange(min(len(data), 200))] = rng.randrange(256)


def _odd_number(data: bytearray, other: bytes, rng: random.Random) -> None:
    if len(data) >= 4:
        layout = rng.choice((">I", "<I", ">H", "<H", "B"))
        size = struct.calcsize(layout)
        place = rng.randrange(len(data) - size + 1)
        number = rng.choice(ODD_NUMBERS) % (1 << 8 * size)
        data[place : place + size] = struct.pack(layout, number)


def _drop(data: bytearray, other: bytes, rng: random.Random) -> None:
    start = rng.randint(0, len(data))
    del data[start : start + rng.randint(1, 64)]


def _repeat(data: bytearray, other: bytes, rng: random.Random) -> None:
    start = rng.randint(0, len(data))
    part = data[start : start + rng.randint(1, 64)]
    data[start:start] = part * rng.randint(1, 20)


def _splice(data: bytearray, other: bytes, rng: random.Random) -> None:
    start = rng.randint(0, len(other))
    place = rng.randint(0, len(data))
    data[place:] = other[start:]


_DAMAGES: tuple[Callable[[bytearray, bytes, random.Random], None], ...] = (
    _cut,
    _flip,
    _flip,
    _flip_head,
    _odd_number,
    _odd_number,
    _drop,
    _repeat,
    _splice,
)


def _webm(frames: list[np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="webm") as container:
        stream = container.add_stream("libvpx", rate=10)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return buffer.getvalue()
