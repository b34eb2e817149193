"""What is done once a day."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from archive_assets.build import build_defs
from archive_assets.hub_check import hub_check_job, hub_check_schedule
from archive_assets.upkeep import upkeep_job, upkeep_schedule
from sensors.runs import HUB_CHECK, PEOPLE_JOB
from telegram_sandbox import Sandbox
from tests.fixtures.hubs import Hub, hub_of
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
    for name in (upkeep_schedule.name, hub_check_schedule.name):
        schedule = definitions.resolve_schedule_def(name)
        assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING


def look(installation: Installation, instance: dg.DagsterInstance) -> dg.AssetCheckEvaluation:
    """Hold the hub against what was last written, as the schedule does."""
    definitions = build_defs(resource_overrides={"toolbox": installation.toolbox})
    job = definitions.resolve_job_def(hub_check_job.name)
    (found,) = job.execute_in_process(QUIET, instance=instance).get_asset_check_evaluations()
    return found


def test_a_hub_that_somebody_spoiled_makes_the_check_red_and_the_next_run_undoes_it(
    gone_through: Installation, ephemeral: dg.DagsterInstance
) -> None:
    before, hub_id = _captions(hub_of(gone_through)), gone_through.hub_id
    assert look(gone_through, ephemeral).passed
    state = gone_through.toolbox.overview.work_state()

    def spoil(sandbox: Sandbox) -> None:
        chat = sandbox.state.chat(hub_id)
        chat.delete(*(message for message in chat.messages if message.media is not None))

    gone_through.telegram.call(spoil)
    found = look(gone_through, ephemeral)

    assert not found.passed
    assert found.severity is dg.AssetCheckSeverity.WARN
    assert found.metadata["posts_gone"].value == sum(map(len, before.values()))
    # The sensor asks for a run over people when this changes.
    assert gone_through.toolbox.overview.work_state() != state
    gone_through.materialize([])
    assert _captions(hub_of(gone_through)) == before
    assert look(gone_through, ephemeral).passed


def _captions(hub: Hub) -> dict[str, list[str]]:
    return {title: sorted(post.caption for post in posts) for title, posts in hub.items()}


def test_the_hub_is_not_read_by_the_run_that_publishes() -> None:
    selected = build_defs().resolve_job_def(PEOPLE_JOB).asset_layer.asset_graph.asset_check_keys
    assert dg.AssetCheckKey(dg.AssetKey("published_topics"), HUB_CHECK) not in selected
