"""Reading the warehouse: what a question may do, and what it is told when it cannot be answered."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl
import pytest

from archive.errors import Permanent, Transient
from resources.warehouse.reading import Warehouse, warehouse_file
from tests.fixtures.marts import made_warehouse
from tests.fixtures.small_world import SMALL_WORLD

_WRITER = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("writing", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(made_warehouse(warehouse_file(tmp_path), SMALL_WORLD))


def rows(warehouse: Warehouse, sql: str, **parameters: object) -> list[tuple[object, ...]]:
    with warehouse.ask(sql, parameters) as answer:
        return list(answer.rows)


def test_a_question_is_answered_with_its_parameters(warehouse: Warehouse) -> None:
    assert rows(warehouse, "SELECT title FROM dim_chat WHERE messages > $least", least=9) == [
        ("Family",)
    ]


def test_times_are_told_in_utc_wherever_the_machine_stands(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    sql = "SELECT hour(max(seen_at)), max(seen_at)::VARCHAR FROM fct_appearance"
    assert rows(warehouse, sql) == [(12, "2026-11-11 12:00:00+00")]


def test_columns_that_are_called_alike_are_both_answered(warehouse: Warehouse) -> None:
    with warehouse.ask("SELECT 1 AS n, 2 AS n, 3 AS n") as answer:
        assert answer.columns == ("n", "n_1", "n_2")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('{secret}')",
        "SELECT * FROM '{secret}'",
        "SELECT * FROM read_csv('http://localhost:9/rows.csv')",
        "COPY dim_chat TO '{folder}/out.csv'",
        "EXPORT DATABASE '{folder}/out'",
        "ATTACH '{folder}/other.duckdb'",
        "SELECT * FROM glob('{folder}/*')",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "RESET lock_configuration",
        "SET temp_directory = '{folder}'",
        "PRAGMA enable_profiling",
        "INSERT INTO dim_chat (title) VALUES ('mine')",
        "DROP TABLE dim_chat",
        "CREATE TABLE mine AS SELECT 1",
    ],
)
def test_a_question_reaches_nothing_but_the_marts(
    warehouse: Warehouse, tmp_path: Path, sql: str
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret\n")
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(Permanent):
        rows(warehouse, sql.format(folder=tmp_path, secret=secret))

    assert sorted(tmp_path.rglob("*")) == before


def test_a_question_cannot_use_the_file_that_is_written_to_read_another(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a\n1\n")
    with pytest.raises(Permanent, match="Permission"):
        warehouse.save_parquet(f"FROM read_csv('{other}')", None, tmp_path / "out.parquet")
    assert {path.name for path in tmp_path.iterdir()} == {"warehouse", "other.csv"}


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT colour FROM dim_chat", "FROM nowhere"])
def test_what_is_wrong_with_a_question_is_said_in_one_line(warehouse: Warehouse, sql: str) -> None:
    with pytest.raises(Permanent) as caught:
        rows(warehouse, sql)
    assert "Error: " in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("sql", ["", "-- nothing", " ; "])
def test_no_question_at_all_is_said_to_be_none(warehouse: Warehouse, sql: str) -> None:
    with pytest.raises(Permanent, match="Nothing was asked"):
        rows(warehouse, sql)


def test_an_error_in_the_middle_of_the_rows_is_one_too(warehouse: Warehouse) -> None:
    with pytest.raises(Permanent, match="Conversion Error"):
        rows(
            warehouse, "SELECT CASE WHEN i < 90000 THEN 1 ELSE 'x'::INT END FROM range(100000) t(i)"
        )


def test_parquet_keeps_the_types_of_the_marts(warehouse: Warehouse, tmp_path: Path) -> None:
    output = tmp_path / "seen.parquet"
    warehouse.save_parquet(
        "SELECT seen_at, faces FROM fct_appearance WHERE chat_no = $chat", {"chat": "22"}, output
    )
    frame = pl.read_parquet(output)
    assert frame.schema == {"seen_at": pl.Datetime("us", "UTC"), "faces": pl.Int64}
    assert len(frame) == 2


def test_readers_of_one_process_do_not_get_into_each_others_way(warehouse: Warehouse) -> None:
    with warehouse.ask("FROM dim_chat") as one, warehouse.ask("FROM dim_identity") as other:
        assert (len(list(one.rows)), len(list(other.rows))) == (2, 4)
        with pytest.raises(Permanent, match="locked"):
            rows(warehouse, "SET TimeZone = 'Asia/Tokyo'")


def test_without_a_warehouse_the_way_to_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="`face-archive warehouse` builds it"):
        Warehouse(warehouse_file(tmp_path)).columns()


def test_a_file_that_is_no_warehouse_is_to_be_built_again(tmp_path: Path) -> None:
    file = tmp_path / "archive.duckdb"
    file.write_text("no database " * 1000)
    with pytest.raises(Permanent, match="build it again"):
        Warehouse(file).columns()


def test_a_warehouse_that_is_being_written_is_to_be_tried_again(warehouse: Warehouse) -> None:
    command = [sys.executable, "-c", _WRITER, str(warehouse.file)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as writer:
        assert writer.stdin
        assert writer.stdout
        assert writer.stdout.readline() == "writing\n"
        with pytest.raises(Transient, match="being built"):
            warehouse.columns()
        writer.stdin.write("\n")


def test_a_build_that_takes_its_place_is_read_by_the_next_question(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    fresh = made_warehouse(tmp_path / "building" / "archive.duckdb", {})
    with warehouse.ask("SELECT count(*) FROM dim_chat") as answer:
        fresh.replace(warehouse.file)
        assert list(answer.rows) == [(2,)]
    assert rows(warehouse, "SELECT count(*) FROM dim_chat") == [(0,)]


def test_marts_are_described_in_the_words_written_beside_them(warehouse: Warehouse) -> None:
    described = {(each.mart, each.name): each for each in warehouse.columns()}
    title = described["dim_chat", "title"]
    assert (title.mart_about, title.data_type, title.about) == (
        "One row a chat.",
        "varchar",
        "What it is called.",
    )
    assert described["dim_identity", "label"].about == ""


def test_what_a_question_makes_for_itself_is_no_mart(warehouse: Warehouse) -> None:
    with duckdb.connect(str(warehouse.file), read_only=True) as connection:
        connection.execute("CREATE TEMP TABLE mine AS SELECT 1")
        assert "mine" not in {each.mart for each in warehouse.columns()}
