"""Originals: byte-identical, once a content, and asked for before Telegram is."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from archive.deletions import erase_lost
from archive.errors import Permanent, Transient
from archive.ledger import Limits
from archive.records import MediaAccess, MediaKind
from resources.blobs import BlobStore
from resources.store.database import Database
from resources.store.deletions import DeletionStore
from tests.fakes.media import MODEL, OPTIONS, FakeVision, ScriptedSource, World, newer

MEGABYTE = 1024 * 1024
LARGE = 5 * MEGABYTE + 7  # more than the buffer of these passes, and no whole number of parts


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    world = World(database, tmp_path / "blobs")
    world.run("UPDATE chats SET keep_originals = true")
    return world


def kept(world: World) -> dict[str, bytes]:
    """Medium → its original, read back."""
    rows = world.run("SELECT media_id, original_key FROM media JOIN originals USING (content_key)")
    return {row["media_id"]: world.crops.get(row["original_key"]) for row in rows}


def whole(data: bytes) -> bytes:
    """What the source of parts serves of a large file."""
    return data.ljust(LARGE, b"\0")


@dataclass
class PartsOf:
    """A file at its source that notes what is asked of it, and may break off."""

    data: bytes
    access: MediaAccess
    breaks_at: int | None = None
    asked: list[tuple[int, int]] = field(default_factory=list)

    @property
    def size_bytes(self) -> int:
        return len(self.data)

    async def read(self, offset: int, size: int) -> bytes:
        await asyncio.sleep(0)
        if self.breaks_at is not None and offset >= self.breaks_at:
            raise Transient("the connection was lost")
        self.asked.append((offset, size))
        return self.data[offset : offset + size]


class PartsSource(ScriptedSource):
    """Serves large files in parts only: whoever asks for one whole fails."""

    breaks_at: int | None = None

    def ranged(self, chat: Any, message_id: Any, file: Any, access: MediaAccess) -> Any:
        self.file = PartsOf(whole(self.files[file.media_id]), access, self.breaks_at)
        return self.file


async def test_files_of_all_kinds_are_kept_as_they_are(world: World) -> None:
    kinds = [MediaKind.PHOTO, MediaKind.VIDEO, MediaKind.VOICE, MediaKind.DOCUMENT]
    for number, kind in enumerate(kinds, 1):
        world.send(number, b"faces=1 seed=%d" % number, kind=kind)

    result = await world.pass_over()

    assert result.complete
    assert kept(world) == {f"document:{n}": b"faces=1 seed=%d" % n for n in range(1, 5)}
    assert len(world.run("SELECT * FROM faces")) == 2
    assert world.ledger()["document:3", "originals"] == "done"
    assert world.ledger()["document:3", "faces"] == "skipped(type)"


async def test_nobody_who_did_not_ask_finds_originals_or_rows_about_them(world: World) -> None:
    world.run("UPDATE chats SET keep_originals = false")
    world.send(1, b"faces=1")
    world.send(2, b"a letter", kind=MediaKind.DOCUMENT)

    await world.pass_over()

    assert kept(world) == {}
    assert {product for _, product in world.ledger()} == {
        "fingerprints", "thumbnails", "faces", "embeddings",
    }  # fmt: skip


async def test_what_is_too_large_or_of_an_unwanted_kind_has_a_row_that_says_so(
    world: World,
) -> None:
    world.send(1, b"a long letter", kind=MediaKind.DOCUMENT)
    world.send(2, b"a song", kind=MediaKind.AUDIO)
    limits = Limits(1_000_000, frozenset({MediaKind.DOCUMENT}), original_bytes=5)

    result = await world.pass_over(options=replace(OPTIONS, limits=limits))

    assert result.complete
    assert world.ledger()["document:1", "originals"] == "skipped(too_large)"
    assert world.ledger()["document:2", "originals"] == "skipped(type)"


async def test_switching_it_on_later_fetches_files_and_looks_at_none_again(world: World) -> None:
    world.run("UPDATE chats SET keep_originals = false")
    world.send(1, b"faces=2 seed=1")
    await world.pass_over()
    looked_at = list(world.vision.analysed)
    world.run("UPDATE chats SET keep_originals = true")

    first = await world.pass_over()
    second = await world.pass_over()

    assert (first.fetched, second.fetched) == (1, 0)
    assert kept(world) == {"document:1": b"faces=2 seed=1"}
    assert world.vision.analysed == looked_at


async def test_a_content_that_is_kept_already_is_not_fetched_again(world: World) -> None:
    world.add_chat(2)
    world.send(1, b"faces=1 seed=1", media=1)
    world.send(1, b"faces=1 seed=1", media=2, chat_no=2)
    await world.pass_over(2)
    await world.pass_over(1)
    world.run("UPDATE chats SET keep_originals = true")

    result = await world.pass_over(2)

    assert result.fetched == 0
    assert world.ledger()["document:2", "originals"] == "done"


async def test_another_model_looks_at_the_original_and_telegram_is_not_asked(world: World) -> None:
    world.send(1, b"faces=2 seed=1")
    await world.pass_over()
    vision = FakeVision(newer(MODEL, "2"))

    result = await world.pass_over(vision=vision)

    assert result.complete
    assert result.fetched == 0
    assert vision.analysed == [b"faces=2 seed=1"]


@pytest.mark.parametrize("harm", ["spoilt", "lost"])
async def test_an_original_that_was_harmed_is_fetched_and_put_back(world: World, harm: str) -> None:
    world.send(1, b"faces=2 seed=1")
    await world.pass_over()
    (row,) = world.run("SELECT original_key FROM originals")
    path = world.folder / row["original_key"]
    path.write_bytes(b"faces=9") if harm == "spoilt" else path.unlink()

    result = await world.pass_over(vision=FakeVision(newer(MODEL, "2")))

    assert result.fetched == 1
    assert kept(world) == {"document:1": b"faces=2 seed=1"}
    assert len(world.run("SELECT * FROM faces")) == 2


async def test_a_file_that_cannot_be_decoded_is_kept_all_the_same(world: World) -> None:
    world.send(1, b"broken")

    await world.pass_over()

    assert kept(world) == {"document:1": b"broken"}
    assert world.ledger()["document:1", "faces"] == "skipped(corrupt)"
    assert world.ledger()["document:1", "originals"] == "done"


async def test_a_large_video_goes_to_the_store_part_by_part_and_is_looked_at_there(
    world: World,
) -> None:
    world.source = PartsSource(world.files)
    world.send(1, b"faces=1 ".ljust(100), kind=MediaKind.VIDEO, size=LARGE)

    result = await world.pass_over()

    data = whole(b"faces=1 ".ljust(100))
    assert result.complete
    assert kept(world) == {"document:1": data}
    assert world.source.file.asked == [
        (offset, min(MEGABYTE, LARGE - offset)) for offset in range(0, LARGE, MEGABYTE)
    ]
    assert world.source.fetched == []
    (face,) = world.run("SELECT content_key FROM faces")
    assert face["content_key"] == f"sha256:{hashlib.sha256(data).hexdigest()}"


async def test_a_large_file_goes_on_where_it_broke_off(world: World) -> None:
    source = PartsSource(world.files)
    source.breaks_at = 3 * MEGABYTE
    world.source = source
    world.send(1, b"a film", kind=MediaKind.DOCUMENT, size=LARGE)
    first = await world.pass_over()
    source.breaks_at = None
    world.now += timedelta(hours=2)

    second = await world.pass_over()

    assert not first.complete
    assert second.complete
    assert source.file.asked[0] == (3 * MEGABYTE, MEGABYTE)
    assert kept(world) == {"document:1": whole(b"a film")}
    assert list(world.folder.rglob("*.part")) == []


async def test_behind_a_url_that_cannot_append_a_large_file_is_kept_too(world: World) -> None:
    world.crops = BlobStore(f"memory://{uuid4().hex}")
    world.source = PartsSource(world.files)
    world.send(1, b"a film", kind=MediaKind.DOCUMENT, size=LARGE)

    assert (await world.pass_over()).complete

    assert kept(world) == {"document:1": whole(b"a film")}


def test_two_runs_never_write_one_growing_file(world: World) -> None:
    growing = world.crops.grow("document:1 5", suffix="mp4")
    growing.write(b"x" * MEGABYTE)

    with pytest.raises(Transient, match="another run"):
        world.crops.grow("document:1 5", suffix="mp4")
    growing.close()

    again = world.crops.grow("document:1 5", suffix="mp4")
    assert again.size_bytes == MEGABYTE
    again.close()


async def test_no_original_is_noted_after_the_switch_went_off(world: World) -> None:
    world.send(1, b"faces=1")

    def switch_off() -> bytes:
        world.run("UPDATE chats SET keep_originals = false")
        return b"faces=1"

    world.source.script["document:1"] = switch_off  # type: ignore[index]

    result = await world.pass_over()

    assert result.stopped_reason == "switched_off"
    assert kept(world) == {}


async def test_an_original_is_erased_with_its_content(world: World) -> None:
    world.run("UPDATE chats SET on_deletion = 'erase'")
    world.send(1, b"faces=1")
    await world.pass_over()
    world.run("UPDATE messages SET deleted_at = now() - interval '1 hour'")
    (row,) = world.run("SELECT original_key FROM originals")
    for path in world.folder.rglob("*.*"):
        os.utime(path, (0, 0))

    erase_lost(DeletionStore(world.database), world.crops, now=world.now)

    assert world.run("SELECT * FROM originals") == []
    assert not world.crops.exists(row["original_key"])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes of its own; only root may make one."""
    place = tmp_path / "disk"
    place.mkdir()
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only root mounts a file system")
    mounted = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if subprocess.run(mounted, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


async def test_a_full_disk_stops_the_pass_with_the_way_out_and_loses_nothing(
    world: World, small_disk: Path
) -> None:
    world.folder = small_disk
    world.crops = BlobStore(small_disk)
    for number in range(1, 6):
        data = b"faces=1 seed=%d " % number
        world.send(number, data.ljust(700_000))

    with pytest.raises(Permanent, match=r"disk of .* is full: free some space"):
        await world.pass_over(options=replace(OPTIONS, download_concurrency=1, workers=1))

    stored = kept(world)
    assert 1 <= len(stored) < 5
    assert all(data == world.files[media_id] for media_id, data in stored.items())  # type: ignore[index]
    named = {world.folder / key for key in world.store.blob_keys()}
    assert all(path.is_file() for path in named)

    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    result = await world.pass_over()

    assert result.complete
    assert kept(world) == dict(world.files)
    assert len(world.run("SELECT * FROM faces")) == 5


async def test_a_large_file_that_fills_the_disk_goes_on_when_there_is_room(
    world: World, small_disk: Path
) -> None:
    world.folder = small_disk
    world.crops = BlobStore(small_disk)
    source = PartsSource(world.files)
    world.source = source
    world.send(1, b"a film", kind=MediaKind.DOCUMENT, size=LARGE)

    with pytest.raises(Permanent, match="is full"):
        await world.pass_over()

    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    assert (await world.pass_over()).complete
    assert source.file.asked[0][0] >= MEGABYTE
    assert kept(world) == {"document:1": whole(b"a film")}
