"""The pictures that Dagster shows of people."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

import dagster as dg
import pytest

from archive_assets.pictures import people_plots
from resources.plots.asking import Plot, Wanted, draw
from resources.plots.figures import as_png
from resources.settings import Settings
from resources.store.database import Database
from resources.toolbox import Toolbox
from tests.fixtures.marts import made_warehouse
from tests.fixtures.small_world import SMALL_WORLD


@pytest.fixture
def toolbox(database: Database, tmp_path: Path) -> Toolbox:
    return Toolbox(Settings(data_dir=tmp_path), database)


def test_dagster_shows_small_pictures_in_which_nobody_is_named(
    toolbox: Toolbox, ephemeral: dg.DagsterInstance
) -> None:
    made_warehouse(toolbox.warehouse.file, SMALL_WORLD)

    result = dg.materialize([people_plots], instance=ephemeral, resources={"toolbox": toolbox})

    (event,) = result.get_asset_materialization_events()
    shown = {name: str(entry.value) for name, entry in event.materialization.metadata.items()}
    assert set(shown) == {"people", "together", "calendar"}
    for kind in Plot:
        start = f"![{kind}](data:image/png;base64,"
        assert shown[kind].startswith(start)
        nameless = draw(kind, toolbox.warehouse, Wanted(names=False))
        assert b64decode(shown[kind][len(start) : -1]) == as_png(nameless, colours=24)
    assert sum(map(len, shown.values())) < 60_000


def test_without_a_warehouse_the_run_fails_with_the_way_to_one(
    toolbox: Toolbox, ephemeral: dg.DagsterInstance
) -> None:
    with pytest.raises(dg.Failure, match="face-archive warehouse"):
        dg.materialize([people_plots], instance=ephemeral, resources={"toolbox": toolbox})
