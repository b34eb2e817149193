"""What keeps an archive clean by itself: a job a day, beside the graph."""

from datetime import UTC, datetime

import dagster as dg

from archive.sweeping import sweep
from archive_assets.outcomes import dagster_outcome
from resources.toolbox import Toolbox


@dg.op
def remove_orphaned_files(
    context: dg.OpExecutionContext, toolbox: dg.ResourceParam[Toolbox]
) -> None:
    """Remove crops, small pictures and originals that no row names."""
    with dagster_outcome():
        removed = sweep(toolbox.media, toolbox.blobs, now=datetime.now(UTC))
    context.log.info(f"{removed} files that nothing names were removed.")


@dg.job(description="Remove the files that a crash left between writing and naming them.")
def upkeep_job() -> None:
    """Do what is done once a day."""
    remove_orphaned_files()


upkeep_schedule = dg.ScheduleDefinition(
    name="upkeep_schedule",
    job=upkeep_job,
    cron_schedule="17 4 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="On by default, 04:17 UTC. Off: files that a crash left stay where they are.",
)
