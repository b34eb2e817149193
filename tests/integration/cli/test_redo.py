"""Making again from the command line: what is meant, what it costs, and that it is asked first."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.exits import ExitCode
from resources.store.database import Database
from resources.store.history import HistoryStore
from tests.fakes.media import World

from .conftest import Shell

WINDOWS = ("1_0000000001_0000000010", "1_0000000011_0000000020")


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    """A chat of two windows with a photo each, looked at."""
    world = World(database, tmp_path / "blobs")
    for key, first in zip(WINDOWS, (1, 11), strict=True):
        world.run(
            "INSERT INTO windows (window_key, chat_no, first_id, last_id) VALUES (%s, 1, %s, %s)",
            key,
            first,
            first + 9,
        )
    for number in (7, 17):
        world.send(number, b"faces=1 seed=%d" % number)
    await world.pass_over()
    world.run("UPDATE media SET size_bytes = 2000000")
    world.run("UPDATE chats SET added_at = now(), chat_id = -1000000000001")
    return world


def opened(world: World) -> set[tuple[str, str]]:
    return {key for key, state in world.ledger().items() if state == "pending"}


@pytest.mark.parametrize("reference", ["https://t.me/c/1/7", WINDOWS[0]])
def test_of_a_message_or_a_window_only_its_own_media_open(
    installed: Shell, world: World, reference: str
) -> None:
    (row,) = installed.rows("redo", reference, "--yes")

    assert (row["title"], row["files"], row["megabytes"]) == ("A chat", 1, 2.0)
    assert {medium for medium, _ in opened(world)} == {"document:7"}
    assert len(opened(world)) == 4


def test_of_a_chat_all_media_open_for_the_products_that_are_named(
    installed: Shell, world: World
) -> None:
    (row,) = installed.rows("redo", "A chat", "--what", "thumbnails", "--yes")

    assert row["files"] == 2
    assert opened(world) == {
        (medium, product)
        for medium in ("document:7", "document:17")
        for product in ("thumbnails", "fingerprints")
    }


def test_what_opens_brings_its_window_back_by_itself(installed: Shell, world: World) -> None:
    world.run("UPDATE windows SET read_at = now(), watermark = last_id")
    assert HistoryStore(world.database).windows_to_submit() == []

    installed.rows("redo", WINDOWS[0], "--what", "thumbnails", "--yes")
    world.run("UPDATE media_products SET updated_at = updated_at - interval '11 minutes'")

    due = HistoryStore(world.database).windows_to_submit()
    assert [row.window.key for row in due] == [WINDOWS[0]]


def test_a_dry_run_shows_the_cost_and_opens_nothing(installed: Shell, world: World) -> None:
    (row,) = installed.rows("redo", "1", "--dry-run")

    assert (row["files"], row["megabytes"]) == (2, 4.0)
    assert row["minutes"] >= 0
    assert opened(world) == set()


def test_nothing_opens_before_somebody_said_yes(installed: Shell, world: World) -> None:
    refused = installed.run("redo", "1", typed="n\n")

    assert refused.exit_code != 0
    assert "megabytes" in refused.stderr
    assert opened(world) == set()

    installed.rows("redo", "1", typed="y\n")

    assert len(opened(world)) == 8


def test_what_was_never_made_is_not_made_again(installed: Shell, world: World) -> None:
    installed.rows("redo", "1", "--yes")

    assert installed.rows("redo", "1", "--yes") == []


@pytest.mark.parametrize("reference", ["1_0000000001_0000000009", "no such chat"])
def test_what_the_archive_does_not_know_is_refused(
    installed: Shell, world: World, reference: str
) -> None:
    assert installed.run("redo", reference, "--yes").exit_code == ExitCode.PERSON_MUST_ACT


def test_a_chat_that_may_not_be_archived_says_how_to_allow_it(
    installed: Shell, world: World
) -> None:
    world.run("UPDATE chats SET allow_archive = false, allow_faces = false")

    result = installed.run("redo", "1", "--yes")

    assert result.exit_code == ExitCode.PERSON_MUST_ACT
    assert "chats allow 1" in result.stderr
    assert opened(world) == set()


def test_a_product_that_is_none_is_a_usage_error(installed: Shell, world: World) -> None:
    assert installed.run("redo", "1", "--what", "originals").exit_code == ExitCode.USAGE
