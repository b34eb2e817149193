"""Drawn faces in the store: written with their decision or not at all, and kept by later passes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from archive.correcting import Act, undo
from archive.drawing import DrawnFace, draw
from archive.errors import ItemRejected, Permanent, Transient
from archive.faces.records import Box, FoundFace, PictureKind
from archive.identify import IdentifyOptions, identify
from archive.ids import ContentKey, IdentityId, MediaId
from archive.media_pass.options import MediaPassOptions
from archive.media_pass.ports import Ranges
from archive.records import MediaKind
from resources.store.corrections import CorrectionStore
from resources.store.database import Database
from resources.store.drawings import DrawingStore
from resources.store.people import PeopleStore
from tests.fakes.media import DIMS, MODEL, OPTIONS, FakeVision, World, newer

ADA = Act("ada", "test")
BOX = Box(300, 200, 340, 260)


class Draws:
    """Vision that sees a face in every box."""

    model = MODEL

    def __init__(self) -> None:
        self.looked_at: list[tuple[bytes, PictureKind, float]] = []

    async def draw(
        self, data: bytes | Ranges, kind: PictureKind, box: Box, *, seconds: float = 0.0
    ) -> FoundFace:
        start = data[:100] if isinstance(data, bytes) else await data.read(0, 100)
        self.looked_at.append((start, kind, seconds))
        vector = np.eye(DIMS, dtype=np.float32)[0]
        points = np.zeros((5, 2), np.float32)
        schema = MODEL.landmark_schema
        return FoundFace(seconds, box, points, schema, 0.9, 0.8, vector, b"webp drawn")


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    """A photo with one face, of one person."""
    world = World(database, tmp_path)
    world.send(7, b"faces=1 seed=7")
    await world.pass_over()
    identify(PeopleStore(database), MODEL, IdentifyOptions(min_faces=1), cause="test")
    return world


def content(world: World, message_id: int = 7) -> ContentKey:
    (row,) = world.run(
        "SELECT content_key FROM media WHERE media_id = %s", f"document:{message_id}"
    )
    return ContentKey(row["content_key"])


def person(world: World) -> IdentityId:
    return IdentityId(world.run("SELECT identity_id FROM identities")[0]["identity_id"])


def count(world: World, table: str) -> int:
    return int(world.run(f"SELECT count(*) AS n FROM {table}")[0]["n"])


async def drawn_on(
    world: World,
    key: ContentKey,
    box: Box = BOX,
    *,
    whose: IdentityId | None = None,
    seconds: float = 0.0,
    vision: Draws | None = None,
    options: MediaPassOptions = OPTIONS,
) -> DrawnFace:
    store = DrawingStore(world.database)
    return await draw(
        store.picture(key),
        box,
        ADA,
        seconds=seconds,
        whose=whose,
        media=world.source,
        vision=vision or Draws(),
        store=store,
        blobs=world.crops,
        options=options,
    )


async def test_a_picture_that_only_another_account_saw_is_fetched_by_who_is_in_the_chat(
    world: World,
) -> None:
    world.run("DELETE FROM media_access")
    with pytest.raises(Permanent):
        DrawingStore(world.database).picture(content(world))
    world.run(
        "INSERT INTO account_chats (account_id, chat_no, access_hash, is_inside) "
        "SELECT account_id, chat_no, 1, true FROM chats "
        "ON CONFLICT (account_id, chat_no) DO UPDATE SET is_inside = true"
    )
    assert (await drawn_on(world, content(world))).face_id


async def test_a_drawn_face_is_a_face_like_any_other(world: World) -> None:
    drawn = await drawn_on(world, content(world), whose=person(world))

    (face,) = world.run("SELECT * FROM faces WHERE face_id = %s", drawn.face_id)
    assert (face["x1"], face["y2"], face["model"]) == (300, 260, MODEL.name)
    assert world.crops.exists(face["crop_key"])
    (assignment,) = world.run("SELECT * FROM assignments WHERE face_id = %s", drawn.face_id)
    assert (assignment["identity_id"], assignment["decided_by"]) == (person(world), "person")
    assert CorrectionStore(world.database).check().total == 0
    with PeopleStore(world.database).deciding() as desk:
        assert len(desk.usable_faces(MODEL.name, 0.0)) == 2


async def test_undoing_the_drawing_makes_it_no_face(world: World) -> None:
    drawn = await drawn_on(world, content(world))

    with CorrectionStore(world.database).correcting() as desk:
        undo(desk, drawn.decisions[0].decision_id, ADA)

    assert [row["face_id"] for row in world.run("SELECT face_id FROM suppressed_regions")] == [
        drawn.face_id
    ]
    with PeopleStore(world.database).deciding() as desk:
        assert len(desk.usable_faces(MODEL.name, 0.0)) == 1


async def test_a_search_by_another_detector_keeps_a_drawn_face_that_it_misses(
    world: World,
) -> None:
    drawn = await drawn_on(world, content(world))

    await world.pass_over(vision=FakeVision(newer(MODEL, "2")))

    assert world.run("SELECT face_id FROM faces WHERE face_id = %s", drawn.face_id)


async def test_nothing_is_kept_of_a_face_whose_person_is_not_there(world: World) -> None:
    with pytest.raises(Permanent, match="no such identity"):
        await drawn_on(world, content(world), whose=IdentityId(uuid4()))

    assert count(world, "faces") == 1
    assert world.run("SELECT FROM identity_events WHERE kind = 'face_drawn'") == []


async def test_a_face_that_is_there_is_not_drawn_again(world: World) -> None:
    (face,) = world.run("SELECT face_id, x1, y1, x2, y2 FROM faces")

    with pytest.raises(Permanent, match=str(face["face_id"])):
        await drawn_on(world, content(world), Box(face["x1"], face["y1"], face["x2"], face["y2"]))

    assert count(world, "faces") == 1


async def test_the_same_place_at_another_time_of_a_video_is_another_face(world: World) -> None:
    world.send(8, b"faces=0 film", kind=MediaKind.VIDEO)
    await world.pass_over()

    for seconds in (1.0, 2.0):
        await drawn_on(world, content(world, 8), seconds=seconds)

    times = world.run(
        "SELECT frame_seconds FROM faces WHERE content_key = %s ORDER BY 1", content(world, 8)
    )
    assert [row["frame_seconds"] for row in times] == [1.0, 2.0]


async def test_of_a_large_video_only_what_is_looked_at_is_fetched(world: World) -> None:
    world.send(9, b"faces=0 long film", kind=MediaKind.VIDEO, size=2000)
    little = replace(OPTIONS, limits=replace(OPTIONS.limits, media_bytes=500))
    await world.pass_over(options=little)
    vision = Draws()
    fetched = list(world.source.fetched)

    await drawn_on(world, content(world, 9), seconds=3.0, vision=vision, options=little)

    assert world.source.fetched == fetched
    assert vision.looked_at == [(b"faces=0 long film".ljust(100, b"\0"), "video", 3.0)]


async def test_a_picture_of_which_the_faces_were_switched_off_is_not_drawn_on(
    world: World,
) -> None:
    world.run("UPDATE chats SET allow_faces = false")

    with pytest.raises(Permanent, match="no chat that allows faces"):
        DrawingStore(world.database).picture(content(world))


async def test_a_switch_that_goes_off_while_the_picture_is_looked_at_is_obeyed(
    world: World,
) -> None:
    class SwitchedOff(Draws):
        async def draw(
            self, data: bytes | Ranges, kind: PictureKind, box: Box, *, seconds: float = 0.0
        ) -> FoundFace:
            world.run("UPDATE chats SET allow_faces = false")
            return await super().draw(data, kind, box, seconds=seconds)

    with pytest.raises(Permanent, match="allows faces any more"):
        await drawn_on(world, content(world), vision=SwitchedOff())

    assert count(world, "faces") == 1


async def test_a_kept_original_is_taken_instead_of_asking_telegram(world: World) -> None:
    world.run("UPDATE chats SET keep_originals = true")
    await world.pass_over()
    assert count(world, "originals") == 1
    fetched = list(world.source.fetched)
    vision = Draws()

    await drawn_on(world, content(world), vision=vision)

    assert world.source.fetched == fetched
    assert vision.looked_at == [(b"faces=1 seed=7", "image", 0.0)]


async def test_a_download_that_was_cut_off_is_worth_another_try(world: World) -> None:
    world.source.script[MediaId("document:7")] = lambda: b"faces"

    with pytest.raises(Transient, match="truncated"):
        await drawn_on(world, content(world))


async def test_a_file_that_is_gone_is_said(world: World) -> None:
    world.source.script[MediaId("document:7")] = ItemRejected("gone", "no such message")

    with pytest.raises(ItemRejected, match="gone"):
        await drawn_on(world, content(world))
