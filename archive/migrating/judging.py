"""Whether another model tells the owner's people apart no worse, and with which threshold.

Both models are held against the same labels: the faces of named people, those somebody confirmed
or moved, and rejections. Compared is the TAR at the same FAR, with people drawn anew together for
both. What the matcher put in a named person itself had passed the threshold of the model before,
so labels speak for that one a little: a model that passes here is no worse.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from archive.calibrating import DEFAULT_RATE, Labels
from archive.identity.calibration import RATES, Calibration, calibrate, lacking
from archive.identity.comparisons import LabelledFaces, compare
from archive.identity.rates import Bootstrap, Interval, Rate, Roc
from archive.identity.rules import Rules
from archive.migrating.ports import Counts

MOST_REFUSED: Final = 0.05
"""Share of faces that may be refused: more is a place for crops that is not there, say, and no
model should be switched to for that reason."""

_FEW: Final = 10  # refused faces that are no sign of anything

_SEED: Final = 0


class Verdict(StrEnum):
    """What the labels say of the other model."""

    NOT_WORSE = "not worse"
    WORSE = "worse"
    TOO_FEW = "too few decisions to judge"


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """How the two models compare.

    Attributes:
        rate: The false accept rate at which they were compared; None where nothing was.
        before: TAR of the model before.
        after: TAR of the other.
        gained: By how much the other's TAR is higher, 95 % over people.
        lacking: What it takes to judge.
        calibration: The other model's threshold on these labels; None where they are too few.
    """

    verdict: Verdict
    rate: float | None = None
    before: Rate | None = None
    after: Rate | None = None
    gained: Interval | None = None
    people: int = 0
    lacking: tuple[str, ...] = ()
    calibration: Calibration | None = None

    def shown(self) -> dict[str, object]:
        """Say it in figures, to be kept and shown."""
        figures: dict[str, object] = {"verdict": str(self.verdict), "people": self.people}
        if self.before is not None and self.after is not None and self.gained is not None:
            figures |= {
                "at_far": self.rate,
                "comparisons": self.before.of,
                "tar_before": round(self.before.share, 4),
                "tar_after": round(self.after.share, 4),
                "gained_from": round(self.gained.low, 4),
                "gained_to": round(self.gained.high, 4),
            }
        if self.lacking:
            figures["lacking"] = "; ".join(self.lacking)
        if self.calibration is not None:
            figures["threshold"] = round(self.calibration.chosen.threshold, 5)
        return figures


@dataclass(frozen=True, slots=True)
class Contender:
    """A model and the rules by which it would decide."""

    model: str
    rules: Rules


def judge(labels: Labels, before: Contender, after: Contender) -> Evaluation:
    """Compare two models on what the owner decided.

    Args:
        labels: Where the decisions are.
        before: The model in use.
        after: The other.

    Raises:
        Transient: The store does not answer.
    """
    min_quality = max(before.rules.min_quality, after.rules.min_quality)
    known = labels.labelled(before.model, min_quality)
    others = labels.labelled(after.model, min_quality)
    calibration = _calibration(others, after.rules)
    known, others = _paired(known, others)
    olds, news = compare(known, before.rules), compare(others, after.rules)
    told = [rate for rate in RATES if rate >= DEFAULT_RATE and not lacking(olds, rate)]
    if not told:
        missing = tuple(lacking(olds, max(RATES)))
        return Evaluation(
            Verdict.TOO_FEW, people=len(olds.people), lacking=missing, calibration=calibration
        )
    rate, old, new = min(told), Roc(olds), Roc(news)
    gained = Bootstrap(news, _SEED).tar_gained(Bootstrap(olds, _SEED), rate)
    return Evaluation(
        Verdict.WORSE if gained.high < 0.0 else Verdict.NOT_WORSE,
        rate,
        old.tar(old.threshold(rate)),
        new.tar(new.threshold(rate)),
        gained,
        len(olds.people),
        calibration=calibration,
    )


def too_many_refused(counts: Counts) -> bool:
    """Whether so many faces cannot be embedded that something else is wrong."""
    return counts.refused > max(_FEW, MOST_REFUSED * counts.faces)


def _paired(known: LabelledFaces, others: LabelledFaces) -> tuple[LabelledFaces, LabelledFaces]:
    """Keep the faces that both have embedded, with the first's labels; nothing is compared here."""
    place = {face.face_id: row for row, face in enumerate(others.faces)}
    rows = [row for row, face in enumerate(known.faces) if face.face_id in place]
    now = {row: new for new, row in enumerate(rows)}
    both = LabelledFaces(
        tuple(known.faces[row] for row in rows),
        known.vectors[rows],
        tuple(known.people[row] for row in rows),
        known.by_hand,
        tuple((now[row], person) for row, person in known.rejections if row in now),
    )
    return both, replace(both, vectors=others.vectors[[place[f.face_id] for f in both.faces]])


def _calibration(labelled: LabelledFaces, rules: Rules) -> Calibration | None:
    comparisons = compare(labelled, rules)
    if lacking(comparisons, DEFAULT_RATE):
        return None
    return calibrate(comparisons, labelled, rate=DEFAULT_RATE, in_use=rules.accept)
