"""What goes wrong in a media pass: one item at a time, a switch, a flood, the database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from archive.errors import ItemRejected, Permanent, Transient
from archive.faces.errors import WorkerDied
from archive.ids import MediaId
from archive.ledger import Product, State
from archive.records import MediaKind
from resources.blobs import BlobStore
from resources.store.database import Database
from tests.fakes.media import MODEL, NOW, OPTIONS, FakeVision, World, newer


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    world = World(database, tmp_path / "blobs")
    for number in range(1, 6):
        world.send(number, b"faces=1 seed=%d" % number)
    return world


THIRD = MediaId("document:3")


def states(world: World) -> dict[str, str]:
    return {media_id: state for (media_id, _), state in world.ledger().items()}


async def test_a_rejected_file_is_skipped_with_its_reason_and_the_others_go_on(
    world: World,
) -> None:
    world.send(6, b"broken")

    result = await world.pass_over()

    assert result.complete
    assert result.count(Product.FACES, State.SKIPPED, "corrupt") == 1
    assert result.count(Product.FACES, State.DONE) == 5
    errors = world.run("SELECT error FROM media_products WHERE state = 'skipped'")
    assert {row["error"] for row in errors} == {"not a picture"}


async def test_a_rejected_file_is_not_fetched_again_by_the_same_producer(world: World) -> None:
    world.send(6, b"broken")
    await world.pass_over()

    assert (await world.pass_over()).fetched == 0
    assert (await world.pass_over(vision=FakeVision(newer(MODEL, "2")))).fetched == 6


async def test_an_empty_file_is_skipped_without_a_download(world: World) -> None:
    world.send(6, b"")

    await world.pass_over()

    assert states(world)["document:6"] == "skipped(empty)"
    assert "document:6" not in world.source.fetched


async def test_a_file_that_telegram_no_longer_has_is_skipped(world: World) -> None:
    world.source.script[THIRD] = ItemRejected("gone", "the message carries it no more")

    assert (await world.pass_over()).complete
    assert states(world)["document:3"] == "skipped(gone)"


async def test_a_truncated_download_is_failed_and_never_done(world: World) -> None:
    world.source.script[THIRD] = lambda: b"faces=1"

    result = await world.pass_over()

    assert not result.complete
    assert result.retry_at == NOW + timedelta(seconds=60)
    assert states(world)["document:3"] == "failed(transient)"
    assert result.count(Product.FACES, State.DONE) == 4


async def test_a_failed_item_waits_longer_each_time_and_is_done_when_it_comes(
    world: World,
) -> None:
    world.source.script[THIRD] = Transient("connection lost")
    await world.pass_over()
    early = await world.pass_over()
    world.now += timedelta(seconds=60)
    second = await world.pass_over()
    world.now += timedelta(seconds=120)
    del world.source.script[THIRD]

    last = await world.pass_over()

    assert early.fetched == 0
    assert not early.complete
    assert second.retry_at == NOW + timedelta(seconds=180)
    assert last.complete
    assert world.source.fetched.count(THIRD) == 3


async def test_a_flood_ends_the_pass_with_its_wait_and_fails_nothing(world: World) -> None:
    world.source.script[THIRD] = Transient("FLOOD_WAIT", retry_after_seconds=900)

    with pytest.raises(Transient) as caught:
        await world.pass_over(options=replace(OPTIONS, download_concurrency=1, workers=1))

    assert caught.value.retry_after_seconds == 900
    assert "failed" not in {state.partition("(")[0] for state in states(world).values()}
    assert world.run("SELECT * FROM media WHERE lease_owner IS NOT NULL") == []
    del world.source.script[THIRD]
    assert (await world.pass_over()).complete
    assert world.vision.alone == []


async def test_what_goes_wrong_with_parts_is_said_like_that_of_whole_files(world: World) -> None:
    large = world.send(9, b"faces=1", kind=MediaKind.VIDEO, size=3_000_000_000)
    gone = world.send(8, b"faces=1", kind=MediaKind.VIDEO, size=3_000_000_001)
    world.source.script[large] = Transient("the connection was lost")
    world.source.script[gone] = ItemRejected("gone", "no file")

    result = await world.pass_over()

    assert not result.complete
    assert states(world)[large] == "failed(transient)"
    assert states(world)[gone] == "skipped(gone)"


async def test_a_flood_while_parts_are_read_ends_the_pass_with_its_wait(world: World) -> None:
    large = world.send(9, b"faces=1", kind=MediaKind.VIDEO, size=3_000_000_000)
    world.source.script[large] = Transient("FLOOD_WAIT", retry_after_seconds=900)

    with pytest.raises(Transient) as caught:
        await world.pass_over()

    assert caught.value.retry_after_seconds == 900
    assert states(world)[large] == "pending"


async def test_a_lost_session_is_told_and_fails_nothing(world: World) -> None:
    world.source.script[THIRD] = Permanent("run `face-archive login`")

    with pytest.raises(Permanent, match="login"):
        await world.pass_over()

    assert states(world)["document:3"] == "pending"
    del world.source.script[THIRD]
    assert (await world.pass_over()).complete


async def test_a_file_that_only_another_account_saw_is_fetched_without_its_key(
    world: World,
) -> None:
    world.run("DELETE FROM media_access WHERE media_id = 'document:3'")

    assert (await world.pass_over()).complete
    assert states(world)["document:3"] == "done"


async def test_a_defect_that_one_file_brings_out_leaves_the_others_alone(world: World) -> None:
    def stumble(data: bytes) -> None:
        if b"seed=3" in data:
            raise ZeroDivisionError("0 / 0")

    world.vision.before = stumble

    result = await world.pass_over()

    assert not result.complete
    assert result.count(Product.FACES, State.DONE) == 4
    (row,) = world.run("SELECT error FROM media_products WHERE state = 'failed' LIMIT 1")
    assert row["error"] == "ZeroDivisionError: 0 / 0"


async def test_the_death_of_a_worker_sends_the_item_to_a_child_of_its_own(world: World) -> None:
    def die(data: bytes) -> None:
        if b"seed=3" in data:
            raise WorkerDied("a worker process died")

    world.vision.before = die

    assert (await world.pass_over()).complete
    assert world.vision.alone == [b"faces=1 seed=3"]


async def test_only_the_file_that_kills_its_own_child_is_failed_as_crashed(world: World) -> None:
    deadly = world.send(6, b"faces=1 deadly")

    def die(data: bytes) -> None:
        if b"deadly" in data or b"seed=2" in data:
            raise WorkerDied("a worker process died")

    world.vision.before = die

    result = await world.pass_over()

    assert result.complete
    assert result.count(Product.FACES, State.FAILED, "crashed") == 1
    assert states(world)[deadly] == "failed(crashed)"
    assert result.count(Product.FACES, State.DONE) == 5


async def test_a_crashed_file_is_tried_again_alone_when_its_time_has_come(world: World) -> None:
    deadly = world.send(6, b"faces=1 deadly")
    world.run(
        "UPDATE media SET lease_owner = 'x', lease_until = now() - interval '1 s'"
        " WHERE media_id = %s",
        deadly,
    )
    await world.pass_over()
    world.now += timedelta(seconds=60)

    await world.pass_over()

    assert world.vision.alone == [b"faces=1 deadly"] * 2
    assert b"faces=1 deadly" not in world.vision.analysed
    (letter,) = world.run("SELECT media_id, reason, attempts FROM failures")
    assert letter == {"media_id": deadly, "reason": "crashed", "attempts": 2}


async def test_what_killed_a_pass_without_faces_is_fingerprinted_alone(world: World) -> None:
    world.run("UPDATE chats SET allow_faces = false")
    world.run("UPDATE media SET lease_owner = 'x', lease_until = now() - interval '1 s'")
    vision = FakeVision(None)

    result = await world.pass_over(vision=vision)

    assert result.complete
    assert len(vision.alone) == 5
    assert vision.fingerprinted == []
    assert result.new_faces == 0


async def test_a_chat_that_is_off_is_left_alone(world: World) -> None:
    world.run("UPDATE chats SET allow_archive = false, allow_faces = false")

    result = await world.pass_over()

    assert result.stopped_reason == "switched_off"
    assert world.ledger() == {}
    assert world.source.fetched == []


@pytest.mark.parametrize("column", ["allow_archive = false, allow_faces", "allow_faces"])
async def test_a_switch_that_goes_off_in_the_middle_lets_nothing_more_be_stored(
    world: World, column: str
) -> None:
    def switch_off(data: bytes) -> None:
        if b"seed=3" in data:
            world.run(f"UPDATE chats SET {column} = false")

    world.vision.before = switch_off
    alone = replace(OPTIONS, download_concurrency=1, workers=0)

    result = await world.pass_over(options=alone)

    assert result.stopped_reason == "switched_off"
    assert not result.complete
    assert sorted(states(world).values()) == ["done", "done", "pending", "pending", "pending"]
    assert len(world.run("SELECT * FROM faces")) == 2


async def test_a_full_disk_is_told_and_fails_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: BlobStore, data: bytes) -> str:
        raise Permanent("the disk of /crops is full")

    monkeypatch.setattr(BlobStore, "put", full)

    with pytest.raises(Permanent, match="full"):
        await world.pass_over()

    assert set(states(world).values()) == {"pending"}


async def test_a_database_that_stops_in_the_middle_is_an_error_and_loses_no_row(
    world: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.database._pool, "timeout", 0.2)
    name = psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
    admin = psycopg.conninfo.make_conninfo(database_url, dbname="postgres")

    def stop(data: bytes) -> None:
        if b"seed=3" in data:
            allow_connections(admin, str(name), allow=False)

    world.vision.before = stop

    with pytest.raises(Transient, match="did not answer"):
        await world.pass_over(options=replace(OPTIONS, download_concurrency=1, workers=0))

    world.vision.before = lambda data: None
    monkeypatch.undo()
    allow_connections(admin, str(name), allow=True)
    assert len(world.run("SELECT * FROM faces")) == 2
    assert (await world.pass_over()).complete
    assert set(states(world).values()) == {"done"}


def allow_connections(admin: str, name: str, *, allow: bool) -> None:
    """Close a database as a server that stops does, or open it again."""
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(
            sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(
                sql.Identifier(name), sql.Literal(allow)
            )
        )
        if not allow:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
            )
