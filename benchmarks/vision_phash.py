"""`vision.phash`: who looks like a picture, among a million."""

from __future__ import annotations

import time
from typing import Final

import numpy as np

from archive.near_copies import neighbours
from benchmarks.claims import Measurement, claim

HASHES: Final = 1_000_000
BITS: Final = 10
PLANTED: Final = 500


@claim(
    "vision.phash",
    title="neighbours within 10 bits among a million perceptual hashes, exact",
    unit="ms",
    bar=20,
    better="lower",
    absolute=True,
)
def measure(quick: bool) -> Measurement:  # noqa: FBT001
    """Measure single searches; each answer is checked against a count of bits in Python."""
    random = np.random.default_rng(7)
    hashes = random.integers(0, 1 << 64, HASHES, dtype=np.uint64)
    queries = hashes[random.integers(0, HASHES, 5 if quick else 25)]
    planted = random.integers(0, HASHES, PLANTED)
    flips = np.array([_flip(random, bits) for bits in random.integers(0, 14, PLANTED)], np.uint64)
    hashes[planted] = queries[0] ^ flips
    times = []
    for query in queries:
        started = time.perf_counter()
        neighbours(hashes, int(query), BITS)
        times.append((time.perf_counter() - started) * 1000)
    found = set(neighbours(hashes, int(queries[0]), BITS)[0].tolist())
    expected = _counted(hashes.tolist(), int(queries[0]))
    if found != expected:
        return Measurement((float("inf"),), (), f"{len(found ^ expected)} answers are wrong")
    return Measurement(
        tuple(times),
        (),
        f"{HASHES:,} generated hashes, {len(queries)} searches; the first finds all "
        f"{len(expected)} that a count of bits in Python finds, and no other",
    )


def _flip(random: np.random.Generator, bits: int) -> int:
    return sum(1 << int(place) for place in random.choice(64, bits, replace=False))


def _counted(hashes: list[int], query: int) -> set[int]:
    return {place for place, each in enumerate(hashes) if (each ^ query).bit_count() <= BITS}
