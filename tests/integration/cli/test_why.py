"""Asking about one picture from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive.identify import IdentifyOptions, identify
from archive.near_copies import link_near_copies
from cli.exits import ExitCode
from resources.store.database import Database
from resources.store.near_copies import NearCopies
from resources.store.people import PeopleStore
from tests.fakes.media import MODEL, World

from .conftest import Shell


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    """Two photos with two faces each, and people founded from each face."""
    world = World(database, tmp_path / "blobs")
    world.send(7, b"faces=2 seed=1")
    world.send(8, b"faces=2 seed=2")
    await world.pass_over()
    identify(PeopleStore(database), MODEL, IdentifyOptions(min_faces=1), cause="test")
    return world


@pytest.fixture
def shell(installed: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("FACE_ARCHIVE_MODEL", MODEL.name)
    return installed


def test_kept_and_dropped_faces_are_told_with_whom_they_are_near(
    shell: Shell, world: World
) -> None:
    rows = shell.rows("why", "document:7")

    assert [row["verdict"].split(":")[0][:9] for row in rows] == [
        "is Person",
        "dropped",
        "is Person",
    ]
    kept = [row for row in rows if row["person"]]
    assert all(1 <= len(row["nearest"]) <= 3 for row in kept)
    assert rows[1]["verdict"] == "dropped: too_small"
    assert rows[1]["nearest"] == {}


def test_a_link_names_the_picture_too(shell: Shell, world: World) -> None:
    world.run("UPDATE chats SET chat_id = -1000000000042, added_at = now()")

    assert len(shell.rows("why", "https://t.me/c/42/8")) == 3


@pytest.mark.parametrize("reference", ["document:99", "https://t.me/c/4242/8", "nonsense"])
def test_what_the_archive_does_not_have_is_said(shell: Shell, world: World, reference: str) -> None:
    assert shell.run("why", reference).exit_code != ExitCode.OK


def test_what_looks_like_it_and_what_did_not_arrive_is_said(shell: Shell, world: World) -> None:
    link_near_copies(NearCopies(world.database))
    world.run("UPDATE blobs SET truncated = true")

    said = shell.run("why", "document:7").stderr

    assert "looks like document:8 (0 of 64 bits differ): https://t.me/c/" in said
    assert "only the beginning of the file arrived" in said


async def test_a_search_by_another_detector_replaces_what_was_dropped(
    shell: Shell, world: World
) -> None:
    counted = world.run("SELECT count(*) FROM rejected_faces")[0]["count"]

    world.run("UPDATE media_products SET state = 'pending', producer = NULL")
    await world.pass_over()

    assert world.run("SELECT count(*) FROM rejected_faces")[0]["count"] == counted == 2
    (search, _) = world.run("SELECT detector, provider, rejected FROM searches")
    assert search == {
        "detector": MODEL.detector_version, "provider": "cpu", "rejected": {"too_small": 1},
    }  # fmt: skip
