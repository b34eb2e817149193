"""How long the questions that people ask take, each from opening the file to its last row."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

from benchmarks.analytics_stage import analytics_stage
from benchmarks.claims import PAIRS, Measurement, claim
from resources.questions.asking import Question, questions
from resources.warehouse.reading import Warehouse

_LIMIT: Final = 20
_MOST_SEEN: Final = "SELECT identity_id FROM identity_stats ORDER BY contents DESC LIMIT 1"


@claim(
    "analytics.questions",
    title="The slowest of the questions of `stats` on a million faces and five million messages",
    unit="s",
    bar=1.0,
    better="lower",
    absolute=True,
)
def ask_them_all(quick: bool) -> Measurement:  # noqa: FBT001 - every claim's measure
    """Ask each question in turn; a person, where one is needed, is the one seen most."""
    stage = analytics_stage(quick)
    person = _most_seen(stage.file)
    rounds = [
        {name: _seconds(stage.file, asked, person) for name, asked in questions().items()}
        for _ in range(PAIRS)
    ]
    of_each = {name: median(each[name] for each in rounds) for name in questions()}
    return Measurement(
        tuple(max(each.values()) for each in rounds),
        (),
        f"{stage.messages} made messages, {stage.faces} faces, {stage.people} people; "
        + ", ".join(f"{name} {seconds:.2f}" for name, seconds in of_each.items()),
    )


def _seconds(file: Path, asked: Question, person: str) -> float:
    started = perf_counter()
    parameters = asked.parameters(
        today=datetime.now(UTC).date(),
        limit=_LIMIT,
        person=person if "person" in asked.needs else None,
    )
    with Warehouse(file).ask(asked.sql, parameters) as answer:
        list(answer.rows)
    return perf_counter() - started


def _most_seen(file: Path) -> str:
    with Warehouse(file).ask(_MOST_SEEN) as answer:
        return str(next(answer.rows)[0])
