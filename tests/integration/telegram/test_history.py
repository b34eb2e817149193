from __future__ import annotations

from datetime import UTC

from archive.ids import MessageId
from archive.records import Chat, IdSpace, Page
from resources.telegram.client import TelegramAccount
from resources.telegram.sessions import Lane
from tests.integration.telegram.conftest import House


async def read_all(account: TelegramAccount, chat: Chat) -> list[Page]:
    pages: list[Page] = []
    offset_id = 0
    while True:
        page = await account.history.page(chat, offset_id=offset_id)
        if not page.messages:
            return pages
        pages.append(page)
        offset_id = min(message.message_id for message in page.messages)


async def test_pages_hold_every_message_oldest_and_newest_included(house: House) -> None:
    group = house.scenario.supergroup("Family", owner=house.me)
    for number in range(250):
        group.text(house.me, f"message {number}")
    account = await house.open()
    chat = await house.chat(account, group)
    pages = await read_all(account, chat)
    ids = [message.message_id for page in pages for message in page.messages]
    assert ids == [message.id for message in reversed(group.messages)]
    assert ids[-1] == 1
    assert pages[0].total == 251


async def test_a_short_page_in_the_middle_loses_nothing(house: House) -> None:
    group = house.scenario.supergroup("Family", owner=house.me)
    for number in range(150):
        group.text(house.me, f"message {number}")
    account = await house.open()
    chat = await house.chat(account, group)
    house.sandbox.faults.short_page(37, first=2)
    pages = await read_all(account, chat)
    assert [len(page.messages) for page in pages] == [100, 37, 14]


async def test_a_jump_finds_the_newest_message_below_and_the_oldest_of_all(house: House) -> None:
    friend = house.scenario.user("Bob")
    private = house.scenario.private_chat(house.me, friend)
    first = private.text(friend, "hello")
    private.skip_ids(5000)
    private.text(house.me, "hi")
    account = await house.open()
    chat = await house.chat(account, private)
    below = await account.history.page(chat, offset_id=4000, limit=1)
    oldest = await account.history.page(chat, offset_id=1, add_offset=-1, limit=1)
    assert [message.message_id for message in below.messages] == [first.id]
    assert [message.message_id for message in oldest.messages] == [first.id]
    assert chat.id_space is IdSpace.ACCOUNT


async def test_senders_come_with_the_page_and_cost_no_request(house: House) -> None:
    people = [
        house.scenario.user(f"Person {number}", username=f"person{number}") for number in range(20)
    ]
    group = house.scenario.supergroup("Family", owner=house.me, members=people)
    for person in people:
        group.text(person, "hello")
    account = await house.open()
    chat = await house.chat(account, group)
    before = house.sandbox.state.requests.copy()
    page = await account.history.page(chat, offset_id=0)
    asked = house.sandbox.state.requests - before
    assert asked == {"messages.getHistory": 1}
    names = {user.user_id: user.first_name for user in page.users}
    assert {names[message.sender_id] for message in page.messages[:20] if message.sender_id} == {
        person.first_name for person in people
    }
    assert [peer.chat_id for peer in page.chats] == [chat.chat_id]


async def test_private_messages_name_both_sides_as_senders(house: House) -> None:
    friend = house.scenario.user("Bob")
    private = house.scenario.private_chat(house.me, friend)
    private.text(friend, "hello")
    private.text(house.me, "hi")
    account = await house.open()
    page = await account.history.page(await house.chat(account, private), offset_id=0)
    assert [message.sender_id for message in page.messages] == [house.me.id, friend.id]


async def test_posts_of_a_channel_are_sent_by_the_channel(house: House) -> None:
    channel = house.scenario.channel("News", owner=house.me)
    channel.text(house.me, "post")
    account = await house.open()
    chat = await house.chat(account, channel)
    page = await account.history.page(chat, offset_id=0)
    assert page.messages[0].sender_id == channel.id


async def test_named_messages_come_without_those_that_do_not_exist(house: House) -> None:
    group = house.scenario.supergroup("Family", owner=house.me)
    kept = [group.text(house.me, f"message {number}").id for number in range(150)]
    account = await house.open()
    chat = await house.chat(account, group)
    page = await account.history.messages(chat, [*map(MessageId, kept), MessageId(9999)])
    assert sorted(message.message_id for message in page.messages) == kept


async def test_ids_of_the_accounts_other_chats_are_not_messages_of_this_one(house: House) -> None:
    bob, eve = house.scenario.user("Bob"), house.scenario.user("Eve")
    mine = house.scenario.private_chat(house.me, bob).text(bob, "for this chat")
    other = house.scenario.private_chat(house.me, eve).text(eve, "for another chat")
    account = await house.open()
    chat = await house.chat(account, house.scenario.private_chat(house.me, bob))
    page = await account.history.messages(chat, [MessageId(mine.id), MessageId(other.id)])
    assert [message.text for message in page.messages] == ["for this chat"]


async def test_times_are_utc(house: House) -> None:
    group = house.scenario.supergroup("Family", owner=house.me)
    message = group.text(house.me, "hello")
    account = await house.open()
    page = await account.history.page(await house.chat(account, group), offset_id=0)
    assert page.messages[0].sent_at.tzinfo is UTC
    assert page.messages[0].sent_at == message.date.replace(microsecond=0)


async def test_a_lane_of_runs_never_fetches_differences(house: House) -> None:
    group = house.scenario.supergroup("Family", owner=house.me)
    account = await house.open(Lane.PUBLISH)
    chat = await house.chat(account, group)
    before = house.sandbox.state.requests.copy()
    await house.sandbox.post(group, lambda chat: chat.text(house.me, "hello"))
    await account.history.page(chat, offset_id=0)
    assert house.sandbox.state.requests - before == {"messages.getHistory": 1}
