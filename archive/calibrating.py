"""The use case that fits a model's threshold to the owner's own people.

What it needs of labels and of the place where thresholds are kept, and when it refuses. What the
numbers mean is `archive.identity.calibration`; who uses the threshold gets it from the settings or
from the store, in that order.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from archive.errors import Permanent
from archive.faces.records import ModelRecord
from archive.identity.calibration import Calibration, calibrate, lacking
from archive.identity.comparisons import LabelledFaces, compare
from archive.identity.rules import Rules

DEFAULT_RATE: Final = 0.001
"""One stranger in a thousand taken for a given person: with 20 people at most one in fifty for
anybody, and the margin and the core of several faces still stand before a wrong person."""


@dataclass(frozen=True, slots=True)
class LocalThreshold:
    """A threshold that this archive's own labels gave, with where it comes from.

    Attributes:
        model: The model whose scores it is about.
        accept: Replaces the model's own.
        wanted_far: The false accept rate that it was chosen for.
        source: What the labels were: ``archive`` or the folder's name.
        people: How many people they were of.
        genuine: Comparisons with the right person.
        impostors: Comparisons with others.
        tar: Share of the genuine that it accepts.
        far: Share of the impostors that it accepts.
        decided_at: When it was applied.
    """

    model: str
    accept: float
    wanted_far: float
    source: str
    people: int
    genuine: int
    impostors: int
    tar: float
    far: float
    decided_at: datetime


class Labels(Protocol):
    """Where labelled faces come from."""

    def labelled(self, model: str, min_quality: float) -> LabelledFaces:
        """Give the faces of whom somebody said whom they show, or do not show.

        Args:
            model: Only vectors of this model.
            min_quality: Only faces of at least this quality: no other is ever compared.
        """
        ...


class Thresholds(Protocol):
    """Where local thresholds are kept."""

    def in_force(self, model: str) -> LocalThreshold | None:
        """Give the threshold that replaces the model's own; None where nothing does."""
        ...

    def apply(self, model: ModelRecord, threshold: LocalThreshold) -> None:
        """Put a threshold in the place of whatever replaced the model's own."""
        ...

    def reset(self, model: str) -> bool:
        """Let the model's own threshold hold again; tells whether anything replaced it."""
        ...


def measure(labels: Labels, model: str, rules: Rules, *, rate: float = DEFAULT_RATE) -> Calibration:
    """Say what thresholds cost on labelled faces, and which one gives a false accept rate.

    Args:
        labels: Where they come from.
        model: The model in use.
        rules: What holds now.
        rate: Wanted, above 0 and below 1.

    Raises:
        Permanent: The labels are too few to tell that rate; the text says what is missing.
        Transient: The store does not answer.
    """
    labelled = labels.labelled(model, rules.min_quality)
    comparisons = compare(labelled, rules)
    if missing := lacking(comparisons, rate):
        raise Permanent(
            f"too few labels to calibrate {model!r}. It takes at least {'; '.join(missing)}. Name "
            "more people, confirm and reject faces (`face-archive identities suggest`), ask for a "
            "higher --far, or give labelled photos with --folder."
        )
    return calibrate(comparisons, labelled, rate=rate, in_use=rules.accept)


def apply(
    thresholds: Thresholds,
    model: ModelRecord,
    calibration: Calibration,
    *,
    source: str,
    now: datetime,
) -> LocalThreshold:
    """Let the chosen threshold replace the model's own, and keep where it comes from."""
    threshold = local_threshold(model.name, calibration, source=source, now=now)
    thresholds.apply(model, threshold)
    return threshold


def local_threshold(
    model: str, calibration: Calibration, *, source: str, now: datetime
) -> LocalThreshold:
    """Say what the chosen threshold is, and where it comes from."""
    chosen = calibration.chosen
    return LocalThreshold(
        model=model,
        accept=chosen.threshold,
        wanted_far=chosen.wanted or 0.0,
        source=source,
        people=calibration.people,
        genuine=chosen.tar.of,
        impostors=chosen.far.of,
        tar=chosen.tar.share,
        far=chosen.far.share,
        decided_at=now,
    )
