"""Before anything runs: end the runs of a Dagster that was killed.

``python -m archive_assets.boot``. A run whose processes were killed together with the daemon
stays STARTED for ever, and its pool slots stay taken; at boot no process of ours is alive, so
every run that is not over is such an orphan.
"""

from __future__ import annotations

import dagster as dg
import structlog
from dagster import DagsterRunStatus, RunsFilter

_log = structlog.get_logger(__name__)

# Queued runs are left: the coordinator starts them, nothing of them was lost.
_CANNOT_BE_ALIVE = [
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]


def fail_orphans(instance: dg.DagsterInstance) -> list[str]:
    """Fail every run that claims to be running, free its slots, and return their ids.

    Only for a moment when no worker can be alive: the supervisor's boot.
    """
    orphans = instance.get_runs(RunsFilter(statuses=_CANNOT_BE_ALIVE))
    for run in orphans:
        instance.report_run_failed(
            run, message="Its worker died with the process that supervised it."
        )
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        _log.warning("orphan_run_failed", run_id=run.run_id)
    return [run.run_id for run in orphans]


if __name__ == "__main__":
    with dg.DagsterInstance.get() as dagster_instance:
        fail_orphans(dagster_instance)
