"""Making, choosing and checking hubs: the real store, the real Telethon, the loopback Telegram."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from archive.errors import Permanent
from archive.hubs import (
    check_hub,
    create_hub,
    hubs_in_use,
    require_hubs,
    use_hub,
)
from archive.ids import ChatId
from archive.publishing import Hub, HubBlocked
from resources.store.chats import ChatStore
from resources.store.database import Database
from telegram_sandbox import ChatHandle
from tests.integration.publishing_stage import Stage, shown, stage


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(database, tmp_path) as found:
        yield found


@pytest.fixture
def chats(database: Database) -> ChatStore:
    return ChatStore(database)


async def use(house: Stage, chats: ChatStore, text: str) -> Hub:
    account = house.account
    account_id = account.account.account_id
    parts = (account.peers, account.hub, chats, house.store)
    return await use_hub(text, account_id, *parts, instead=True)


async def use_handle(house: Stage, chats: ChatStore, handle: ChatHandle) -> Hub:
    return await use(house, chats, str(handle.id))


async def test_a_hub_is_made_private_with_topics_and_used_at_once(
    house: Stage, chats: ChatStore
) -> None:
    account_id = house.account.account.account_id
    hub = await create_hub("Our people", account_id, house.account.hub, chats, house.store)
    assert require_hubs(house.store) == [hub]
    assert hub.chat.is_hub
    assert (await house.publish(hub)).sent == 9
    assert len(shown(house.sandbox.state.chat(hub.chat.chat_id))) == 3


async def test_an_own_private_forum_can_be_chosen(house: Stage, chats: ChatStore) -> None:
    hub = await use_handle(house, chats, house.people)
    assert hubs_in_use(house.store) == [hub]
    assert (await use_handle(house, chats, house.people)).hub_no == hub.hub_no


async def test_the_setting_wins_over_what_was_chosen(house: Stage, chats: ChatStore) -> None:
    first = await use_handle(house, chats, house.people)
    second = await use_handle(house, chats, house.others)
    assert [hub.hub_no for hub in require_hubs(house.store)] == [second.hub_no]
    (set_,) = require_hubs(house.store, first.chat.chat_id)
    assert set_.hub_no == first.hub_no


async def test_a_setting_that_names_no_hub_says_what_to_do(house: Stage) -> None:
    with pytest.raises(Permanent, match=r"HUB_GROUP_ID names.*hub use"):
        require_hubs(house.store, ChatId(-1005))


async def test_without_a_hub_the_message_says_how_to_get_one(house: Stage) -> None:
    assert hubs_in_use(house.store) == []
    with pytest.raises(Permanent, match="hub create"):
        require_hubs(house.store)


async def test_a_public_forum_is_refused(house: Stage, chats: ChatStore) -> None:
    house.people.record.username = "everybody"
    with pytest.raises(HubBlocked, match=r"public username.*hub create"):
        await use(house, chats, "@everybody")
    assert house.store.hubs() == []


async def test_a_group_without_topics_is_refused(house: Stage, chats: ChatStore) -> None:
    house.people.record.forum = False
    with pytest.raises(HubBlocked, match="switch 'Topics' on"):
        await use_handle(house, chats, house.people)


async def test_a_forum_where_we_are_a_guest_is_refused(house: Stage, chats: ChatStore) -> None:
    with pytest.raises(HubBlocked, match=r"'Manage topics'.*'Delete messages'"):
        await use_handle(house, chats, house.guest)


async def test_a_private_chat_is_refused(house: Stage, chats: ChatStore) -> None:
    house.scenario.private_chat(house.me, house.bob).text(house.bob, "Hello")
    with pytest.raises(HubBlocked, match="only a group with topics"):
        await use(house, chats, str(house.bob.id))


async def test_a_source_is_refused_until_it_is_denied(house: Stage, chats: ChatStore) -> None:
    with pytest.raises(Permanent, match="chats deny 1 --archive"):
        await use_handle(house, chats, house.family)
    assert house.store.hubs() == []


async def test_checking_a_hub_remembers_what_is_wrong_until_it_is_right(
    house: Stage, chats: ChatStore
) -> None:
    hub = await use_handle(house, chats, house.people)
    assert (await check_hub(hub, house.account.hub, house.store)).blocked_reason is None
    house.people.record.username = "everybody"
    checked = await check_hub(hub, house.account.hub, house.store)
    assert "public username" in (checked.blocked_reason or "")
    assert house.store.hubs()[0].blocked_reason == checked.blocked_reason
    house.people.record.username = None
    await check_hub(hub, house.account.hub, house.store)
    assert house.store.hubs()[0].blocked_reason is None
