"""Real Telethon against the loopback Telegram: one account, logged in on every lane."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image

from archive.chats import MarkedId
from archive.ids import ChatId, ChatNo
from archive.records import Account, Chat
from resources.telegram.client import TelegramAccount, connect
from resources.telegram.config import TelegramConfig
from resources.telegram.login import login
from resources.telegram.sessions import Lane, SessionFiles
from telegram_sandbox import ChatHandle, Sandbox, Scenario, User

PHONE = "+491700000001"
FILE_DC = 4


async def right_code() -> str:
    return "12345"


async def no_password() -> str:
    raise AssertionError("nobody should ask for a password here")


def picture(width: int = 64, height: int = 48, color: str = "teal") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), color).save(buffer, "JPEG")
    return buffer.getvalue()


@dataclass
class House:
    """A running sandbox and the account that the tests are."""

    scenario: Scenario
    me: User
    sandbox: Sandbox
    config: TelegramConfig
    files: SessionFiles
    sessions_folder: Path
    stack: AsyncExitStack
    waits: list[tuple[str, float]] = field(default_factory=list)

    async def login(self, phone: str = PHONE, lanes: Sequence[Lane] = tuple(Lane)) -> Account:
        return await login(
            self.config,
            self.files,
            phone=phone,
            ask_code=right_code,
            ask_password=no_password,
            lanes=lanes,
        )

    async def open(self, lane: Lane = Lane.BACKFILL) -> TelegramAccount:
        if not self.files.accounts():
            # One key exchange instead of four: most tests need no other lane.
            await self.login(lanes=[lane])
        connection = connect(
            self.config, self.files, lane, on_wait=lambda name, s: self.waits.append((name, s))
        )
        return await self.stack.enter_async_context(connection)

    async def chat(self, account: TelegramAccount, handle: ChatHandle, chat_no: int = 7) -> Chat:
        peer = await account.peers.resolve(MarkedId(ChatId(handle.id)))
        return Chat(
            chat_no=ChatNo(chat_no),
            chat_id=peer.chat_id,
            account_id=account.account.account_id,
            kind=peer.kind,
            title=peer.title,
            username=peer.username,
            access_hash=peer.access_hash,
            is_forum=peer.is_forum,
            noforwards=peer.noforwards,
        )

    def asked(self, method: str) -> int:
        return self.sandbox.state.requests[method]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    scenario = Scenario(seed=1)
    me = scenario.user("Ada", "Lovelace", phone=PHONE, username="ada")
    folder = tmp_path / "sessions"
    async with Sandbox(scenario, file_dc=FILE_DC) as sandbox:
        config = TelegramConfig(
            api_id=1,
            api_hash="hash-of-the-application",
            server=(sandbox.host, sandbox.port),
            server_key_pem=sandbox.public_key_pem,
            flood_sleep_limit_seconds=2,
            request_timeout_seconds=10,
            download_pause_seconds=0.01,
        )
        async with AsyncExitStack() as stack:
            yield House(scenario, me, sandbox, config, SessionFiles(folder), folder, stack)
        assert sandbox.state.unknown_requests == []
        assert sandbox.state.crashes == []
