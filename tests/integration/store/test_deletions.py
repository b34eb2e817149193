"""What a deletion does to faces and posts, when it waits for a person, and what is left of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from archive.deletions import Erased, erase_lost
from archive.history.ports import PageCommit, Stored
from archive.ids import ChatNo, MessageId
from archive.records import Message, MessageKind
from resources.store.database import Database
from resources.store.deletions import DeletionStore
from resources.store.history import HistoryStore
from resources.store.people import PeopleStore
from tests.fakes.media import MODEL, NOW, World

CHAT = ChatNo(1)
PERSON = uuid4()


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    """A chat with a portrait in message 7; its face is a person with a planned post."""
    world = World(database, tmp_path)
    world.run(
        "INSERT INTO windows (window_key, chat_no, first_id, last_id, watermark, read_at)"
        " VALUES (%s, 1, 1, 10000, 10000, now())",
        world.window().key,
    )
    world.run("UPDATE chats SET allow_publish = true")
    world.send(7, b"faces=1 seed=7")
    await world.pass_over()
    world.run(
        "INSERT INTO identities (identity_id, number, model) VALUES (%s, 1, %s)", PERSON, MODEL.name
    )
    world.run(
        "INSERT INTO assignments (face_id, identity_id, similarity, decided_by)"
        " SELECT face_id, %s, 0.9, 'matcher' FROM faces",
        PERSON,
    )
    plan_post(world)
    return world


def plan_post(world: World) -> None:
    world.add_chat(99, archive=False, faces=False)
    world.run("UPDATE chats SET is_hub = true WHERE chat_no = 99")
    world.run("INSERT INTO hubs (hub_no, chat_no, in_use) VALUES (5, 99, true)")
    world.run(
        "INSERT INTO topics (hub_no, identity_id, random_id, title) VALUES (5, %s, 1, 'Mia')",
        PERSON,
    )
    world.run(
        "INSERT INTO publications (publication_id, hub_no, identity_id, content_key, random_id)"
        " SELECT %s, 5, %s, content_key, 2 FROM blobs",
        uuid4(),
        PERSON,
    )


def read(world: World, *gone: int, received: tuple[Message, ...] = (), burst: int = 100) -> Stored:
    """Store an answer that lacks these messages and holds those."""
    history = HistoryStore(world.database, deletion_burst=burst)
    named = tuple(map(MessageId, [*gone, *(message.message_id for message in received)]))
    as_of = history.look(world.window()).as_of
    window = world.window()
    page = PageCommit(window, received, (), (), min(named), max(named), named, as_of, 0, None)
    stored = history.store_page(world.chat(), page)
    assert stored is not None
    return stored


def on_deletion(world: World, setting: str) -> None:
    world.run("UPDATE chats SET on_deletion = %s WHERE chat_no = 1", setting)


def wait(world: World, minutes: int = 11) -> None:
    """Let the deletions, and the crops, be so much older."""
    ago = timedelta(minutes=minutes)
    world.run("UPDATE messages SET deleted_at = deleted_at - %s", ago)
    world.run("UPDATE held_deletions SET seen_at = seen_at - %s", ago)
    world.run("UPDATE message_versions SET created_at = created_at - %s", ago)


def erase(world: World) -> Erased:
    """Erase at a time when every crop that lies there is old enough."""
    now = datetime.now(UTC) + timedelta(minutes=6)
    return erase_lost(DeletionStore(world.database), world.crops, now=now)


def usable_faces(world: World) -> int:
    with PeopleStore(world.database).deciding() as desk:
        return len(desk.usable_faces(MODEL.name, 0.0).faces)


def count(world: World, table: str) -> int:
    return int(world.run(f"SELECT count(*) AS n FROM {table}")[0]["n"])


def crops(world: World) -> int:
    return sum(path.is_file() for path in (world.folder / "crops").rglob("*.webp"))


def pictures(world: World) -> int:
    """Count crops and thumbnails."""
    return sum(path.is_file() for path in world.folder.rglob("*.webp"))


def deleted(world: World) -> list[int]:
    rows = world.run("SELECT message_id FROM messages WHERE deleted_at IS NOT NULL ORDER BY 1")
    return [row["message_id"] for row in rows]


def many(world: World, number: int) -> range:
    ids = range(100, 100 + number)
    for message_id in ids:
        world.run(
            "INSERT INTO messages (chat_no, message_id, kind, sent_at, raw)"
            " VALUES (1, %s, 'text', %s, '{}')",
            message_id,
            NOW,
        )
    return ids


# The setting


async def test_keep_leaves_faces_and_posts_as_they_are(world: World) -> None:
    on_deletion(world, "keep")
    assert read(world, 7).deleted == 1
    wait(world)
    assert erase(world) == Erased(0, 0, 0)
    assert usable_faces(world) == 1
    assert count(world, "publications") == 1


async def test_hide_takes_faces_out_of_use_and_planned_posts_back(world: World) -> None:
    read(world, 7)
    wait(world)
    assert erase(world) == Erased(0, 0, 0)
    assert usable_faces(world) == 0
    assert count(world, "publications") == 0
    assert (count(world, "faces"), crops(world)) == (1, 1)

    world.run("UPDATE messages SET deleted_at = NULL")
    assert usable_faces(world) == 1


async def test_a_post_that_was_sent_is_not_forgotten(world: World) -> None:
    on_deletion(world, "erase")
    world.run("UPDATE publications SET state = 'sent', method = 'upload', message_id = 3")
    read(world, 7)
    wait(world)
    erase(world)
    assert count(world, "publications") == 1


async def test_erase_leaves_nothing_of_a_face_and_says_so_in_the_log(world: World) -> None:
    on_deletion(world, "erase")
    read(world, 7)
    wait(world)

    assert erase(world) == Erased(1, 1, 2)

    emptied = ("faces", "embeddings", "assignments", "publications", "media_products")
    for table in (*emptied, "derived_pictures", "searches", "rejected_faces"):
        assert count(world, table) == 0, table
    assert (count(world, "doomed_crops"), pictures(world)) == (0, 0)
    (event,) = world.run("SELECT kind, other_identity_id, actor FROM identity_events")
    assert event == {"kind": "erased", "other_identity_id": PERSON, "actor": "deletion"}
    assert erase(world) == Erased(0, 0, 0)


async def test_nothing_is_erased_within_the_first_ten_minutes(world: World) -> None:
    on_deletion(world, "erase")
    read(world, 7)
    wait(world, 9)
    assert erase(world) == Erased(0, 0, 0)
    assert count(world, "faces") == 1


async def test_a_content_that_another_message_shows_is_not_erased(world: World) -> None:
    on_deletion(world, "erase")
    world.add_chat(2)
    world.send(30, media=7, chat_no=2)
    read(world, 7)
    wait(world)
    assert erase(world) == Erased(0, 0, 0)
    assert usable_faces(world) == 1
    assert count(world, "publications") == 0


async def test_another_file_of_the_same_bytes_keeps_a_content_too(world: World) -> None:
    on_deletion(world, "erase")
    world.send(8, b"faces=1 seed=7")
    await world.pass_over()
    read(world, 7)
    wait(world)
    assert erase(world) == Erased(0, 0, 0)

    read(world, 8)
    wait(world)

    assert erase(world) == Erased(1, 1, 2)
    assert count(world, "media_products") == 0


async def test_an_erased_content_that_comes_back_is_looked_at_again(world: World) -> None:
    on_deletion(world, "erase")
    read(world, 7)
    wait(world)
    erase(world)
    world.send(40, media=7)

    await world.pass_over()

    assert (usable_faces(world), crops(world)) == (1, 1)
    assert set(world.ledger().values()) == {"done"}


async def test_a_medium_replaced_by_an_edit_is_erased_where_the_chat_erases(world: World) -> None:
    on_deletion(world, "erase")
    edited = Message(
        MessageId(7), MessageKind.TEXT, NOW, edited_at=NOW + timedelta(hours=1), text="no photo"
    )
    read(world, received=(edited,))
    assert count(world, "publications") == 0
    assert usable_faces(world) == 0
    wait(world)
    assert erase(world) == Erased(1, 1, 2)


async def test_a_crop_that_a_commit_may_be_about_to_name_is_left_for_the_next_time(
    world: World,
) -> None:
    on_deletion(world, "erase")
    read(world, 7)
    wait(world)
    store = DeletionStore(world.database)

    assert erase_lost(store, world.crops, now=datetime.now(UTC)) == Erased(1, 1, 0)
    assert (count(world, "doomed_crops"), pictures(world)) == (2, 2)

    assert erase(world) == Erased(0, 0, 2)
    assert (count(world, "doomed_crops"), pictures(world)) == (0, 0)


async def test_a_crop_that_a_new_face_names_is_not_removed(world: World) -> None:
    on_deletion(world, "erase")
    read(world, 7)
    wait(world)
    DeletionStore(world.database).erase_some()
    world.send(40, media=7)
    await world.pass_over()
    assert erase(world) == Erased(0, 0, 0)
    assert (count(world, "doomed_crops"), crops(world)) == (0, 1)


# Many at once


async def test_as_many_as_the_limit_are_believed_and_one_more_holds_all_of_them(
    world: World,
) -> None:
    ids = many(world, 6)
    assert read(world, *ids[:5], burst=5).deleted == 5
    assert deleted(world) == list(ids[:5])

    last = read(world, ids[5], burst=5)

    assert (last.deleted, last.held) == (0, 1)
    assert deleted(world) == []
    (held,) = DeletionStore(world.database).waiting()
    assert (held.chat_no, held.messages) == (CHAT, 6)


async def test_deletions_further_apart_than_ten_minutes_are_no_burst(world: World) -> None:
    ids = many(world, 6)
    read(world, *ids[:5], burst=5)
    wait(world)
    assert read(world, ids[5], burst=5).deleted == 1
    assert deleted(world) == list(ids)


async def test_nothing_is_hidden_or_erased_while_a_burst_waits(world: World) -> None:
    on_deletion(world, "erase")
    read(world, 7, *many(world, 5), burst=5)
    wait(world, 10_000)
    assert erase(world) == Erased(0, 0, 0)
    assert usable_faces(world) == 1
    assert count(world, "publications") == 1
    # Asked again, it is no new deletion.
    assert read(world, 7, burst=5).held == 0


async def test_a_confirmed_burst_does_what_the_setting_says(world: World) -> None:
    on_deletion(world, "erase")
    ids = many(world, 5)
    read(world, 7, *ids, burst=5)
    wait(world)
    store = DeletionStore(world.database)

    assert store.decide(CHAT, "confirmed") == 6

    assert store.waiting() == []
    assert deleted(world) == [7, *ids]
    assert count(world, "publications") == 0
    assert erase(world) == Erased(1, 1, 2)


async def test_what_was_confirmed_does_not_make_the_next_deletion_a_burst(world: World) -> None:
    ids = many(world, 7)
    read(world, *ids[:6], burst=5)
    DeletionStore(world.database).decide(CHAT, "confirmed")
    assert read(world, ids[6], burst=5).deleted == 1


async def test_a_restored_burst_is_as_if_nothing_was_deleted_and_is_not_asked_again(
    world: World,
) -> None:
    ids = many(world, 5)
    read(world, 7, *ids, burst=5)
    store = DeletionStore(world.database)

    assert store.decide(CHAT, "restored") == 6

    assert (usable_faces(world), count(world, "publications")) == (1, 1)
    again = read(world, 7, *ids, burst=5)
    assert (again.deleted, again.held, store.waiting()) == (0, 0, [])


async def test_a_message_that_is_there_after_all_waits_no_longer(world: World) -> None:
    ids = many(world, 6)
    read(world, *ids, burst=5)
    read(world, received=(Message(MessageId(ids[0]), MessageKind.TEXT, NOW, text="here"),), burst=5)
    (held,) = DeletionStore(world.database).waiting()
    assert held.messages == 5


async def test_chats_do_not_count_together(world: World) -> None:
    world.add_chat(2)
    many(world, 4)
    read(world, *range(100, 104), burst=4)
    world.send(50, b"x", chat_no=2)
    world.run(
        "INSERT INTO windows (window_key, chat_no, first_id, last_id) VALUES (%s, 2, 1, 10000)",
        world.window(2).key,
    )
    history = HistoryStore(world.database, deletion_burst=4)
    window, gone = world.window(2), (MessageId(50),)
    as_of = history.look(window).as_of
    page = PageCommit(window, (), (), (), gone[0], gone[0], gone, as_of, 0, None)
    stored = history.store_page(world.chat(2), page)
    assert stored is not None
    assert (stored.deleted, stored.held) == (1, 0)
