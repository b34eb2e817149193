"""Files of chats that another account reads come through one connection of that one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from archive.errors import ItemRejected, Permanent, Transient
from archive.ids import AccountId
from archive.media_pass.ports import MediaSource
from archive.records import Chat, Message
from resources.readers_media import ReadersMedia
from resources.telegram.client import TelegramAccount, connect
from resources.telegram.sessions import Lane
from telegram_sandbox import ChatHandle
from tests.integration.telegram.conftest import House, picture

GRACE_PHONE = "+491700000002"
COLORS = ("red", "green", "blue")


@dataclass
class Desk:
    """Ada posts; Grace alone reads the chat.

    Attributes:
        opened: How many connections of Grace's there were.
        closed: With which error each was closed.
    """

    house: House
    ada: TelegramAccount
    choir: ChatHandle
    chat: Chat
    messages: list[Message]
    opened: int = 0
    closed: list[type[BaseException] | None] = field(default_factory=list)

    @asynccontextmanager
    async def connect(self, account_id: AccountId) -> AsyncIterator[TelegramAccount]:
        async with connect(self.house.config, self.house.files, Lane.PUBLISH, account_id) as grace:
            self.opened += 1
            try:
                yield grace
            except BaseException as error:
                self.closed.append(type(error))
                raise
            else:
                self.closed.append(None)

    async def fetch(self, media: MediaSource, number: int) -> bytes:
        message = self.messages[number]
        assert message.media is not None
        assert message.access is not None
        found = await media.fetch(self.chat, message.message_id, message.media, message.access)
        return found.data


@pytest.fixture
async def desk(house: House) -> Desk:
    grace = house.scenario.user("Grace", phone=GRACE_PHONE)
    choir = house.scenario.supergroup("Choir", owner=grace)
    for color in COLORS:
        choir.photo(grace, picture(color=color))
    ada = (await house.login(lanes=[Lane.PUBLISH])).account_id
    reader = (await house.login(GRACE_PHONE, [Lane.PUBLISH])).account_id
    async with connect(house.config, house.files, Lane.PUBLISH, reader) as account:
        chat = await house.chat(account, choir)
        page = await account.history.page(chat, offset_id=0)
    messages = [each for each in reversed(page.messages) if each.media is not None]
    connection = connect(house.config, house.files, Lane.PUBLISH, ada)
    return Desk(house, await house.stack.enter_async_context(connection), choir, chat, messages)


async def test_one_connection_serves_every_file_of_a_run_and_is_closed_at_its_end(
    desk: Desk,
) -> None:
    async with ReadersMedia(desk.ada, desk.connect) as media:
        assert desk.opened == 0
        for number, color in enumerate(COLORS):
            assert await desk.fetch(media, number) == picture(color=color)
        assert (desk.opened, desk.closed) == (1, [])
    assert desk.closed == [None]


async def test_it_is_closed_also_when_the_run_ends_in_an_error(desk: Desk) -> None:
    async def run() -> None:
        async with ReadersMedia(desk.ada, desk.connect) as media:
            await desk.fetch(media, 0)
            raise ValueError("posting went wrong")

    with pytest.raises(ValueError, match="posting"):
        await run()
    assert desk.closed == [None]


async def test_a_file_that_cannot_be_had_leaves_it_open(desk: Desk) -> None:
    async with ReadersMedia(desk.ada, desk.connect) as media:
        first, *_ = [each for each in desk.choir.messages if each.media is not None]
        desk.choir.delete(first)
        desk.house.sandbox.expire_file_references()
        with pytest.raises(ItemRejected):
            await desk.fetch(media, 0)
        assert await desk.fetch(media, 1) == picture(color=COLORS[1])
        assert desk.opened == 1


async def test_what_goes_wrong_through_it_ends_it_and_the_next_file_opens_another(
    desk: Desk,
) -> None:
    async with ReadersMedia(desk.ada, desk.connect) as media:
        await desk.fetch(media, 0)
        desk.house.sandbox.faults.flood("upload.getFile", 3600)
        with pytest.raises(Transient):
            await desk.fetch(media, 1)
        assert len(desk.closed) == 1
        assert await desk.fetch(media, 1) == picture(color=COLORS[1])
        assert desk.opened == 2


async def test_an_account_that_may_not_be_used_rejects_its_files_and_hears_of_it(
    desk: Desk,
) -> None:
    async with ReadersMedia(desk.ada, desk.connect) as media:
        await desk.fetch(media, 0)
        desk.house.sandbox.faults.error("upload.getFile", "AUTH_KEY_UNREGISTERED")
        with pytest.raises(ItemRejected, match="reader"):
            await desk.fetch(media, 1)
        assert desk.closed[0] is not None
        assert issubclass(desk.closed[0], Permanent)
