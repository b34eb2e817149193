"""Shares of comparisons at a threshold, and how far they can be trusted.

Two kinds of interval, both at 95 %. Wilson's ("Probable inference, the law of succession, and
statistical inference", 1927) takes comparisons for independent, which they are not: all those of
one person share that person's looks. So people are drawn anew as wholes, each with all
comparisons, and a comparison of two people weighs as often as both were drawn together (Bolle,
Ratha and Pankanti, "Error analysis of pattern recognition systems: the subsets bootstrap", 2004;
Owen, "The pigeonhole bootstrap", 2007). The second is the one to believe, but where nothing went
wrong it knows no doubt at all, and there the first holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from archive.identity.comparisons import Comparisons

Z95: Final = 1.959964

STEP: Final = 1e-5
"""What tells two scores apart, see `matching`."""

_DRAWS: Final = 200


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a rate lies with 95 % confidence, each 0–1."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of comparisons.

    Attributes:
        accepted: How many scored at least the threshold.
        of: How many there were.
    """

    accepted: int
    of: int

    @property
    def share(self) -> float:
        """0–1; 0 of nothing."""
        return self.accepted / self.of if self.of else 0.0

    @property
    def wilson(self) -> Interval:
        """Wilson's score interval; 0–1 of nothing."""
        if not self.of:
            return Interval(0.0, 1.0)
        n, p, z = self.of, self.share, Z95
        centre, shrink = p + z * z / (2 * n), 1.0 + z * z / n
        spread = z * sqrt(p * (1.0 - p) / n + z * z / (4 * n * n))
        low, high = (centre - spread) / shrink, (centre + spread) / shrink
        return Interval(max(0.0, low), min(1.0, high))


class Roc:
    """Scores in falling order, genuine and impostor."""

    def __init__(self, comparisons: Comparisons) -> None:
        scores = comparisons.scores.astype(np.float64)
        self.genuine = -np.sort(-scores[comparisons.genuine])
        self.impostors = -np.sort(-scores[~comparisons.genuine])

    def threshold(self, rate: float) -> float:
        """Give the lowest threshold that accepts at most this share of these impostors."""
        return self._above(int(rate * len(self.impostors)))

    def safe_threshold(self, rate: float) -> float:
        """Give the lowest that accepts so few that Wilson's upper end is within the rate."""
        count = len(self.impostors)
        allowed = int(rate * count)
        while allowed and Rate(allowed, count).wilson.high > rate:
            allowed -= 1
        return self._above(allowed)

    def _above(self, allowed: int) -> float:
        """Give the lowest threshold that at most so many impostors reach."""
        if allowed >= len(self.impostors):
            return -1.0
        return round(float(self.impostors[allowed]) + STEP, 5)

    def tar(self, threshold: float) -> Rate:
        """Give the share of genuine comparisons that reach a threshold."""
        return Rate(_reached(self.genuine, threshold), len(self.genuine))

    def far(self, threshold: float) -> Rate:
        """Give the share of impostor comparisons that reach it."""
        return Rate(_reached(self.impostors, threshold), len(self.impostors))

    def equal_error(self) -> float:
        """Give the error rate where both kinds of error are nearest to each other."""
        thresholds = np.unique(np.concatenate([self.genuine, self.impostors]))
        missed = np.searchsorted(self.genuine[::-1], thresholds) / len(self.genuine)
        accepted = 1.0 - np.searchsorted(self.impostors[::-1], thresholds) / len(self.impostors)
        nearest = int(np.argmin(np.abs(missed - accepted)))
        return float(missed[nearest] + accepted[nearest]) / 2.0


class Bootstrap:
    """People drawn anew: how often each draw weighs each comparison."""

    def __init__(self, comparisons: Comparisons, seed: int) -> None:
        _, people = np.unique(
            np.concatenate([comparisons.shown, comparisons.compared]), return_inverse=True
        )
        shown, compared = np.split(people, 2)
        order = np.argsort(-comparisons.scores, kind="stable")
        is_genuine = comparisons.genuine[order]
        scores = comparisons.scores[order].astype(np.float64)
        shown, compared = shown[order], compared[order]
        self._genuine = scores[is_genuine], shown[is_genuine]
        self._impostors = scores[~is_genuine], shown[~is_genuine], compared[~is_genuine]
        count = int(people.max()) + 1
        rng = np.random.default_rng(seed)
        self._draws = [rng.multinomial(count, np.full(count, 1.0 / count)) for _ in range(_DRAWS)]

    def tar(self, threshold: float) -> Interval:
        """Give the TAR at a threshold."""
        scores, shown = self._genuine
        return self._interval(lambda draw: _weighted(scores, draw[shown], threshold))

    def tar_at_rate(self, rate: float) -> Interval:
        """Give the TAR at a rate whose threshold each draw of people chooses for itself."""
        return _middle(self._tars_at_rate(rate))

    def tar_gained(self, other: Bootstrap, rate: float) -> Interval:
        """Give by how much the TAR at a rate exceeds another's, of the same comparisons.

        Args:
            other: The same faces and people in the same order, scored otherwise, with one seed:
                each draw is then of the same people, so what is hard about them cancels out.
            rate: Each chooses its threshold for itself.
        """
        return _middle(self._tars_at_rate(rate) - other._tars_at_rate(rate))

    def _tars_at_rate(self, rate: float) -> NDArray[np.float64]:
        scores, shown = self._genuine
        return np.asarray(
            [_weighted(scores, each[shown], self._threshold(each, rate)) for each in self._draws]
        )

    def far(self, threshold: float) -> Interval:
        """Give the FAR at a threshold."""
        scores, shown, compared = self._impostors
        return self._interval(
            lambda draw: _weighted(scores, draw[shown] * draw[compared], threshold)
        )

    def safe_threshold(self, rate: float) -> float:
        """Give a threshold that keeps the rate for nearly all draws of people."""
        return round(self._interval(lambda draw: self._threshold(draw, rate)).high, 5)

    def _threshold(self, draw: NDArray[np.int64], rate: float) -> float:
        scores, shown, compared = self._impostors
        weights = np.cumsum(draw[shown] * draw[compared])
        if not weights[-1]:
            return float("nan")
        first = int(np.searchsorted(weights, rate * weights[-1], side="right"))
        return float(scores[first]) + STEP if first < len(scores) else -1.0

    def _interval(self, of: Callable[[NDArray[np.int64]], float]) -> Interval:
        return _middle(np.asarray([of(draw) for draw in self._draws]))


def _middle(drawn: NDArray[np.float64]) -> Interval:
    """Give where 95 % of the draws lie that tell anything."""
    told = drawn[~np.isnan(drawn)]
    if not len(told):
        return Interval(0.0, 1.0)
    low, high = np.quantile(told, [0.025, 0.975])
    return Interval(float(low), float(high))


def _reached(falling: NDArray[np.float64], threshold: float) -> int:
    """Count the scores that reach a threshold; half a step forgives the last bits."""
    return int(np.searchsorted(-falling, -(threshold - STEP / 2), side="right"))


def _weighted(falling: NDArray[np.float64], weights: NDArray[np.int64], threshold: float) -> float:
    total = weights.sum()
    if not total or np.isnan(threshold):
        return float("nan")
    return float(weights[: _reached(falling, threshold)].sum() / total)
