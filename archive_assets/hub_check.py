"""Whether hubs still are what was last written to them: a check, and the job that asks once a day.

Not a part of the run that publishes, which comes every minute; publishing puts right what a look
found.
"""

import asyncio

import dagster as dg

from archive.publishing import Hub, ReadBackOptions, ReadBackResult, read_back
from archive_assets.outcomes import dagster_outcome
from archive_assets.people import published_topics
from resources.telegram.sessions import Lane
from resources.toolbox import Toolbox
from sensors.runs import HUB_CHECK

# Of a hundred messages each: a hub of 200 000, the most there should be, is looked through in
# four days, and the account spends some minutes a day on it.
MAX_REQUESTS = 500


@dg.asset_check(asset=published_topics, name=HUB_CHECK)
def the_hub_is_what_was_last_written(
    context: dg.AssetCheckExecutionContext, toolbox: dg.ResourceParam[Toolbox]
) -> dg.AssetCheckResult:
    """Nobody changed by hand what was published; if somebody did, the next run puts it right.

    Topics deleted, renamed, closed or opened again, posts deleted, edited or moved, summaries
    edited or unpinned are counted; so are messages of others, which stay as they are.
    """
    found: dict[str, int] = {}
    drifted = unreadable = 0
    with dagster_outcome():
        hubs = toolbox.hubs()
    for hub in hubs:
        try:
            with dagster_outcome():
                result = asyncio.run(_look(toolbox, hub))
        except dg.Failure as refused:
            # Another hub may be read all the same.
            context.log.warning(f"A hub could not be read: {refused.description}")
            unreadable += 1
            continue
        drifted += result.drifted
        for name, count in result.counts.by_name.items():
            found[name] = found.get(name, 0) + count
    return dg.AssetCheckResult(
        passed=not drifted and not unreadable,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"drifted": drifted, "unreadable_hubs": unreadable, **found},
    )


async def _look(toolbox: Toolbox, hub: Hub) -> ReadBackResult:
    async with toolbox.telegram(Lane.PUBLISH, hub.chat.account_id) as account:
        options = ReadBackOptions(max_requests=MAX_REQUESTS)
        return await read_back(toolbox.topics, account.hub, hub, options, remarks=toolbox.remarks)


hub_check_job = dg.define_asset_job(
    "hub_check",
    selection=dg.AssetSelection.checks(dg.AssetCheckKey(published_topics.key, HUB_CHECK)),
    description="Hold the hubs against what was last written to them.",
)

hub_check_schedule = dg.ScheduleDefinition(
    name="hub_check_schedule",
    job=hub_check_job,
    cron_schedule="47 3 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="On by default, 03:47 UTC. Off: what somebody changes in a hub by hand stays so.",
)
