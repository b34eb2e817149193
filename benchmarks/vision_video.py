"""`vision.video`: the sampled frames of a long video, what they cost, and that none is missed."""

from __future__ import annotations

import io
import multiprocessing
import time
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from archive.faces.sampling import SamplingPolicy
from benchmarks.claims import Measurement, NotMeasurable, claim, interleaved, shared_data
from benchmarks.made_videos import encoded, joined, moving
from resources.vision.analyst import Analyst
from resources.vision.decoding import decode_photo
from resources.vision.factory import EngineSpec
from resources.vision.video import VideoReader

PACK: Final = "scrfd_mobilefacenet"
KEYFRAME_SECONDS: Final = 5
FACES: Final = ("lin-manuel-miranda.png", "alex-lacamoire.png")
_MEGABYTE: Final = 1_000_000


@claim(
    "vision.video",
    title="10 minutes of 720p to sampled frames, against a seek to each second",
    unit="s",
    bar=3.0,
    better="lower",
)
def measure(quick: bool) -> Measurement:  # noqa: FBT001
    """Measure decoding by the default policy against seeking and decoding each second."""
    data = _video(quick=quick)
    ours, theirs = interleaved(lambda: _seconds(_sampled, data), lambda: _seconds(_seeking, data))
    return Measurement(
        ours,
        theirs,
        f"{_described(quick=quick)}; ours looks at {_sampled(data)} frames (keyframes, gaps above "
        f"2 s filled), the peer at {_seeking(data)}; both to RGB, on one thread",
    )


@claim(
    "vision.video_memory",
    title="growth of memory while a 10-minute 720p video is sampled",
    unit="MB",
    bar=300,
    better="lower",
    absolute=True,
)
def measure_memory(quick: bool) -> Measurement:  # noqa: FBT001
    """Measure the peak of a process of its own, less what it had with the file in memory."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        data = _video(quick=quick)
        tiny = encoded(moving(None, 1, 0), keyframe_seconds=1)
        growth = pool.apply(_growth, (data, tiny))
    return Measurement((growth,), (), _described(quick=quick))


@claim(
    "vision.video_ends",
    title="a face only in the last tenth, against one only in the first",
    unit="cosine",
    bar=0.9,
)
def measure_ends(quick: bool) -> Measurement:  # noqa: FBT001
    """Compare how like their portraits the two faces are that were found."""
    shared = _shared()
    analyst = Analyst(EngineSpec(PACK, shared / "models" / "insightface", True).build())
    portraits = [(shared / "video" / name).read_bytes() for name in FACES]
    first, last = (analyst.analyse(data, "image").faces[0].embedding for data in portraits)
    found = analyst.analyse(_video(quick=quick), "video").faces
    likeness = [
        max((float(face.embedding @ one) for face in found), default=0.0) for one in (last, first)
    ]
    seen = ", ".join(f"{face.first_seconds:.0f}–{face.last_seconds:.0f} s" for face in found)
    return Measurement(
        (likeness[0],) * 3, (likeness[1],) * 3, f"{_described(quick=quick)}; found: {seen}"
    )


@cache
def _video(*, quick: bool) -> bytes:
    shared = _shared()
    seconds = 10 if quick else 60
    plain, first, last = (
        encoded(moving(picture, seconds, seed), keyframe_seconds=KEYFRAME_SECONDS)
        for seed, picture in enumerate([None, *(_portrait(shared, name) for name in FACES)])
    )
    return joined([first, *[plain] * 8, last])


def _portrait(shared: Path, name: str) -> NDArray[np.uint8]:
    import cv2

    pixels = decode_photo((shared / "video" / name).read_bytes()).pixels
    factor = 480 / pixels.shape[0]
    size = round(pixels.shape[1] * factor), 480
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _shared() -> Path:
    shared = shared_data()
    if shared is None or not (shared / "models" / "insightface").is_dir():
        raise NotMeasurable(f"needs the pack {PACK} and the portraits of the shared test data")
    return shared


def _described(*, quick: bool) -> str:
    length = "100 seconds" if quick else "10 minutes"
    return (
        f"{length} of generated 720p, x264 2 Mbit/s, a keyframe every {KEYFRAME_SECONDS} s, "
        f"portraits of the shared data in the first and the last tenth"
    )


def _seconds(work: Any, data: bytes) -> float:
    started = time.perf_counter()
    work(data)
    return time.perf_counter() - started


def _sampled(data: bytes) -> int:
    with VideoReader(data) as reader:
        return sum(1 for _ in reader.sampled(SamplingPolicy(), "video"))


def _seeking(data: bytes) -> int:
    """Do what is usual: for each second seek to it, and decode from the keyframe before."""
    import av

    taken = 0
    with av.open(io.BytesIO(data), "r") as file:
        stream = file.streams.video[0]
        stream.codec_context.thread_count = 1
        base = stream.time_base
        for second in range(int((stream.duration or 0) * (base or 1))):
            file.seek(int(second / (base or 1)), stream=stream)
            for frame in file.decode(stream):
                if frame.time >= second:
                    frame.to_ndarray(format="rgb24")
                    taken += 1
                    break
    return taken


def _growth(data: bytes, tiny: bytes) -> float:
    """Sample in this process and give the growth of its memory in MB; Linux counts the peak."""
    import psutil

    status, clear = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    _sampled(tiny)  # loads what is loaded once
    clear.write_text("5")  # the peak begins anew
    before = psutil.Process().memory_info().rss
    _sampled(data)
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return max(0.0, int(peak.split()[1]) * 1024 - before) / _MEGABYTE
