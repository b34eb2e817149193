"""What no update told: found by comparing newest messages, noted once, and planned."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from archive.history import plan_windows, read_window
from archive.ids import MessageId
from archive.listening import Change, Heard, due_windows
from archive.reconciling import Reconciled, Top, reconcile
from archive.records import Chat, ChatKind
from resources.store.chats import ChatStore
from resources.store.database import Database
from resources.store.history import HistoryStore
from resources.store.inbox import InboxStore
from tests.fakes.sources import OWNER, a_source, live_ids
from tests.fakes.telegram import ScriptedHistory, a_message


class Tops:
    """Telegram as it answers about how far chats have come; knows one history for all."""

    def __init__(self, source: ScriptedHistory, *, hidden: Sequence[Chat] = ()) -> None:
        self._source = source
        self._hidden = {chat.chat_no for chat in hidden}

    async def tops(self, chats: Sequence[Chat]) -> Sequence[Top]:
        newest = max(self._source.content, default=MessageId(0))
        return [Top(chat, newest) for chat in chats if chat.chat_no not in self._hidden]


async def compared(
    database: Database, source: ScriptedHistory, *, hidden: Sequence[Chat] = ()
) -> Reconciled:
    tops = Tops(source, hidden=hidden)
    history, inbox = HistoryStore(database), InboxStore(database)
    return await reconcile(OWNER, tops, source, inbox, history)


async def read_all(database: Database, chat: Chat, source: ScriptedHistory) -> None:
    history = HistoryStore(database)
    await plan_windows(chat, source, history)
    for row in ChatStore(database).windows(chat.chat_no):
        await read_window(row.window, source, history)


async def read_due(database: Database, source: ScriptedHistory) -> int:
    due = due_windows(InboxStore(database))
    for each in due:
        await read_window(each.window, source, HistoryStore(database))
    return len(due)


async def test_a_message_that_nobody_told_of_is_found_and_read(database: Database) -> None:
    chat = a_source(database)
    source = ScriptedHistory([a_message(1)])
    await read_all(database, chat, source)
    source.put(a_message(2), a_message(3))

    assert await compared(database, source) == Reconciled(1, 0, behind=1, planned=0)
    assert await compared(database, source) == Reconciled(1, 0, behind=0, planned=0)
    assert await read_due(database, source) == 1

    assert live_ids(database, chat) == [1, 2, 3]
    assert await compared(database, source) == Reconciled(1, 0, behind=0, planned=0)


async def test_what_is_stored_or_told_of_already_is_not_noted(database: Database) -> None:
    chat = a_source(database)
    source = ScriptedHistory([a_message(1)])
    await read_all(database, chat, source)
    assert (await compared(database, source)).behind == 0

    source.put(a_message(2))
    told = Heard((Change(chat.chat_id, MessageId(2), "new"),))
    InboxStore(database).keep(OWNER, told)
    assert (await compared(database, source)).behind == 0


async def test_a_dense_chat_grows_windows_without_a_question(database: Database) -> None:
    chat = a_source(database)
    source = ScriptedHistory([a_message(9_999)])
    await read_all(database, chat, source)
    source.put(a_message(10_001), a_message(25_000))
    source.requests.clear()

    await compared(database, source)
    assert source.requests == []
    await read_due(database, source)
    for row in HistoryStore(database).windows_to_submit():
        await read_window(row.window, source, HistoryStore(database))

    assert live_ids(database, chat) == [9_999, 10_001, 25_000]


async def test_a_sparse_chat_gets_every_window_between(database: Database) -> None:
    chat = a_source(database, ChatKind.PRIVATE)
    source = ScriptedHistory([a_message(5)], total=2**31 - 1)
    await read_all(database, chat, source)
    source.put(a_message(3_500_000), a_message(9_500_000))

    assert await compared(database, source) == Reconciled(1, 0, behind=1, planned=2)
    await read_due(database, source)
    for row in HistoryStore(database).windows_to_submit():
        await read_window(row.window, source, HistoryStore(database))

    assert live_ids(database, chat) == [5, 3_500_000, 9_500_000]


@pytest.mark.parametrize("kind", [ChatKind.SUPERGROUP, ChatKind.PRIVATE])
async def test_a_chat_whose_planning_failed_when_it_was_allowed_is_planned(
    database: Database, kind: ChatKind
) -> None:
    chat = a_source(database, kind)
    source = ScriptedHistory([a_message(5)])
    assert (await compared(database, source)).planned == 1
    assert [row.window.chat_no for row in HistoryStore(database).windows_to_submit()] == [
        chat.chat_no
    ]


async def test_old_messages_of_a_held_chat_are_left_to_its_owner(database: Database) -> None:
    chat = a_source(database, hold_backfill=True)
    source = ScriptedHistory([a_message(5)])
    await plan_windows(chat, source, HistoryStore(database))
    assert (await compared(database, source)).behind == 0

    source.put(a_message(6))
    assert (await compared(database, source)).behind == 1


async def test_a_chat_that_the_account_cannot_see_is_counted_and_left(database: Database) -> None:
    chat, hidden = a_source(database), a_source(database)
    source = ScriptedHistory([a_message(1)])
    for each in (chat, hidden):
        await read_all(database, each, source)
    source.put(a_message(2))

    assert await compared(database, source, hidden=[hidden]) == Reconciled(1, 1, 1, 0)
