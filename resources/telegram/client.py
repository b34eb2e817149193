"""One connection of one account, and the parts that work through it.

``connect`` opens a lane for as long as its block lasts. Holding the lane's advisory lock
meanwhile is the caller's duty; logging in is ``login``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from telethon import utils
from telethon.tl import functions, types

from archive.budgets import RequestBudget
from archive.errors import Permanent
from archive.ids import AccountId
from archive.listening import Standing
from archive.records import Account
from resources.telegram.calling import Caller
from resources.telegram.config import TelegramConfig
from resources.telegram.dialogs import TelethonDialogs
from resources.telegram.errors import SessionLost
from resources.telegram.feed import TelethonFeed
from resources.telegram.file_servers import FileKeys, FileServers
from resources.telegram.history import TelethonHistory
from resources.telegram.hub import TelethonHub
from resources.telegram.media import TelethonMedia
from resources.telegram.peers import TelethonPeers
from resources.telegram.sessions import Lane, SessionFiles
from resources.telegram.stats import OnWait, RequestStats
from resources.telegram.takeout import Takeout, TakeoutMemory
from resources.telegram.telethon_client import build_client, forget_key, has_storable_key
from resources.telegram.topics import TelethonTopics
from resources.telegram.tops import TelethonTops


@dataclass(frozen=True, slots=True)
class TelegramAccount:
    """An open connection, by what it can do; only the listener's lane has a feed."""

    account: Account
    stats: RequestStats
    history: TelethonHistory
    topics: TelethonTopics
    media: TelethonMedia
    peers: TelethonPeers
    dialogs: TelethonDialogs
    hub: TelethonHub
    tops: TelethonTops
    feed: TelethonFeed | None
    takeout: Takeout | None = None


@asynccontextmanager
async def connect(
    config: TelegramConfig,
    files: SessionFiles,
    lane: Lane,
    account_id: AccountId | None = None,
    *,
    standing: Standing | None = None,
    on_wait: OnWait | None = None,
    budget: RequestBudget | None = None,
    takeout: TakeoutMemory | None = None,
) -> AsyncIterator[TelegramAccount]:
    """Open a lane of an account.

    Args:
        config: The application and how to reach Telegram.
        files: Where the sessions lie.
        lane: What the connection is for; only the listener's receives updates.
        account_id: Whose; ``None`` for the only account there is.
        standing: Where the listener's updates go on from; nowhere, if not given.
        on_wait: Told before each wait that Telegram asks for.
        budget: The account's, asked before each request.
        takeout: Remembers an export session to read history through; ``None`` for plain requests.

    Raises:
        Permanent: Nobody is logged in (any more): the message says to run the login.
        Transient: Telegram cannot be reached.
    """
    stored = files.load(account_id, lane)
    if lane is Lane.LISTENER:
        standing = standing or Standing()
    client = build_client(config, secret=stored.secret, standing=standing)
    call = caller_for(client, config, on_wait, budget)
    feed = None if standing is None else TelethonFeed(call, standing)
    keys = FileKeys(files, stored.account_id, lane)
    async with connected(client, call), FileServers(call, keys) as servers:
        account = await who_am_i(call)
        if account.account_id != stored.account_id:
            raise Permanent(
                "The account's session belongs to another one: run `face-archive login`."
            )
        session = None if takeout is None else Takeout(call, takeout)
        yield _parts(call, account, feed, servers, config, session)


@asynccontextmanager
async def connected(client: Any, call: Caller) -> AsyncIterator[None]:
    """Keep a client connected for as long as the block lasts."""
    try:
        await call.run("connect", lambda: _connect(client))
        yield
    finally:
        await client.disconnect()


async def _connect(client: Any) -> None:
    # A wait can break a connect off half-way; Telethon would take the next for a second one.
    if client.is_connected():
        await client.disconnect()
    await client.connect()
    while not has_storable_key(client):
        await client.disconnect()
        forget_key(client)
        await client.connect()


def caller_for(
    client: Any,
    config: TelegramConfig,
    on_wait: OnWait | None = None,
    budget: RequestBudget | None = None,
) -> Caller:
    """Make the one through which all requests of a client go."""
    return Caller(
        client,
        RequestStats(on_wait=on_wait),
        flood_sleep_limit_seconds=config.flood_sleep_limit_seconds,
        request_timeout_seconds=config.request_timeout_seconds,
        budget=budget,
    )


async def who_am_i(call: Caller) -> Account:
    """Ask whose session this is.

    Raises:
        SessionLost: Nobody's any more.
    """
    users = await call(functions.users.GetUsersRequest([types.InputUserSelf()]))
    if not users or not isinstance(users[0], types.User):
        raise SessionLost("USER_UNKNOWN")
    return account_of(users[0])


def account_of(user: Any) -> Account:
    """Convert the user that is logged in."""
    return Account(AccountId(user.id), utils.get_display_name(user) or str(user.id))


def _parts(
    call: Caller,
    account: Account,
    feed: TelethonFeed | None,
    servers: FileServers,
    config: TelegramConfig,
    takeout: Takeout | None,
) -> TelegramAccount:
    history = TelethonHistory(call, takeout)
    media = TelethonMedia(
        call,
        history,
        servers,
        concurrency=config.download_concurrency,
        pause_seconds=config.download_pause_seconds,
    )
    return TelegramAccount(
        account=account,
        stats=call.stats,
        history=history,
        topics=TelethonTopics(call),
        media=media,
        peers=TelethonPeers(call, account),
        dialogs=TelethonDialogs(call, account),
        hub=TelethonHub(call, media),
        tops=TelethonTops(call),
        feed=feed,
        takeout=takeout,
    )
