"""`vision.ranges`: a gigabyte of video of which only parts are fetched."""

from __future__ import annotations

import hashlib
import io
import time
from functools import cache
from typing import Final

from archive.faces.sampling import SamplingPolicy
from benchmarks.claims import Measurement, claim
from benchmarks.made_videos import encoded, joined, moving
from resources.vision.ranges import RangeFile
from resources.vision.video import VideoReader

KEYFRAME_SECONDS: Final = 5
_GIGABYTE: Final = 1_000_000_000
_QUICK: Final = 50_000_000


@claim(
    "vision.ranges",
    title="bytes fetched of a 1 GB video that is sampled every 10 s, of those it has",
    unit="%",
    bar=40,
    better="lower",
    absolute=True,
)
def measure(quick: bool) -> Measurement:  # noqa: FBT001
    """Count what the default policy fetches, and compare its frames with those of the whole."""
    data = _video(_QUICK if quick else _GIGABYTE)
    fetched = requests = 0

    def read(offset: int, size: int) -> bytes:
        nonlocal fetched, requests
        fetched, requests = fetched + size, requests + 1
        return data[offset : offset + size]

    started = time.perf_counter()
    ours = _frames(RangeFile(read, len(data)))
    seconds = time.perf_counter() - started
    share = fetched / len(data) * 100
    if ours != _frames(io.BytesIO(data)):
        return Measurement((100.0,), (), "the frames are not those of the whole file")
    return Measurement(
        (share,),
        (),
        f"{len(data) / 1e6:.0f} MB of generated 720p at 2 Mbit/s, a keyframe every "
        f"{KEYFRAME_SECONDS} s, index at the end: {len(ours)} frames, {requests} requests, "
        f"{fetched / 1e6:.0f} MB, {seconds:.0f} s without a network; frames equal to those of "
        "the whole file in memory",
    )


def _frames(file: io.IOBase) -> list[tuple[float, str]]:
    """Give time and digest of each sampled frame."""
    with VideoReader(file) as reader:
        return [
            (frame.seconds, hashlib.sha256(frame.pixels.tobytes()).hexdigest())
            for frame in reader.sampled(SamplingPolicy(), "video")
        ]


@cache
def _video(size_bytes: int) -> bytes:
    part = encoded(moving(None, 60, 0), keyframe_seconds=KEYFRAME_SECONDS)
    return joined([part] * -(-size_bytes // len(part)))
