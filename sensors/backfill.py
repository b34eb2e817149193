"""From planned windows to runs: an allowed chat is read without a command, newest first."""

import json

import dagster as dg

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
    fresh = [key for key, occasion in due.items() if asked.get(key) != occasion][:_RUNS_A_TICK]
    if not fresh:
        return dg.SkipReason(f"Nothing new to ask for; {len(due)} windows are asked for already.")
    still_asked = {key: occasion for key, occasion in asked.items() if due.get(key) == occasion}
    return dg.SensorResult(
        run_requests=[window_run(key, Urgency.BACKFILL, due[key]) for key in fresh],
        dynamic_partitions_requests=add_windows(context, fresh),
        cursor=json.dumps(still_asked | {key: due[key] for key in fresh}),
    )
