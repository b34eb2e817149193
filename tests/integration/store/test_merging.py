"""A content that was read in parts and then whole: what becomes of its faces and its posts."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from archive.ledger import Limits
from archive.records import MediaKind
from resources.store.database import Database
from tests.fakes.media import MODEL, OPTIONS, World

LARGE = 200_000
DATA = b"faces=1 seed=1 ".ljust(100)
WHOLE = DATA.ljust(LARGE, b"\0")
NEW = f"sha256:{hashlib.sha256(WHOLE).hexdigest()}"
PERSON = uuid4()


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    """A large video of which only parts were read; its face is a person with a topic."""
    world = World(database, tmp_path / "blobs")
    world.send(1, DATA, kind=MediaKind.VIDEO, size=LARGE)
    await world.pass_over()
    world.run(
        "INSERT INTO identities (identity_id, number, model) VALUES (%s, 1, %s)", PERSON, MODEL.name
    )
    world.run(
        "INSERT INTO assignments (face_id, identity_id, similarity, decided_by)"
        " SELECT face_id, %s, 0.9, 'matcher' FROM faces",
        PERSON,
    )
    world.add_chat(99, archive=False, faces=False)
    world.run("UPDATE chats SET is_hub = true WHERE chat_no = 99")
    world.run("INSERT INTO hubs (hub_no, chat_no, in_use) VALUES (5, 99, true)")
    world.run(
        "INSERT INTO topics (hub_no, identity_id, random_id, title) VALUES (5, %s, 1, 'Mia')",
        PERSON,
    )
    return world


def old_key(world: World) -> str:
    (row,) = world.run("SELECT content_key FROM media WHERE media_id = 'document:1'")
    assert row["content_key"].startswith("tgdoc:")
    return str(row["content_key"])


def post(world: World, key: str, state: str, random_id: int) -> None:
    message_id = None if state in {"planned", "sending"} else random_id
    method = None if state == "planned" else "reference"
    world.run(
        "INSERT INTO publications (publication_id, hub_no, identity_id, content_key, random_id,"
        " state, message_id, method) VALUES (%s, 5, %s, %s, %s, %s, %s, %s)",
        uuid4(), PERSON, key, random_id, state, message_id, method,
    )  # fmt: skip


def posts(world: World) -> dict[int, tuple[str, str]]:
    rows = world.run("SELECT random_id, content_key, state FROM publications")
    return {row["random_id"]: (row["content_key"], row["state"]) for row in rows}


async def read_whole(world: World) -> None:
    world.run("UPDATE chats SET keep_originals = true WHERE chat_no = 1")
    options = replace(OPTIONS, limits=Limits(1_000_000, original_bytes=LARGE))
    assert (await world.pass_over(options=options)).complete


@pytest.mark.parametrize("state", ["planned", "sending", "sent", "removing", "removed"])
async def test_faces_pictures_and_posts_go_on_under_the_digest(world: World, state: str) -> None:
    old = old_key(world)
    post(world, old, state, 10)
    faces = world.run("SELECT face_id FROM assignments")

    await read_whole(world)

    assert posts(world) == {10: (NEW, state)}
    assert world.run("SELECT face_id FROM assignments") == faces
    for table in ("faces", "derived_pictures", "searches", "rejected_faces", "originals"):
        keys = {row["content_key"] for row in world.run(f"SELECT content_key FROM {table}")}
        assert keys == {NEW}, table
    assert world.run("SELECT content_key FROM blobs") == [{"content_key": NEW}]


@pytest.mark.parametrize(
    ("parts", "whole", "left"),
    [
        ("planned", "planned", {20: "planned"}),
        ("planned", "sent", {20: "sent"}),
        ("sent", "planned", {10: "sent"}),
        ("sending", "planned", {10: "sending"}),
        ("removed", "sent", {10: "removed", 20: "sent"}),
    ],
)
async def test_of_two_posts_of_one_content_the_one_that_is_in_the_hub_stays(
    world: World, parts: str, whole: str, left: dict[int, str]
) -> None:
    post(world, old_key(world), parts, 10)
    sha256 = hashlib.sha256(WHOLE).digest()
    world.run("INSERT INTO blobs (content_key, sha256, size_bytes) VALUES (%s, %s, 1)", NEW, sha256)
    post(world, NEW, whole, 20)

    await read_whole(world)

    assert posts(world) == {number: (NEW, state) for number, state in left.items()}
    assert world.run("SELECT content_key FROM blobs") == [{"content_key": NEW}]


async def test_two_posts_that_are_both_in_the_hub_keep_their_names(world: World) -> None:
    old = old_key(world)
    post(world, old, "sent", 10)
    sha256 = hashlib.sha256(WHOLE).digest()
    world.run("INSERT INTO blobs (content_key, sha256, size_bytes) VALUES (%s, %s, 1)", NEW, sha256)
    post(world, NEW, "sent", 20)

    await read_whole(world)

    assert posts(world) == {10: (old, "sent"), 20: (NEW, "sent")}
    assert {row["content_key"] for row in world.run("SELECT content_key FROM faces")} == {NEW}
