"""Switching a chat's faces off: what is counted, what is erased, what another chat keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive.chats import allow, deny
from archive.deletions import Erased, Losses, erase_lost
from archive.identify import IdentifyOptions, identify
from archive.ids import ChatNo
from archive.records import MediaKind, Switches
from resources.store.chats import ChatStore
from resources.store.corrections import CorrectionStore
from resources.store.database import Database
from resources.store.deletions import DeletionStore
from resources.store.people import PeopleStore
from tests.fakes.media import MODEL, World

CHAT = ChatNo(1)
FACES = Switches(faces=True)
EVERYTHING = Switches(archive=True, faces=True, publish=True)


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    """Chat 1 shows a photo of its own and one that chat 2 shows too; each face is a person."""
    world = World(database, tmp_path)
    world.add_chat(2)
    world.send(7, b"faces=2 seed=7")
    world.send(8, b"faces=1 seed=8")
    world.send(20, media=8, chat_no=2)
    await world.pass_over()
    identify(PeopleStore(database), MODEL, IdentifyOptions(min_faces=1), cause="test")
    assert count(world, "identities") == 3
    return world


def count(world: World, table: str) -> int:
    return int(world.run(f"SELECT count(*) AS n FROM {table}")[0]["n"])


def switch_off(world: World, switches: Switches = FACES, chat_no: ChatNo = CHAT) -> None:
    chats = ChatStore(world.database)
    deny(chats.get(chat_no), switches, chats)


def erase(world: World) -> Erased:
    """Erase at a time when every crop that lies there is old enough."""
    now = datetime.now(UTC) + timedelta(minutes=6)
    return erase_lost(DeletionStore(world.database), world.crops, now=now)


def losses(world: World, *, archive: bool = False, chat_no: ChatNo = CHAT) -> Losses:
    return DeletionStore(world.database).losses(chat_no, archive=archive)


def pictures(world: World, folder: str) -> int:
    return sum(path.is_file() for path in (world.folder / folder).rglob("*.*"))


async def test_what_would_be_erased_is_counted_without_changing_anything(world: World) -> None:
    before = world.results()

    assert losses(world) == Losses(contents=1, faces=2, people=2, people_gone=2)
    assert losses(world, chat_no=ChatNo(2)) == Losses(0, 0, 0, 0)

    assert world.results() == before
    assert ChatStore(world.database).get(CHAT).switches.faces


async def test_a_person_with_a_face_elsewhere_is_counted_but_not_gone(world: World) -> None:
    world.run(
        "UPDATE assignments SET identity_id = (SELECT identity_id FROM assignments JOIN faces"
        " USING (face_id) JOIN media USING (content_key) WHERE media_id = 'document:8')"
    )

    assert losses(world) == Losses(contents=1, faces=2, people=1, people_gone=0)


async def test_faces_that_no_other_chat_allows_are_erased_with_all_that_was_made_of_them(
    world: World,
) -> None:
    switch_off(world)

    erased = erase(world)

    assert (erased.contents, erased.faces) == (1, 2)
    for table in ("faces", "embeddings", "assignments", "searches"):
        assert count(world, table) == 1, table
    assert pictures(world, "crops") == 1
    assert erase(world) == Erased(0, 0, 0)


async def test_the_log_says_whose_faces_were_erased(world: World) -> None:
    lost = world.run(
        "SELECT face_id FROM assignments JOIN faces USING (face_id)"
        " JOIN media USING (content_key) WHERE media_id = 'document:7'"
    )
    switch_off(world)
    erase(world)

    events = world.run("SELECT face_id FROM identity_events WHERE kind = 'erased'")
    assert {event["face_id"] for event in events} == {each["face_id"] for each in lost}


async def test_thumbnails_stay_while_the_chat_is_archived_and_go_with_the_archive(
    world: World,
) -> None:
    switch_off(world)
    erase(world)
    assert pictures(world, "thumbnails") == 2

    switch_off(world, EVERYTHING)
    erase(world)

    assert pictures(world, "thumbnails") == 1
    assert world.run("SELECT media_id FROM media_products GROUP BY 1") == [
        {"media_id": "document:8"}
    ]


async def test_the_archive_is_counted_with_its_thumbnails(world: World) -> None:
    switch_off(world)
    erase(world)

    assert losses(world) == Losses(0, 0, 0, 0)
    assert losses(world, archive=True) == Losses(1, 0, 0, 0)


async def test_a_content_is_erased_when_the_last_chat_that_allows_it_is_denied(
    world: World,
) -> None:
    switch_off(world)
    erase(world)
    assert losses(world, chat_no=ChatNo(2)) == Losses(1, 1, 1, 1)

    switch_off(world, chat_no=ChatNo(2))

    assert erase(world).faces == 1
    assert count(world, "faces") == 0


async def test_a_pass_over_a_denied_chat_looks_for_no_face_and_leaves_nothing_to_erase(
    world: World,
) -> None:
    switch_off(world)
    erase(world)

    await world.pass_over()

    assert world.ledger()["document:7", "faces"] == "skipped(faces_off)"
    assert world.ledger()["document:7", "thumbnails"] == "done"
    assert world.source.fetched.count("document:7") == 1
    assert erase(world) == Erased(0, 0, 0)


async def test_allowing_the_chat_again_makes_everything_anew(world: World) -> None:
    before = world.results()
    switch_off(world)
    erase(world)
    chats = ChatStore(world.database)

    allow(chats.get(CHAT), FACES, chats)
    await world.pass_over()

    assert world.results() == before
    assert erase(world) == Erased(0, 0, 0)


async def test_what_a_kill_interrupted_is_finished_by_the_next_call(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resources.store.deletions._CONTENTS_AT_A_TIME", 1)
    switch_off(world)
    switch_off(world, chat_no=ChatNo(2))
    assert DeletionStore(world.database).erase_some().contents == 1
    state = DeletionStore(world.database).work_state()

    assert erase(world).contents == 1

    assert count(world, "faces") == 0
    assert (pictures(world, "crops"), count(world, "doomed_crops")) == (0, 0)
    assert DeletionStore(world.database).work_state() != state


async def test_a_chat_whose_faces_nobody_switched_off_erases_nothing(world: World) -> None:
    world.run("UPDATE chats SET allow_faces = false")

    assert erase(world) == Erased(0, 0, 0)
    assert count(world, "faces") == 3


async def test_denying_to_publish_erases_nothing(world: World) -> None:
    switch_off(world, Switches(publish=True))

    assert erase(world) == Erased(0, 0, 0)
    assert ChatStore(world.database).get(CHAT).switches.faces


async def test_a_medium_that_an_edit_replaced_is_erased_too(world: World) -> None:
    world.run("DELETE FROM message_media WHERE media_id = 'document:7'")
    world.run(
        "INSERT INTO message_versions (chat_no, message_id, written_at, text, media_id, raw)"
        " VALUES (1, 7, now(), '', 'document:7', '{}')"
    )
    switch_off(world)

    assert erase(world).faces == 2


async def test_a_group_that_moved_loses_the_faces_of_its_past_too(world: World) -> None:
    world.run("UPDATE chats SET migrated_to = 2 WHERE chat_no = 1")
    assert losses(world, chat_no=ChatNo(2)) == Losses(2, 3, 3, 3)

    switch_off(world, chat_no=ChatNo(2))

    assert erase(world).faces == 3


async def test_an_original_stays_with_the_archive_and_goes_with_it(world: World) -> None:
    world.run("UPDATE chats SET keep_originals = true WHERE chat_no = 1")
    await world.pass_over()
    assert count(world, "originals") == 2
    switch_off(world)
    erase(world)
    assert count(world, "originals") == 2
    assert losses(world, archive=True).contents == 1

    switch_off(world, EVERYTHING)
    erase(world)

    assert count(world, "originals") == 1
    assert pictures(world, "originals") == 1


async def test_an_original_in_which_nobody_looks_for_faces_goes_with_the_archive_too(
    world: World,
) -> None:
    world.run("UPDATE chats SET keep_originals = true WHERE chat_no = 1")
    world.send(9, b"a voice message", kind=MediaKind.VOICE)
    await world.pass_over()
    assert count(world, "originals") == 3

    switch_off(world, EVERYTHING)
    erase(world)

    # The photo that the other chat shows stays.
    assert count(world, "originals") == 1
    assert pictures(world, "originals") == 1


async def test_a_rebuilt_register_of_people_knows_nothing_of_what_was_erased(world: World) -> None:
    switch_off(world)
    erase(world)

    assert CorrectionStore(world.database).check().total == 0
