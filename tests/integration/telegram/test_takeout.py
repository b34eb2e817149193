"""Reading through an export session, and without one wherever it cannot be had."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from archive.records import Chat, TakeoutNote
from resources.telegram.client import TelegramAccount, connect
from resources.telegram.sessions import Lane
from telegram_sandbox import ChatHandle
from tests.integration.telegram.conftest import House

INIT = "account.initTakeoutSession"


class Memory:
    """What a store would remember."""

    def __init__(self) -> None:
        self.note = TakeoutNote()

    def load(self) -> TakeoutNote:
        return self.note

    def save(self, note: TakeoutNote) -> None:
        self.note = note


@pytest.fixture
def memory() -> Memory:
    return Memory()


def a_group(house: House, **options: bool) -> ChatHandle:
    group = house.scenario.supergroup("Family", owner=house.me, **options)
    group.text(house.me, "hello")
    return group


async def open_with(house: House, memory: Memory) -> TelegramAccount:
    await house.login(lanes=[Lane.BACKFILL])
    connection = connect(house.config, house.files, Lane.BACKFILL, takeout=memory)
    return await house.stack.enter_async_context(connection)


async def read(account: TelegramAccount, chat: Chat, times: int = 1) -> None:
    for _ in range(times):
        page = await account.history.page(chat, offset_id=0)
        assert page.messages[0].text == "hello"


def in_takeout(house: House) -> list[bool]:
    log = house.sandbox.state.request_log
    return [each.in_takeout for each in log if each.method == "messages.getHistory"]


async def test_one_session_serves_many_pages_and_is_remembered(
    house: House, memory: Memory
) -> None:
    account = await open_with(house, memory)
    await read(account, await house.chat(account, a_group(house)), times=2)
    assert in_takeout(house) == [True, True]
    assert house.asked(INIT) == 1
    assert memory.note.takeout_id is not None
    assert account.takeout is not None
    assert account.takeout.state == "on"
    await account.takeout.finish()
    assert memory.note == TakeoutNote()
    assert house.sandbox.takeouts.count == 0


async def test_a_delayed_export_is_not_waited_for_and_says_what_to_confirm(
    house: House, memory: Memory
) -> None:
    account = await open_with(house, memory)
    house.sandbox.faults.error(INIT, "TAKEOUT_INIT_DELAY_86400")
    await read(account, await house.chat(account, a_group(house)), times=2)
    assert in_takeout(house) == [False, False]
    assert house.asked(INIT) == 1
    assert house.waits == []
    assert memory.note.refused_until is not None
    assert memory.note.refused_until > datetime.now(UTC) + timedelta(hours=23)
    assert "confirm the data export in the app" in (memory.note.reason or "")


async def test_a_short_delay_is_not_slept_either(house: House, memory: Memory) -> None:
    account = await open_with(house, memory)
    house.sandbox.faults.error(INIT, "TAKEOUT_INIT_DELAY_1")
    await read(account, await house.chat(account, a_group(house)))
    assert house.waits == []


async def test_a_refused_export_is_tried_again_when_its_time_has_come(
    house: House, memory: Memory
) -> None:
    account = await open_with(house, memory)
    house.sandbox.faults.error(INIT, "USER_BOT_INVALID")
    chat = await house.chat(account, a_group(house))
    await read(account, chat)
    memory.note = replace(memory.note, refused_until=datetime.now(UTC) - timedelta(seconds=1))
    again = await house.stack.enter_async_context(
        connect(house.config, house.files, Lane.BACKFILL, takeout=memory)
    )
    await read(again, chat)
    assert in_takeout(house) == [False, True]


async def test_an_export_that_ends_in_the_middle_loses_no_page(
    house: House, memory: Memory
) -> None:
    account = await open_with(house, memory)
    chat = await house.chat(account, a_group(house))
    await read(account, chat)
    house.sandbox.takeouts.end_all()
    await read(account, chat, times=2)
    assert house.asked(INIT) == 1
    assert memory.note.takeout_id is None
    assert "TAKEOUT_INVALID" in (memory.note.reason or "")


async def test_a_protected_chat_is_read_plainly_also_where_that_is_not_known_yet(
    house: House, memory: Memory
) -> None:
    account = await open_with(house, memory)
    chat = await house.chat(account, a_group(house, noforwards=True))
    assert chat.noforwards
    await read(account, chat)
    assert house.asked(INIT) == 0
    await read(account, replace(chat, noforwards=False), times=2)
    assert in_takeout(house)[-1] is False
    assert memory.note.takeout_id is not None


async def test_topics_never_go_through_it(house: House, memory: Memory) -> None:
    account = await open_with(house, memory)
    chat = await house.chat(account, a_group(house, forum=True))
    assert [topic.topic_id for topic in await account.topics.topics(chat)] == [1]
    assert house.asked(INIT) == 0
