"""Windows whose run came to nothing: when a sensor asks for them once more.

A sensor asks once for each occasion, so that a queue of hours is not asked for twice. A run that
was killed for good, or gave up after all its tries, would leave its window to a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg
from dagster import RunRecord, RunsFilter

AGAIN_AFTER: Final = timedelta(hours=1)
"""How long the newest run of a window has been over before another one is asked for."""

# A look at one window costs two milliseconds: a long queue is gone through over many ticks.
_LOOKED_AT: Final = 50
_TICK_SECONDS: Final = 30


def came_to_nothing(
    instance: dg.DagsterInstance, keys: Sequence[str], now: datetime
) -> dict[str, str]:
    """Find a window that was asked for and is due all the same, its newest run long over.

    One at a time: where an account is logged out every window fails, and their runs would fill
    the event log.

    Args:
        instance: Dagster's.
        keys: Windows that are due and were asked for; others of them are looked at next time.
        now: UTC.

    Returns:
        One window at most, with what makes its next run key differ from the last.
    """
    start = int(now.timestamp()) // _TICK_SECONDS * _LOOKED_AT % max(1, len(keys))
    for key in [*keys[start:], *keys[:start]][:_LOOKED_AT]:
        records = instance.get_run_records(RunsFilter(tags={"dagster/partition": key}), limit=1)
        for record in records:
            if record.dagster_run.is_finished and _ended_at(record) < now - AGAIN_AFTER:
                return {key: f"after-{record.dagster_run.run_id}"}
    return {}


def _ended_at(record: RunRecord) -> datetime:
    if record.end_time is None:
        # It never began.
        return record.update_timestamp
    return datetime.fromtimestamp(record.end_time, UTC)
