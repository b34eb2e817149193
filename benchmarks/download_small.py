"""`download.small`: many photos, all at once against one after another."""

from __future__ import annotations

import asyncio
import time

from benchmarks.claims import Measurement, claim, interleaved
from benchmarks.download_stage import LATENCY_SECONDS, PHOTO_BYTES, Stage, stage


@claim(
    "download.small",
    title="500 photos of 200 kB at 50 ms latency, against download_media one after another",
    unit="photos/s",
    bar=10,
)
def measure(quick: bool) -> Measurement:  # noqa: FBT001
    """Download every photo both ways, with our default limit of what is in flight."""
    with asyncio.Runner() as runner:
        staged = stage("small_quick" if quick else "small")
        both = runner.run(staged.__aenter__())
        try:
            figures = interleaved(
                lambda: runner.run(_our_rate(both)), lambda: runner.run(_peer_rate(both))
            )
        finally:
            runner.run(staged.__aexit__(None, None, None))
    detail = (
        f"{len(both.messages)} generated photos of {PHOTO_BYTES // 1000} kB, sandbox in a process "
        f"of its own, {LATENCY_SECONDS * 1000:.0f} ms a request; peer: Telethon with cryptg"
    )
    return Measurement(*figures, detail=detail)


async def _our_rate(both: Stage) -> float:
    started = time.perf_counter()
    received = await asyncio.gather(*map(both.fetch, both.messages))
    return _rate(received, started)


async def _peer_rate(both: Stage) -> float:
    started = time.perf_counter()
    received = [await both.download_media(message) for message in both.peer_messages]
    return _rate(received, started)


def _rate(received: list[int], started: float) -> float:
    seconds = time.perf_counter() - started
    if set(received) != {PHOTO_BYTES}:
        raise RuntimeError("a photo did not arrive whole")
    return len(received) / seconds
