"""From planned windows to runs: an allowed chat is read without a command, newest first."""

import json
from collections.abc import Sequence

import dagster as dg

from archive.history_pace import Pace
from resources.toolbox import Toolbox
from sensors.runs import WINDOW_JOB, Urgency, add_windows, window_run

# A queue of some minutes: a switch that goes off finds little left to do.
_RUNS_A_TICK = 100


@dg.sensor(
    job_name=WINDOW_JOB,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "On by default. Windows of allowed chats that were never read, have something to do "
        "again, or media left over, become runs, newest first. A chat allowed with --no-backfill "
        "is left to `face-archive backfill`. Off: nothing old is fetched by itself."
    ),
)
def backfill_sensor(
    context: dg.SensorEvaluationContext, toolbox: dg.ResourceParam[Toolbox]
) -> dg.SensorResult | dg.SkipReason:
    """Ask once for each window and occasion; a run that got nowhere is a person's to repeat."""
    asked: dict[str, str] = json.loads(context.cursor or "{}")
    due: dict[str, str] = {
        row.window.key: row.occasion for row in toolbox.history.windows_to_submit()
    }
    slow = toolbox.paces.slow()
    # While Telegram is slow the store holds an account's windows back, and after a pause one run
    # finds out whether it still is.
    most = 1 if slow else _RUNS_A_TICK
    fresh = [key for key, occasion in due.items() if asked.get(key) != occasion][:most]
    if not fresh:
        if slow:
            return dg.SkipReason(_why_paused(slow))
        return dg.SkipReason(f"Nothing new to ask for; {len(due)} windows are asked for already.")
    still_asked = {key: occasion for key, occasion in asked.items() if due.get(key) == occasion}
    return dg.SensorResult(
        run_requests=[window_run(key, Urgency.BACKFILL, due[key]) for key in fresh],
        dynamic_partitions_requests=add_windows(context, fresh),
        cursor=json.dumps(still_asked | {key: due[key] for key in fresh}),
    )


def _why_paused(slow: Sequence[Pace]) -> str:
    """Say what backfills wait for; accounts have no name in Dagster."""
    told = "; ".join(pace.explain() for pace in slow)
    until = max(pace.resumes_at for pace in slow if pace.resumes_at)
    return f"Paused: {told}. One window is tried after {until:%H:%M} UTC."
