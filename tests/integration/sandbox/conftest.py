"""A small story and clients that log in to it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.sessions import StringSession

from telegram_sandbox import Sandbox, Scenario, User

from .story import Connect, Story


@pytest.fixture
def story() -> Story:
    """Two accounts, a stranger, a group, a channel, a forum and a private chat."""
    s = Scenario(seed=1)
    mia = s.user("Mia", "Archer", phone="+15550001", username="mia_demo")
    ben = s.user("Ben", phone="+15550002")
    tom = s.user("Tom")
    return Story(
        scenario=s,
        mia=mia,
        ben=ben,
        tom=tom,
        family=s.supergroup("Family", owner=mia, members=[tom, ben], username="family_demo"),
        news=s.channel("News", owner=tom, members=[mia]),
        hub=s.supergroup("Hub", owner=mia, members=[ben], forum=True),
        private=s.private_chat(mia, tom),
    )


@pytest.fixture(autouse=True)
def forget_the_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Telethon keeps the first server's addresses for all clients of a process."""
    monkeypatch.setattr(TelegramClient, "_config", None)


@pytest.fixture
async def sandbox(story: Story) -> AsyncIterator[Sandbox]:
    """The running server, with a second data centre; afterwards no handler has broken."""
    async with Sandbox(story.scenario, file_dc=4) as running:
        yield running
    assert running.state.crashes == []


@pytest.fixture
async def connect(sandbox: Sandbox) -> AsyncIterator[Connect]:
    """Makes clients; logged in with the code if a user is named."""
    rsa.add_key(sandbox.public_key_pem, old=False)
    async with AsyncExitStack() as stack:

        async def make(user: User | None = None, **options: Any) -> Any:
            session = options.pop("session", None) or StringSession()
            if not session.auth_key:
                session.set_dc(2, sandbox.host, sandbox.port)
            options = {"receive_updates": False, "flood_sleep_threshold": 0} | options
            client = TelegramClient(session, 1, "hash", **options)
            await client.connect()
            stack.push_async_callback(client.disconnect)
            if user is not None:
                await client.sign_in(user.phone)
                await client.sign_in(user.phone, "12345")
            return client

        yield make


@pytest.fixture
async def client(connect: Connect, story: Story) -> Any:
    """A client that Mia is logged in with; it gets no updates."""
    return await connect(story.mia)
