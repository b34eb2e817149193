"""The run's `redo`: what a window makes again, at which cost, and that people keep their faces."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest

from archive_assets.build import build_defs
from sensors.runs import CHAT_WINDOW, WINDOW_JOB
from tests.defs.test_assets import QUIET, windows_of
from tests.fixtures.installation import Installation


def run_redo(
    installation: Installation, instance: dg.DagsterInstance, key: str, redo: str | None = None
) -> dg.ExecuteInProcessResult:
    config = {"ops": {"media_pass": {"config": {"redo": redo}}}} if redo else {}
    instance.add_dynamic_partitions(CHAT_WINDOW, [key])
    definitions = build_defs(resource_overrides={"toolbox": installation.toolbox})
    return definitions.resolve_job_def(WINDOW_JOB).execute_in_process(
        QUIET | config, instance=instance, partition_key=key
    )


def fetched(result: dg.ExecuteInProcessResult) -> set[Any]:
    return {
        event.materialization.metadata["files_fetched"].value
        for event in result.get_asset_materialization_events()
        if "files_fetched" in event.materialization.metadata
    }


def rows(installation: Installation, statement: str) -> list[tuple[Any, ...]]:
    with installation.toolbox.database.transaction() as connection:
        return connection.execute(statement.encode()).fetchall()


def test_a_run_makes_again_what_it_is_asked_to_and_keeps_the_faces(
    opted_in: Installation, ephemeral: dg.DagsterInstance
) -> None:
    (key, _) = windows_of(opted_in)
    assert fetched(run_redo(opted_in, ephemeral, key)) == {1}
    faces = rows(opted_in, "SELECT * FROM faces ORDER BY face_id")
    assert faces
    with opted_in.toolbox.database.transaction() as connection:
        connection.execute("UPDATE media_products SET producer = 'older' WHERE product = 'faces'")

    found = [
        (redo, fetched(run_redo(opted_in, ephemeral, key, redo)))
        for redo in (None, "stale", "stale", "all")
    ]

    assert found == [
        (None, {0}),
        ("stale", {1}),
        ("stale", {0}),
        ("all", {1}),
    ]
    assert rows(opted_in, "SELECT * FROM faces ORDER BY face_id") == faces
    assert rows(opted_in, "SELECT DISTINCT state FROM media_products") == [("done",)]
    with pytest.raises(dg.DagsterInvalidConfigError):
        run_redo(opted_in, ephemeral, key, "everything")
