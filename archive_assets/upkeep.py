"""What keeps an archive clean by itself: a job a day, beside the graph."""

from datetime import UTC, datetime

import dagster as dg

from archive.migrating.expiring import expire
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


@dg.op
def remove_old_vectors(context: dg.OpExecutionContext, toolbox: dg.ResourceParam[Toolbox]) -> None:
    """Remove the vectors of models that were left long ago: the way back ends with them."""
    with dagster_outcome():
        removed = expire(toolbox.old_vectors, now=datetime.now(UTC))
    context.log.info(f"{removed} vectors of earlier models were removed.")


@dg.job(
    description="Remove the files that a crash left between writing and naming them, and vectors "
    "of earlier models whose time is over."
)
def upkeep_job() -> None:
    """Do what is done once a day."""
    remove_orphaned_files()
    remove_old_vectors()


upkeep_schedule = dg.ScheduleDefinition(
    name="upkeep_schedule",
    job=upkeep_job,
    cron_schedule="17 4 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="On by default, 04:17 UTC. Off: files that a crash left stay where they are, "
    "and so do the vectors of earlier models.",
)
