"""Database, doctor, status and backfill from the command line."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from cli.exits import ExitCode
from resources.store.embedded import EmbeddedPostgres

from .conftest import Shell, Town


@pytest.fixture
def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def empty_database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database without a single migration."""
    name = f"empty_{uuid4().hex}"
    with psycopg.connect(postgres.archive_url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield make_conninfo(postgres.archive_url, dbname=name)
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_a_database_is_migrated_once(
    shell: Shell,
    postgres: EmbeddedPostgres,
    empty_database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FACE_ARCHIVE_DATABASE_URL", empty_database_url)
    monkeypatch.setenv("FACE_ARCHIVE_DAGSTER_DATABASE_URL", postgres.dagster_url)
    assert not any(row["applied"] for row in shell.rows("db", "status"))
    too_early = shell.run("status")
    assert too_early.exit_code == ExitCode.PERSON_MUST_ACT
    assert "face-archive db migrate" in too_early.stderr
    applied = shell.rows("db", "migrate")
    assert all(row["applied"] for row in shell.rows("db", "status"))
    assert applied
    assert shell.rows("db", "migrate") == []


def test_a_database_that_does_not_answer_is_worth_another_try(
    installed: Shell, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    url = f"postgresql://me:very-secret@127.0.0.1:{free_port}/archive"
    monkeypatch.setenv("FACE_ARCHIVE_DATABASE_URL", url)
    result = installed.run("db", "status")
    assert result.exit_code == ExitCode.TRY_LATER
    assert "did not answer" in result.stderr
    assert "very-secret" not in result.output


def test_a_misspelt_setting_is_refused_by_every_command(
    installed: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACE_ARCHIVE_MIN_FACE", "3")
    for command in (("db", "status"), ("status",), ("chats", "list"), ("publish",), ("up",)):
        result = installed.run(*command)
        assert result.exit_code == ExitCode.USAGE
        assert "FACE_ARCHIVE_MIN_FACES" in result.stderr


def test_doctor_names_a_way_out_of_everything_that_fails(installed: Shell) -> None:
    result = installed.run("doctor")
    checks = {row["name"]: row for row in map(json.loads, result.stdout.splitlines())}
    assert result.exit_code == ExitCode.FAILED
    assert {name for name, row in checks.items() if row["state"] == "fail"} == {
        "application",
        "session",
    }
    assert checks["database"]["state"] == checks["model"]["state"] == "ok"
    assert checks["hub"]["state"] == "warn"
    assert all(row["way_out"] for row in checks.values() if row["state"] != "ok")


def test_doctor_reports_settings_that_cannot_be_used(
    installed: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACE_ARCHIVE_MIN_FACES", "0")
    result = installed.run("doctor")
    assert result.exit_code == ExitCode.FAILED
    assert json.loads(result.stdout)["state"] == "fail"


def test_doctor_tells_a_database_that_is_gone_from_one_without_migrations(
    installed: Shell, empty_database_url: str, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    monkeypatch.setenv("FACE_ARCHIVE_DATABASE_URL", empty_database_url)
    assert "face-archive db migrate" in _check(installed, "database")["way_out"]
    monkeypatch.setenv(
        "FACE_ARCHIVE_DATABASE_URL", f"postgresql://me@127.0.0.1:{free_port}/archive"
    )
    assert "FACE_ARCHIVE_DATABASE_URL" in _check(installed, "database")["way_out"]


def test_doctor_online_asks_for_session_and_rights(ada: Shell, town: Town) -> None:
    ada.rows("hub", "use", town.forum.id)
    checks = {row["name"]: row["state"] for row in ada.rows("doctor", "--online")}
    assert checks["telegram"] == checks["hub"] == "ok"
    town.sandbox.call(lambda running: running.restrict(town.forum, town.me, manage_topics=False))
    assert _check(ada, "hub", "--online")["state"] == "fail"
    town.sandbox.call(lambda running: running.revoke_sessions(town.me))
    assert "face-archive login" in _check(ada, "telegram", "--online")["finding"]


def test_status_shows_chats_totals_and_the_children_of_up(ada: Shell, town: Town) -> None:
    ada.rows("chats", "add", "@family_demo")
    ada.rows("chats", "allow", "Family", "--archive", "--yes", "--faces")
    rows = ada.rows("status", "--json")
    chat = next(row for row in rows if row["row"] == "chat")
    assert (chat["title"], chat["allowed"]) == ("Family", ["archive", "faces"])
    assert (chat["messages"], chat["known"], chat["windows"], chat["windows_read"]) == (0, 4, 1, 0)
    assert next(row for row in rows if row["row"] == "totals")["faces"] == 0
    assert not [row for row in rows if row["row"] == "process"]


def test_status_tells_a_living_child_of_up_from_a_dead_one(installed: Shell) -> None:
    run_folder = installed.folder / "data" / "run"
    run_folder.mkdir(parents=True)
    # Process 1 lives as long as the machine.
    (run_folder / "up.json").write_text('{"daemon": 1, "listener": null}', encoding="ascii")
    processes = [row for row in installed.rows("status") if row["row"] == "process"]
    assert [(row["name"], row["alive"]) for row in processes] == [
        ("daemon", True),
        ("listener", False),
    ]


def test_without_up_a_backfill_says_how_to_start_it(
    installed: Shell, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    monkeypatch.setenv("FACE_ARCHIVE_WEBSERVER_PORT", str(free_port))
    result = installed.run("backfill")
    assert result.exit_code == ExitCode.PERSON_MUST_ACT
    assert "face-archive up" in result.stderr


def _check(shell: Shell, name: str, *options: str) -> dict[str, str]:
    printed: list[dict[str, str]] = [
        json.loads(line) for line in shell.run("doctor", *options).stdout.splitlines()
    ]
    return next(row for row in printed if row["name"] == name)
