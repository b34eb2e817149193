"""From new faces to people and posts, without a command."""

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter

from resources.toolbox import Toolbox
from sensors.runs import PEOPLE_ASSETS, PEOPLE_JOB

_UNDER_WAY = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
]


@dg.sensor(
    job_name=PEOPLE_JOB,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "On by default. Every minute, if faces, people, switches or waiting posts changed since "
        "the last time, one run groups faces into people and publishes them. Off: `face-archive "
        "identify` and `publish` do the same by hand."
    ),
)
def people_sensor(
    context: dg.SensorEvaluationContext, toolbox: dg.ResourceParam[Toolbox]
) -> dg.SensorResult | dg.SkipReason:
    """Ask for one run whenever people or posts could come out differently from last time."""
    under_way = RunsFilter(job_name=PEOPLE_JOB, statuses=_UNDER_WAY)
    if context.instance.get_runs_count(under_way):
        return dg.SkipReason("A run is under way.")
    # What is looked at, and how: a changed threshold changes people as a new face does.
    rules = f"{toolbox.engine_spec.model_name} {toolbox.identify_options} {toolbox.publish_policy}"
    deletions = toolbox.deletions.work_state()
    # Posting would only fail while Telegram asks to wait, or the account rests; finding people
    # needs no Telegram.
    accounts = toolbox.accounts.list()
    free = {row.account_id for row in accounts if row.is_active and not row.flood_until}
    held = any(chat.account_id not in free for chat in toolbox.chats.list() if chat.is_hub)
    state = f"{toolbox.overview.work_state()} {deletions} {rules}{' held' if held else ''}"
    if state == context.cursor:
        return dg.SkipReason("Nothing changed since the last run.")
    return dg.SensorResult(
        # No run key: Dagster refuses a repeated one for ever, and a switch that goes off and on
        # again gives back a state that was there before. One run too many finds nothing to do.
        run_requests=[
            dg.RunRequest(
                tags={"dagster/priority": "5"},
                asset_selection=[dg.AssetKey(PEOPLE_ASSETS[0])] if held else None,
            )
        ],
        cursor=state,
    )
