"""A pass with a real engine over good, damaged and hostile files."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path

import pytest
from PIL import Image

from archive.ledger import Product, State
from archive.media_pass import Vision
from archive.records import MediaKind
from resources.store.database import Database
from resources.vision.factory import EngineSpec
from resources.vision.pool import AnalystPool
from tests.fakes.media import World


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path / "blobs")


@pytest.fixture
async def vision() -> AsyncIterator[AnalystPool]:
    """The engine that comes from wheels, in a process of its own."""
    async with AnalystPool(EngineSpec("dlib"), workers=1) as pool:
        yield pool


@pytest.fixture(scope="module")
def six_people() -> bytes:
    """The photo in insightface's wheel, at a size that is quick to search."""
    image = Image.open(io.BytesIO((files("insightface") / "data/images/t1.jpg").read_bytes()))
    image.thumbnail((640, 640))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def enormous_png() -> bytes:
    """A valid beginning of a PNG of 30 000 × 30 000 pixels, in less than a hundred bytes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + body))
        return struct.pack(">I", len(body)) + name + body + checksum

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n"
    return start + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


async def test_damaged_and_hostile_files_are_skipped_with_a_reason_and_the_good_one_is_done(
    world: World, vision: AnalystPool, six_people: bytes
) -> None:
    port: Vision = vision
    world.send(1, six_people)
    world.send(2, b"Dear diary, no picture today.", kind=MediaKind.IMAGE_DOCUMENT)
    world.send(3, six_people[: len(six_people) // 2])
    world.send(4, b"", kind=MediaKind.VIDEO)
    world.send(5, enormous_png(), kind=MediaKind.IMAGE_DOCUMENT)
    world.send(6, b"\0\0\0\x18ftypmp42 and nothing more", kind=MediaKind.ROUND_VIDEO)

    result = await world.pass_over(vision=port)

    assert result.complete
    states = {media_id: state for (media_id, _), state in world.ledger().items()}
    assert states["document:1"] == "done"
    assert states["document:2"] == "skipped(not_an_image)"
    assert states["document:3"] == "done"
    assert states["document:4"] == "skipped(empty)"
    assert states["document:5"] == "skipped(too_many_pixels)"
    assert states["document:6"].startswith("skipped(")
    assert result.count(Product.FACES, State.SKIPPED) == 4
    assert result.new_faces >= 4
    errors = world.run("SELECT error FROM media_products WHERE state = 'skipped'")
    assert all(row["error"] for row in errors)


async def test_what_was_in_flight_at_a_death_gives_the_same_faces_alone(
    world: World, vision: AnalystPool, six_people: bytes
) -> None:
    world.send(1, six_people)
    await world.pass_over(vision=vision)
    expected = world.results()
    world.populate()
    world.send(1, six_people)
    world.run("UPDATE media SET lease_owner = 'dead', lease_until = now() - interval '1 second'")

    await world.pass_over(vision=vision)

    assert world.results() == expected
