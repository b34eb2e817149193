"""Live updates: from what was heard to windows that are due, and what answers them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

from archive.chats import allow, deny
from archive.history import plan_windows, read_window
from archive.ids import AccountId, ChatId, MessageId
from archive.listening import Change, DueWindow, Heard, UpdateState, due_windows
from archive.reconciling import Top
from archive.records import Account, Chat, ChatKind, Page, Switches
from archive.windows import Window
from resources.store.accounts import AccountStore
from resources.store.chats import ChatStore
from resources.store.database import Database
from resources.store.history import HistoryStore
from resources.store.inbox import InboxStore
from resources.store.update_states import UpdateStateStore
from tests.fakes.sources import OWNER, a_source, live_ids, stored
from tests.fakes.telegram import ScriptedHistory, a_message

What = Literal["new", "edited", "deleted"]


def hear(database: Database, chat: Chat, message_id: int, change: What = "new") -> bool:
    heard = Change(chat.chat_id, MessageId(message_id), change)
    return InboxStore(database).keep(chat.account_id, Heard((heard,))) == 1


def lose(database: Database, chat: Chat) -> None:
    heard = Heard(lost_in=frozenset({chat.chat_id}))
    InboxStore(database).keep(chat.account_id, heard)


def due(database: Database, limit: int = 2_000) -> list[DueWindow]:
    return due_windows(InboxStore(database), limit)


def begin(database: Database, chat: Chat) -> None:
    state = UpdateState(7, 0, 3, datetime(2026, 1, 2, tzinfo=UTC))
    InboxStore(database).keep(OWNER, Heard(state=state))
    UpdateStateStore(database).begin(OWNER, [Top(chat, MessageId(1), 40)])


async def read(database: Database, chat: Chat, source: ScriptedHistory) -> None:
    history = HistoryStore(database)
    await plan_windows(chat, source, history)
    for row in ChatStore(database).windows(chat.chat_no):
        await read_window(row.window, source, history)


def test_only_chats_that_may_be_archived_are_heard(database: Database) -> None:
    inbox = InboxStore(database)
    off = a_source(database, switches=Switches())
    hub = a_source(database, switches=Switches())
    ChatStore(database).mark_hub(hub.chat_no)

    assert hear(database, a_source(database), 1)
    assert not hear(database, off, 1)
    assert not hear(database, hub, 1)
    strangers = (
        Change(ChatId(987_654), MessageId(1), "new"),
        Change(None, MessageId(1), "deleted"),
    )
    assert inbox.keep(OWNER, Heard(strangers)) == 0


def test_a_chat_is_heard_through_the_account_that_reads_it(database: Database) -> None:
    chat = a_source(database)
    heard = Heard((Change(chat.chat_id, MessageId(1), "new"),))
    AccountStore(database).save(Account(AccountId(77), "Another"))

    assert InboxStore(database).keep(AccountId(77), heard) == 0
    assert InboxStore(database).keep(OWNER, heard) == 1


async def test_a_new_message_makes_its_window_due_until_it_was_read(database: Database) -> None:
    chat = a_source(database)
    source = ScriptedHistory([a_message(1)])
    await read(database, chat, source)
    source.put(a_message(2))
    hear(database, chat, 2)

    [wanted] = due(database)
    await read_window(wanted.window, source, HistoryStore(database))

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
    await read_window(wanted.window, source, HistoryStore(database))
    for row in HistoryStore(database).windows_to_submit():
        await read_window(row.window, source, HistoryStore(database))

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
    await read_window(wanted.window, source, HistoryStore(database))
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
    result = await read_window(wanted.window, source, HistoryStore(database))

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
    inbox = InboxStore(database)
    chat = a_source(database, ChatKind.PRIVATE)
    elsewhere = a_source(database, ChatKind.SUPERGROUP)
    theirs = a_source(database, ChatKind.PRIVATE, account_id=AccountId(77))
    source = ScriptedHistory([a_message(5)])
    for each in (chat, elsewhere, theirs):
        await read(database, each, source)

    assert inbox.keep(OWNER, Heard((Change(None, MessageId(5), "deleted"),))) == 1
    [wanted] = due(database)

    assert wanted.window.chat_no == chat.chat_no


async def test_a_gap_is_closed_only_by_reading_the_window_whole(database: Database) -> None:
    chat = a_source(database)
    source = ScriptedHistory(a_message(n) for n in (1, 2, 3, 10_001))
    await read(database, chat, source)
    source.put(a_message(2, "better", edited_after_seconds=60))
    lose(database, chat)

    wanted = due(database)
    for each in wanted:
        await read_window(each.window, source, HistoryStore(database))

    assert [each.is_repair for each in wanted] == [True, True]
    assert [row.text for row in stored(database, chat)][1] == "better"
    assert due(database) == []


async def test_what_was_lost_of_a_window_nobody_read_waits_for_its_first_reading(
    database: Database,
) -> None:
    chat = a_source(database)
    source = ScriptedHistory(a_message(n) for n in (1, 2))
    await plan_windows(chat, source, HistoryStore(database))
    lose(database, chat)
    hear(database, chat, 2, "edited")
    assert due(database) == []

    source.before_answer = lambda request: lose(database, chat)
    await read(database, chat, source)
    [wanted] = due(database)

    assert wanted.is_repair
    source.before_answer = None
    await read_window(wanted.window, source, HistoryStore(database))
    assert due(database) == []


async def test_a_loss_in_the_shared_space_is_a_gap_in_each_chat_of_it(database: Database) -> None:
    private, group = a_source(database, ChatKind.PRIVATE), a_source(database, ChatKind.BASIC_GROUP)
    elsewhere = a_source(database)
    for chat in (private, group, elsewhere):
        await read(database, chat, ScriptedHistory([a_message(5)]))

    InboxStore(database).keep(OWNER, Heard(lost_in=frozenset({None})))

    assert {each.window.chat_no for each in due(database)} == {private.chat_no, group.chat_no}


class SlowLine(ScriptedHistory):
    """Telegram whose answers are on their way while something happens."""

    on_the_way: Callable[[], None] | None = None

    async def page(self, *arguments: Any, **options: Any) -> Page:
        answer = await super().page(*arguments, **options)
        if self.on_the_way is not None:
            self.on_the_way()
            self.on_the_way = None
        return answer


async def test_a_deletion_without_a_chat_reaches_the_page_that_is_on_its_way(
    database: Database,
) -> None:
    chat = a_source(database, ChatKind.PRIVATE)
    source = SlowLine([a_message(5), a_message(6)])
    history = HistoryStore(database)
    [window] = (await plan_windows(chat, source, history)).windows

    def delete() -> None:
        source.remove(5)
        gone = Heard((Change(None, MessageId(5), "deleted"),))
        assert InboxStore(database).keep(OWNER, gone) == 1

    source.on_the_way = delete
    await read_window(window, source, history)
    assert live_ids(database, chat) == [5, 6]
    [wanted] = due(database)
    await read_window(wanted.window, source, history)

    assert live_ids(database, chat) == [6]
    assert due(database) == []


async def test_a_window_that_nobody_reads_is_asked_for_again_after_ever_longer_pauses(
    database: Database,
) -> None:
    chat = a_source(database)
    await read(database, chat, ScriptedHistory([a_message(1)]))
    hear(database, chat, 2)
    occasions = []
    for minutes in (0, 9, 1, 9, 1, 19, 1):
        with database.transaction() as connection:
            connection.execute(
                "UPDATE inbox SET created_at = created_at - make_interval(mins => %s)", (minutes,)
            )
        occasions.append(due(database)[0].occasion)

    assert occasions == ["1", "1", "1-1", "1-1", "1-2", "1-2", "1-3"]


def test_where_updates_stand_is_stored_with_what_brought_them_there(database: Database) -> None:
    chat = a_source(database)
    updates, inbox = UpdateStateStore(database), InboxStore(database)
    assert updates.standing(OWNER).state is None
    assert updates.standing(OWNER).unheard == (chat,)

    state = UpdateState(7, 0, 3, datetime(2026, 1, 2, tzinfo=UTC))
    inbox.keep(OWNER, Heard(state=state))
    updates.begin(OWNER, [Top(chat, MessageId(9), 40)])
    heard = Heard((Change(chat.chat_id, MessageId(9), "new"),), channels={chat.chat_id: 41})
    inbox.keep(OWNER, heard)

    standing = updates.standing(OWNER)
    assert (standing.state, standing.unheard) == (state, ())
    assert [(each.chat.chat_no, each.pts) for each in standing.heard] == [(chat.chat_no, 41)]


def test_a_chat_is_not_begun_before_the_accounts_own_place_is_known(database: Database) -> None:
    chat = a_source(database)
    assert UpdateStateStore(database).begin(OWNER, [Top(chat, MessageId(9), 40)]) == []


async def test_a_chat_that_begins_to_be_heard_has_a_gap_in_what_was_read_of_it(
    database: Database,
) -> None:
    chat = a_source(database)
    await read(database, chat, ScriptedHistory([a_message(1)]))
    begin(database, chat)
    [wanted] = due(database)
    await read_window(wanted.window, ScriptedHistory([a_message(1)]), HistoryStore(database))

    begin(database, chat)
    assert due(database) == []

    deny(chat, Switches(archive=True), ChatStore(database))
    assert UpdateStateStore(database).standing(OWNER).heard == ()
    allow(chat, Switches(archive=True), ChatStore(database))
    begin(database, chat)
    assert [each.is_repair for each in due(database)] == [True]


async def test_an_update_that_comes_during_the_reading_stays_due(database: Database) -> None:
    chat = a_source(database)
    source = ScriptedHistory([a_message(1), a_message(2)])
    history = HistoryStore(database)
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
    assert [one.occasion for one in due(database)] == ["1", "2", "3"]


def test_updates_of_a_chat_without_windows_wait_for_its_planning(database: Database) -> None:
    chat = a_source(database)
    hear(database, chat, 5)

    assert due(database) == []


async def test_an_update_is_forgotten_two_weeks_after_it_was_answered(database: Database) -> None:
    chat = a_source(database)
    for number in (1, 2):
        hear(database, chat, number)
    await read(database, chat, ScriptedHistory([a_message(1), a_message(2)]))
    hear(database, chat, 3)
    inbox = InboxStore(database)
    assert inbox.prune() == 0

    with database.transaction() as connection:
        connection.execute(
            "UPDATE inbox SET created_at = created_at - interval '30 days', applied_at = "
            "applied_at - CASE message_id WHEN 1 THEN interval '15 days' ELSE interval '13 days' "
            "END WHERE chat_no = %s",
            (chat.chat_no,),
        )
    assert inbox.prune() == 1

    with database.transaction() as connection:
        left = connection.execute("SELECT message_id FROM inbox ORDER BY 1").fetchall()
    assert left == [(2,), (3,)]
