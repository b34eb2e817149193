"""Pictures of people: the same numbers give the same file, and names do no harm."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import pytest
from PIL import Image

from resources.plots.asking import Plot, Wanted, draw
from resources.plots.figures import as_png, as_svg, drawable
from resources.plots.people import Dot, Line, Pair, over_time, together
from resources.warehouse.reading import Warehouse
from tests.fixtures.marts import made_warehouse
from tests.fixtures.small_world import ADA, SMALL_WORLD


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    file = tmp_path_factory.mktemp("warehouse") / "archive.duckdb"
    return Warehouse(made_warehouse(file, SMALL_WORLD))


def texts(kind: Plot, warehouse: Warehouse, wanted: Wanted) -> str:
    """Give all that is written in a picture."""
    from matplotlib.text import Text

    found = draw(kind, warehouse, wanted).findobj(Text)
    return "\n".join(text.get_text() for text in found if isinstance(text, Text))


@pytest.mark.parametrize("kind", Plot)
def test_the_same_numbers_give_the_same_file(kind: Plot, warehouse: Warehouse) -> None:
    for file_of in (as_png, as_svg):
        one, other = (file_of(draw(kind, warehouse, Wanted())) for _ in range(2))
        assert one == other


@pytest.mark.parametrize("kind", Plot)
def test_a_picture_is_small_enough_for_the_event_log(kind: Plot, warehouse: Warehouse) -> None:
    png = as_png(draw(kind, warehouse, Wanted()))
    assert Image.open(io.BytesIO(png)).width > 500
    assert len(png) < 40_000


@pytest.mark.parametrize("kind", Plot)
def test_an_archive_without_people_has_an_empty_picture(kind: Plot, tmp_path: Path) -> None:
    empty = Warehouse(made_warehouse(tmp_path / "archive.duckdb", {}))
    assert as_png(draw(kind, empty, Wanted())).startswith(b"\x89PNG")


@pytest.mark.parametrize("kind", [Plot.PEOPLE, Plot.TOGETHER])
def test_people_are_called_by_their_names_only_where_that_is_wanted(
    kind: Plot, warehouse: Warehouse
) -> None:
    named, unnamed = (texts(kind, warehouse, Wanted(names=names)) for names in (True, False))
    assert "Ada" in named
    assert "Ada" not in unnamed
    assert f"Person {ADA[:8]}" in unnamed
    assert "Person 3" in named
    assert "Shy" not in named


def test_people_beyond_the_limit_are_drawn_together(warehouse: Warehouse) -> None:
    written = texts(Plot.PEOPLE, warehouse, Wanted(limit=1))
    assert "Ada" in written
    assert "everybody else" in written
    assert "Ben" not in written


def test_a_picture_shows_only_what_it_is_narrowed_to(warehouse: Warehouse) -> None:
    assert "Ada" not in texts(Plot.PEOPLE, warehouse, Wanted(since=date(2026, 11, 1)))
    assert "Person 3" not in texts(Plot.TOGETHER, warehouse, Wanted(person=ADA))
    whole = as_png(draw(Plot.CALENDAR, warehouse, Wanted()))
    assert as_png(draw(Plot.CALENDAR, warehouse, Wanted(person=ADA))) != whole


@pytest.mark.parametrize("name", ["$x$ \\frac{", "_hidden", "李小龍 😀", "نورا", "a\nb", "🇩🇪"])
def test_any_name_can_be_drawn(name: str) -> None:
    title = drawable(name, "Person 7")
    as_png(over_time([Line(title, {date(2026, 1, 1): 1})], 1, title))
    as_png(together([Pair("a", "b", 1)], {"a": Dot(title, 1), "b": Dot("b", 1)}, title))


def test_a_name_without_a_letter_that_can_be_drawn_is_replaced() -> None:
    assert drawable("\U0001f1e9\U0001f1ea", "Person 7") == "Person 7"
    assert drawable("Zoë \U0001f1e9\U0001f1ea  B", "Person 7") == "Zoë B"


def test_two_people_of_one_name_stay_two() -> None:
    people = {"a": Dot("Anna", 1), "b": Dot("Anna", 2)}
    figure = together([Pair("a", "b", 1)], people, "")
    assert len([text for text in figure.axes[0].texts if text.get_text() == "Anna"]) == 2
