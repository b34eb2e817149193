"""The build of the warehouse as Dagster runs it."""

from __future__ import annotations

import shutil
from pathlib import Path

import dagster as dg

from archive_assets.analytics import build_marts
from tests.integration.analytics.conftest import Built, toolbox_of


def test_every_model_is_built_and_every_test_of_it_holds(built: Built) -> None:
    assert built.result.success
    checks = built.result.get_asset_check_evaluations()
    assert {check.asset_check_key.name for check in checks if not check.passed} == set()
    names = {check.asset_check_key.name for check in checks}
    assert len(names) > 80
    assert {"no_appearance_where_faces_are_off", "no_erased_person_anywhere"} <= names


def test_each_mart_says_how_many_rows_it_has(built: Built) -> None:
    events = built.result.asset_materializations_for_node("warehouse_marts")
    counts = {
        event.asset_key.to_user_string(): event.metadata["dagster/row_count"].value
        for event in events
        if "dagster/row_count" in event.metadata
    }
    for mart in ("dim_identity", "fct_appearance", "co_appearance", "chat_activity"):
        assert [(counts[mart],)] == built.rows(f"SELECT count(*) FROM {mart}")


def test_nothing_but_the_warehouse_and_the_snapshots_stays_of_a_build(built: Built) -> None:
    folder = built.warehouse.file.parent
    assert {path.name for path in folder.iterdir()} == {"archive.duckdb", "snapshots"}


def test_a_build_whose_tests_fail_leaves_the_warehouse_as_it_was(
    built: Built, tmp_path: Path
) -> None:
    shutil.copytree(built.warehouse.file.parent, tmp_path / "warehouse")
    people = tmp_path / "warehouse" / "snapshots" / "identities"
    shutil.copyfile(people / "0_0000000000_0.parquet", people / "twice.parquet")
    before = (tmp_path / "warehouse" / "archive.duckdb").read_bytes()
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [build_marts()],
            instance=instance,
            resources={"toolbox": toolbox_of(built.toolbox.database, tmp_path)},
            raise_on_error=False,
        )
    assert not result.success
    failed = [c for c in result.get_asset_check_evaluations() if not c.passed]
    assert "unique_stg_identities_identity_id" in {c.asset_check_key.name for c in failed}
    assert result.asset_materializations_for_node("warehouse_marts") == []
    folder = tmp_path / "warehouse"
    assert (folder / "archive.duckdb").read_bytes() == before
    assert {path.name for path in folder.iterdir()} == {"archive.duckdb", "snapshots"}
