"""The questions and the pictures, asked of a warehouse that dbt built."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from archive_assets.dbt_graph import Graph, prepared
from resources.plots.asking import Plot, Wanted, draw
from resources.plots.figures import as_png
from resources.questions.asking import questions
from resources.warehouse.reading import MartColumn, Warehouse
from tests.fixtures.marts import made_warehouse
from tests.integration.analytics.conftest import Built
from tests.integration.analytics.reference import Reference, Tables


def asked(built: Built, name: str, **narrowed: Any) -> list[dict[str, Any]]:
    question = questions()[name]
    today = datetime.now(UTC).date()
    parameters = question.parameters(today=today, limit=1000, **narrowed)
    with built.warehouse.ask(question.sql, parameters) as answer:
        return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


def of_each_mart(columns: list[MartColumn]) -> dict[str, list[tuple[str, str]]]:
    marts = defaultdict(list)
    for column in columns:
        marts[column.mart].append((column.name, column.data_type))
    return dict(marts)


def test_marts_made_by_hand_have_the_columns_of_those_that_are_built(
    built: Built, tmp_path: Path
) -> None:
    made = Warehouse(made_warehouse(tmp_path / "archive.duckdb", {}))
    assert of_each_mart(made.columns()) == of_each_mart(built.warehouse.columns())


def test_the_types_that_dagster_shows_are_those_that_are_built(built: Built) -> None:
    names = {"text": "varchar", "timestamptz": "timestamp with time zone"}
    shown = {
        model.name: [(name, names.get(kind, kind)) for name, kind, _ in model.columns]
        for model in Graph.read(prepared()).models
    }
    for mart, columns in of_each_mart(built.warehouse.columns()).items():
        assert shown[mart] == columns


@pytest.mark.parametrize("name", list(questions()))
def test_every_question_has_an_answer(built: Built, name: str) -> None:
    most = asked(built, "top")[0]["identity_id"]
    person = {"person": most} if "person" in questions()[name].needs else {}
    rows = asked(built, name, **person)
    # Nobody of this world is new or gone for long.
    assert rows or name in {"gone", "new"}


def test_who_appears_most_is_who_the_archive_says_it_is(built: Built) -> None:
    reference = Reference(Tables.read(built.toolbox.database))
    contents: dict[str, set[str]] = defaultdict(set)
    for person, content, *_ in reference.appearances():
        contents[person].add(content)
    expected = {
        person: len(shown)
        for person, shown in contents.items()
        if reference.people[person]["state"] != "hidden"
    }
    rows = asked(built, "top")
    assert {row["identity_id"]: row["photos_and_videos"] for row in rows} == expected
    assert [row["photos_and_videos"] for row in rows] == sorted(expected.values(), reverse=True)


@pytest.mark.parametrize("kind", Plot)
def test_every_picture_can_be_drawn(built: Built, kind: Plot) -> None:
    assert as_png(draw(kind, built.warehouse, Wanted())).startswith(b"\x89PNG")
