"""Faces alone in a hub, with the real store, the real Telethon and the loopback Telegram."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from archive.errors import ItemRejected
from archive.ids import ContentKey, IdentityId
from archive.publishing import Hub
from resources.blobs import BlobStore
from resources.crops import StoredCrops
from resources.store.database import Database
from tests.integration.publishing_rows import key
from tests.integration.publishing_stage import Died, Stage, shown, stage


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(database, tmp_path) as found:
        yield found


@pytest.fixture
def hub(house: Stage) -> Hub:
    return house.hub(house.people)


@pytest.fixture
def crops(house: Stage, database: Database, tmp_path: Path) -> StoredCrops:
    """The face of photo 3 that is the clearest of person 1 is red, that of everybody else blue."""
    blobs = BlobStore(tmp_path / "blobs")
    house.rows.run("UPDATE faces SET quality = 0.5, crop_key = %s", blobs.put(face("blue")))
    house.rows.run(
        "UPDATE faces SET crop_key = %s, quality = 1 FROM assignments, identities "
        "WHERE assignments.face_id = faces.face_id AND content_key = %s "
        "AND identities.identity_id = assignments.identity_id AND identities.number = 1",
        blobs.put(face("red")),
        key(3),
    )
    return StoredCrops(database, blobs)


def face(color: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40), color).save(buffer, "WEBP")
    return buffer.getvalue()


def colors(house: Stage) -> dict[str, list[str]]:
    return {
        title.rpartition(" ")[0]: [color_of(data) for _, data in posts]
        for title, posts in shown(house.people).items()
    }


def color_of(data: bytes) -> str:
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "JPEG"
        red, _, blue = image.convert("RGB").resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
        return "red" if red > blue else "blue"


async def test_only_the_face_of_whose_topic_it_is_is_posted_with_a_link_to_the_source(
    house: Stage, hub: Hub, crops: StoredCrops
) -> None:
    result = await house.publish(hub, crops=crops)
    assert (result.sent, result.counts["crop"]) == (9, 6)
    assert colors(house) == {
        "Mia & Ida": ["blue"],
        "Person 1": ["blue", "blue", "red"],
        "Person 2": ["blue", "blue"],
    }
    assert all("Family" in text for posts in shown(house.people).values() for text, _ in posts)
    assert house.asked("messages.forwardMessages", "upload.getFile") == 0
    assert (await house.publish(hub, crops=crops)).sent == 0


@pytest.mark.parametrize("point", ["before the call", "after the call", "after the record"])
async def test_dying_doubles_no_face(
    house: Stage, hub: Hub, crops: StoredCrops, point: str
) -> None:
    await house.publish(hub, max_operations=3, crops=crops)
    with pytest.raises(Died):
        await house.publish(hub, dies=point, crops=crops)
    await house.publish(hub, crops=crops)
    assert [len(faces) for faces in colors(house).values()] == [1, 3, 2]


async def test_where_the_face_is_gone_the_whole_picture_is_not_shown_instead(
    house: Stage, hub: Hub
) -> None:
    class Gone:
        def crop(self, identity_id: IdentityId, content_key: ContentKey) -> bytes:
            raise ItemRejected("no face")

    assert (await house.publish(hub, crops=Gone())).counts["refused"] == 6
    assert [len(posts) for posts in shown(house.people).values()] == [0, 0, 0]
    rows = house.store.projection(hub.hub_no).actual.posts
    assert {row.refusal for row in rows} == {"no face"}
