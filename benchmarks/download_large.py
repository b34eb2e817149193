"""`download.large` and `download.memory`: one large file, how fast and in how much memory."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import time
from pathlib import Path
from typing import Final

from benchmarks.claims import Measurement, NotMeasurable, claim, interleaved
from benchmarks.download_stage import LATENCY_SECONDS, MEGABYTE, Stage, stage

_STATUS: Final = Path("/proc/self/status")
_CLEAR_REFS: Final = Path("/proc/self/clear_refs")
_RESET_PEAK: Final = "5"
"""Of resident memory; see proc(5)."""

_MEMORY_RUNS: Final = 3


@claim(
    "download.large",
    title="one 64 MB file at 50 ms latency, against Telethon's download_media",
    unit="MB/s",
    bar=12,
)
def measure(quick: bool) -> Measurement:  # noqa: FBT001
    """Download the same file both ways; each run ends with all its bytes in memory."""
    with asyncio.Runner() as runner:
        staged = stage(_scenario(quick=quick))
        both = runner.run(staged.__aenter__())
        try:
            size = _size(both)
            figures = interleaved(
                lambda: runner.run(_our_rate(both)), lambda: runner.run(_peer_rate(both))
            )
        finally:
            runner.run(staged.__aexit__(None, None, None))
    detail = (
        f"one generated file of {size / MEGABYTE:.0f} MB, sandbox in a process of its own, "
        f"{LATENCY_SECONDS * 1000:.0f} ms a request; peer: Telethon with cryptg, its own part size"
    )
    return Measurement(*figures, detail=detail)


@claim(
    "download.memory",
    title="memory above the file's own bytes while a 64 MB file comes at 50 ms latency",
    unit="MB",
    bar=16,
    better="lower",
    absolute=True,
)
def measure_memory(quick: bool) -> Measurement:  # noqa: FBT001
    """Take the highest peak of three downloads in a process that has done one already."""
    if not _CLEAR_REFS.exists():
        raise NotMeasurable("needs /proc/self/clear_refs to reset the peak of memory")
    peaks = asyncio.run(_peaks(_scenario(quick=quick)))
    figures = ", ".join(f"{peak:.1f}" for peak in peaks)
    return Measurement(
        (max(peaks),), (), f"peak of resident memory less that before and the file: {figures} MB"
    )


def _scenario(*, quick: bool) -> str:
    return "large_quick" if quick else "large"


def _size(both: Stage) -> int:
    media = both.messages[0].media
    assert media is not None
    assert media.size_bytes is not None
    return media.size_bytes


async def _our_rate(both: Stage) -> float:
    started = time.perf_counter()
    received = await both.fetch(both.messages[0])
    return _rate(received, _size(both), started)


async def _peer_rate(both: Stage) -> float:
    started = time.perf_counter()
    received = await both.download_media(both.peer_messages[0])
    return _rate(received, _size(both), started)


def _rate(received: int, expected: int, started: float) -> float:
    seconds = time.perf_counter() - started
    if received != expected:
        raise RuntimeError(f"{received} of {expected} bytes arrived")
    return received / MEGABYTE / seconds


async def _peaks(scenario: str) -> list[float]:
    async with stage(scenario) as both:
        await both.fetch(both.messages[0])
        return [await _peak(both) for _ in range(_MEMORY_RUNS)]


async def _peak(both: Stage) -> float:
    gc.collect()
    # What the last run freed must not serve this one unseen.
    ctypes.CDLL(None).malloc_trim(0)
    before = _resident("VmRSS")
    _CLEAR_REFS.write_text(_RESET_PEAK, encoding="ascii")
    received = await both.fetch(both.messages[0])
    return (_resident("VmHWM") - before - received) / MEGABYTE


def _resident(name: str) -> int:
    """Read a line of /proc/self/status, in bytes."""
    lines = _STATUS.read_text(encoding="ascii").splitlines()
    (kilobytes,) = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return int(kilobytes) * 1024
