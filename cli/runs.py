"""Dagster jobs run in this process, one after another, as a run worker would run them.

For commands that need no `up`. Which runs there are to be is the commands' business. A step that
asks to be tried again ends its run: whoever runs a command decides when to come back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import dagster as dg

from archive.windows import WindowKey
from archive_assets.analytics import ANALYTICS_JOB
from archive_assets.boot import fail_orphans
from archive_assets.definitions import defs
from sensors.runs import CHAT_WINDOW, PEOPLE_JOB, WINDOW_JOB, Urgency, window_run

_NO_WAITING = {
    "execution": {"config": {"retries": {"disabled": {}}}},
    "loggers": {"console": {"config": {"log_level": "ERROR"}}},
}
# What steps say that they did, and that they left for the next time.
_DONE = ("messages", "files_fetched")
_LEFT = "remaining"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        items: Messages and files that it did.
        failed: Whether it failed in a way that time alone does not heal.
        left: Whether something is left to do for the next time.
    """

    items: int
    failed: bool
    left: bool


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs jobs through the Dagster of this process's environment."""

    instance: dg.DagsterInstance

    def window(self, key: WindowKey, urgency: Urgency) -> Outcome:
        """Run one window in a lane."""
        self.instance.add_dynamic_partitions(CHAT_WINDOW, [key])
        tags = window_run(key, urgency, "catch-up").tags
        return self._run(window_job, {"dagster/partition": key, **tags})

    def people(self) -> Outcome:
        """Run identification and publishing."""
        return self._run(people_job, {})

    def analytics(self) -> Outcome:
        """Run the snapshots and the marts."""
        return self._run(analytics_job, {})

    def _run(self, job: Callable[[], dg.JobDefinition], tags: Mapping[str, Any]) -> Outcome:
        result = dg.execute_job(
            dg.reconstructable(job), self.instance, run_config=_NO_WAITING, tags=dict(tags)
        )
        said = list(_metadata(result))
        wants_retry = any(map(_wants_retry, result.all_events))
        return Outcome(
            # Each step's assets say the same of its files.
            items=sum(max((each.get(name, 0) for each in said), default=0) for name in _DONE),
            failed=not result.success and not wants_retry,
            left=wants_retry or any(each.get(_LEFT, 0) for each in said),
        )


@contextmanager
def runner() -> Iterator[Runner]:
    """Open this environment's Dagster; no other process may run anything of it meanwhile."""
    with dg.DagsterInstance.get() as instance:
        fail_orphans(instance)
        yield Runner(instance)


def window_job() -> dg.JobDefinition:
    """Give the job of one window; Dagster wants a function that it can call anew."""
    return defs.resolve_job_def(WINDOW_JOB)


def people_job() -> dg.JobDefinition:
    """Give the job that makes people and topics."""
    return defs.resolve_job_def(PEOPLE_JOB)


def analytics_job() -> dg.JobDefinition:
    """Give the job that builds the warehouse."""
    return defs.resolve_job_def(ANALYTICS_JOB)


def _metadata(result: dg.JobExecutionResult) -> Iterator[dict[str, int]]:
    for event in result.all_events:
        if event.is_step_materialization:
            found = event.step_materialization_data.materialization.metadata
            yield {
                name: entry.value
                for name, entry in found.items()
                if isinstance(entry.value, int) and not isinstance(entry.value, bool)
            }


def _wants_retry(event: dg.DagsterEvent) -> bool:
    """Whether a step failed in a way that time alone heals; see ``archive_assets.outcomes``."""
    if not event.is_step_failure:
        return False
    failure = event.step_failure_data
    if failure.user_failure_data is not None and "retry_at" in failure.user_failure_data.metadata:
        return True
    error = failure.error
    while error is not None:
        if "RetryRequested" in error.message:
            return True
        error = error.cause
    return False
