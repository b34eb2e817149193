"""Planning the windows of chats, dense and sparse, and what a backfill then submits."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.errors import Transient
from archive.history import plan_windows, read_window
from archive.ids import MessageId
from archive.records import ChatKind, Switches
from archive.windows import OWN_WIDTH, PLACEHOLDER_WIDTH
from resources.store.chats import ChatStore
from resources.store.database import Database
from resources.store.history import HistoryStore
from tests.fakes.sources import a_source, live_ids
from tests.fakes.telegram import ScriptedHistory, a_message

many_ids = st.sets(st.integers(1, 2**31 - 2), max_size=60)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(first=many_ids, later=many_ids, claimed=st.integers(0, 2**31 - 1) | st.none())
def test_a_sparse_chat_gets_exactly_the_windows_that_hold_messages_however_it_grows(
    database: Database, first: set[int], later: set[int], claimed: int | None
) -> None:
    chat = a_source(database, ChatKind.PRIVATE)
    history = HistoryStore(database)
    source = ScriptedHistory(map(a_message, first), total=claimed)
    asyncio.run(plan_windows(chat, source, history))
    newest = max(first, default=0)
    source.put(*(a_message(n) for n in later if n > newest))

    asyncio.run(plan_windows(chat, source, history))
    again = asyncio.run(plan_windows(chat, source, history))

    windows = [row.window for row in ChatStore(database).windows(chat.chat_no)]
    for message_id in source.content:
        assert sum(message_id in window for window in windows) == 1
    assert all(any(one in window for one in source.content) for window in windows)
    assert again.windows == ()


async def test_a_dense_chat_is_planned_from_its_top_id_with_one_request(
    database: Database,
) -> None:
    chat = a_source(database)
    source = ScriptedHistory([a_message(3), a_message(95_001)])

    planned = await plan_windows(chat, source, HistoryStore(database))

    assert planned.requests == len(source.requests) == 1
    assert [window.first_id for window in planned.windows] == list(range(90_001, 0, -OWN_WIDTH))


async def test_the_jump_asks_as_the_server_understands_it(database: Database) -> None:
    chat = a_source(database, ChatKind.PRIVATE)
    source = ScriptedHistory([a_message(3), a_message(50_000_000)], total=2**31 - 1)

    planned = await plan_windows(chat, source, HistoryStore(database))

    assert source.requests == [(0, 0, 1), (1, -1, 1), (49_000_001, 0, 1)]
    assert [window.first_id for window in planned.windows] == [49_000_001, 1]
    assert {w.last_id - w.first_id + 1 for w in planned.windows} == {PLACEHOLDER_WIDTH}
    assert ChatStore(database).get(chat.chat_no).window_width == PLACEHOLDER_WIDTH


async def test_a_planning_that_dies_in_its_jump_leaves_no_hole(database: Database) -> None:
    def die(request: int) -> None:
        if request == 4:
            raise Transient("the connection broke")

    chat = a_source(database, ChatKind.BASIC_GROUP)
    ids = [5, 2_000_000, 40_000_000, 90_000_000]
    source = ScriptedHistory(map(a_message, ids), total=2**31 - 1, before_answer=die)
    history = HistoryStore(database)
    with pytest.raises(Transient):
        await plan_windows(chat, source, history)
    source.before_answer = None

    for window in (await plan_windows(chat, source, history)).windows:
        await read_window(window, source, history)

    assert live_ids(database, chat) == ids


async def test_an_empty_chat_has_no_windows_until_somebody_writes(database: Database) -> None:
    chat = a_source(database)
    source = ScriptedHistory([])
    history = HistoryStore(database)

    assert (await plan_windows(chat, source, history)).windows == ()
    assert [c.chat_no for c in ChatStore(database).unplanned()] == [chat.chat_no]
    source.put(a_message(1))
    assert len((await plan_windows(chat, source, history)).windows) == 1
    assert ChatStore(database).unplanned() == []


async def test_nothing_is_planned_of_a_chat_that_is_not_allowed(database: Database) -> None:
    chat = a_source(database, switches=Switches())
    source = ScriptedHistory([a_message(1)])

    planned = await plan_windows(chat, source, HistoryStore(database))

    assert (planned.windows, planned.stopped_reason) == ((), "switched_off")
    assert source.requests == []


async def test_a_backfill_submits_the_newest_window_of_every_chat_first(
    database: Database,
) -> None:
    one, other = sorted((a_source(database) for _ in range(2)), key=lambda chat: chat.chat_no)
    held = a_source(database, hold_backfill=True)
    history = HistoryStore(database)
    source = ScriptedHistory([a_message(25_000)])
    for chat in (one, other, held):
        await plan_windows(chat, source, history)

    order = [(row.window.chat_no, row.window.first_id) for row in history.windows_to_submit()]

    assert order == [(c.chat_no, first) for first in (20_001, 10_001, 1) for c in (one, other)]
    assert len(history.known_window_keys()) == 9


async def test_growth_of_a_window_is_a_new_occasion_to_run_it(database: Database) -> None:
    chat = a_source(database)
    history = HistoryStore(database)
    source = ScriptedHistory([a_message(5)])
    [window] = (await plan_windows(chat, source, history)).windows
    [before] = history.windows_to_submit()
    await read_window(window, source, history)
    assert history.windows_to_submit() == []

    source.put(a_message(6))
    await plan_windows(chat, source, history)
    [after] = history.windows_to_submit()

    assert after.known_top == MessageId(6)
    assert after.occasion != before.occasion
