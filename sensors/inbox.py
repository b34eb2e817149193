"""From live updates to window runs: drains the inbox that the listener fills."""

import json
from datetime import UTC, datetime

import dagster as dg

from archive.listening import due_windows
from resources.toolbox import Toolbox
from sensors.again import came_to_nothing
from sensors.runs import WINDOW_JOB, Urgency, add_windows, window_run

# A tick has a minute, and a queue of repairs must not grow ahead of what is sent just now.
_RUNS_A_TICK = 50


@dg.sensor(
    job_name=WINDOW_JOB,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "On by default. Every 30 s, live updates that no reading has answered become runs of "
        "their windows, ahead of any backfill. Windows in which updates were lost are read whole, "
        "behind it; one whose run came to nothing is asked for again after an hour. Off: messages "
        "still arrive in the inbox and wait."
    ),
)
def inbox_sensor(
    context: dg.SensorEvaluationContext, toolbox: dg.ResourceParam[Toolbox]
) -> dg.SensorResult | dg.SkipReason:
    """Ask for the windows that live updates name; the run marks the updates as answered."""
    asked: dict[str, str] = json.loads(context.cursor or "{}")
    due = due_windows(toolbox.inbox)
    waiting = [each.window.key for each in due if asked.get(each.window.key) == each.occasion]
    fresh = [each for each in due if asked.get(each.window.key) != each.occasion][:_RUNS_A_TICK]
    again = came_to_nothing(context.instance, waiting, datetime.now(UTC))
    if not fresh and not again:
        return dg.SkipReason(f"No further live update waits; {len(due)} windows are asked for.")
    keys = {each.window.key for each in due}
    still_asked = {key: occasion for key, occasion in asked.items() if key in keys}
    return dg.SensorResult(
        run_requests=[
            window_run(
                each.window.key,
                Urgency.BACKFILL if each.is_repair else Urgency.LIVE,
                "-".join(filter(None, [each.occasion, again.get(each.window.key)])),
            )
            for each in [*fresh, *(each for each in due if each.window.key in again)]
        ],
        dynamic_partitions_requests=add_windows(context, [each.window.key for each in fresh]),
        cursor=json.dumps(still_asked | {each.window.key: each.occasion for each in fresh}),
    )
