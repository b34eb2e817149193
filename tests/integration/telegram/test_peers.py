from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from archive.chats import InviteHash, MarkedId, Username, parse_reference
from archive.errors import Permanent
from archive.ids import ChatId
from archive.records import ChatKind
from telegram_sandbox import ChatHandle
from tests.integration.telegram.conftest import House


def busy_chats(house: House, count: int) -> list[ChatHandle]:
    """Add chats, each with a message a minute newer than that of the chat before."""
    chats = [house.scenario.supergroup(f"Chat {n}", owner=house.me) for n in range(count)]
    first = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    for number, chat in enumerate(chats):
        chat.text(house.me, "hello", date=first + timedelta(minutes=number))
    return chats


async def test_a_chat_is_found_by_its_name(house: House) -> None:
    news = house.scenario.channel("News", owner=house.me, username="daily_news")
    account = await house.open()
    peer = await account.peers.resolve(Username("daily_news"))
    assert (peer.chat_id, peer.kind, peer.title) == (news.id, ChatKind.CHANNEL, "News")
    assert peer.username == "daily_news"
    assert peer.access_hash is not None


async def test_a_person_is_found_by_name(house: House) -> None:
    bob = house.scenario.user("Bob", "Builder", username="bob_builds")
    account = await house.open()
    peer = await account.peers.resolve(Username("bob_builds"))
    assert (peer.chat_id, peer.kind, peer.title) == (bob.id, ChatKind.PRIVATE, "Bob Builder")


async def test_a_name_nobody_has_says_so(house: House) -> None:
    account = await house.open()
    with pytest.raises(Permanent, match="nobody has this name"):
        await account.peers.resolve(Username("nobody_at_all"))


async def test_an_invite_link_of_a_chat_one_is_in_finds_it(house: House) -> None:
    group = house.scenario.supergroup("Family", owner=house.me, noforwards=True)
    account = await house.open()
    reference = parse_reference(group.invite_link)
    assert isinstance(reference, InviteHash)
    peer = await account.peers.resolve(reference)
    assert (peer.chat_id, peer.kind, peer.noforwards) == (group.id, ChatKind.SUPERGROUP, True)


async def test_an_invite_link_of_another_chat_says_to_join_first(house: House) -> None:
    stranger = house.scenario.user("Eve")
    group = house.scenario.supergroup("Elsewhere", owner=stranger)
    account = await house.open()
    with pytest.raises(Permanent, match="join it in Telegram first"):
        await account.peers.resolve(parse_reference(group.invite_link))


async def test_a_marked_id_is_looked_for_page_by_page(house: House) -> None:
    wanted = busy_chats(house, 120)[0]
    account = await house.open()
    peer = await account.peers.resolve(MarkedId(ChatId(wanted.id)))
    assert (peer.chat_id, peer.top_message_id) == (wanted.id, 2)
    assert house.asked("messages.getDialogs") == 2


async def test_an_unknown_id_ends_the_search_and_says_what_to_do(house: House) -> None:
    house.scenario.supergroup("Family", owner=house.me)
    account = await house.open()
    with pytest.raises(Permanent, match="add it by @name or invite link"):
        await account.peers.resolve(MarkedId(ChatId(-1009999999999)))
    assert house.asked("messages.getDialogs") == 1


async def test_dialogs_come_newest_first_up_to_a_limit(house: House) -> None:
    chats = busy_chats(house, 130)
    friend = house.scenario.user("Bob")
    house.scenario.private_chat(house.me, friend).text(friend, "hello")
    account = await house.open()
    newest = await account.peers.dialogs(limit=3)
    every = await account.peers.dialogs(limit=500)
    assert newest == every[:3]
    assert [peer.title for peer in newest] == ["Bob", "Chat 129", "Chat 128"]
    assert len(every) == 131
    assert {peer.chat_id for peer in every} == {*(chat.id for chat in chats), friend.id}


async def test_the_access_hash_of_a_min_user_is_left_out(house: House) -> None:
    shy = house.scenario.user("Shy", username="shy_one", min_for_others=True)
    account = await house.open()
    peer = await account.peers.resolve(Username("shy_one"))
    assert (peer.chat_id, peer.access_hash) == (shy.id, None)
