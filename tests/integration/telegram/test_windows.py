"""The whole way of a window: real client, loopback Telegram, real store."""

from __future__ import annotations

from archive.chats import MarkedId, allow
from archive.history import HistoryResult, plan_windows, read_window
from archive.ids import ChatId
from archive.listening import Change, Heard, due_windows
from archive.records import Chat, Switches
from archive.windows import PLACEHOLDER_WIDTH
from resources.store.accounts import AccountStore
from resources.store.chats import ChatStore
from resources.store.database import Database
from resources.store.history import HistoryStore
from resources.store.inbox import InboxStore
from resources.telegram.client import TelegramAccount
from telegram_sandbox import ChatHandle
from tests.fakes.sources import live_ids, stored
from tests.integration.telegram.conftest import House, picture


async def source_of(database: Database, account: TelegramAccount, handle: ChatHandle) -> Chat:
    chats = ChatStore(database)
    AccountStore(database).save(account.account)
    peer = await account.peers.resolve(MarkedId(ChatId(handle.id)))
    chat = chats.upsert_peer(account.account.account_id, peer)
    return allow(chat, Switches(archive=True), chats)


async def read_all(database: Database, account: TelegramAccount, chat: Chat) -> list[HistoryResult]:
    history = HistoryStore(database)
    await plan_windows(chat, account.history, history)
    windows = ChatStore(database).windows(chat.chat_no)
    return [await read_window(row.window, account.history, history) for row in windows]


async def test_a_group_with_photos_is_stored_as_it_is_through_a_short_page(
    house: House, database: Database
) -> None:
    group = house.scenario.supergroup("Family", owner=house.me)
    for number in range(230):
        if number % 10:
            group.text(house.me, f"message {number}")
        else:
            group.photo(house.me, picture(), caption=f"photo {number}")
    account = await house.open()
    chat = await source_of(database, account, group)
    house.sandbox.faults.short_page(37, first=2)

    [result] = await read_all(database, account, chat)

    assert live_ids(database, chat) == sorted(message.id for message in group.messages)
    assert result.counts["media"] == 23
    assert sum(row.media_id is not None for row in stored(database, chat)) == 23
    # Names came with the pages: nobody asked for one.
    with database.transaction() as connection:
        names = connection.execute("SELECT first_name FROM users").fetchall()
    assert names == [("Ada",)]
    assert house.asked("GetUsersRequest") <= 1


async def test_a_private_chat_with_a_placeholder_count_is_read_whole(
    house: House, database: Database
) -> None:
    friend = house.scenario.user("Bob")
    private = house.scenario.private_chat(house.me, friend, placeholder_count=2**31 - 1)
    private.text(friend, "hello")
    private.skip_ids(3_000_000)
    private.text(house.me, "hi")
    account = await house.open()
    chat = await source_of(database, account, private)

    results = await read_all(database, account, chat)

    assert live_ids(database, chat) == [message.id for message in private.messages]
    assert len(results) == 2
    assert ChatStore(database).get(chat.chat_no).window_width == PLACEHOLDER_WIDTH


async def test_an_edit_and_a_deletion_after_archiving_arrive(
    house: House, database: Database
) -> None:
    group = house.scenario.supergroup("Family", owner=house.me)
    first, second = group.text(house.me, "first"), group.text(house.me, "second")
    account = await house.open()
    chat = await source_of(database, account, group)
    await read_all(database, account, chat)
    group.edit(first, text="better")
    group.delete(second)
    inbox = InboxStore(database)
    for message, change in ((first, "edited"), (second, "deleted")):
        told = Change(chat.chat_id, message.id, change)  # type: ignore[arg-type]
        assert inbox.keep(chat.account_id, Heard((told,))) == 1

    for due in due_windows(inbox):
        await read_window(due.window, account.history, HistoryStore(database))

    rows = {row.message_id: (row.text, row.is_deleted) for row in stored(database, chat)}
    assert rows[first.id] == ("better", False)
    assert rows[second.id] == ("second", True)
    assert due_windows(inbox) == []
