"""How long it takes to build the warehouse: of everything, and after a day."""

from __future__ import annotations

from typing import Final

from benchmarks.analytics_stage import AnalyticsStage, analytics_stage
from benchmarks.claims import Measurement, claim

MOST_MB: Final = 4_000


@claim(
    "analytics.build",
    title="Snapshots and dbt build of a million faces and five million messages",
    unit="s",
    bar=300.0,
    better="lower",
    absolute=True,
)
def build_everything(quick: bool) -> Measurement:  # noqa: FBT001 - every claim's measure
    """Build once from nothing; the processes must stay within their memory."""
    stage = analytics_stage(quick)
    if stage.peak_mb > MOST_MB:
        raise AssertionError(f"the build took {stage.peak_mb:.0f} MB, {MOST_MB} are allowed")
    return Measurement((stage.build_seconds,), (), _detail(stage))


@claim(
    "analytics.day",
    title="The same again after a day: new messages, media and faces, deletions, an erasure",
    unit="s",
    bar=30.0,
    better="lower",
    absolute=True,
)
def build_a_day(quick: bool) -> Measurement:  # noqa: FBT001 - every claim's measure
    """Build again after a day."""
    stage = analytics_stage(quick)
    return Measurement((stage.day_seconds,), (), _detail(stage))


def _detail(stage: AnalyticsStage) -> str:
    return (
        f"{stage.messages} made messages, {stage.faces} faces, {stage.people} people; "
        f"peak {stage.peak_mb:.0f} MB without PostgreSQL"
    )
