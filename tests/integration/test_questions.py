"""The questions people ask, answered from a world that can be counted by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from resources.questions.asking import questions
from resources.warehouse.reading import Warehouse
from tests.fixtures.marts import made_warehouse
from tests.fixtures.small_world import ADA, BEN, CLUB, FAMILY, SMALL_WORLD, TODAY

Ask = Callable[..., list[dict[str, Any]]]
NAMES = list(questions())


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    file = tmp_path_factory.mktemp("warehouse") / "archive.duckdb"
    return Warehouse(made_warehouse(file, SMALL_WORLD))


@pytest.fixture
def ask(warehouse: Warehouse) -> Ask:
    def answer(name: str, *, limit: int = 20, **narrowed: Any) -> list[dict[str, Any]]:
        question = questions()[name]
        parameters = question.parameters(today=TODAY, limit=limit, **narrowed)
        with warehouse.ask(question.sql, parameters) as answer:
            return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]

    return answer


def column(rows: list[dict[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in rows]


@pytest.mark.parametrize("name", NAMES)
def test_a_question_has_a_title_and_a_sentence(name: str) -> None:
    question = questions()[name]
    assert question.title
    assert question.about.endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_archive_answers_every_question_with_nothing(name: str, tmp_path: Path) -> None:
    question = questions()[name]
    empty = Warehouse(made_warehouse(tmp_path / "archive.duckdb", {}))
    person = ADA if "person" in question.needs else None
    with empty.ask(
        question.sql, question.parameters(today=TODAY, limit=5, person=person)
    ) as answer:
        assert list(answer.rows) == []


@pytest.mark.parametrize("name", NAMES)
def test_nobody_who_is_hidden_is_in_an_answer(ask: Ask, name: str) -> None:
    person = {"person": ADA} if "person" in questions()[name].needs else {}
    assert "Shy" not in str(ask(name, **person, limit=100))


@pytest.mark.parametrize("name", [name for name in NAMES if "limit" in questions()[name].takes])
def test_no_ranking_is_longer_than_wanted(ask: Ask, name: str) -> None:
    assert len(ask(name, limit=1)) == 1


def test_who_appears_most_counts_contents_before_sendings(ask: Ask) -> None:
    rows = ask("top")
    assert column(rows, "person") == ["Ada", "Ben $x$ _b", "Person 3"]
    assert rows[0] | {"identity_id": ADA} == {
        "identity_id": ADA,
        "person": "Ada",
        "photos_and_videos": 3,
        "appearances": 4,
        "chats": 2,
        "first_seen": date(2026, 3, 2),
        "last_seen": date(2026, 3, 4),
    }


def test_who_appears_most_in_one_chat_or_since_a_day(ask: Ask) -> None:
    assert column(ask("top", chat=CLUB), "person") == ["Ada", "Person 3"]
    assert column(ask("top", since=date(2026, 3, 4)), "photos_and_videos") == [1, 1, 1]
    assert ask("top", chat=CLUB, since=date(2026, 3, 4))[0]["person"] == "Person 3"


def test_who_with_whom_gives_counts_and_lift(ask: Ask) -> None:
    rows = ask("together")
    assert column(rows, "with_whom") == ["Ben $x$ _b", "Person 3"]
    assert (rows[0]["together"], rows[0]["in_one_picture"], rows[0]["lift"]) == (3, 1, 12.0)
    assert len(ask("together", person=ADA)) == 1
    assert len(ask("together", person=BEN)) == 2


def test_who_disappeared_was_there_on_several_days_before(ask: Ask) -> None:
    (row,) = ask("gone")
    assert (row["person"], row["days_ago"]) == ("Ada", 261)
    assert ask("gone", since=date(2026, 3, 1)) == []


def test_who_is_new_was_never_seen_before_the_day(ask: Ask) -> None:
    assert column(ask("new"), "person") == ["Person 3"]
    assert len(ask("new", since=date(2026, 3, 3))) == 2


def test_the_busiest_month_is_first(ask: Ask) -> None:
    rows = ask("months")
    assert [(row["month"], row["messages"], row["people"]) for row in rows] == [
        ("2026-03", 32, 2),
        ("2026-11", 17, 2),
    ]
    assert column(ask("months", chat=CLUB), "messages") == [7, 2]
    assert column(ask("months", since=date(2026, 11, 30)), "month") == ["2026-11"]


def test_days_of_the_week_are_told_with_their_busiest_hour(ask: Ask) -> None:
    rows = ask("weekdays")
    assert column(rows, "weekday") == ["Monday", "Tuesday", "Wednesday"]
    assert column(rows, "appearances") == [1, 4, 2]
    assert sum(column(rows, "percent")) == pytest.approx(100, abs=0.2)
    assert (rows[1]["busiest_hour"], rows[1]["appearances_in_it"]) == ("09:00", 3)
    assert column(ask("weekdays", person=BEN, chat=FAMILY), "appearances") == [2]


def test_each_chat_names_whom_it_shows_most(ask: Ask) -> None:
    rows = {row["chat"]: row for row in ask("chats")}
    assert (rows["Family"]["people"], rows["Family"]["most_seen"]) == (2, "Ada")
    since = {row["chat"]: row for row in ask("chats", since=date(2026, 11, 11))}
    assert (since["Family"]["people"], since["Family"]["most_seen"]) == (0, None)
    assert since["Club"]["messages"] == 7


def test_a_timeline_goes_month_by_month(ask: Ask) -> None:
    (row,) = ask("timeline", person=ADA)
    assert row == {
        "month": "2026-03",
        "photos_and_videos": 3,
        "appearances": 4,
        "days": 3,
        "chats": 2,
    }
    assert column(ask("timeline", person=BEN), "month") == ["2026-03", "2026-11"]
    assert column(ask("timeline", person=ADA, chat=CLUB), "appearances") == [1]


def test_streaks_copies_and_health_are_told_longest_largest_and_worst_first(ask: Ask) -> None:
    assert column(ask("streaks"), "longest_streak_days") == [3, 1, 1]
    assert column(ask("copies"), "megabytes_saved") == [2.5, 0.0]
    assert column(ask("health"), "percent_read") == [75.0, 100.0]
    assert column(ask("health", chat=FAMILY), "windows") == ["4 of 4"]
