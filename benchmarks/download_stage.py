"""What the download claims share: chats with files, a sandbox in a process, both clients.

Ours is the archive's own lane of an account, with its default limits; the peer is Telethon as its
manual shows it, logged in to the same account. The bytes are generated and cannot be compressed.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from archive.chats import MarkedId
from archive.ids import ChatId, ChatNo
from archive.records import Chat, Message
from resources.telegram.client import TelegramAccount, connect
from resources.telegram.config import TelegramConfig
from resources.telegram.login import login
from resources.telegram.sessions import Lane, SessionFiles
from telegram_sandbox import Scenario
from telegram_sandbox.process import run_in_process

LATENCY_SECONDS: Final = 0.05
MEGABYTE: Final = 1024 * 1024
LARGE_BYTES: Final = 64 * MEGABYTE
PHOTO_BYTES: Final = 200_000
PHOTOS: Final = 500

_PHONE: Final = "+491700000009"
_CHAT: Final = "Downloads"
_API: Final = (1, "hash-of-the-application")


def large() -> Scenario:
    """Serve one file of 64 MB."""
    return _one_file(LARGE_BYTES)


def large_quick() -> Scenario:
    """Serve one file of 6 MB."""
    return _one_file(6 * MEGABYTE)


def small() -> Scenario:
    """Serve 500 photos of 200 kB."""
    return _photos(PHOTOS)


def small_quick() -> Scenario:
    """Serve 24 photos of 200 kB."""
    return _photos(24)


@dataclass(frozen=True, slots=True)
class Stage:
    """Both clients, connected, before the same chat.

    Attributes:
        account: Ours.
        chat: As ours knows it.
        messages: Every message with a file, as ours knows it.
        peer: A plain Telethon client.
        peer_messages: The same messages, as Telethon knows them.
    """

    account: TelegramAccount
    chat: Chat
    messages: tuple[Message, ...]
    peer: Any
    peer_messages: tuple[Any, ...]

    async def fetch(self, message: Message) -> int:
        """Download one file our way and return how many bytes came."""
        assert message.media is not None
        assert message.access is not None
        fetched = await self.account.media.fetch(
            self.chat, message.message_id, message.media, message.access
        )
        return len(fetched.data)

    async def download_media(self, message: Any) -> int:
        """Download one file as Telethon's manual shows it."""
        return len(await self.peer.download_media(message, bytes))


@asynccontextmanager
async def stage(scenario: str) -> AsyncIterator[Stage]:
    """Open both clients on a sandbox in a process of its own, 50 ms away.

    Args:
        scenario: A function of this module.
    """
    from telethon import TelegramClient
    from telethon.sessions import StringSession

    with (
        run_in_process(f"{__name__}:{scenario}", latency_seconds=LATENCY_SECONDS) as sandbox,
        tempfile.TemporaryDirectory() as folder,
    ):
        config = TelegramConfig(
            *_API, server=(sandbox.host, sandbox.port), server_key_pem=sandbox.public_key_pem
        )
        files = SessionFiles(Path(folder) / "sessions")
        await _log_in(config, files)
        peer = TelegramClient(StringSession(files.load(None, Lane.LIVE).secret), *_API)
        async with peer, connect(config, files, Lane.BACKFILL) as account:
            (dialog,) = [each async for each in peer.iter_dialogs() if each.name == _CHAT]
            theirs = [each async for each in peer.iter_messages(dialog, wait_time=0) if each.media]
            chat = await _chat(account, dialog.id)
            ours = await _messages(account, chat)
            yield Stage(account, chat, ours, peer, tuple(theirs))


def _one_file(size: int) -> Scenario:
    scenario, me, group = _chat_of_mine()
    group.document(me, random.Random(size).randbytes(size), file_name="large.bin")
    return scenario


def _photos(count: int) -> Scenario:
    scenario, me, group = _chat_of_mine()
    for number in range(count):
        data = random.Random(number).randbytes(PHOTO_BYTES)
        group.photo(me, data, width=1280, height=960)
    return scenario


def _chat_of_mine() -> tuple[Scenario, Any, Any]:
    scenario = Scenario(seed=1)
    me = scenario.user("Ada", phone=_PHONE)
    return scenario, me, scenario.supergroup(_CHAT, owner=me)


async def _log_in(config: TelegramConfig, files: SessionFiles) -> None:
    async def code() -> str:
        return "12345"

    lanes = (Lane.BACKFILL, Lane.LIVE)
    await login(config, files, phone=_PHONE, ask_code=code, ask_password=code, lanes=lanes)


async def _chat(account: TelegramAccount, chat_id: int) -> Chat:
    # The listing of dialogs is what gives a fresh session its access hashes.
    await account.peers.dialogs(limit=10)
    peer = await account.peers.resolve(MarkedId(ChatId(chat_id)))
    return Chat(
        chat_no=ChatNo(1),
        chat_id=peer.chat_id,
        account_id=account.account.account_id,
        kind=peer.kind,
        title=peer.title,
        access_hash=peer.access_hash,
    )


async def _messages(account: TelegramAccount, chat: Chat) -> tuple[Message, ...]:
    found: list[Message] = []
    page = await account.history.page(chat, offset_id=0)
    while page.messages:
        found += [each for each in page.messages if each.media is not None]
        page = await account.history.page(chat, offset_id=page.messages[-1].message_id)
    return tuple(found)
