"""What every source of history promises: the fake of the tests and the real adapter alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TypeAlias

import pytest

from archive.history.ports import HistorySource
from archive.ids import AccountId, ChatId, ChatNo, MessageId
from archive.records import Chat, ChatKind
from tests.fakes.telegram import ScriptedHistory, a_message
from tests.integration.telegram.conftest import House, house

__all__ = ["house"]  # A fixture: the loopback Telegram with an account logged in.

# What exists: 1 … 250 without 100 … 109.
IDS = [n for n in range(1, 251) if not 100 <= n < 110]
Side: TypeAlias = tuple[HistorySource, Chat]


@pytest.fixture(params=["scripted", "telethon"])
async def side(request: pytest.FixtureRequest, house: House) -> Side:
    if request.param == "scripted":
        chat = Chat(ChatNo(7), ChatId(-1_000_000_000_005), AccountId(1), ChatKind.SUPERGROUP, "F")
        return ScriptedHistory(map(a_message, IDS)), chat
    group = house.scenario.supergroup("Family", owner=house.me)
    for number in range(2, 251):
        group.text(house.me, f"message {number}", date=a_message(number).sent_at)
    group.delete(*(group.message(n) for n in range(100, 110)))
    account = await house.open()
    return account.history, await house.chat(account, group)


def below(bound: int) -> Iterator[int]:
    return (n for n in reversed(IDS) if n < bound)


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ({"offset_id": 0}, list(below(251))[:100]),
        ({"offset_id": 0, "limit": 1}, [250]),
        ({"offset_id": 10_001}, list(below(251))[:100]),
        ({"offset_id": 250}, list(below(250))[:100]),
        ({"offset_id": 105}, list(below(100))),
        ({"offset_id": 100, "limit": 1}, [99]),
        ({"offset_id": 2}, [1]),
        ({"offset_id": 1}, []),
        ({"offset_id": 1, "add_offset": -1, "limit": 1}, [1]),
        ({"offset_id": 110, "add_offset": -1, "limit": 1}, [110]),
    ],
)
async def test_a_page_holds_the_newest_messages_below_its_offset(
    side: Side, asked: dict[str, int], ids: list[int]
) -> None:
    source, chat = side

    page = await source.page(chat, **asked)

    assert [message.message_id for message in page.messages] == ids
    assert page.total == len(IDS)
    assert {m.sender_id for m in page.messages} - {None} <= {u.user_id for u in page.users} | {
        peer.chat_id for peer in page.chats
    }


@pytest.mark.parametrize(
    ("newest_before", "add_offset", "ids"),
    [(250, 0, [249]), (3, 0, [2]), (110, 0, [99]), (110, 3, [96]), (110, -1, [110])],
)
async def test_a_date_begins_a_page_at_the_newest_message_before_it(
    side: Side, newest_before: int, add_offset: int, ids: list[int]
) -> None:
    source, chat = side
    [at] = (await source.page(chat, offset_id=newest_before + 1, limit=1)).messages
    moment = at.sent_at if at.message_id == newest_before else at.sent_at + timedelta(seconds=1)

    page = await source.page(chat, offset_id=0, offset_date=moment, add_offset=add_offset, limit=1)

    assert [message.message_id for message in page.messages] == ids


async def test_named_messages_that_do_not_exist_are_absent(side: Side) -> None:
    source, chat = side

    page = await source.messages(chat, [MessageId(n) for n in (99, 100, 250, 251)])

    assert sorted(message.message_id for message in page.messages) == [99, 250]
