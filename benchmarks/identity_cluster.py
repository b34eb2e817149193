"""`identity.cluster`: how long it takes to group all faces, and how that grows."""

from __future__ import annotations

import multiprocessing
import resource
import time
from dataclasses import dataclass, replace
from math import log10
from typing import Final

import numpy as np

from archive.identity.clustering import cluster
from archive.identity.constraints import Links
from archive.identity.metrics import bcubed
from archive.identity.rules import Rules
from benchmarks.claims import Measurement, claim
from benchmarks.identity_world import MILLION, make_world
from resources.vision.models import look_up

SMALL: Final = 100_000
LARGE: Final = 1_000_000
SMALL_SECONDS: Final = 60.0
LARGE_SECONDS: Final = 900.0
LARGE_BYTES: Final = 12e9
EXPONENT: Final = 1.3
_KIB = 1024


@dataclass(frozen=True, slots=True)
class _Run:
    """One grouping: how many faces, how long it took, the process's peak memory, BCubed F."""

    faces: int
    seconds: float
    peak_bytes: float
    quality: float

    def __str__(self) -> str:
        return (
            f"{self.faces:,} faces in {self.seconds:.1f} s, peak {self.peak_bytes / 1e9:.1f} GB, "
            f"BCubed F {self.quality:.4f}"
        )


@claim(
    "identity.cluster",
    title="grouping 100,000 and 1 million faces: the tightest of 60 s, 15 min, 12 GB, growth 1.3",
    unit="of what is allowed",
    bar=1,
    better="lower",
    absolute=True,
)
def measure(quick: bool) -> Measurement:  # noqa: FBT001
    """Measure both sizes; each limit as the share of it that was used, the largest of them."""
    small = _alone(SMALL // 10 if quick else SMALL)
    large = _alone(SMALL if quick else LARGE)
    growth = log10(large.seconds / small.seconds) / log10(large.faces / small.faces)
    hundred_thousand = large if quick else small
    used = [hundred_thousand.seconds / SMALL_SECONDS, large.peak_bytes / LARGE_BYTES]
    if not quick:
        used += [large.seconds / LARGE_SECONDS, growth / EXPONENT]
    detail = f"512-d, generated; {small}; {large}; growth exponent {growth:.2f}"
    return Measurement((max(used),), (), detail)


def _alone(count: int) -> _Run:
    """Group in a process of its own, whose peak is nobody else's."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_grouped, (count,))


def _grouped(count: int) -> _Run:
    """Group a world of faces that may be compared, 50 a person, as the model in use would."""
    rules = Rules.of(look_up("buffalo_l").thresholds, min_faces=3)
    world = make_world(replace(MILLION, faces=count, people=count // 50))
    world = world.take(np.flatnonzero(world.quality >= rules.min_quality))
    faces = world.face_set()
    person = world.person.tolist()
    del world
    started = time.perf_counter()
    groups = cluster(faces, rules, Links())
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB
    return _Run(len(faces), seconds, float(peak), bcubed(person, groups.tolist()).f)
