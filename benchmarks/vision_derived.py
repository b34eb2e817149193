"""`vision.derived`: nine small pictures of a large photo from one decode."""

from __future__ import annotations

import importlib.util
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.claims import Measurement, NotMeasurable, claim, interleaved, usable_cores
from resources.vision.decoding import decode_photo
from resources.vision.thumbnails import EDGES, FORMATS, encode, thumbnail_scale, thumbnails

LONGEST: Final = 3872  # with 2680 pixels of height 10.4 megapixels


@claim(
    "vision.derived",
    title="nine thumbnails of a 10-megapixel photo, against decoding anew for each",
    unit="ms",
    bar=3.0,
    better="lower",
)
def measure(quick: bool) -> Measurement:  # noqa: FBT001
    """Measure from bytes to nine encoded pictures, against a loop with the same encoders."""
    data = _photo()
    ours, theirs = interleaved(
        lambda: _milliseconds(lambda: _ours(data)), lambda: _milliseconds(lambda: _peer(data))
    )
    return Measurement(ours, theirs, _detail(data))


@claim(
    "vision.derived_time",
    title="nine thumbnails of a 10-megapixel photo",
    unit="ms",
    bar=500,
    better="lower",
    absolute=True,
)
def measure_time(quick: bool) -> Measurement:  # noqa: FBT001
    """Measure the same work against the bar of half a second on two cores."""
    data = _photo()
    return Measurement(
        tuple(_milliseconds(lambda: _ours(data)) for _ in range(3)), (), _detail(data)
    )


def _detail(data: bytes) -> str:
    return (
        f"a JPEG of {len(data) / 1e6:.1f} MB and {LONGEST} px scaled from insightface's t1.jpg; "
        f"{', '.join(FORMATS)} at {', '.join(map(str, EDGES))} px; ours on {usable_cores()} "
        "threads, the peer a loop of Pillow's decode, Lanczos and the same encoders"
    )


def _ours(data: bytes) -> None:
    photo = decode_photo(data, useful_scale=thumbnail_scale)
    thumbnails(photo.pixels, threads=usable_cores())


def _peer(data: bytes) -> None:
    from PIL import Image

    for edge in EDGES:
        for form in FORMATS:
            image = Image.open(io.BytesIO(data))
            size = edge, round(edge * image.height / image.width)
            encode(image.resize(size, Image.Resampling.LANCZOS), form)


def _photo() -> bytes:
    from PIL import Image

    spec = importlib.util.find_spec("insightface")
    if spec is None or spec.origin is None:
        raise NotMeasurable("insightface is not installed")
    source = Image.open(Path(spec.origin).parent / "data" / "images" / "t1.jpg").convert("RGB")
    size = LONGEST, round(LONGEST * source.height / source.width)
    buffer = io.BytesIO()
    source.resize(size, Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _milliseconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000
