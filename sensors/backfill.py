"""From planned windows to runs: an allowed chat is read without a command, newest first."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from archive.history.pace import Pace
from resources.toolbox import Toolbox
from sensors.again import came_to_nothing
from sensors.runs import WINDOW_JOB, Urgency, add_windows, window_run

# A queue of some minutes: a switch that goes off finds little left to do.
_RUNS_A_TICK = 100


@dg.sensor(
    job_name=WINDOW_JOB,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "On by default. Windows of allowed chats that were never read, have something to do "
        "again, or media left over, become runs, newest first; one whose run came to nothing is "
        "asked for again after an hour. A chat allowed with --no-backfill is left to "
        "`face-archive backfill`. Off: nothing old is fetched by itself."
    ),
)
def backfill_sensor(
    context: dg.SensorEvaluationContext, toolbox: dg.ResourceParam[Toolbox]
) -> dg.SensorResult | dg.SkipReason:
    """Ask once for each window and occasion, and again where the run came to nothing."""
    asked: dict[str, str] = json.loads(context.cursor or "{}")
    toolbox.accounts.hand_over()
    due: dict[str, str] = {
        row.window.key: row.occasion for row in toolbox.history.windows_to_submit()
    }
    slow = toolbox.paces.slow()
    # While Telegram is slow the store holds an account's windows back, and after a pause one run
    # finds out whether it still is.
    most = 1 if slow else _RUNS_A_TICK
    fresh = [key for key, occasion in due.items() if asked.get(key) != occasion][:most]
    occasions = {key: due[key] for key in fresh}
    if len(fresh) < most:
        waiting = [key for key, occasion in due.items() if asked.get(key) == occasion]
        again = came_to_nothing(context.instance, waiting, datetime.now(UTC))
        occasions |= {key: f"{due[key]}-{why}" for key, why in again.items()}
    if not occasions:
        if slow:
            return dg.SkipReason(_why_paused(slow))
        return dg.SkipReason(f"Nothing new to ask for; {len(due)} windows are asked for already.")
    still_asked = {key: occasion for key, occasion in asked.items() if due.get(key) == occasion}
    return dg.SensorResult(
        run_requests=[
            window_run(key, Urgency.BACKFILL, occasion) for key, occasion in occasions.items()
        ],
        dynamic_partitions_requests=add_windows(context, fresh),
        cursor=json.dumps(still_asked | {key: due[key] for key in fresh}),
    )


def _why_paused(slow: Sequence[Pace]) -> str:
    """Say what backfills wait for; accounts have no name in Dagster."""
    told = "; ".join(pace.explain() for pace in slow)
    until = max(pace.resumes_at for pace in slow if pace.resumes_at)
    return f"Paused: {told}. One window is tried after {until:%H:%M} UTC."
