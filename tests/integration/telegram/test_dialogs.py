"""All dialogs of an account, through real pages into the real store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from archive.chats import allow
from archive.chats.discovering import DialogCursor, DialogPage, Discovered, discover
from archive.errors import Transient
from archive.records import Chat, ChatKind, Switches
from resources.store.accounts import AccountStore
from resources.store.chats import ChatStore
from resources.store.database import Database
from resources.store.dialogs import DialogStore
from resources.telegram.client import TelegramAccount
from resources.telegram.dialogs import TelethonDialogs
from telegram_sandbox import ChatHandle
from tests.integration.telegram.conftest import House

DIALOGS = "messages.getDialogs"


def busy_chats(house: House, count: int) -> list[ChatHandle]:
    """Add chats of every kind, each with a message a minute newer than that of the one before."""
    first = datetime.now(UTC).replace(microsecond=0) - timedelta(days=10)
    chats = []
    for number in range(count):
        title, friend = f"Chat {number}", house.scenario.user(f"Friend {number}")
        match number % 4:
            case 0:
                chat = house.scenario.supergroup(title, owner=house.me)
            case 1:
                chat = house.scenario.channel(title, owner=house.me)
            case 2:
                chat = house.scenario.group(title, owner=house.me, members=[friend])
            case _:
                chat = house.scenario.private_chat(house.me, friend)
        chat.text(house.me, "hello", date=first + timedelta(minutes=number))
        chats.append(chat)
    return chats


def names(chats: list[ChatHandle]) -> set[int]:
    return {chat.id for chat in chats}


class DialogsLike:
    """Real dialogs, with something that happens before a page."""

    def __init__(self, dialogs: TelethonDialogs, before: Callable[[int], Awaitable[None]]) -> None:
        self.pages = 0
        self._dialogs = dialogs
        self._before = before

    async def page(self, cursor: DialogCursor) -> DialogPage:
        await self._before(self.pages)
        self.pages += 1
        return await self._dialogs.page(cursor)


class Home:
    """A store, and an account whose chats it is to know."""

    def __init__(self, house: House, database: Database, account: TelegramAccount) -> None:
        self.house = house
        self.account = account
        self.chats = ChatStore(database)
        self.dialogs = DialogStore(database)
        AccountStore(database).save(account.account)

    async def discover(self, source: DialogsLike | None = None) -> Discovered:
        return await discover(
            self.account.account.account_id, source or self.account.dialogs, self.dialogs
        )

    def known(self) -> dict[int, Chat]:
        return {int(chat.chat_id): chat for chat in self.chats.known()}

    def add(self, chat: ChatHandle) -> None:
        allow(self.known()[chat.id], Switches(archive=True), self.chats)

    def new(self) -> set[str]:
        return {self.chats.get(chat_no).title for chat_no in self.dialogs.new()}


async def test_four_hundred_dialogs_come_in_pages_with_a_flood_in_the_middle_and_are_all_off(
    house: House, database: Database
) -> None:
    chats = busy_chats(house, 400)
    home = Home(house, database, await house.open())
    house.sandbox.faults.flood(DIALOGS, 1, first=3)

    found = await home.discover()

    assert found.chats == 400
    assert not found.resumed
    assert set(home.known()) == names(chats)
    assert house.waits == [(DIALOGS, 1)]
    assert {chat.switches for chat in home.known().values()} == {Switches()}
    assert home.chats.allowed() == home.chats.list() == []


async def test_a_long_flood_ends_it_and_the_next_time_asks_for_no_page_again(
    house: House, database: Database
) -> None:
    chats = busy_chats(house, 250)
    home = Home(house, database, await house.open())
    house.sandbox.faults.flood(DIALOGS, 3600, first=3)

    with pytest.raises(Transient, match="3600 s"):
        await home.discover()
    before = house.asked(DIALOGS)
    known = len(home.known())
    found = await home.discover()

    assert known == 200
    assert found == Discovered(250, pages=4, resumed=True)
    assert house.asked(DIALOGS) - before == 4  # the third, its end, the archive, what moved
    assert set(home.known()) == names(chats)


async def test_pinned_and_archived_dialogs_are_found_once_and_lose_no_other(
    house: House, database: Database
) -> None:
    chats = busy_chats(house, 130)
    house.scenario.pin(house.me, chats[0], chats[1], chats[50])
    house.scenario.archive(house.me, *chats[7:20])
    home = Home(house, database, await house.open())

    assert (await home.discover()).chats == 130

    assert set(home.known()) == names(chats)


async def test_a_chat_that_moves_up_while_the_list_is_read_is_not_missed(
    house: House, database: Database
) -> None:
    chats = busy_chats(house, 150)
    home = Home(house, database, await house.open())

    async def write_in_the_oldest(page: int) -> None:
        if page == 1:
            await house.sandbox.post(chats[0], lambda chat: chat.text(house.me, "up it goes"))

    await home.discover(DialogsLike(home.account.dialogs, write_in_the_oldest))

    assert set(home.known()) == names(chats)


async def test_only_what_came_since_the_last_look_is_new(house: House, database: Database) -> None:
    busy_chats(house, 2)
    home = Home(house, database, await house.open())
    await home.discover()
    assert home.new() == {"Chat 0", "Chat 1"}

    house.scenario.supergroup("Another", owner=house.me)
    await home.discover()

    assert home.new() == {"Another"}


async def test_a_chat_that_was_left_is_no_dialog_any_more_unless_it_was_added(
    house: House, database: Database
) -> None:
    left, added, stays = busy_chats(house, 9)[::4]
    home = Home(house, database, await house.open())
    await home.discover()
    home.add(added)
    for chat in (left, added):
        house.sandbox.remove_member(chat, house.me)

    await home.discover()

    assert left.id not in home.known()
    assert {added.id, stays.id} <= set(home.known())


async def test_a_new_title_is_taken_over_and_the_switches_stay(
    house: House, database: Database
) -> None:
    chat = house.scenario.supergroup("Before", owner=house.me)
    home = Home(house, database, await house.open())
    await home.discover()
    home.add(chat)
    chat.record.title = "After"

    await home.discover()

    assert [each.title for each in home.chats.list()] == ["After"]


async def test_folders_name_chats_and_hold_some_by_rule(house: House) -> None:
    chats = busy_chats(house, 4)
    house.scenario.folder(house.me, "Some", chats[1], chats[2], chats[3])
    house.scenario.folder(house.me, "Groups", groups=True)
    account = await house.open()

    some, groups = await account.dialogs.folders()

    assert some.title == "Some"
    assert set(map(int, some.chat_ids)) == names(chats[1:])
    assert groups.kinds == {ChatKind.SUPERGROUP, ChatKind.BASIC_GROUP}
