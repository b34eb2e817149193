"""Chats and their switches from the command line."""

import json
from pathlib import Path

import psycopg
import pytest

from cli.exits import ExitCode
from resources.store.database import Database
from tests.fakes.media import World

from .conftest import Shell, Town


def test_an_added_chat_has_every_switch_off(ada: Shell, town: Town) -> None:
    refs = ("@family_demo", town.news.id, town.forum.invite_link)
    added = ada.rows("chats", "add", *refs)
    assert [row["title"] for row in added] == ["Family", "News", "Ours"]
    assert [row["allowed"] for row in added] == [[], [], []]
    assert {row["title"] for row in ada.rows("chats", "list")} == {"Family", "News", "Ours"}


def test_allowing_plans_the_windows_and_says_what_follows(ada: Shell, town: Town) -> None:
    ada.rows("chats", "add", "@family_demo")
    result = ada.run("chats", "allow", "@family_demo", "--archive", "--yes", "--faces")
    assert result.exit_code == 0, result.output
    row = json.loads(result.stdout)
    assert row["allowed"] == ["archive", "faces"]
    assert row["new_windows"] == 1
    assert "newest first" in result.stderr
    assert [row["windows"] for row in ada.rows("chats", "list")] == [1]


def test_a_backfill_can_be_held_and_media_be_limited(ada: Shell, town: Town) -> None:
    ada.rows("chats", "add", town.family.id)
    options = ("--no-backfill", "--media-types", "photo, video", "--max-size-mb", "1.5")
    result = ada.run("chats", "allow", town.family.id, "--archive", "--yes", *options)
    assert json.loads(result.stdout)["held"]
    assert "face-archive backfill" in result.stderr


def test_allowing_without_a_switch_says_what_each_one_does(ada: Shell) -> None:
    result = ada.run("chats", "allow", "@family_demo")
    assert result.exit_code == ExitCode.USAGE
    assert all(name in result.stderr for name in ("--archive", "--faces", "--publish"))


def test_a_kind_of_media_that_does_not_exist_is_a_usage_error(ada: Shell) -> None:
    result = ada.run(
        "chats", "allow", "@family_demo", "--archive", "--yes", "--media-types", "sticker"
    )
    assert result.exit_code == ExitCode.USAGE
    assert "sticker" in result.stderr


def test_a_rule_that_forbids_a_switch_says_the_way_out(ada: Shell) -> None:
    ada.rows("chats", "add", "@family_demo")
    result = ada.run("chats", "allow", "@family_demo", "--faces")
    assert result.exit_code == ExitCode.PERSON_MUST_ACT
    assert "--archive" in result.stderr


def test_denying_asks_first_and_takes_what_depends_on_it_along(ada: Shell) -> None:
    ada.rows("chats", "add", "@family_demo")
    ada.rows("chats", "allow", "Family", "--archive", "--yes", "--faces", "--publish")
    refused = ada.run("chats", "deny", "Family", "--faces", typed="n\n")
    assert refused.exit_code == ExitCode.FAILED
    assert ada.rows("chats", "list")[0]["allowed"] == ["archive", "faces", "publish"]
    assert ada.rows("chats", "deny", "Family", "--faces", "--yes")[0]["allowed"] == ["archive"]
    assert ada.rows("chats", "deny", "Family", typed="y\n")[0]["allowed"] == []


def test_a_chat_nobody_knows_is_named_in_the_message(ada: Shell) -> None:
    result = ada.run("chats", "deny", "-1009999999999", "--yes")
    assert result.exit_code == ExitCode.PERSON_MUST_ACT
    assert "-1009999999999" in result.stderr


def test_a_revoked_session_leads_to_login(ada: Shell, town: Town) -> None:
    town.sandbox.call(lambda running: running.revoke_sessions(town.me))
    result = ada.run("chats", "add", "@family_demo")
    assert result.exit_code == ExitCode.PERSON_MUST_ACT
    assert "face-archive login" in result.stderr


def test_what_a_deletion_does_is_hide_until_it_is_set(ada: Shell) -> None:
    ada.rows("chats", "add", "@family_demo")
    assert ada.rows("chats", "list")[0]["on_deletion"] == "hide"
    set_to = ada.rows("chats", "allow", "Family", "--archive", "--yes", "--on-deletion", "erase")
    assert set_to[0]["on_deletion"] == "erase"
    ada.rows("chats", "allow", "Family", "--faces")
    assert ada.rows("chats", "list")[0]["on_deletion"] == "erase"


@pytest.mark.parametrize(("answer", "deleted"), [("--confirm", 3), ("--restore", 0)])
def test_a_burst_of_deletions_is_shown_and_decided(
    ada: Shell, database_url: str, answer: str, deleted: int
) -> None:
    ada.rows("chats", "add", "@family_demo")
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO messages (chat_no, message_id, kind, sent_at, raw)"
            " SELECT chat_no, id, 'text', now(), '{}' FROM chats, generate_series(2, 4) AS id"
            " WHERE title = 'Family'"
        )
        connection.execute(
            "INSERT INTO held_deletions (chat_no, message_id)"
            " SELECT chat_no, message_id FROM messages"
        )

    assert ada.rows("chats", "list")[0]["deletions_waiting"] == 3
    (status,) = [row for row in ada.rows("status", "--json") if row["row"] == "chat"]
    assert status["deletions_waiting"] == 3
    assert ada.rows("chats", "deletions", "Family")[0]["messages"] == 3
    assert ada.rows("chats", "deletions", "Family", answer)[0]["messages"] == 3

    assert ada.rows("chats", "deletions", "Family") == []
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT count(deleted_at) FROM messages").fetchone()
    assert row == (deleted,)


def test_deletions_cannot_be_confirmed_and_restored_at_once(ada: Shell) -> None:
    result = ada.run("chats", "deletions", "Family", "--confirm", "--restore")
    assert result.exit_code == ExitCode.USAGE


def test_accounts_are_listed_with_the_flood_that_holds(ada: Shell, database_url: str) -> None:
    assert ada.rows("accounts", "list")[0]["flood_until"] is None
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "UPDATE accounts SET flood_until = now() + interval '1 hour',"
            " flood_method = 'messages.getHistory'"
        )
    (shown,) = ada.rows("accounts", "list")
    assert shown["flood_until"].endswith("UTC")
    assert shown["flood_method"] == "messages.getHistory"
    (status,) = [row for row in ada.rows("status", "--json") if row["row"] == "account"]
    assert status["flood_until"] == shown["flood_until"]


async def test_switching_faces_off_counts_what_is_lost_and_asks_before_it_erases(
    installed: Shell, database: Database, tmp_path: Path
) -> None:
    world = World(database, tmp_path / "data" / "blobs")
    world.run("UPDATE chats SET added_at = now()")
    world.send(7, b"faces=2 seed=7")
    await world.pass_over()
    shell = installed

    (would,) = shell.rows("chats", "deny", 1, "--faces", "--dry-run")
    refused = shell.run("chats", "deny", 1, "--faces", typed="n\n")

    assert (would["contents"], would["faces"], would["people"]) == (1, 2, 0)
    assert "2 faces of 0 people in 1" in refused.stderr
    assert refused.exit_code == ExitCode.FAILED
    assert shell.rows("chats", "list")[0]["allowed"] == ["archive", "faces"]

    (denied,) = shell.rows("chats", "deny", 1, "--faces", typed="y\n")

    assert (denied["erased_contents"], denied["erased_faces"]) == (1, 2)
    assert denied["allowed"] == ["archive"]
    assert world.run("SELECT count(*) FROM faces") == [{"count": 0}]
