"""What a claim is, how it is measured, and the list of all claims.

A claim is one statement about the product that a run can confirm or refute. The claims themselves
live in modules beside this one; importing such a module registers them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal

PAIRS = 3
"""Fewest pairs of ours and peer; their median stands, so that one disturbance decides nothing."""


class NotMeasurable(Exception):
    """This machine lacks what the claim is measured with; the text says what."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a claim's function brings home.

    Attributes:
        ours: One figure a pair, in the claim's unit.
        peer: The peer's figure of the same pair; empty where the bar is absolute.
        detail: Inputs and where they came from, peer, whatever makes the figures readable.
    """

    ours: tuple[float, ...]
    peer: tuple[float, ...]
    detail: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement with its bar.

    Attributes:
        id: `room.subject`.
        title: What is measured against what, in one line.
        unit: Of `ours` and `peer`.
        bar: Least ratio in our favour; for an absolute bar, the figure ours must keep.
        better: Whether more or less of the unit is better.
        absolute: Whether `bar` speaks of ours alone.
        measure: Called with `quick`; fewer inputs, as many pairs.
    """

    id: str
    title: str
    unit: str
    bar: float
    better: Literal["higher", "lower"]
    absolute: bool
    measure: Callable[[bool], Measurement]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A claim after its run; None where it could not be measured."""

    claim: Claim
    ours: float | None
    peer: float | None
    ratio: float | None
    holds: bool | None
    detail: str


_CLAIMS: dict[str, Claim] = {}


def claim(
    claim_id: str,
    *,
    title: str,
    unit: str,
    bar: float,
    better: Literal["higher", "lower"] = "higher",
    absolute: bool = False,
) -> Callable[[Callable[[bool], Measurement]], Callable[[bool], Measurement]]:
    """Register the decorated function as a claim's measurement; see `Claim`."""

    def register(measure: Callable[[bool], Measurement]) -> Callable[[bool], Measurement]:
        if claim_id in _CLAIMS:
            raise ValueError(f"two claims are called {claim_id}")
        _CLAIMS[claim_id] = Claim(claim_id, title, unit, bar, better, absolute, measure)
        return measure

    return register


def registered_claims() -> dict[str, Claim]:
    """Give all claims by id, sorted; their modules must have been imported."""
    return dict(sorted(_CLAIMS.items()))


def run_claim(one: Claim, *, quick: bool) -> Outcome:
    """Measure a claim and hold it against its bar."""
    try:
        measured = one.measure(quick)
    except NotMeasurable as exc:
        return Outcome(one, None, None, None, None, f"not measured: {exc}")
    ours = median(measured.ours)
    if one.absolute:
        holds = ours >= one.bar if one.better == "higher" else ours <= one.bar
        return Outcome(one, ours, None, None, holds, measured.detail)
    pairs = list(zip(measured.ours, measured.peer, strict=True))
    if len(pairs) < PAIRS:
        raise ValueError(f"{one.id} measured {len(pairs)} pairs, {PAIRS} are needed")
    # The ratio within each pair, not of the medians: what disturbs a pair disturbs both halves.
    ratio = median((o / p) if one.better == "higher" else (p / o) for o, p in pairs)
    return Outcome(one, ours, median(measured.peer), ratio, ratio >= one.bar, measured.detail)


def interleaved(
    ours: Callable[[], float], peer: Callable[[], float], pairs: int = PAIRS
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Measure both in turn, each pair in the other order, so that drift favours nobody.

    Args:
        ours: Runs once and returns its figure.
        peer: The same of the peer.
        pairs: 3 or more.

    Returns:
        Our figures and the peer's, pair by pair.
    """
    our_figures, peer_figures = [], []
    for number in range(pairs):
        if number % 2:
            peer_figures.append(peer())
            our_figures.append(ours())
        else:
            our_figures.append(ours())
            peer_figures.append(peer())
    return tuple(our_figures), tuple(peer_figures)


def shared_data() -> Path | None:
    """Give the folder of shared test data, or None where there is none."""
    named = os.environ.get("FACE_ARCHIVE_SHARED")
    root = Path(__file__).parents[1]
    places = [Path(named)] if named else [root / "shared", root.parent / "shared"]
    return next((place for place in places if (place / "faces").is_dir()), None)


def usable_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
