"""Failed files from the command line: seen, tried again, ignored."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive.errors import Transient
from cli.exits import ExitCode
from resources.store.database import Database
from tests.fakes.media import World

from .conftest import Shell


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    """Two photos: one waits for its next try, one was given up."""
    world = World(database, tmp_path / "blobs")
    for number in (7, 8):
        world.source.script[world.send(number, b"faces=1")] = Transient("cut off")
    await world.pass_over()
    world.run(
        "UPDATE media_products SET attempts = 5, retry_at = %s WHERE media_id = 'document:8'",
        world.now,
    )
    await world.pass_over()
    return world


def states(shell: Shell, *options: str) -> dict[str, str]:
    return {row["medium"]: row["state"] for row in shell.rows("failures", "list", *options)}


def test_the_list_says_what_waits_and_what_was_given_up(installed: Shell, world: World) -> None:
    rows = {row["medium"]: row for row in installed.rows("failures", "list")}

    assert rows["document:7"]["state"] == "waiting"
    assert rows["document:7"]["next_try"].endswith("UTC")
    assert (rows["document:8"]["state"], rows["document:8"]["attempts"]) == ("given_up", 6)
    assert rows["document:8"]["next_try"] is None


def test_show_has_the_whole_error(installed: Shell, world: World) -> None:
    (row,) = installed.rows("failures", "show", "document:8")

    assert (row["error"], row["chat"], row["message_id"]) == ("cut off", "A chat", 8)
    assert row["given_up_at"]


def test_a_file_in_a_topic_of_a_forum_is_shown_with_its_title(
    installed: Shell, world: World
) -> None:
    world.run("UPDATE messages SET topic_id = 3 WHERE message_id = 8")
    world.run(
        "INSERT INTO forum_topics (chat_no, topic_id, title, opened_at) "
        "SELECT chat_no, topic_id, 'Holiday', now() FROM messages WHERE message_id = 8"
    )

    topics = {row["medium"]: row["topic"] for row in installed.rows("failures", "list")}

    assert topics == {"document:7": None, "document:8": "Holiday"}


def test_retrying_all_opens_what_was_given_up_and_nothing_else(
    installed: Shell, world: World
) -> None:
    assert [row["medium"] for row in installed.rows("failures", "retry", "--all")] == ["document:8"]

    assert states(installed) == {"document:7": "waiting"}
    assert {state for (medium, _), state in world.ledger().items() if medium == "document:8"} == {
        "pending"
    }


def test_an_ignored_file_is_listed_only_on_demand(installed: Shell, world: World) -> None:
    installed.rows("failures", "ignore", "document:7", "document:8")

    assert states(installed) == {}
    assert states(installed, "--ignored") == {"document:7": "ignored", "document:8": "ignored"}


def test_a_file_that_did_not_fail_is_named_in_the_message(installed: Shell, world: World) -> None:
    result = installed.run("failures", "retry", "photo:1")

    assert result.exit_code == ExitCode.PERSON_MUST_ACT
    assert "photo:1" in result.stderr


def test_naming_nothing_is_a_usage_error(installed: Shell, world: World) -> None:
    assert installed.run("failures", "retry").exit_code == ExitCode.USAGE


def test_without_failures_a_program_gets_no_line(installed: Shell) -> None:
    assert installed.rows("failures", "list") == []
