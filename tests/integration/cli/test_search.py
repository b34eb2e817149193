"""Searching from the command line: by a stored face, and by a picture."""

from __future__ import annotations

from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import pytest

from archive.identify import IdentifyOptions, identify
from archive.ids import content_key
from cli.exits import ExitCode
from resources.store.database import Database
from resources.store.faces import ensure_model, write_blob, write_faces
from resources.store.people import PeopleStore
from resources.vision.analyst import Analyst
from resources.vision.factory import load_engine
from tests.fakes.media import MODEL, World

from .conftest import Shell
from .conftest import picture as colour

PACK = "scrfd_mobilefacenet"


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """Two chats; the second has a link of its own."""
    world = World(database, tmp_path / "blobs")
    world.add_chat(2)
    world.run(
        "UPDATE chats SET chat_id = -1000000000000 - chat_no, title = 'Chat ' || chat_no,"
        " added_at = now()"
    )
    return world


@pytest.fixture
async def album(world: World) -> World:
    """Three pictures of two faces each, the last in the second chat; every face is a person."""
    world.send(7, b"faces=2 seed=1")
    world.send(8, b"faces=2 seed=2")
    world.send(9, b"faces=2 seed=3", chat_no=2)
    world.run("UPDATE messages SET sent_at = '2026-05-03' WHERE message_id = 8")
    await world.pass_over()
    await world.pass_over(2)
    identify(PeopleStore(world.database), MODEL, IdentifyOptions(min_faces=1), cause="test")
    return world


@pytest.fixture
def fakes(installed: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("FACE_ARCHIVE_MODEL", MODEL.name)
    return installed


def a_face(world: World) -> str:
    return str(
        world.run("SELECT face_id FROM faces ORDER BY content_key, x1 LIMIT 1")[0]["face_id"]
    )


def test_a_stored_face_finds_people_and_faces_with_their_messages(
    fakes: Shell, album: World
) -> None:
    face = a_face(album)

    rows = fakes.rows("search", face)

    people = [row for row in rows if "nearest_face" in row]
    faces = [row for row in rows if "face" in row]
    assert len(faces) == 5
    assert face not in {row["face"] for row in faces}
    similarities = [row["similarity"] for row in faces]
    assert similarities == sorted(similarities, reverse=True)
    assert people[0]["person"] == faces[0]["person"]
    assert {row["link"] for row in faces} == {
        "https://t.me/c/1/7", "https://t.me/c/1/8", "https://t.me/c/2/9",
    }  # fmt: skip
    assert all(row["sent_at"].startswith("2026-05-0") for row in faces)


def test_a_search_keeps_to_a_chat_a_time_and_a_number(fakes: Shell, album: World) -> None:
    def messages(*options: str) -> set[int]:
        rows = fakes.rows("search", a_face(album)[:13], *options)
        return {row["message_id"] for row in rows if "face" in row}

    assert messages("--chat", "Chat 2") == {9}
    assert messages("--since", "2026-05-02") == {8}
    assert messages("--until", "2026-05-01") == {7, 9}
    assert messages("--since", "2026-05-03", "--until", "2026-05-03") == {8}
    rows = fakes.rows("search", a_face(album), "--limit", "2")
    assert len(rows) == 4


@pytest.mark.parametrize("probe", ["nobody.jpg", "ffffff", "12"])
def test_what_is_neither_a_picture_nor_a_face_is_said(
    fakes: Shell, album: World, probe: str
) -> None:
    result = fakes.run("search", probe)

    assert result.exit_code == ExitCode.PERSON_MUST_ACT


def test_a_picture_finds_each_of_its_faces_in_the_archive(
    installed: Shell, world: World, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = shared_data / "models" / "insightface"
    monkeypatch.setenv("FACE_ARCHIVE_MODEL", PACK)
    monkeypatch.setenv("FACE_ARCHIVE_MODELS_DIR", str(models))
    monkeypatch.setenv("FACE_ARCHIVE_ACCEPT_NONCOMMERCIAL_MODELS", "true")
    photo = (files("insightface") / "data" / "images" / "t1.jpg").read_bytes()
    engine = load_engine(PACK, models, accept_noncommercial=True)
    analysis = Analyst(engine).analyse(photo, "image")
    key = content_key(sha256(photo).digest())
    media_id = world.send(5, photo)
    with world.database.transaction() as connection:
        ensure_model(connection, engine.model)
        write_blob(connection, key, analysis.fingerprint)
        crops = ["crop"] * len(analysis.faces)
        write_faces(connection, key, PACK, analysis.faces, crops)
        connection.execute("UPDATE media SET content_key = %s WHERE media_id = %s", (key, media_id))
    picture = installed.folder / "holiday.jpg"
    picture.write_bytes(photo)

    rows = installed.rows("search", picture, "--limit", "1")

    assert len(rows) == len(analysis.faces) == 6
    assert [row["similarity"] for row in rows] == pytest.approx([1.0] * 6, abs=0.001)
    assert [row["box"][0] for row in rows] == sorted(row["box"][0] for row in rows)

    blank = installed.folder / "blank.png"
    blank.write_bytes(colour("teal"))
    refused = installed.run("search", blank)
    assert refused.exit_code == ExitCode.PERSON_MUST_ACT
    assert "no face" in refused.output
