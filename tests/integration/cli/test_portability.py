"""Exporting and importing people from the command line: files, sidecars, refusals."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from xml.etree import ElementTree

import pytest

from archive.identify import IdentifyOptions, identify
from cli.exits import ExitCode
from resources.store.database import Database
from resources.store.people import PeopleStore
from tests.fakes.media import MODEL, World

from .conftest import Shell

FIRST, SECOND = b"faces=2 seed=1", b"faces=2 seed=2"


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    """Two photos with two faces each, all of which are somebody's."""
    world = World(database, tmp_path / "blobs")
    world.send(7, FIRST)
    world.send(8, SECOND)
    await world.pass_over()
    identify(PeopleStore(database), MODEL, IdentifyOptions(min_faces=1), cause="test")
    return world


@pytest.fixture
def shell(installed: Shell, world: World, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("FACE_ARCHIVE_MODEL", MODEL.name)
    return installed


def names(world: World) -> dict[tuple[str, float], str | None]:
    """Give the name of whoever is at each place."""
    rows = world.run(
        "SELECT content_key, x1, label FROM assignments JOIN faces USING (face_id)"
        " JOIN identities USING (identity_id)"
    )
    return {(row["content_key"], row["x1"]): row["label"] for row in rows}


def forget(world: World) -> None:
    """Take every name away, as if it was another archive of the same files."""
    world.run("TRUNCATE identities, identity_events, event_payloads, assignments CASCADE")
    identify(PeopleStore(world.database), MODEL, IdentifyOptions(min_faces=1), cause="test")


def test_names_survive_a_move_by_a_file(shell: Shell, world: World) -> None:
    shell.rows("identities", "name", "1", "Ada")
    before = names(world)
    (exported,) = shell.rows("identities", "export", "people.json")
    forget(world)
    assert names(world) != before

    (rehearsed,) = shell.rows("identities", "import", "people.json", "--dry-run")
    assert names(world) != before
    (imported,) = shell.rows("identities", "import", "people.json")

    assert names(world) == before
    assert (exported["named"], exported["faces"], exported["contents"]) == (1, 4, 2)
    assert imported["named"] == rehearsed["named"] == 1
    assert rehearsed["decision_id"] is None
    (again,) = shell.rows("identities", "import", "people.json")
    assert again["decision_id"] is None
    shell.rows("identities", "undo", imported["decision_id"])
    assert set(names(world).values()) == {None}


def test_sidecars_name_each_photo_by_its_digest_and_bring_the_names_back(
    shell: Shell, world: World
) -> None:
    shell.rows("identities", "name", "1", "Ada <3")
    before = names(world)

    (exported,) = shell.rows("identities", "export", "people.json", "--xmp", "sidecars")

    sidecars = sorted((shell.folder / "sidecars").iterdir())
    assert [path.name for path in sidecars] == sorted(
        f"{sha256(data).hexdigest()}.xmp" for data in (FIRST, SECOND)
    )
    assert exported["sidecars"] == 2
    assert all(ElementTree.parse(path).getroot() is not None for path in sidecars)
    forget(world)
    (imported,) = shell.rows("identities", "import", "sidecars")
    assert names(world) == before
    assert imported["people"] == 1
    assert imported["faces_found"] == sum(name is not None for name in before.values())


@pytest.mark.parametrize("suffix", [".jpg.xmp", ".xmp"])
def test_a_sidecar_belongs_to_the_picture_beside_it(
    shell: Shell, world: World, suffix: str
) -> None:
    shell.rows("identities", "name", "1", "Ada")
    before = names(world)
    shell.rows("identities", "export", "people.json", "--xmp", "sidecars")
    place = next(key for key, name in before.items() if name)
    data = FIRST if place[0].endswith(sha256(FIRST).hexdigest()) else SECOND
    album = shell.folder / "album [1]"
    album.mkdir()
    (album / "IMG 7.jpg").write_bytes(data)
    sidecar = shell.folder / "sidecars" / f"{sha256(data).hexdigest()}.xmp"
    (album / f"IMG 7{suffix}").write_bytes(sidecar.read_bytes())
    (album / "alone.xmp").write_bytes(sidecar.read_bytes())
    (album / "IMG 7.txt.xmp").write_bytes(b"no sidecar")
    forget(world)

    result = shell.run("identities", "import", "album [1]")

    assert names(world) == before
    assert "alone.xmp is left out" in result.output
    assert "IMG 7.txt.xmp is left out" in result.output


@pytest.mark.parametrize("content", [None, "{}", "\xff", "[1"])
def test_what_is_no_export_is_refused(shell: Shell, content: str | None) -> None:
    if content is not None:
        (shell.folder / "people.json").write_text(content, encoding="latin-1")

    result = shell.run("identities", "import", "people.json")

    assert result.exit_code == ExitCode.PERSON_MUST_ACT


def test_a_file_that_cannot_be_written_is_said(shell: Shell) -> None:
    result = shell.run("identities", "export", "nowhere/people.json")

    assert result.exit_code == ExitCode.PERSON_MUST_ACT


def test_people_who_are_not_here_are_named(shell: Shell, world: World) -> None:
    shell.rows("identities", "name", "1", "Ada")
    shell.rows("identities", "export", "people.json")
    file = shell.folder / "people.json"
    read = json.loads(file.read_text(encoding="utf-8"))
    for face in read["faces"]:
        if face["person"] == 1:
            face["content"] = "sha256:" + "0" * 64
    file.write_text(json.dumps(read), encoding="utf-8")

    result = shell.run("identities", "import", "people.json")

    assert "Nobody here is like Ada" in result.output
