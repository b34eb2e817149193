"""Live updates: from what was heard to windows that are due, and what answers them."""

from __future__ import annotations

from typing import Literal

from archive.history import plan_windows, read_window
from archive.ids import AccountId, ChatId, MessageId
from archive.listening import Change, DueWindow, due_windows, receive
from archive.records import Chat, ChatKind, Switches
from archive.windows import Window
from resources.store.chats import PostgresChats
from resources.store.database import Database
from resources.store.history import PostgresHistory
from resources.store.inbox import PostgresInbox
from tests.fakes.sources import OWNER, a_source, live_ids, stored
from tests.fakes.telegram import ScriptedHistory, a_message

What = Literal["new", "edited", "deleted"]


def hear(database: Database, chat: Chat, message_id: int, change: What = "new") -> bool:
    heard = Change(chat.chat_id, MessageId(message_id), change)
    return receive(heard, chat.account_id, PostgresInbox(database))


def due(database: Database, limit: int = 2_000) -> list[DueWindow]:
    return due_windows(PostgresInbox(database), limit)


async def read(database: Database, chat: Chat, source: ScriptedHistory) -> None:
    history = PostgresHistory(database)
    await plan_windows(chat, source, history)
    for row in PostgresChats(database).windows(chat.chat_no):
        await read_window(row.window, source, history)


def test_only_chats_that_may_be_archived_are_heard(database: Database) -> None:
    inbox = PostgresInbox(database)
    off = a_source(database, switches=Switches())
    hub = a_source(database, switches=Switches())
    PostgresChats(database).mark_hub(hub.chat_no)

    assert hear(database, a_source(database), 1)
    assert not hear(database, off, 1)
    assert not hear(database, hub, 1)
    assert not receive(Change(ChatId(987_654), MessageId(1), "new"), OWNER, inbox)
    assert not receive(Change(None, MessageId(1), "deleted"), OWNER, inbox)


async def test_a_new_message_makes_its_window_due_until_it_was_read(database: Database) -> None:
    chat = a_source(database)
    source = ScriptedHistory([a_message(1)])
    await read(database, chat, source)
    source.put(a_message(2))
    hear(database, chat, 2)

    [wanted] = due(database)
    await read_window(wanted.window, source, PostgresHistory(database))

    assert (wanted.is_new, 2 in live_ids(database, chat)) == (False, True)
    assert due(database) == []


async def test_an_id_beyond_the_last_window_plans_every_window_up_to_it(
    database: Database,
) -> None:
    chat = a_source(database)
    source = ScriptedHistory([a_message(9_999)])
    await read(database, chat, source)
    source.put(a_message(10_000), a_message(15_000), a_message(25_000))
    hear(database, chat, 25_000)

    [wanted] = due(database)
    await read_window(wanted.window, source, PostgresHistory(database))
    for row in PostgresHistory(database).windows_to_submit():
        await read_window(row.window, source, PostgresHistory(database))

    assert wanted.is_new
    assert wanted.window.first_id == 20_001
    assert live_ids(database, chat) == [9_999, 10_000, 15_000, 25_000]


async def test_in_a_sparse_space_the_next_planning_fills_what_a_live_update_skipped(
    database: Database,
) -> None:
    chat = a_source(database, ChatKind.PRIVATE)
    source = ScriptedHistory([a_message(5)], total=2**31 - 1)
    await read(database, chat, source)
    source.put(a_message(3_500_000), a_message(9_500_000))
    hear(database, chat, 9_500_000)

    [wanted] = due(database)
    await read_window(wanted.window, source, PostgresHistory(database))
    assert live_ids(database, chat) == [5, 9_500_000]
    await read(database, chat, source)

    assert live_ids(database, chat) == [5, 3_500_000, 9_500_000]


async def test_edits_and_deletions_in_a_sealed_window_are_read_by_their_ids_alone(
    database: Database,
) -> None:
    chat = a_source(database)
    source = ScriptedHistory(a_message(n) for n in (*range(1, 300), 10_001))
    await read(database, chat, source)
    source.put(a_message(7, "better", edited_after_seconds=60))
    source.remove(8)
    hear(database, chat, 7, "edited")
    hear(database, chat, 8, "deleted")
    hear(database, chat, 11, "deleted")
    source.requests.clear()

    [wanted] = due(database)
    result = await read_window(wanted.window, source, PostgresHistory(database))

    rows = {row.message_id: (row.text, row.is_deleted) for row in stored(database, chat)}
    assert (rows[7], rows[8]) == (("better", False), ("message 8", True))
    # The third was a false alarm: it is there, so it stays.
    assert rows[11] == ("message 11", False)
    assert (source.requests, source.named) == ([], [(7, 8, 11)])
    assert result.counts["deleted"] == 1
    assert due(database) == []


async def test_a_deletion_without_a_chat_is_found_in_the_accounts_own_space(
    database: Database,
) -> None:
    inbox = PostgresInbox(database)
    chat = a_source(database, ChatKind.PRIVATE)
    elsewhere = a_source(database, ChatKind.SUPERGROUP)
    theirs = a_source(database, ChatKind.PRIVATE, account_id=AccountId(77))
    source = ScriptedHistory([a_message(5)])
    for each in (chat, elsewhere, theirs):
        await read(database, each, source)

    assert receive(Change(None, MessageId(5), "deleted"), OWNER, inbox)
    [wanted] = due(database)

    assert wanted.window.chat_no == chat.chat_no


async def test_a_gap_is_closed_only_by_reading_the_window_whole(database: Database) -> None:
    chat = a_source(database)
    source = ScriptedHistory(a_message(n) for n in (1, 2, 3, 10_001))
    await read(database, chat, source)
    source.put(a_message(2, "better", edited_after_seconds=60))
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO inbox (chat_no, message_id, change) VALUES (%s, 3, 'gap')",
            (chat.chat_no,),
        )

    [wanted] = due(database)
    await read_window(wanted.window, source, PostgresHistory(database))

    assert [row.text for row in stored(database, chat)][1] == "better"
    assert due(database) == []


async def test_an_update_that_comes_during_the_reading_stays_due(database: Database) -> None:
    chat = a_source(database)
    source = ScriptedHistory([a_message(1), a_message(2)])
    history = PostgresHistory(database)
    [window] = (await plan_windows(chat, source, history)).windows
    hear(database, chat, 1)

    def edit_meanwhile(request: int) -> None:
        hear(database, chat, 2, "edited")

    source.before_answer = edit_meanwhile
    await read_window(window, source, history)

    [wanted] = due(database)
    assert wanted.window == Window(chat.chat_no, MessageId(1), MessageId(10_000))


async def test_a_tick_looks_at_a_bounded_number_of_updates_oldest_first(
    database: Database,
) -> None:
    chat = a_source(database)
    await read(database, chat, ScriptedHistory([a_message(25_000)]))
    for message_id in (15_000, 5, 25_000):
        hear(database, chat, message_id, "edited")

    assert [one.window.first_id for one in due(database, limit=2)] == [10_001, 1]
    assert [one.last_inbox_id for one in due(database)] == sorted(
        one.last_inbox_id for one in due(database)
    )


def test_updates_of_a_chat_without_windows_wait_for_its_planning(database: Database) -> None:
    chat = a_source(database)
    hear(database, chat, 5)

    assert due(database) == []
