"""Windows whose messages are read and whose media are not done: they come back by themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive.errors import Transient
from archive.ids import MediaId
from resources.store.database import Database
from resources.store.history import HistoryStore
from tests.fakes.media import World


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """A window that was read to its end, with one photo in it."""
    world = World(database, tmp_path)
    window = world.window()
    world.run(
        "INSERT INTO windows (window_key, chat_no, first_id, last_id, watermark, read_at)"
        " VALUES (%s, 1, 1, 10000, 10000, now())",
        window.key,
    )
    world.send(7, b"faces=1")
    return world


def occasions(world: World) -> list[str]:
    return [row.occasion for row in HistoryStore(world.database).windows_to_submit()]


def wait_an_hour(world: World) -> None:
    hour = "interval '1 hour'"
    world.run(f"UPDATE message_media SET created_at = created_at - {hour}")
    world.run(
        f"UPDATE media_products SET updated_at = updated_at - {hour}, retry_at = retry_at - {hour}"
    )


async def test_media_that_no_pass_has_seen_bring_their_window_back(world: World) -> None:
    assert occasions(world) == []
    wait_an_hour(world)
    assert len(occasions(world)) == 1

    await world.pass_over()

    assert occasions(world) == []


async def test_a_failed_file_brings_its_window_back_when_its_time_has_come(world: World) -> None:
    world.source.script["document:7"] = Transient("cut off")
    await world.pass_over()
    world.run("UPDATE media_products SET retry_at = now()")
    assert occasions(world) == []
    wait_an_hour(world)
    first = occasions(world)

    world.run("UPDATE media_products SET retry_at = now() - interval '30 minutes'")

    assert len(first) == 1
    assert occasions(world) != first


async def test_files_that_failed_together_and_are_due_apart_each_bring_their_window_back(
    world: World,
) -> None:
    world.send(8, b"faces=1 seed=8")
    for medium in ("document:7", "document:8"):
        world.source.script[MediaId(medium)] = Transient("cut off")
    await world.pass_over()
    world.run(
        "UPDATE media_products SET updated_at = date_trunc('day', now()), retry_at = now()"
        " + CASE media_id WHEN 'document:7' THEN interval '-1 hour' ELSE interval '1 hour' END"
    )
    first = occasions(world)
    world.run(
        "UPDATE media_products SET state = 'done', reason = NULL, retry_at = NULL"
        " WHERE media_id = 'document:7'"
    )
    world.run(
        "UPDATE media_products SET retry_at = now() - interval '20 minutes'"
        " WHERE media_id = 'document:8'"
    )

    assert len(first) == 1
    assert occasions(world) != first


async def test_a_window_that_a_pass_is_working_on_is_not_asked_for(world: World) -> None:
    wait_an_hour(world)
    with world.store.hold(world.window(), "run"):
        assert occasions(world) == []
    assert len(occasions(world)) == 1


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE messages SET deleted_at = now()",
        "UPDATE chats SET allow_archive = false, allow_faces = false",
        "UPDATE media_products SET state = 'failed', reason = 'transient', retry_at = NULL",
        "UPDATE media_products SET state = 'skipped', reason = 'type'",
    ],
)
async def test_what_is_gone_denied_or_given_up_brings_nothing_back(
    world: World, change: str
) -> None:
    world.source.script["document:7"] = Transient("cut off")
    await world.pass_over()
    world.run("UPDATE media_products SET retry_at = now()")
    wait_an_hour(world)
    world.run(change)
    assert occasions(world) == []


async def test_a_held_backfill_holds_nothing_of_what_was_read(world: World) -> None:
    world.run("UPDATE chats SET hold_backfill = true")
    wait_an_hour(world)
    assert len(occasions(world)) == 1
