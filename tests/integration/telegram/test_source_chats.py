"""Forums, moved groups and lost chats: real client, loopback Telegram, real store."""

from __future__ import annotations

from datetime import timedelta

from archive.chats import MarkedId, allow
from archive.history import plan_windows, read_window
from archive.history.topics import read_topics
from archive.ids import ChatId
from archive.records import Chat, ChatState, MessageKind, Switches
from resources.store.accounts import AccountStore
from resources.store.chats import ChatStore
from resources.store.database import Database
from resources.store.forum_topics import ForumTopicStore
from resources.store.history import HistoryStore
from resources.telegram.client import TelegramAccount
from telegram_sandbox import ChatHandle
from tests.fakes.sources import live_ids
from tests.integration.telegram.conftest import House


async def source_of(database: Database, account: TelegramAccount, handle: ChatHandle) -> Chat:
    chats = ChatStore(database)
    AccountStore(database).save(account.account)
    peer = await account.peers.resolve(MarkedId(ChatId(handle.id)))
    chat = chats.upsert_peer(account.account.account_id, peer)
    return allow(chat, Switches(archive=True), chats)


async def read_all(database: Database, account: TelegramAccount, chat: Chat) -> None:
    history = HistoryStore(database)
    await plan_windows(chat, account.history, history)
    for row in ChatStore(database).windows(chat.chat_no):
        await read_window(row.window, account.history, history)


async def test_topics_are_data_also_more_than_a_hundred_and_two_of_one_title(
    house: House, database: Database
) -> None:
    forum = house.scenario.supergroup("Club", owner=house.me, forum=True)
    for number in range(230):
        forum.topic(house.me, f"Topic {number // 2}")
    account = await house.open()
    chat = await source_of(database, account, forum)
    await read_all(database, account, chat)
    store = ForumTopicStore(database)

    assert await read_topics(chat, account.topics, store) == 231

    topics = store.list(chat.chat_no)
    assert (topics[0].topic_id, topics[0].title) == (1, "General")
    assert sorted(topic.title for topic in topics[1:]) == sorted(
        f"Topic {number // 2}" for number in range(230)
    )
    asked = house.asked("messages.getForumTopics")
    assert await read_topics(chat, account.topics, store) == 0
    assert house.asked("messages.getForumTopics") == asked
    assert await read_topics(chat, account.topics, store, every=timedelta(0)) == 231


async def test_a_chat_that_is_no_forum_is_not_asked_for_topics(
    house: House, database: Database
) -> None:
    account = await house.open()
    chat = await source_of(database, account, house.scenario.supergroup("F", owner=house.me))

    assert await read_topics(chat, account.topics, ForumTopicStore(database)) == 0
    assert house.asked("messages.getForumTopics") == 0


async def test_service_messages_are_kept(house: House, database: Database) -> None:
    group = house.scenario.supergroup("Family", owner=house.me)
    account = await house.open()
    chat = await source_of(database, account, group)

    await read_all(database, account, chat)

    with database.transaction() as connection:
        rows = connection.execute("SELECT kind, raw #>> '{action,_}' FROM messages").fetchall()
    assert rows == [(MessageKind.SERVICE, "MessageActionChannelCreate")]


async def test_a_group_that_became_a_supergroup_is_read_with_both_histories(
    house: House, database: Database
) -> None:
    friend = house.scenario.user("Bob")
    group = house.scenario.group("Family", owner=house.me, members=[friend])
    old = [group.text(friend, f"before {number}") for number in range(3)]
    account = await house.open()
    chat = await source_of(database, account, group)
    await read_all(database, account, chat)
    supergroup = group.migrate()
    new = supergroup.text(friend, "after")
    history, chats = HistoryStore(database), ChatStore(database)

    # What a live update of the group would ask for.
    await plan_windows(chat, account.history, history)
    for row in chats.windows(chat.chat_no):
        await read_window(row.window, account.history, history, whole=True)
    successor = chats.get(chat.chat_no).migrated_to
    assert successor is not None
    heir = chats.get(successor)
    await read_all(database, account, heir)

    assert heir.switches == chat.switches
    assert heir.chat_id == supergroup.id
    assert {message.id for message in old} < set(live_ids(database, chat))
    assert new.id in live_ids(database, heir)
    assert [each.chat_no for each in chats.list()] == [successor]


async def test_a_supergroup_that_was_added_brings_the_group_that_it_was(
    house: House, database: Database
) -> None:
    group = house.scenario.group("Family", owner=house.me)
    group.text(house.me, "before")
    supergroup = group.migrate()
    account = await house.open()
    chat = await source_of(database, account, supergroup)

    await read_all(database, account, chat)

    [earlier] = ChatStore(database).predecessors(chat.chat_no)
    assert earlier.switches == chat.switches


async def test_a_chat_that_the_account_is_removed_from_is_lost_until_it_is_let_in_again(
    house: House, database: Database
) -> None:
    owner = house.scenario.user("Eve")
    group = house.scenario.supergroup("Family", owner=owner, members=[house.me])
    group.text(owner, "hello")
    account = await house.open()
    chat = await source_of(database, account, group)
    chats = ChatStore(database)
    house.sandbox.remove_member(group, house.me)

    assert (await plan_windows(chat, account.history, HistoryStore(database))).windows == ()

    lost = chats.get(chat.chat_no)
    assert lost.state is ChatState.LOST
    assert lost.state_reason == "the account is not, or no longer, a member of it (CHANNEL_PRIVATE)"
