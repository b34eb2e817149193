"""What a threshold costs, as a picture: scores, and the curve of both rates.

No name of a person and no face is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from archive.identity.calibration import Calibration, Point
from resources.plots.figures import as_png, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GENUINE: Final = "#2a6f97"
_IMPOSTOR: Final = "#c1666b"
# Two curves and letters need no more.
_COLOURS: Final = 24
_BINS: Final = 60
# A curve of more points than the picture has pixels only makes it larger.
_MOST_POINTS: Final = 400


def calibration_png(calibration: Calibration, title: str) -> bytes:
    """Draw the scores with both thresholds, and the ROC with the intervals over people.

    Args:
        calibration: What was measured.
        title: Above the picture: the model, and what the labels are.
    """
    figure = new_figure(9.0, 3.6)
    scores, roc = figure.subplots(1, 2)
    figure.suptitle(title, fontsize=10)
    _draw_scores(scores, calibration)
    _draw_roc(roc, calibration)
    return as_png(figure, colours=_COLOURS)


def _draw_scores(axes: Axes, calibration: Calibration) -> None:
    comparisons = calibration.comparisons
    genuine = comparisons.scores[comparisons.genuine]
    impostors = comparisons.scores[~comparisons.genuine]
    bins = np.linspace(float(comparisons.scores.min()), float(comparisons.scores.max()), _BINS)
    for values, color, name in (
        (impostors, _IMPOSTOR, f"other people ({len(impostors):,})"),
        (genuine, _GENUINE, f"same person ({len(genuine):,})"),
    ):
        # Shares, because there are many times more strangers than friends.
        shares = np.full(len(values), 1.0 / len(values))
        axes.hist(values, bins.tolist(), weights=shares, color=color, alpha=0.6, label=name)
    for point, style, name in (
        (calibration.in_use, ":", "in use"),
        (calibration.chosen, "-", "proposed"),
    ):
        axes.axvline(point.threshold, color="black", linestyle=style, linewidth=1.0,
                     label=f"{name} {point.threshold:.3f}")  # fmt: skip
    axes.set_xlabel("score of a face for a person")
    axes.set_ylabel("share of comparisons")
    axes.legend(fontsize=7)


def _draw_roc(axes: Axes, calibration: Calibration) -> None:
    far, tar = _curve(calibration)
    axes.plot(far, tar, color=_GENUINE, linewidth=1.5)
    _draw_points(axes, calibration.points, "o", "at a chosen FAR, 95 % over people")
    _draw_points(axes, (calibration.chosen,), "s", "proposed")
    lowest = 0.5 / calibration.chosen.far.of
    axes.set_xscale("log")
    axes.set_ylim(max(0.0, float(tar.min()) - 0.02), 1.01)
    axes.set_xlim(lowest, 1.0)
    axes.set_xlabel("false accept rate (FAR)")
    axes.set_ylabel("true accept rate (TAR)")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize=7, loc="lower right")


def _draw_points(axes: Axes, points: Sequence[Point], marker: str, name: str) -> None:
    shares = [point.tar.share for point in points]
    # A quantile of draws may lie on the wrong side of the share itself.
    below = [max(0.0, p.tar.share - p.tar_over_people.low) for p in points]
    above = [max(0.0, p.tar_over_people.high - p.tar.share) for p in points]
    axes.errorbar(
        [point.wanted or point.far.share for point in points],
        shares,
        yerr=[below, above],
        fmt=marker,
        color="black",
        markersize=4,
        capsize=3,
        linewidth=1.0,
        label=name,
    )


def _curve(calibration: Calibration) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give FAR and TAR at thresholds that are evenly spread over the impostors' ranks."""
    comparisons = calibration.comparisons
    genuine = np.sort(comparisons.scores[comparisons.genuine])
    impostors = np.sort(comparisons.scores[~comparisons.genuine])[::-1]
    ranks = np.geomspace(1, len(impostors), min(_MOST_POINTS, len(impostors))).astype(np.intp)
    ranks = np.unique(ranks)
    thresholds = impostors[ranks - 1]
    tar = 1.0 - np.searchsorted(genuine, thresholds) / len(genuine)
    return ranks / len(impostors), tar
