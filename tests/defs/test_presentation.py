"""Dagster as a front end: whoever opens the graph can read it, whatever is added to it."""

from __future__ import annotations

import dagster as dg
import psycopg
import pytest

from archive_assets.build import build_defs
from archive_assets.media import thumbnails_key
from archive_assets.presentation import COLUMN_SCHEMA, OWNER, TABLES

# Files, not rows: they have no columns.
FILES = {"thumbnails", "warehouse_snapshots", "people_plots"}

_COLUMNS = """
SELECT column_name, data_type FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = %s
"""


@pytest.fixture(scope="module")
def graph() -> dg.AssetGraph:
    return build_defs().resolve_asset_graph()


def nodes(graph: dg.AssetGraph) -> dict[str, dg.AssetSpec]:
    return {
        spec.key.to_user_string(): spec
        for assets in graph.assets_defs
        for spec in assets.specs
        if assets.is_executable
    }


def unreadable(text: str | None) -> bool:
    """Whether a description is missing, or no sentence."""
    return not text or len(text.split()) < 3 or not text.rstrip().endswith((".", ")"))


def test_every_asset_says_in_a_sentence_what_it_is(graph: dg.AssetGraph) -> None:
    assert [name for name, spec in nodes(graph).items() if unreadable(spec.description)] == []


def test_every_asset_is_in_a_group_and_has_kinds_and_an_owner(graph: dg.AssetGraph) -> None:
    for name, spec in nodes(graph).items():
        assert spec.group_name not in (None, "default"), name
        assert spec.kinds, name
        assert list(spec.owners) == [OWNER], name


def test_every_asset_that_is_a_table_shows_its_columns_with_their_meaning(
    graph: dg.AssetGraph,
) -> None:
    for name, spec in nodes(graph).items():
        if name in FILES:
            continue
        schema = spec.metadata.get(COLUMN_SCHEMA)
        assert isinstance(schema, dg.TableSchema), name
        assert schema.columns, name
        for column in schema.columns:
            assert column.description, (name, column.name)


@pytest.mark.parametrize("asset", TABLES)
def test_the_columns_that_are_shown_are_those_of_the_database(
    asset: str, database_url: str
) -> None:
    table = TABLES[asset]
    with psycopg.connect(database_url) as connection:
        there = dict(connection.execute(_COLUMNS, [table.name]).fetchall())
    declared = {name: kind for name, (kind, _) in table.columns.items()}
    assert declared == {name: there.get(name) for name in declared}


def test_every_check_says_in_a_sentence_what_holds_when_it_is_green(graph: dg.AssetGraph) -> None:
    specs = [graph.get_check_spec(key) for key in graph.asset_check_keys]
    assert specs
    assert [spec.name for spec in specs if unreadable(spec.description)] == []


def test_every_job_schedule_and_sensor_says_what_it_does() -> None:
    definitions = build_defs()
    repository = definitions.get_repository_def()
    described = [
        *(job for job in repository.get_all_jobs() if not job.name.startswith("__")),
        *repository.schedule_defs,
        *repository.sensor_defs,
    ]
    assert [each.name for each in described if unreadable(each.description)] == []


def test_lineage_goes_from_messages_to_topics_and_small_pictures(graph: dg.AssetGraph) -> None:
    topics = dg.AssetSelection.assets("published_topics").upstream().resolve(graph)
    assert {key.to_user_string() for key in topics} == {
        *("chat_history", "extracted_faces", "face_embeddings"),
        *("identity_clusters", "published_topics"),
    }
    assert graph.get(thumbnails_key).parent_keys == {dg.AssetKey("chat_history")}


def test_nothing_is_shown_of_a_table_that_no_asset_fills(graph: dg.AssetGraph) -> None:
    assert set(TABLES) <= set(nodes(graph))
