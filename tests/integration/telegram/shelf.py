"""A group with files, read back through one account: what the tests of downloads start from."""

from __future__ import annotations

import random

from archive.records import Chat, Message
from resources.telegram.client import TelegramAccount
from telegram_sandbox import ChatHandle
from tests.integration.telegram.conftest import House

MEGABYTE = 1024 * 1024


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


class Shelf:
    """One group with media."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.faults = house.sandbox.faults
        self.group: ChatHandle = house.scenario.supergroup("Family", owner=house.me)

    async def open(self) -> tuple[TelegramAccount, Chat, Message]:
        """Connect, and find the newest message."""
        account = await self.house.open()
        return account, *(await self.newest(account))

    async def newest(self, account: TelegramAccount) -> tuple[Chat, Message]:
        chat = await self.house.chat(account, self.group)
        page = await account.history.page(chat, offset_id=0)
        return chat, page.messages[0]

    def asked(self, method: str = "upload.getFile") -> int:
        return self.house.asked(method)


async def fetch(account: TelegramAccount, chat: Chat, message: Message) -> bytes:
    assert message.media is not None
    assert message.access is not None
    fetched = await account.media.fetch(chat, message.message_id, message.media, message.access)
    assert fetched.access.media_id == message.media.media_id
    return fetched.data
