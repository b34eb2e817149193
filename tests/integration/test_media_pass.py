"""The media pass on a real PostgreSQL: each content once, and only what is missing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive.ledger import Product, State
from archive.media_pass.ports import MediaStore as Port
from archive.records import MediaKind
from resources.store.database import Database
from tests.fakes.media import MODEL, OPTIONS, FakeVision, World, newer

_QUICK = replace(OPTIONS, poll_seconds=0.02)


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path / "blobs")


def test_the_store_satisfies_the_port(world: World) -> None:
    port: Port = world.store

    assert port.tally(world.window()) == []


async def test_every_product_of_every_photo_is_done(world: World) -> None:
    for number in range(1, 21):
        world.send(number, b"faces=%d seed=%d" % (number % 3, number))

    result = await world.pass_over()

    assert result.complete
    assert result.stopped_reason is None
    assert set(world.ledger().values()) == {"done"}
    assert result.count(Product.FACES, State.DONE) == 20
    assert (result.fetched, result.new_faces) == (20, 21)
    assert result.rejected_faces == {"too_small": 20}
    assert result.model == "fake"


async def test_a_face_is_stored_with_its_vector_its_crop_and_its_place(world: World) -> None:
    world.send(1, b"faces=1 seed=4")

    await world.pass_over()

    (row,) = world.run("SELECT * FROM faces JOIN embeddings USING (face_id)")
    assert (row["x1"], row["y1"], row["x2"], row["y2"]) == (0, 10, 50.5, 70.25)
    assert row["landmarks"] == list(range(10))
    assert world.crops.get(row["crop_key"]).startswith(b"webp ")
    assert row["dims"] == 8
    (blob,) = world.run("SELECT * FROM blobs")
    assert blob["exif"] == {"Make": "Canon", "ISOSpeedRatings": 100}
    (access,) = world.run("SELECT * FROM media_access")
    assert access["file_reference"] == b"fresh"


async def test_a_second_run_fetches_nothing_and_changes_nothing(world: World) -> None:
    world.send(1, b"faces=2 seed=1")
    await world.pass_over()
    before = world.results()

    result = await world.pass_over()

    assert result.complete
    assert result.fetched == 0
    assert world.source.fetched == ["document:1"]
    assert world.results() == before


async def test_a_forwarded_photo_is_downloaded_once(world: World) -> None:
    world.add_chat(2)
    world.send(1, b"faces=1", media=7)
    world.send(2, media=7)
    world.send(1, media=7, chat_no=2)

    first, second = await world.pass_over(1), await world.pass_over(2)

    assert world.source.fetched == ["document:7"]
    assert first.complete
    assert second.complete
    assert second.count(Product.FACES, State.DONE) == 1


async def test_equal_bytes_under_two_media_ids_are_one_content_with_its_faces_once(
    world: World,
) -> None:
    for number in range(1, 9):
        world.send(number, b"faces=2 seed=3")

    result = await world.pass_over()

    assert result.new_faces == 2
    assert len(world.run("SELECT * FROM blobs")) == 1
    assert len(world.run("SELECT * FROM faces")) == 2
    assert set(world.ledger().values()) == {"done"}


async def test_two_windows_that_meet_the_same_bytes_at_once_store_their_faces_once(
    world: World,
) -> None:
    world.add_chat(2)
    for number in range(1, 13):
        world.send(number, b"faces=3 seed=%d" % number, media=number)
        world.send(number, b"faces=3 seed=%d" % number, media=100 + number, chat_no=2)

    first, second = await asyncio.gather(world.pass_over(1), world.pass_over(2))

    assert first.complete
    assert second.complete
    assert first.new_faces + second.new_faces == 36
    assert len(world.run("SELECT * FROM faces")) == 36


async def test_two_windows_that_share_media_both_end_complete(world: World) -> None:
    world.add_chat(2)
    for number in range(1, 13):
        world.send(number, b"faces=1 seed=%d" % number, media=number)
        world.send(number, media=number, chat_no=2)

    first, second = await asyncio.gather(
        world.pass_over(1, sleep=asyncio.sleep, options=_QUICK),
        world.pass_over(2, sleep=asyncio.sleep, options=_QUICK),
    )

    assert first.complete
    assert second.complete
    assert sorted(world.source.fetched) == sorted(set(world.source.fetched))


async def test_another_producer_makes_the_faces_again_and_keeps_their_ids(world: World) -> None:
    world.send(1, b"faces=2 seed=1")
    await world.pass_over()
    before = world.run("SELECT face_id FROM faces ORDER BY x1")

    result = await world.pass_over(vision=FakeVision(newer(MODEL, "2")))

    assert result.fetched == 1
    assert result.new_faces == 0
    assert world.run("SELECT face_id FROM faces ORDER BY x1") == before
    producers = {row["producer"] for row in world.run("SELECT producer FROM media_products")}
    assert producers == {
        "fingerprints/1",
        "thumbnails/1",
        "fake-detector/2",
        "fake-embedding/2",
    }


async def test_each_content_has_its_small_pictures_once(world: World) -> None:
    world.send(1, b"faces=1")
    world.send(2, b"faces=1")

    await world.pass_over()

    (row,) = world.run("SELECT * FROM derived_pictures")
    assert (row["role"], row["edge"], row["format"]) == ("thumbnail", 256, "webp")
    assert world.crops.get(row["picture_key"]) == b"small faces=1"


async def test_thumbnails_by_another_producer_cost_no_second_search_for_faces(
    world: World,
) -> None:
    world.send(1, b"faces=2 seed=1")
    await world.pass_over()
    searched = list(world.vision.analysed)

    result = await world.pass_over(options=replace(OPTIONS, thumbnail_version="thumbnails/2"))

    assert result.complete
    assert result.fetched == 1
    assert world.vision.analysed == searched


async def test_without_faces_allowed_there_are_thumbnails_all_the_same(world: World) -> None:
    world.run("UPDATE chats SET allow_faces = false")
    world.send(1, b"faces=2 seed=1")

    await world.pass_over()

    assert len(world.run("SELECT edge FROM derived_pictures")) == 1
    assert world.vision.analysed == []


async def test_a_content_that_another_medium_brought_up_to_date_needs_no_download(
    world: World,
) -> None:
    world.add_chat(2)
    world.send(1, b"faces=2 seed=1", media=1)
    world.send(1, b"faces=2 seed=1", media=2, chat_no=2)
    await world.pass_over(1)
    await world.pass_over(2)
    vision = FakeVision(newer(MODEL, "2"))
    await world.pass_over(1, vision=vision)

    result = await world.pass_over(2, vision=vision)

    assert result.complete
    assert result.fetched == 0


async def test_what_policy_leaves_out_says_why_and_is_never_fetched(world: World) -> None:
    world.send(1, b"faces=1")
    world.send(2, kind=MediaKind.STICKER, size=10)
    world.send(3, kind=MediaKind.VOICE, size=10)
    world.send(4, kind=MediaKind.VIEW_ONCE, size=10)
    world.send(5, kind=MediaKind.IMAGE_DOCUMENT, size=1_000_001)
    world.send(6, kind=MediaKind.PAID, size=10)

    result = await world.pass_over()

    assert result.complete
    assert world.source.fetched == ["document:1"]
    assert {key[0]: state for key, state in world.ledger().items()} == {
        "document:1": "done",
        "document:2": "skipped(type)",
        "document:3": "skipped(type)",
        "document:4": "skipped(view_once)",
        "document:5": "skipped(too_large)",
        "document:6": "skipped(type)",
    }


async def test_of_a_video_beyond_the_limits_only_parts_are_fetched(world: World) -> None:
    video = world.send(1, b"faces=2 seed=1", kind=MediaKind.VIDEO, size=3_000_000_000)

    result = await world.pass_over()

    assert result.complete
    assert world.source.fetched == []
    assert (result.fetched, result.fetched_bytes, result.new_faces) == (1, 100, 2)
    (blob,) = world.run("SELECT content_key, sha256, size_bytes FROM blobs")
    key = f"tgdoc:{video.removeprefix('document:')}:3000000000"
    assert blob == {"content_key": key, "sha256": None, "size_bytes": 3_000_000_000}
    (access,) = world.run("SELECT file_reference FROM media_access")
    assert access["file_reference"] == b"new"


async def test_a_chat_may_find_a_video_too_large_all_the_same(world: World) -> None:
    world.run("UPDATE chats SET max_media_bytes = 2000000")
    world.send(1, b"faces=2 seed=1", kind=MediaKind.VIDEO, size=3_000_000)

    await world.pass_over()

    assert set(world.ledger().values()) == {"skipped(too_large)"}


async def test_a_video_that_is_read_whole_later_keeps_its_faces_under_its_digest(
    world: World,
) -> None:
    data = b"faces=2 seed=1".ljust(200_000)
    world.send(1, data, kind=MediaKind.VIDEO)
    await world.pass_over()
    before = world.run("SELECT face_id FROM faces ORDER BY x1")

    await world.pass_over(
        options=replace(OPTIONS, buffer_limit_bytes=300_000, fingerprint_version="2")
    )

    (blob,) = world.run("SELECT content_key FROM blobs")
    assert blob["content_key"].startswith("sha256:")
    assert world.run("SELECT face_id FROM faces ORDER BY x1") == before


async def test_a_chat_without_faces_gets_fingerprints_and_nobody_looks_for_faces(
    world: World,
) -> None:
    world.run("UPDATE chats SET allow_faces = false")
    world.send(1, b"faces=1")

    result = await world.pass_over(vision=FakeVision(None))

    assert result.complete
    assert set(world.ledger().values()) == {"done", "skipped(faces_off)"}
    assert world.run("SELECT * FROM faces") == []


async def test_faces_allowed_later_are_found_then(world: World) -> None:
    world.run("UPDATE chats SET allow_faces = false")
    world.send(1, b"faces=1")
    await world.pass_over()
    world.run("UPDATE chats SET allow_faces = true")

    result = await world.pass_over()

    assert result.new_faces == 1
    assert set(world.ledger().values()) == {"done"}


async def test_a_medium_in_two_chats_has_its_faces_searched_if_one_of_them_allows_it(
    world: World,
) -> None:
    world.add_chat(2, faces=False)
    world.send(1, b"faces=1", media=5)
    world.send(1, media=5, chat_no=2)

    result = await world.pass_over(2)

    assert result.new_faces == 1


async def test_a_deleted_message_brings_no_medium(world: World) -> None:
    world.send(1, b"faces=1")
    world.run("UPDATE messages SET deleted_at = now()")

    result = await world.pass_over()

    assert result.counts == ()
    assert world.source.fetched == []


async def test_a_sweep_keeps_exactly_the_pictures_that_rows_name(world: World) -> None:
    world.send(1, b"faces=2 seed=1")
    await world.pass_over()
    orphan = world.crops.put(b"of a commit that never came")

    world.crops.sweep(world.store.blob_keys(), older_than=datetime.now(UTC) + timedelta(days=1))

    assert not world.crops.exists(orphan)
    assert len(world.store.blob_keys()) == 2 + 1
    assert all(map(world.crops.exists, world.store.blob_keys()))
