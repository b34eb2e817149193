"""A change of models reaches what runs already: the next run and the next tick go by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from archive_assets.build import build_defs
from resources.store.faces import ensure_model
from resources.store.model_in_use import switch
from resources.toolbox import Toolbox
from resources.vision.factory import load_engine
from sensors.people import people_sensor
from sensors.runs import CHAT_WINDOW, WINDOW_JOB
from tests.defs.conftest import family_world
from tests.defs.test_assets import QUIET, windows_of
from tests.defs.test_sensors import evaluated
from tests.fixtures.installation import Install, Installation, shared_pack


@pytest.fixture
def with_a_pack(install: Install, shared_data: Path) -> Iterator[Installation]:
    """One chat of two windows, whose settings name a pack; dlib is always there beside it."""
    with install(family_world(), **shared_pack(shared_data)) as installation:
        yield installation


def model_of_a_run(installation: Installation, instance: dg.DagsterInstance, key: str) -> object:
    instance.add_dynamic_partitions(CHAT_WINDOW, [key])
    definitions = build_defs(resource_overrides={"toolbox": installation.toolbox})
    result = definitions.resolve_job_def(WINDOW_JOB).execute_in_process(
        QUIET, instance=instance, partition_key=key
    )
    (model,) = {
        event.materialization.metadata["model"].value
        for event in result.get_asset_materialization_events()
        if "model" in event.materialization.metadata
    }
    return model


def vectors(toolbox: Toolbox) -> dict[str, Any]:
    return {each.model: each.vectors for each in toolbox.holdings.by_model() if each.vectors}


def test_runs_and_sensors_go_by_another_model_from_its_change_on(
    with_a_pack: Installation, ephemeral: dg.DagsterInstance
) -> None:
    toolbox = with_a_pack.toolbox
    with_a_pack.set_up()
    first, second = windows_of(with_a_pack)

    assert model_of_a_run(with_a_pack, ephemeral, first) == "scrfd_mobilefacenet"
    assert vectors(toolbox) == {"scrfd_mobilefacenet": 1}
    before = evaluated(people_sensor, with_a_pack, ephemeral)
    assert isinstance(before, dg.SensorResult)
    quiet = evaluated(people_sensor, with_a_pack, ephemeral, before.cursor)
    assert isinstance(quiet, dg.SkipReason)

    with toolbox.database.transaction() as connection:
        ensure_model(connection, load_engine("dlib").model)
        switch(connection, "dlib")

    asked = evaluated(people_sensor, with_a_pack, ephemeral, before.cursor)
    assert isinstance(asked, dg.SensorResult)
    assert model_of_a_run(with_a_pack, ephemeral, second) == "dlib"
    assert vectors(toolbox) == {"dlib": 1, "scrfd_mobilefacenet": 1}
