"""At boot, the runs of a Dagster that was killed are brought to an end."""

from __future__ import annotations

import dagster as dg
import pytest
from dagster import DagsterRunStatus
from dagster._core.remote_origin import (
    GrpcServerCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)

from archive_assets.boot import fail_orphans
from archive_assets.build import build_defs
from sensors.runs import PEOPLE_JOB
from tests.fixtures.installation import Installation

POOL = "one_writer"

# A queued run has to say from where the daemon would load it.
ORIGIN = RemoteJobOrigin(
    RemoteRepositoryOrigin(
        GrpcServerCodeLocationOrigin(host="localhost", port=1, location_name="face-archive"),
        "__repository__",
    ),
    PEOPLE_JOB,
)


def run_that_is(instance: dg.DagsterInstance, status: DagsterRunStatus) -> str:
    job = build_defs().resolve_job_def(PEOPLE_JOB)
    return instance.create_run_for_job(job, status=status, remote_job_origin=ORIGIN).run_id


def status_of(instance: dg.DagsterInstance, run_id: str) -> DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


@pytest.mark.parametrize(
    "status",
    [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING],
    ids=lambda status: status.value,
)
def test_a_run_that_nobody_can_be_working_on_fails(
    opted_in: Installation, status: DagsterRunStatus
) -> None:
    orphan = run_that_is(opted_in.instance, status)
    assert fail_orphans(opted_in.instance) == [orphan]
    assert status_of(opted_in.instance, orphan) is DagsterRunStatus.FAILURE
    assert fail_orphans(opted_in.instance) == []


def test_the_slots_of_an_orphan_are_free_again(opted_in: Installation) -> None:
    events = opted_in.instance.event_log_storage
    orphan = run_that_is(opted_in.instance, DagsterRunStatus.STARTED)
    events.set_concurrency_slots(POOL, 1)
    assert events.claim_concurrency_slot(POOL, orphan, "a_step").is_claimed

    fail_orphans(opted_in.instance)

    assert events.get_concurrency_info(POOL).active_slot_count == 0


def test_runs_that_wait_or_are_over_stay_as_they_are(opted_in: Installation) -> None:
    kept = {
        run_that_is(opted_in.instance, status): status
        for status in (
            DagsterRunStatus.QUEUED,
            DagsterRunStatus.SUCCESS,
            DagsterRunStatus.FAILURE,
            DagsterRunStatus.CANCELED,
        )
    }
    assert fail_orphans(opted_in.instance) == []
    assert {run_id: status_of(opted_in.instance, run_id) for run_id in kept} == kept
