"""Archives to make warehouses of, and one warehouse that was built by the real assets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from psycopg.conninfo import make_conninfo

from archive_assets.analytics import build_marts, warehouse_snapshots
from resources.settings import Settings
from resources.store.database import Database
from resources.store.embedded import EmbeddedPostgres
from resources.toolbox import Toolbox
from resources.warehouse.reading import Warehouse, warehouse_file
from tests.fixtures.postgres import fresh_database
from tests.integration.analytics.world import World, fill


@dataclass(frozen=True)
class Built:
    """A warehouse, and what it was built of.

    Attributes:
        since: When its build began; it ended at `until`.
    """

    toolbox: Toolbox
    world: World
    warehouse: Warehouse
    result: dg.ExecuteInProcessResult
    since: datetime
    until: datetime

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the marts."""
        with self.warehouse.ask(sql) as answer:
            return list(answer.rows)


def toolbox_of(database: Database, folder: Path) -> Toolbox:
    return Toolbox(Settings.load(None, {"FACE_ARCHIVE_DATA_DIR": str(folder)}), database)


def build(toolbox: Toolbox) -> dg.ExecuteInProcessResult:
    """Materialize the analytics as a run does."""
    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize(
            [warehouse_snapshots, build_marts()],
            instance=instance,
            resources={"toolbox": toolbox},
            raise_on_error=False,
        )


@pytest.fixture(scope="session")
def built(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """The warehouse of the whole world, built once: dbt takes seconds."""
    folder = tmp_path_factory.mktemp("analytics")
    with fresh_database(postgres) as name:
        url = make_conninfo(postgres.archive_url, dbname=name)
        with Database(url) as database:
            with database.transaction() as connection:
                world = fill(connection)
            toolbox = toolbox_of(database, folder)
            since = datetime.now(UTC)
            result = build(toolbox)
            warehouse = Warehouse(warehouse_file(folder))
            yield Built(toolbox, world, warehouse, result, since, datetime.now(UTC))
