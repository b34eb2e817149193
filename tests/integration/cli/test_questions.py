"""Asking from the command line: SQL, the questions, and pictures."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path

import polars as pl
import psycopg
import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.exits import ExitCode
from cli.warehouse_answers import deliver
from resources.questions.asking import questions
from resources.warehouse.reading import Warehouse, warehouse_file
from tests.fixtures.marts import MARTS, made_warehouse
from tests.fixtures.small_world import ADA, CLUB, SMALL_WORLD
from tests.integration.cli.conftest import Shell


@pytest.fixture
def asking(shell: Shell) -> Shell:
    """A shell beside a warehouse; there is no database."""
    made_warehouse(warehouse_file(shell.folder / "data"), SMALL_WORLD)
    return shell


def test_a_query_prints_rows_for_a_program(asking: Shell) -> None:
    assert asking.rows("query", "SELECT title, messages FROM dim_chat ORDER BY 1") == [
        {"title": "Club", "messages": 9},
        {"title": "Family", "messages": 40},
    ]


def test_a_query_can_come_through_a_pipe(asking: Shell) -> None:
    (row,) = asking.rows("query", "-", typed="SELECT count(*) AS chats\nFROM dim_chat")
    assert row == {"chats": 2}


def test_csv_has_a_header_and_quotes_what_needs_it(asking: Shell) -> None:
    sql = "SELECT 'a, \"b\"\nc' AS text, NULL AS nothing, 0.25 AS share"
    printed = asking.run("query", sql, "--format", "csv").stdout
    assert list(csv.reader(io.StringIO(printed))) == [
        ["text", "nothing", "share"],
        ['a, "b"\nc', "", "0.25"],
    ]


def test_the_ending_of_a_file_names_its_format(asking: Shell) -> None:
    for ending in ("csv", "json", "parquet"):
        asking.rows("query", "FROM dim_chat ORDER BY title", "--output", f"chats.{ending}")
    assert pl.read_csv(asking.folder / "chats.csv")["title"].to_list() == ["Club", "Family"]
    assert pl.read_ndjson(asking.folder / "chats.json")["messages"].to_list() == [9, 40]
    assert pl.read_parquet(asking.folder / "chats.parquet")["kind"].to_list() == [
        "channel",
        "supergroup",
    ]
    assert not list(asking.folder.glob("*.new"))


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_a_limit_holds_for_a_file_too(asking: Shell, ending: str) -> None:
    asking.rows("query", "FROM range(5)", "--limit", "2", "--output", f"rows.{ending}")
    read = {"csv": pl.read_csv, "json": pl.read_ndjson, "parquet": pl.read_parquet}
    assert len(read[ending](asking.folder / f"rows.{ending}")) == 2


def test_a_question_that_fails_leaves_the_file_of_the_one_before(asking: Shell) -> None:
    file = asking.folder / "rows.csv"
    file.write_text("before")
    failing = "SELECT CASE WHEN i < 9000 THEN 1 ELSE 'x'::INT END FROM range(9999) t(i)"
    assert asking.run("query", failing, "--output", "rows.csv").exit_code == 4
    assert file.read_text() == "before"
    assert {path.name for path in asking.folder.iterdir()} == {"data", "rows.csv"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("query",),
        ("query", "SELECT 1", "--tables"),
        ("query", "SELECT 1", "--output", "rows.xlsx"),
        ("query", "SELECT 1", "--format", "parquet"),
        ("query", "SELECT 1", "--output", "nowhere/rows.csv"),
        ("stats", "plot", "people", "--output", "nowhere/people.png"),
        ("stats", "plot", "people", "--output", "people.gif"),
        ("stats", "plot", "people", "--output", "people.png", "--person", "Ada"),
        ("stats", "timeline"),
    ],
    ids=" ".join,
)
def test_what_makes_no_sense_is_wrong_usage(asking: Shell, arguments: tuple[str, ...]) -> None:
    assert asking.run(*arguments).exit_code == ExitCode.USAGE


def test_an_error_of_a_query_is_one_line_and_names_the_way(asking: Shell) -> None:
    result = asking.run("query", "SELECT colour FROM dim_chat")
    assert result.exit_code == ExitCode.PERSON_MUST_ACT
    assert len(result.stderr.splitlines()) == 1
    assert "colour" in result.stderr


def test_without_a_warehouse_a_query_says_how_to_get_one(shell: Shell) -> None:
    result = shell.run("query", "SELECT 1")
    assert result.exit_code == ExitCode.PERSON_MUST_ACT
    assert "face-archive warehouse" in result.stderr


def test_the_marts_are_listed_with_their_columns_and_documentation(asking: Shell) -> None:
    listed = asking.rows("query", "--tables")
    assert {row["table"] for row in listed} == set(MARTS)
    about = {(row["table"], row["column"]): row["about"] for row in listed}
    assert about["dim_chat", None] == "One row a chat."
    assert about["dim_chat", "title"] == "What it is called."


def test_a_terminal_gets_a_table_of_the_first_rows_and_is_told_of_more(
    asking: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    warehouse = Warehouse(warehouse_file(asking.folder / "data"))
    deliver(warehouse, "SELECT i, i * 0.5e0 AS half FROM range(101) t(i)", form=None, output=None)
    printed = capsys.readouterr()
    rows = [line.split() for line in printed.out.splitlines() if ".5" in line]
    assert [row[3] for row in rows[-1:]] == ["49.5"]
    assert len(rows) == 50
    assert "--output" in printed.err


def test_without_a_question_stats_lists_them(asking: Shell) -> None:
    listed = asking.rows("stats")
    assert [row["question"] for row in listed] == list(questions())
    assert len(listed) >= 10


def test_a_question_has_the_options_that_it_can_be_narrowed_by() -> None:
    for name, question in questions().items():
        printed = CliRunner().invoke(app, ["stats", name, "--help"], env={"COLUMNS": "200"}).output
        for option in ("chat", "person", "since", "limit"):
            assert (f"--{option} " in printed) == (option in question.takes), (name, option)


def test_who_appears_most_is_answered(asking: Shell) -> None:
    rows = asking.rows("stats", "top", "--limit", "2", "--since", "2026-03-03")
    assert [row["person"] for row in rows] == ["Ada", "Ben $x$ _b"]


def test_a_chat_and_a_person_are_meant_as_everywhere_else(
    installed: Shell, database_url: str
) -> None:
    made_warehouse(warehouse_file(installed.folder / "data"), SMALL_WORLD)
    with psycopg.connect(database_url) as connection:
        connection.execute("INSERT INTO accounts (account_id, name) VALUES (1, 'Mia')")
        connection.execute(
            "INSERT INTO chats (chat_no, chat_id, account_id, kind, id_space, title, added_at)"
            " VALUES (%s, -22, 1, 'channel', 'own', 'Rowing club', now())",
            (int(CLUB),),
        )
        connection.execute(
            "INSERT INTO models (name, kind, licence, commercial_use, dims, thresholds)"
            " VALUES ('made', 'insightface', 'none', true, 4, '{}')"
        )
        connection.execute(
            "INSERT INTO identities (identity_id, number, model, label)"
            " VALUES (%s, 12, 'made', 'Ada')",
            (ADA,),
        )
    for person in ("Ada", "12", "#12", ADA):
        (month,) = installed.rows("stats", "timeline", "--person", person)
        assert month["appearances"] == 4
    both = ("--person", "ada", "--chat", "rowing club")
    (month,) = installed.rows("stats", "timeline", *both)
    assert month["appearances"] == 1
    assert len(installed.rows("stats", "top", "--chat", "rowing")) == 2
    assert installed.run("stats", "top", "--chat", "nowhere").exit_code == 4


def test_an_answer_can_go_to_a_file(asking: Shell) -> None:
    asking.rows("stats", "gone", "--since", "2026-06-01", "--output", "gone.parquet")
    frame = pl.read_parquet(asking.folder / "gone.parquet")
    assert frame["person"].to_list() == ["Ada"]


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_a_picture_goes_to_its_file(asking: Shell, ending: str) -> None:
    output = Path(f"people.{ending}")
    asking.rows("stats", "plot", "people", "--output", output, "--no-names")
    starts = {"png": b"\x89PNG", "svg": b"<?xml"}
    assert (asking.folder / output).read_bytes().startswith(starts[ending])


def test_asking_loads_neither_dagster_nor_what_draws(asking: Shell) -> None:
    program = (
        "import sys; from cli.app import app; app(['query', 'SELECT 1'], standalone_mode=False); "
        "sys.exit(any(name in sys.modules for name in ('dagster', 'dbt', 'matplotlib')))"
    )
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", program], cwd=root, check=True, capture_output=True)
