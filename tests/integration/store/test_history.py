"""Reading windows into a real PostgreSQL: whole, once, and again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.chats import deny
from archive.errors import Transient
from archive.history import HistoryResult, plan_windows, read_window
from archive.history.ports import HistorySource
from archive.ids import AccountId, MessageId
from archive.records import Chat, ChatKind, Page, PeerInfo, Switches
from archive.windows import Window, WindowRow
from resources.store.chats import ChatStore
from resources.store.database import Database
from resources.store.history import HistoryStore
from tests.fakes.sources import OWNER, Stored, a_peer, a_source, live_ids, stored
from tests.fakes.telegram import ScriptedHistory, a_message

# One database for all examples: each of them makes a chat of its own.
shared_database = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
chat_content = st.sets(st.integers(1, 25_000), max_size=350)
page_cuts = st.lists(st.integers(1, 100), max_size=30)
at_a_time = st.integers(1, 5)


async def read_all(
    chat: Chat, source: HistorySource, database: Database, in_flight: int = 1
) -> list[HistoryResult]:
    history = HistoryStore(database)
    await plan_windows(chat, source, history)
    windows = ChatStore(database).windows(chat.chat_no)
    return [
        await read_window(row.window, source, history, in_flight=lambda: in_flight)
        for row in windows
    ]


def row_of(database: Database, window: Window) -> WindowRow:
    return HistoryStore(database).look(window).row


@shared_database
@given(ids=chat_content, cuts=page_cuts, backwards=st.booleans(), in_flight=at_a_time)
def test_any_content_is_stored_once_whatever_pages_the_server_cuts_and_in_any_order_of_windows(
    *, database: Database, ids: set[int], cuts: list[int], backwards: bool, in_flight: int
) -> None:
    chat = a_source(database)
    source = ScriptedHistory(map(a_message, ids), page_lengths=[100, *cuts])
    history = HistoryStore(database)

    planned = asyncio.run(plan_windows(chat, source, history)).windows
    for window in planned[::-1] if backwards else planned:
        asyncio.run(read_window(window, source, history, in_flight=lambda: in_flight))

    assert live_ids(database, chat) == sorted(ids)


@shared_database
@given(
    ids=chat_content,
    cuts=page_cuts,
    dies_at=st.sets(st.integers(1, 30), max_size=5),
    in_flight=at_a_time,
)
def test_a_reading_that_dies_anywhere_goes_on_to_the_same_rows(
    database: Database, ids: set[int], cuts: list[int], dies_at: set[int], in_flight: int
) -> None:
    def die(request: int) -> None:
        if request in dies_at:
            raise Transient("the connection broke")

    chat = a_source(database)
    source = ScriptedHistory(map(a_message, ids), page_lengths=cuts, before_answer=die)

    for _ in range(len(dies_at) + 1):
        try:
            asyncio.run(read_all(chat, source, database, in_flight))
        except Transient:
            continue

    assert live_ids(database, chat) == sorted(ids)
    # Other examples share the database: what they left says nothing about this one.
    left = HistoryStore(database).windows_to_submit()
    assert [row.window for row in left if row.window.chat_no == chat.chat_no] == []


@shared_database
@given(
    before=chat_content,
    after=chat_content,
    edited=st.sets(st.integers(1, 25_000), max_size=20),
    cuts=page_cuts,
)
def test_reading_whole_again_makes_the_store_equal_to_the_chat(
    database: Database, before: set[int], after: set[int], edited: set[int], cuts: list[int]
) -> None:
    chat = a_source(database)
    asyncio.run(read_all(chat, ScriptedHistory(map(a_message, before)), database))
    content = [
        a_message(n, "edited", edited_after_seconds=9) if n in edited else a_message(n)
        for n in after
    ]
    later = ScriptedHistory(content, page_lengths=cuts)
    history = HistoryStore(database)

    asyncio.run(plan_windows(chat, later, history))
    for row in ChatStore(database).windows(chat.chat_no):
        asyncio.run(read_window(row.window, later, history, whole=True))

    assert live_ids(database, chat) == sorted(after)
    assert {row.message_id for row in stored(database, chat)} == before | after
    texts = {row.message_id: row.text for row in stored(database, chat)}
    assert all(texts[n] == "edited" for n in after & edited)


async def test_a_second_run_asks_nothing_of_sealed_windows_and_changes_nothing(
    database: Database,
) -> None:
    chat = a_source(database)
    source = ScriptedHistory(a_message(n) for n in range(9_900, 20_100, 3))
    await read_all(chat, source, database)
    before = stored(database, chat)
    source.requests.clear()

    results = await read_all(chat, source, database)

    assert stored(database, chat) == before
    assert sum(result.counts["added"] for result in results) == 0
    # One to see whether the chat has grown, one above the watermark of the open window.
    assert len(source.requests) == 2


async def test_a_37_message_page_in_the_middle_of_a_range_loses_nothing(
    database: Database,
) -> None:
    chat = a_source(database)
    ids = list(range(1, 1_001))
    source = ScriptedHistory(map(a_message, ids), page_lengths=[1, 100, 37, 100, 1])

    await read_all(chat, source, database)

    assert live_ids(database, chat) == ids


async def test_the_oldest_and_the_newest_id_of_window_and_chat_are_included(
    database: Database,
) -> None:
    chat = a_source(database)
    ids = [1, 2, 9_999, 10_000, 10_001, 20_000, 20_001]

    await read_all(chat, ScriptedHistory(map(a_message, ids)), database)

    assert live_ids(database, chat) == ids


async def test_a_window_is_sealed_once_a_later_id_exists_beyond_it(database: Database) -> None:
    chat = a_source(database)
    source = ScriptedHistory([a_message(9_000)])
    await read_all(chat, source, database)
    window = Window(chat.chat_no, MessageId(1), MessageId(10_000))
    assert not row_of(database, window).sealed

    source.put(a_message(9_500), a_message(10_500))
    await plan_windows(chat, source, HistoryStore(database))
    due = {row.window for row in HistoryStore(database).windows_to_submit()}
    await read_all(chat, source, database)

    assert window in due
    assert row_of(database, window).sealed
    assert live_ids(database, chat) == [9_000, 9_500, 10_500]


async def test_an_open_window_is_asked_only_above_its_watermark(database: Database) -> None:
    chat = a_source(database)
    source = ScriptedHistory(a_message(n) for n in range(1, 1_001))
    await read_all(chat, source, database)
    source.put(a_message(1_001))
    source.requests.clear()

    [result] = await read_all(chat, source, database)

    assert result.counts["added"] == 1
    assert result.counts["requests"] == 1
    assert result.counts["messages"] == 1


async def test_messages_that_arrive_while_a_reading_is_interrupted_are_not_skipped(
    database: Database,
) -> None:
    chat = a_source(database)

    def die(request: int) -> None:
        if request == 4:
            raise Transient("the connection broke")

    source = ScriptedHistory((a_message(n) for n in range(1, 501)), before_answer=die)
    with pytest.raises(Transient):
        await read_all(chat, source, database)
    source.before_answer = None
    source.put(*(a_message(n) for n in range(501, 10_300)))

    await read_all(chat, source, database)

    assert live_ids(database, chat) == list(range(1, 10_300))


async def test_the_switch_is_looked_at_before_every_page(database: Database) -> None:
    chat = a_source(database)
    chats = ChatStore(database)

    stored_by_then: list[MessageId] = []

    def switch_off(request: int) -> None:
        if request == 4:
            deny(chat, Switches(archive=True), chats)
            stored_by_then.extend(live_ids(database, chat))

    source = ScriptedHistory(map(a_message, range(1, 1_001)), before_answer=switch_off)
    [result] = await read_all(chat, source, database)

    assert result.stopped_reason == "switched_off"
    assert live_ids(database, chat) == stored_by_then
    assert len(stored_by_then) <= 200
    assert HistoryStore(database).windows_to_submit() == []


async def test_two_chats_with_the_same_message_id_and_medium_are_two_messages_of_one_medium(
    database: Database,
) -> None:
    one, other = a_source(database), a_source(database)
    source = ScriptedHistory([a_message(7, photo=99)])

    await read_all(one, source, database)
    await read_all(other, source, database)

    assert stored(database, one) == stored(database, other)
    assert stored(database, one) == [Stored(7, "message 7", False, "photo:99")]
    with database.transaction() as connection:
        assert connection.execute("SELECT count(*) FROM media").fetchone() == (1,)


async def test_an_edit_that_replaces_the_medium_replaces_the_link(database: Database) -> None:
    chat = a_source(database)
    source = ScriptedHistory([a_message(7, photo=99)])
    await read_all(chat, source, database)
    source.put(a_message(7, photo=100, edited_after_seconds=5))

    window = Window(chat.chat_no, MessageId(1), MessageId(10_000))
    await read_window(window, source, HistoryStore(database), whole=True)

    assert [row.media_id for row in stored(database, chat)] == ["photo:100"]


async def test_a_late_answer_neither_revives_a_deleted_message_nor_undoes_an_edit(
    database: Database,
) -> None:
    chat = a_source(database)
    history = HistoryStore(database)
    source = ScriptedHistory([a_message(1), a_message(2)])
    await read_all(chat, source, database)
    window = Window(chat.chat_no, MessageId(1), MessageId(10_000))

    class Slow(ScriptedHistory):
        """Answers with what was true before another run stored what is true now."""

        async def page(self, chat: Chat, **asked: Any) -> Page:
            answer = await super().page(chat, **asked)
            now = ScriptedHistory([a_message(2, "edited", edited_after_seconds=60), a_message(3)])
            await read_window(window, now, history, whole=True)
            return answer

    await read_window(window, Slow([a_message(1), a_message(2)]), history, whole=True)

    rows = {row.message_id: (row.text, row.is_deleted) for row in stored(database, chat)}
    assert rows == {1: ("message 1", True), 2: ("edited", False), 3: ("message 3", False)}


async def test_senders_and_chats_come_with_the_answers(database: Database) -> None:
    chat = a_source(database)
    named = a_peer(ChatKind.CHANNEL, title="News")
    partial = PeerInfo(named.chat_id, named.kind, "Renamed?", access_hash=None)

    await read_all(chat, ScriptedHistory([a_message(1)], chats=[named]), database)
    await read_all(chat, ScriptedHistory([a_message(2)], chats=[partial]), database)

    seen = ChatStore(database).by_chat_id(named.chat_id, OWNER)
    assert seen is not None
    assert (seen.title, seen.access_hash) == ("News", named.access_hash)
    assert seen not in ChatStore(database).list()
    with database.transaction() as connection:
        assert connection.execute("SELECT first_name FROM users ORDER BY user_id").fetchall() == [
            ("Person 501",),
            ("Person 502",),
        ]


async def test_a_text_with_nul_does_not_block_its_window(database: Database) -> None:
    chat = a_source(database)
    message = a_message(1, "a\x00b")

    await read_all(chat, ScriptedHistory([message]), database)

    assert [row.text for row in stored(database, chat)] == ["ab"]


async def test_a_server_that_repeats_itself_is_not_believed_for_ever(database: Database) -> None:
    class Stuck(ScriptedHistory):
        async def page(self, chat: Chat, **asked: Any) -> Page:
            return await super().page(chat, **asked | {"offset_id": 0})

    chat = a_source(database)
    with pytest.raises(Transient, match="newer than"):
        await read_all(chat, Stuck(a_message(n) for n in range(1, 300)), database)


async def test_a_chat_that_was_never_planned_is_refused(database: Database) -> None:
    chat = a_source(database)

    with pytest.raises(Exception, match="never planned"):
        await read_window(
            Window(chat.chat_no, MessageId(1), MessageId(10_000)),
            ScriptedHistory([]),
            HistoryStore(database),
        )


async def test_two_accounts_keep_their_own_access_to_a_medium(database: Database) -> None:
    mine = a_source(database, ChatKind.PRIVATE)
    theirs = a_source(database, ChatKind.PRIVATE, account_id=AccountId(77))
    source = ScriptedHistory([a_message(1, photo=5)])

    await read_all(mine, source, database)
    await read_all(theirs, source, database)

    with database.transaction() as connection:
        rows = connection.execute("SELECT account_id FROM media_access ORDER BY 1").fetchall()
    assert rows == [(77,), (OWNER,)]
