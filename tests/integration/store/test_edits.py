"""Edits: every version that was seen stays, and a medium that was replaced is a source no more."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.history import plan_windows, read_window
from archive.history.ports import PageCommit
from archive.ids import MessageId
from archive.records import Chat, Message
from archive.windows import Window
from resources.store.chats import ChatStore
from resources.store.database import Database
from resources.store.history import HistoryStore
from tests.fakes.sources import a_source, stored
from tests.fakes.telegram import EPOCH, ScriptedHistory, a_message

Version = tuple[object, ...]

shared_database = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
# What one message says, second by second: text and perhaps a photo. Seconds may repeat.
seen_versions = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from("abc"), st.sampled_from([None, 1, 2])),
    min_size=1,
    max_size=8,
)


def a_version(seconds: int, text: str, photo: int | None) -> Message:
    """Message 5 as it was after an edit; 0 is as it was sent."""
    return a_message(5, text, photo=photo, edited_after_seconds=seconds or None)


def store(database: Database, chat: Chat, *messages: Message) -> None:
    """Store a page that holds these messages, as a reading just now would."""
    history = HistoryStore(database)
    window = Window(chat.chat_no, MessageId(1), MessageId(10_000))
    as_of = history.look(window).as_of
    ids = [message.message_id for message in messages]
    commit = PageCommit(window, messages, (), (), min(ids), max(ids), tuple(ids), as_of, 0, None)
    assert history.store_page(chat, commit) is not None


def a_chat(database: Database) -> Chat:
    """A chat with one planned window and nothing in it."""
    chat = a_source(database)
    source = ScriptedHistory([a_message(9_000)])
    asyncio.run(plan_windows(chat, source, HistoryStore(database)))
    return chat


def versions(database: Database, chat: Chat) -> set[Version]:
    """All that is known of message 5: when, text, photo."""
    with database.transaction() as connection:
        return set(
            connection.execute(
                "SELECT coalesce(edited_at, sent_at), text, media_id FROM messages"
                " LEFT JOIN message_media USING (chat_no, message_id)"
                " WHERE chat_no = %(no)s AND message_id = 5"
                " UNION SELECT written_at, text, media_id FROM message_versions"
                " WHERE chat_no = %(no)s",
                {"no": chat.chat_no},
            )
        )


def everything(database: Database, chat: Chat) -> list[object]:
    with database.transaction() as connection:
        kept = connection.execute(
            "SELECT * FROM message_versions WHERE chat_no = %s ORDER BY written_at, text, media_id",
            (chat.chat_no,),
        ).fetchall()
    return [*kept, *stored(database, chat)]


def is_dirty(database: Database, chat: Chat) -> bool:
    (row,) = ChatStore(database).windows(chat.chat_no)
    return row.dirty


@shared_database
@given(seen=seen_versions)
def test_every_version_that_was_seen_is_kept_in_whatever_order_they_arrive(
    database: Database, seen: list[tuple[int, str, int | None]]
) -> None:
    chat = a_chat(database)
    for version in seen:
        store(database, chat, a_version(*version))

    expected = {
        (EPOCH + timedelta(seconds=5 + at), text, None if photo is None else f"photo:{photo}")
        for at, text, photo in seen
    }
    assert versions(database, chat) == expected


@shared_database
@given(seen=seen_versions)
def test_reading_the_same_edit_again_changes_nothing(
    database: Database, seen: list[tuple[int, str, int | None]]
) -> None:
    chat = a_chat(database)
    newest = max(at for at, _, _ in seen)
    ordered = sorted(seen, key=lambda version: version[0])
    for version in ordered:
        store(database, chat, a_version(*version))
    before = everything(database, chat)

    store(database, chat, a_version(*ordered[-1]))
    for version in (version for version in seen if version[0] < newest):
        store(database, chat, a_version(*version))

    assert everything(database, chat) == before


def test_counters_and_reactions_make_no_version(database: Database) -> None:
    chat = a_chat(database)
    message = a_version(1, "hello", 1)
    store(database, chat, message)
    store(database, chat, replace(message, raw='{"id":5,"views":7}'))
    assert len(everything(database, chat)) == 1


def test_a_medium_put_in_by_an_edit_replaces_the_old_one_and_asks_for_a_pass(
    database: Database,
) -> None:
    chat = a_chat(database)
    store(database, chat, a_version(0, "photo", 1))
    assert not is_dirty(database, chat)

    store(database, chat, a_version(3, "photo", 2))

    assert [row.media_id for row in stored(database, chat)] == ["photo:2"]
    assert is_dirty(database, chat)


def test_an_edit_of_the_text_alone_asks_for_no_pass(database: Database) -> None:
    chat = a_chat(database)
    store(database, chat, a_version(0, "photo", 1))
    store(database, chat, a_version(3, "better", 1))
    assert not is_dirty(database, chat)


def test_a_reading_that_comes_to_its_end_leaves_the_pass_to_its_own_run(
    database: Database,
) -> None:
    chat = a_source(database)
    source = ScriptedHistory([a_version(0, "photo", 1)])
    history = HistoryStore(database)
    (window,) = asyncio.run(plan_windows(chat, source, history)).windows
    asyncio.run(read_window(window, source, history))
    source.put(a_version(3, "photo", 2))

    asyncio.run(read_window(window, source, history, whole=True))

    assert not is_dirty(database, chat)
    assert [row.media_id for row in stored(database, chat)] == ["photo:2"]
