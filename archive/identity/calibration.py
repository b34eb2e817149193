"""What a threshold costs: ROC, slices, and the threshold for a wanted rate.

Comparisons in, a report out. TAR is the share of genuine comparisons that a threshold accepts, FAR
the share of impostor ones (ISO/IEC 19795-1 calls them that of a verification transaction). An
archive of N people compares each face N times, so a stranger's face is taken for somebody with a
chance of up to N × FAR.

The threshold that is proposed for a rate is not the one that kept it by luck. It is the lowest for
which both kinds of interval of `rates` agree that the rate is kept: Wilson's upper end, and nearly
all draws of people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil
from typing import Final

import numpy as np

from archive.identity.comparisons import Comparisons, LabelledFaces
from archive.identity.rates import STEP, Z95, Bootstrap, Interval, Rate, Roc
from archive.identity.records import FaceVector

RATES: Final = (0.1, 0.01, 0.001, 0.0001)
"""False accept rates of the report."""

_MIN_PEOPLE: Final = 5
# Wilson's interval of a TAR of .95 is then .83–.99: less says nothing.
_MIN_GENUINE: Final = 30
_SIZES: Final = (0.0, 48.0, 80.0, 160.0, np.inf)
_QUALITIES: Final = (0.0, 0.4, 0.6, 1.01)


@dataclass(frozen=True, slots=True)
class Point:
    """What one threshold does.

    Attributes:
        threshold: A score.
        wanted: The false accept rate that it was chosen for; None for the threshold in use.
        tar: Of genuine comparisons.
        far: Of impostor ones.
        tar_over_people: The bootstrap's interval of the TAR.
        far_over_people: And of the FAR, the threshold held.
    """

    threshold: float
    wanted: float | None
    tar: Rate
    far: Rate
    tar_over_people: Interval
    far_over_people: Interval


@dataclass(frozen=True, slots=True)
class Slice:
    """The same threshold for some of the faces.

    Attributes:
        by: What they have in common: ``size`` or ``quality``.
        name: Which of it.
    """

    by: str
    name: str
    tar: Rate
    far: Rate


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Everything that labels tell about a model's threshold.

    Attributes:
        comparisons: What it is drawn from.
        people: How many people were compared with.
        by_hand: Labels that a person gave face by face.
        points: One a rate of `RATES` that the labels can tell.
        chosen: What is proposed for the rate that was asked for.
        in_use: What the threshold in use does.
        equal_error: The error rate where rejecting genuine and accepting impostors is as frequent.
        slices: Of the chosen threshold.
    """

    comparisons: Comparisons
    people: int
    by_hand: int
    points: tuple[Point, ...]
    chosen: Point
    in_use: Point
    equal_error: float
    slices: tuple[Slice, ...]


def lacking(comparisons: Comparisons, rate: float) -> list[str]:
    """Say what is missing to tell a false accept rate; nothing if it can be told.

    Args:
        comparisons: What the labels gave.
        rate: Wanted, above 0 and below 1.
    """
    genuine = int(comparisons.genuine.sum())
    impostors, need = len(comparisons.genuine) - genuine, _enough(rate)
    missing = []
    if len(comparisons.people) < _MIN_PEOPLE:
        missing.append(f"{_MIN_PEOPLE} people with two pictures each ({len(comparisons.people)})")
    if genuine < _MIN_GENUINE:
        missing.append(f"{_MIN_GENUINE} faces with another picture of the same person ({genuine})")
    if impostors < need:
        missing.append(
            f"{need} comparisons of a face with somebody else for a rate of {rate:g} ({impostors})"
        )
    return missing


def _enough(rate: float) -> int:
    """Give the comparisons of which none may go wrong to show a rate by Wilson's interval."""
    return ceil(Z95 * Z95 * (1.0 - rate) / rate)


def calibrate(
    comparisons: Comparisons, labelled: LabelledFaces, *, rate: float, in_use: float, seed: int = 0
) -> Calibration:
    """Draw up the report.

    Args:
        comparisons: Of which nothing is `lacking` for the rate.
        labelled: What was compared.
        rate: The false accept rate to choose the threshold for.
        in_use: The threshold in use now.
        seed: Of the bootstrap.
    """
    told = [each for each in RATES if not lacking(comparisons, each)]
    drawn = Bootstrap(comparisons, seed)
    roc = Roc(comparisons)
    chosen = _point(roc, drawn, max(roc.safe_threshold(rate), drawn.safe_threshold(rate)), rate)
    return Calibration(
        comparisons=comparisons,
        people=len(comparisons.people),
        by_hand=labelled.by_hand,
        points=tuple(_point_at(roc, drawn, each) for each in told),
        chosen=chosen,
        in_use=_point(roc, drawn, in_use, None),
        equal_error=roc.equal_error(),
        slices=_slices(comparisons, labelled.faces, chosen.threshold),
    )


def _point(roc: Roc, drawn: Bootstrap, threshold: float, wanted: float | None) -> Point:
    return Point(
        threshold=threshold,
        wanted=wanted,
        tar=roc.tar(threshold),
        far=roc.far(threshold),
        tar_over_people=drawn.tar(threshold),
        far_over_people=drawn.far(threshold),
    )


def _point_at(roc: Roc, drawn: Bootstrap, rate: float) -> Point:
    """Measure the TAR at a rate: the threshold is a guess too, so its doubt counts."""
    point = _point(roc, drawn, roc.threshold(rate), rate)
    return replace(point, tar_over_people=drawn.tar_at_rate(rate))


def _slices(
    comparisons: Comparisons, faces: Sequence[FaceVector], threshold: float
) -> tuple[Slice, ...]:
    pixels = np.asarray([face.pixels for face in faces])[comparisons.rows]
    quality = np.asarray([face.quality for face in faces])[comparisons.rows]
    accepted = comparisons.scores >= threshold - STEP / 2
    found = []
    for by, values, edges, unit in (
        ("size", pixels, _SIZES, " px"),
        ("quality", quality, _QUALITIES, ""),
    ):
        for low, high in pairwise(edges):
            inside = (values >= low) & (values < high)
            tar, far = (
                Rate(int((accepted & chosen).sum()), int(chosen.sum()))
                for chosen in (inside & comparisons.genuine, inside & ~comparisons.genuine)
            )
            if tar.of or far.of:
                found.append(Slice(by, _range(low, high, edges[-1]) + unit, tar, far))
    return tuple(found)


def _range(low: float, high: float, last: float) -> str:
    if low == 0.0:
        return f"below {high:g}"
    return f"{low:g} and more" if high == last else f"{low:g} to below {high:g}"
