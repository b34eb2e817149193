"""`identity.order`: whether people come out otherwise when their photos come in another order."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from archive.identity.records import FaceSet
from archive.ids import IdentityId
from benchmarks.claims import Measurement, claim
from benchmarks.identity_album import Album, Judged, decided, made
from benchmarks.identity_world import DEFAULT

SHUFFLES: Final = 20
PARTS: Final = 10


@claim(
    "identity.order",
    title="BCubed F, live against batch: the largest difference of shuffled arrivals",
    unit="F",
    bar=0.01,
    better="lower",
    absolute=True,
)
def measure_order(quick: bool) -> Measurement:  # noqa: FBT001
    """Let one world arrive in shuffled parts, a pass after each, and hold it against one pass."""
    album = made(replace(DEFAULT, faces=1_500, people=120, seed=11))
    batch = album.by_us().bcubed.f
    shuffles = 5 if quick else SHUFFLES
    live = [_arriving(album, seed).bcubed.f for seed in range(shuffles)]
    return Measurement(
        (max(abs(f - batch) for f in live),),
        (),
        f"generated, {len(album.faces)} faces of 120 people in {PARTS} parts, {shuffles} shuffles: "
        f"batch {batch:.4f}, live {min(live):.4f}–{max(live):.4f}",
    )


def _arriving(album: Album, seed: int) -> Judged:
    order = np.random.default_rng(seed).permutation(len(album.faces))
    assigned: list[IdentityId | None] = [None] * len(order)
    for part in np.array_split(np.arange(len(order)), PARTS):
        here = order[: part[-1] + 1].tolist()
        known = FaceSet(album.faces.faces, album.faces.vectors, tuple(assigned)).take(here)
        for row, identity in zip(here, decided(known, album.thresholds), strict=True):
            assigned[row] = identity
    return album.judged("live", assigned)
