"""What the benchmarks of history are measured on: a chat, its server in a process of its own.

The story, an account that is logged in, both readers, a PostgreSQL of its own. What is claimed
is in ``history_latency`` and ``history_store``.
"""

from __future__ import annotations

import asyncio
import io
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import psycopg
from PIL import Image
from psycopg import sql
from psycopg.conninfo import make_conninfo

from archive.chats import allow
from archive.history import plan_windows, read_window
from archive.records import Chat, PeerInfo, Switches
from resources.store.accounts import AccountStore
from resources.store.chats import ChatStore
from resources.store.database import Database
from resources.store.embedded import EmbeddedPostgres
from resources.store.history import HistoryStore
from resources.store.migrate import migrate
from resources.telegram.client import connect
from resources.telegram.config import TelegramConfig
from resources.telegram.history import HISTORY
from resources.telegram.login import login
from resources.telegram.sessions import Lane, SessionFiles
from telegram_sandbox import Message, Scenario
from telegram_sandbox.process import run_in_process

MESSAGES: Final = 20_000
QUICK_MESSAGES: Final = 4_000
IN_FLIGHT: Final = 2
_PHONE: Final = "+15550001"
_TEMPLATE: Final = "bench_template"

# A lively group: one message in ten a photo, one in five an answer, a paragraph now and then.
_TEXTS: Final = ("ok", "Are you coming on Saturday?", "We met them at the lake. " * 8)


def large() -> Scenario:
    """Tell the story of a group of the full size."""
    return group_of(MESSAGES)


def small() -> Scenario:
    """Tell a short one."""
    return group_of(QUICK_MESSAGES)


def group_of(messages: int) -> Scenario:
    """Make a supergroup of so many messages, its creation among them, without a gap."""
    scenario = Scenario(seed=11)
    owner = scenario.user("Ada", "Lovelace", phone=_PHONE)
    people = [owner, *(scenario.user(f"Person {number}") for number in range(20))]
    group = scenario.supergroup("Benchmark", owner=owner, members=people[1:])
    picture = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(picture, "JPEG")
    earlier: Message | None = None
    for number in range(2, messages + 1):
        sender = people[number % len(people)]
        if number % 10 == 0:
            group.photo(sender, picture.getvalue(), caption=f"photo {number}")
        else:
            answers = earlier if number % 5 == 0 else None
            earlier = group.text(sender, _TEXTS[number % len(_TEXTS)], reply_to=answers)
    return scenario


@dataclass(frozen=True, slots=True)
class Read:
    """One reading of the whole chat.

    Attributes:
        seconds: From the first request to the last commit, or to the last message.
        requests: Pages that were asked for.
    """

    messages: int
    seconds: float
    requests: int


class Stage:
    """A chat on a server, and the two ways to read it.

    Args:
        config: How to reach the server.
        files: Where the account's session lies.
        postgres: A server with a migrated template.
    """

    def __init__(
        self, config: TelegramConfig, files: SessionFiles, postgres: EmbeddedPostgres
    ) -> None:
        self._config = config
        self._files = files
        self._postgres = postgres
        self._peer: PeerInfo | None = None

    def pairs(self, count: int) -> list[tuple[Read, Read]]:
        """Read it both ways so many times: ours and Telethon's, each pair in the other order."""
        found = []
        for number in range(count):
            if number % 2:
                peer = self.telethon()
                found.append((self.ours(), peer))
            else:
                found.append((self.ours(), self.telethon()))
        return found

    def ours(self) -> Read:
        """Read the chat as a run does, two pages in flight, into an empty database."""
        with self._empty_database() as url, Database(url) as database:
            return asyncio.run(self._read(database))

    def telethon(self) -> Read:
        """Read it as Telethon's manual shows, storing nothing."""
        return asyncio.run(self._iterate())

    async def _read(self, database: Database) -> Read:
        history = HistoryStore(database)
        async with connect(self._config, self._files, Lane.BACKFILL) as account:
            if self._peer is None:
                [self._peer] = await account.peers.dialogs(1)
            chat = self._allowed(database, account.account, self._peer)
            asked = account.stats.requests[HISTORY]
            started = time.perf_counter()
            windows = (await plan_windows(chat, account.history, history)).windows
            messages = 0
            for window in windows:
                result = await read_window(
                    window, account.history, history, in_flight=lambda: IN_FLIGHT
                )
                messages += result.counts["added"]
            seconds = time.perf_counter() - started
            return Read(messages, seconds, account.stats.requests[HISTORY] - asked)

    async def _iterate(self) -> Read:
        from telethon import TelegramClient
        from telethon.sessions import StringSession
        from telethon.tl.types import InputPeerChannel

        assert self._peer is not None
        assert self._peer.access_hash is not None
        secret = self._files.load(None, Lane.BACKFILL).secret
        client: Any = TelegramClient(StringSession(secret), 1, "benchmark", receive_updates=False)
        channel = InputPeerChannel(-1_000_000_000_000 - self._peer.chat_id, self._peer.access_hash)
        await client.connect()
        try:
            started = time.perf_counter()
            messages = 0
            async for _ in client.iter_messages(channel, wait_time=0):
                messages += 1
            seconds = time.perf_counter() - started
        finally:
            await client.disconnect()
        return Read(messages, seconds, -(-messages // 100))

    @staticmethod
    def _allowed(database: Database, account: Any, peer: PeerInfo) -> Chat:
        AccountStore(database).save(account)
        chats = ChatStore(database)
        chat = chats.upsert_peer(account.account_id, peer)
        return allow(chat, Switches(archive=True), chats)

    @contextmanager
    def _empty_database(self) -> Iterator[str]:
        name = sql.Identifier(f"bench_{uuid4().hex}")
        template = sql.Identifier(_TEMPLATE)
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, template)
        _admin(self._postgres, statement)
        try:
            yield make_conninfo(self._postgres.archive_url, dbname=name.as_string().strip('"'))
        finally:
            _admin(self._postgres, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@contextmanager
def stage(*, quick: bool, latency_seconds: float) -> Iterator[Stage]:
    """Start everything and log in; leave nothing behind.

    Args:
        quick: Tell the short story.
        latency_seconds: Of each request.
    """
    story = small if quick else large
    with (
        tempfile.TemporaryDirectory(prefix="face-archive-bench-") as name,
        run_in_process(f"{__name__}:{story.__name__}", latency_seconds=latency_seconds) as sandbox,
    ):
        folder = Path(name)
        # The embedded server of a root user runs as another one.
        folder.chmod(0o755)
        config = TelegramConfig(
            1, "benchmark", (sandbox.host, sandbox.port), sandbox.public_key_pem
        )
        files = SessionFiles(folder / "sessions")
        asyncio.run(_log_in(config, files))
        postgres = EmbeddedPostgres(folder / "data")
        try:
            _admin(postgres, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_TEMPLATE)))
            migrate(make_conninfo(postgres.archive_url, dbname=_TEMPLATE))
            chat = Stage(config, files, postgres)
            # Whatever is loaded at first use is loaded; and the peer learns which chat it is.
            chat.ours()
            yield chat
        finally:
            postgres.stop()


async def _log_in(config: TelegramConfig, files: SessionFiles) -> None:
    async def code() -> str:
        return "12345"

    await login(
        config, files, phone=_PHONE, ask_code=code, ask_password=code, lanes=[Lane.BACKFILL]
    )


def _admin(server: EmbeddedPostgres, statement: sql.Composed) -> None:
    with psycopg.connect(server.archive_url, autocommit=True) as connection:
        connection.execute(statement)
