"""The graph as Dagster loads it, and the instance it runs on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from archive_assets.analytics import ANALYTICS_GROUP, ANALYTICS_JOB, WRITER_POOL
from archive_assets.build import build_defs
from archive_assets.partitions import chat_window
from resources.dagster_home import prepare_dagster_home
from sensors.runs import LANE_TAG, PEOPLE_ASSETS, PEOPLE_JOB, WINDOW_ASSETS, WINDOW_JOB
from tests.fixtures.installation import Installation

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_defs()


def test_the_definitions_load(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)


def test_windows_go_up_to_embeddings_and_people_are_whole(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    names = {
        key.to_user_string(): graph.get(key).partitions_def
        for key in graph.get_all_asset_keys()
        if graph.get(key).group_name != ANALYTICS_GROUP
    }
    whole = (*PEOPLE_ASSETS, "migrated_embeddings")
    assert names == {name: chat_window for name in WINDOW_ASSETS} | dict.fromkeys(whole)


def test_a_backfill_runs_one_window_at_a_time(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    policies = {graph.get(dg.AssetKey(name)).backfill_policy for name in WINDOW_ASSETS}
    assert policies == {dg.BackfillPolicy.multi_run(1)}


def test_the_jobs_hold_the_assets_that_sensors_name(definitions: dg.Definitions) -> None:
    for job, assets in ((WINDOW_JOB, WINDOW_ASSETS), (PEOPLE_JOB, PEOPLE_ASSETS)):
        layer = definitions.resolve_job_def(job).asset_layer
        assert {key.to_user_string() for key in layer.executable_asset_keys} == set(assets)


def test_the_analytics_are_one_job_in_which_one_writes_at_a_time(
    definitions: dg.Definitions,
) -> None:
    graph = definitions.resolve_asset_graph()
    ours = {
        key for key in graph.get_all_asset_keys() if graph.get(key).group_name == ANALYTICS_GROUP
    }
    job = definitions.resolve_job_def(ANALYTICS_JOB)
    assert job.asset_layer.executable_asset_keys == ours
    for name in ("warehouse_snapshots", "stg_messages", "identity_stats"):
        key = dg.AssetKey(name)
        assert graph.get(key).pools == {WRITER_POOL}
    assert graph.get(dg.AssetKey("stg_messages")).parent_keys == {
        dg.AssetKey("warehouse_snapshots")
    }


def test_loading_the_definitions_does_not_load_dbt() -> None:
    code = (
        "import sys, archive_assets.definitions; print({'dbt', 'dagster_dbt'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "set()"


def test_every_sensor_is_on_and_says_so_in_its_description(definitions: dg.Definitions) -> None:
    sensors = list(definitions.sensors or ())
    assert len(sensors) == 5
    for sensor in sensors:
        assert isinstance(sensor, dg.SensorDefinition)
        assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
        assert (sensor.description or "").startswith("On by default.")


def test_the_instance_takes_the_settings_that_crashes_need(opted_in: Installation) -> None:
    instance = opted_in.instance
    assert instance.run_monitoring_enabled
    assert instance.run_monitoring_settings["free_slots_after_run_end_seconds"] == 30
    assert instance.run_monitoring_settings["max_runtime_seconds"] == 21600
    assert instance.run_retries_enabled
    assert instance.run_retries_max_retries == 2
    assert instance.run_retries_retry_on_asset_or_op_failure is False


def test_the_instance_leaves_room_for_a_live_run_beside_a_backfill(opted_in: Installation) -> None:
    queue = opted_in.instance.get_concurrency_config().run_queue_config
    assert queue is not None
    assert queue.max_concurrent_runs == 2
    assert queue.tag_concurrency_limits == [
        {"key": "dagster/backfill", "limit": 1},
        {"key": LANE_TAG, "value": {"applyLimitPerUniqueValue": True}, "limit": 1},
    ]


def test_the_projects_own_dagster_yaml_is_what_an_installation_gets(tmp_path: Path) -> None:
    project = Path(__file__).parents[2] / "dagster.yaml"
    copy = prepare_dagster_home(tmp_path) / "dagster.yaml"
    assert copy.read_text(encoding="utf-8") == project.read_text(encoding="utf-8")
