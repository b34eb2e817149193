"""A pass over a window of damaged and hostile files: each ends, and none takes the others along."""

from __future__ import annotations

import io
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from archive.ledger import Product
from archive.records import MediaKind
from resources.store.database import Database
from resources.vision.factory import EngineSpec
from resources.vision.pool import AnalystPool
from tests.fakes.media import World
from tests.fuzz.corpus import photos, videos
from tests.integration.vision.pictures import encoded, plain

REASONS = {"corrupt", "truncated", "not_an_image", "no_video", "too_many_pixels", "empty"}


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path / "blobs")


@pytest.fixture
async def vision(shared_data: Path) -> AsyncIterator[AnalystPool]:
    models = shared_data / "models" / "insightface"
    spec = EngineSpec("scrfd_mobilefacenet", models, accept_noncommercial=True)
    async with AnalystPool(spec, workers=2) as pool:
        yield pool


def bombs() -> list[bytes]:
    """Small files that claim to be large."""
    gif = bytearray(encoded(plain(8, 8), "GIF"))
    gif[6:10] = struct.pack("<HH", 65535, 65535)
    webp = bytearray(encoded(plain(8, 8), "WEBP"))
    webp[26:30] = struct.pack("<HH", 16383, 16383)
    bmp = bytearray(encoded(plain(8, 8), "BMP"))
    bmp[18:26] = struct.pack("<ii", 60_000, 60_000)
    jpeg = encoded(plain(8, 8))
    sof = jpeg.index(b"\xff\xc0") + 5
    jpeg = jpeg[:sof] + struct.pack(">HH", 65000, 65000) + jpeg[sof + 4 :]
    deflated = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(deflated, "PNG")
    return [bytes(gif), bytes(webp), bytes(bmp), jpeg, deflated.getvalue()]


def odd_rotations() -> list[bytes]:
    exif = Image.Exif()
    files = []
    for orientation in (0, 5, 7, 9, 65535):
        exif[0x0112] = orientation
        files.append(encoded(plain(60, 40), exif=exif))
    return files


def cut(whole: bytes) -> list[bytes]:
    return [whole[: len(whole) * tenth // 10] for tenth in range(10)]


async def test_every_damaged_file_ends_as_done_or_skipped_with_a_reason(
    world: World, vision: AnalystPool
) -> None:
    pictures = [*bombs(), *odd_rotations(), *videos().values()]
    for whole in photos().values():
        pictures += cut(whole)
    films = [part for whole in videos().values() for part in cut(whole)] + [photos()["png"]]
    for number, data in enumerate(pictures, start=1):
        world.send(number, data, kind=MediaKind.IMAGE_DOCUMENT)
    for number, data in enumerate(films, start=len(pictures) + 1):
        world.send(number, data, kind=MediaKind.VIDEO)

    result = await world.pass_over(vision=vision)

    assert result.complete
    ended = [
        state for (_, product), state in world.ledger().items() if product == Product.FACES.value
    ]
    assert len(ended) == len(pictures) + len(films)
    assert set(ended) <= {"done"} | {f"skipped({reason})" for reason in REASONS}
    assert ended.count("done") > len(photos())
