"""What is done once a day."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from archive_assets.build import build_defs
from archive_assets.upkeep import upkeep_job, upkeep_schedule
from tests.fixtures.installation import Installation

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
LONG_AGO = (datetime.now(UTC) - timedelta(days=2)).timestamp()


def files(installation: Installation) -> set[Path]:
    folder = installation.toolbox.settings.data_dir / "blobs"
    return {path for path in folder.rglob("*") if path.is_file()}


def orphan(installation: Installation, data: bytes) -> Path:
    """Write a file as a pass does that is killed before it stores the row."""
    key = installation.toolbox.blobs.put(data)
    return installation.toolbox.settings.data_dir / "blobs" / key


def upkeep(installation: Installation, instance: dg.DagsterInstance) -> None:
    definitions = build_defs(resource_overrides={"toolbox": installation.toolbox})
    job = definitions.resolve_job_def(upkeep_job.name)
    assert job.execute_in_process(QUIET, instance=instance).success


def test_a_file_that_no_row_names_is_gone_after_a_day_and_all_others_stay(
    gone_through: Installation, ephemeral: dg.DagsterInstance
) -> None:
    named = files(gone_through)
    assert named
    old = orphan(gone_through, b"a face that a crash left behind")
    young = orphan(gone_through, b"a face whose row is about to be stored")
    for path in {*named, old}:
        os.utime(path, (LONG_AGO, LONG_AGO))

    upkeep(gone_through, ephemeral)

    assert files(gone_through) == {*named, young}


def test_it_is_done_every_day_unless_somebody_switches_it_off(
    gone_through: Installation,
) -> None:
    definitions = build_defs(resource_overrides={"toolbox": gone_through.toolbox})
    schedule = definitions.resolve_schedule_def(upkeep_schedule.name)
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
