"""Accounts from the command line: rest, departure, and files that only a passphrase opens."""

from __future__ import annotations

import socket

import pytest

from cli.exits import ExitCode
from resources.telegram.sessions import Lane

from .conftest import CODE, PHONE, Shell, Town

PASSPHRASE = "correct horse battery"


def revoke(town: Town) -> None:
    town.sandbox.call(lambda sandbox: sandbox.revoke_sessions(town.me))


def sessions(town: Town) -> int:
    return town.sandbox.call(lambda sandbox: sandbox.sessions_of(town.me))


def test_a_paused_account_connects_nowhere_until_it_is_resumed(ada: Shell, town: Town) -> None:
    (paused,) = ada.rows("accounts", "pause")
    assert (paused["account"], paused["state"]) == (town.me.id, "paused")
    asked = town.sandbox.call(lambda sandbox: len(sandbox.state.request_log))

    refused = ada.run("chats", "add", "@family_demo")

    assert refused.exit_code == ExitCode.PERSON_MUST_ACT
    assert f"face-archive accounts resume {town.me.id}" in refused.stderr
    assert town.sandbox.call(lambda sandbox: len(sandbox.state.request_log)) == asked

    (resumed,) = ada.rows("accounts", "resume", town.me.id)
    assert resumed["state"] == "active"
    assert ada.rows("chats", "add", "@family_demo")
    assert ada.rows("accounts", "list")[0]["last_active"]


def test_a_backfill_of_a_chat_whose_account_rests_says_so(ada: Shell, town: Town) -> None:
    ada.rows("chats", "add", "@family_demo")
    ada.rows("chats", "allow", "@family_demo", "--archive", "--yes")
    ada.rows("accounts", "pause")
    named = ada.run("backfill", "@family_demo", "--dry-run")
    assert named.exit_code == ExitCode.PERSON_MUST_ACT
    assert "is paused" in named.stderr
    of_all = ada.run("backfill", "--dry-run")
    assert of_all.exit_code == 0, of_all.output
    assert "Left out: Account" in of_all.stderr


def test_a_revoked_session_says_what_to_do_and_shows_in_the_list_until_the_next_login(
    ada: Shell, town: Town
) -> None:
    revoke(town)
    first = ada.run("chats", "add", "@family_demo")
    assert first.exit_code == ExitCode.PERSON_MUST_ACT
    assert "face-archive login" in first.stderr
    (row,) = ada.rows("accounts", "list")
    assert row["state"] == "error"
    assert "face-archive login" in row["reason"]

    ada.rows("login", "--phone", PHONE, typed=f"{CODE}\n")
    (row,) = ada.rows("accounts", "list")
    assert (row["state"], row["reason"]) == ("active", None)
    assert ada.rows("chats", "add", "@family_demo")


def test_a_removed_account_leaves_no_session_anywhere_and_its_chats_as_they_were(
    ada: Shell, town: Town
) -> None:
    ada.rows("chats", "add", "@family_demo")
    (would,) = ada.rows("accounts", "remove", town.me.id, "--dry-run")
    assert (would["chats"], would["handed_over"]) == (1, 0)
    assert sessions(town) == len(Lane)

    ended = ada.rows("accounts", "remove", town.me.id, "--yes")

    assert [row["ended"] for row in ended] == [True] * len(Lane)
    assert sessions(town) == 0
    assert list((ada.folder / "data" / "sessions").iterdir()) == []
    assert ada.rows("accounts", "list") == []
    (chat,) = (row for row in ada.rows("status") if row["row"] == "chat")
    assert chat["state"] == "lost: its account was removed"


def test_a_logout_that_telegram_does_not_hear_of_says_where_to_end_the_sessions(
    ada: Shell, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        monkeypatch.setenv("FACE_ARCHIVE_TELEGRAM_SERVER", f"127.0.0.1:{port}")
        result = ada.run("logout", "--yes")
    assert result.exit_code == ExitCode.PERSON_MUST_ACT
    assert "Settings → Devices" in result.stderr
    assert list((ada.folder / "data" / "sessions").iterdir()) == []
    assert ada.rows("accounts", "list")[0]["state"] == "error"


def test_protected_sessions_need_the_passphrase(
    ada: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACE_ARCHIVE_SESSION_PASSPHRASE", PASSPHRASE)
    before = ada.run("chats", "add", "@family_demo")
    assert before.exit_code == ExitCode.PERSON_MUST_ACT
    assert "face-archive accounts protect" in before.stderr

    (done,) = ada.rows("accounts", "protect")
    assert done["protected"] == len(Lane)
    assert ada.rows("chats", "add", "@family_demo")

    monkeypatch.setenv("FACE_ARCHIVE_SESSION_PASSPHRASE", "another one")
    wrong = ada.run("chats", "add", "@family_demo")
    assert wrong.exit_code == ExitCode.PERSON_MUST_ACT
    assert "is not the passphrase" in wrong.stderr
    assert "another one" not in wrong.output

    monkeypatch.setenv("FACE_ARCHIVE_SESSION_PASSPHRASE", PASSPHRASE)
    assert ada.rows("accounts", "unprotect")
    monkeypatch.delenv("FACE_ARCHIVE_SESSION_PASSPHRASE")
    assert ada.rows("chats", "add", "@family_demo")
