"""From live updates to window runs: drains the inbox that the listener fills."""

import dagster as dg

from archive.listening import due_windows
from resources.toolbox import Toolbox
from sensors.runs import WINDOW_JOB, Urgency, add_windows, window_run


@dg.sensor(
    job_name=WINDOW_JOB,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "On by default. Every 30 s, live updates that no reading has answered become runs of "
        "their windows, ahead of any backfill. Off: messages still arrive in the inbox and wait."
    ),
)
def inbox_sensor(
    context: dg.SensorEvaluationContext, toolbox: dg.ResourceParam[Toolbox]
) -> dg.SensorResult | dg.SkipReason:
    """Ask for the windows that live updates name; the run marks the updates as answered."""
    due = due_windows(toolbox.inbox)
    if not due:
        return dg.SkipReason("No live update waits.")
    return dg.SensorResult(
        run_requests=[
            window_run(each.window.key, Urgency.LIVE, str(each.last_inbox_id)) for each in due
        ],
        dynamic_partitions_requests=add_windows(context, [each.window.key for each in due]),
    )
