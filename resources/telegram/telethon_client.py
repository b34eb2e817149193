"""Telethon's client, set up the way this program behaves.

The only place that constructs one. It names itself honestly, sleeps and retries little (waits
belong to ``calling``, retries to Dagster and the ledger), and only the listener asks for
updates. What is overridden here is private to Telethon 1.45, which is why that is pinned.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from importlib.metadata import version
from typing import Any

from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.errors import FloodWaitError
from telethon.network import ConnectionTcpMTProxyRandomizedIntermediate
from telethon.tl import functions, types

from archive.errors import Permanent, Transient
from archive.listening import Standing
from resources.telegram.config import DEVICE_MODEL, TEST_SERVER_DC, TelegramConfig
from resources.telegram.errors import lost_connection
from resources.telegram.proxy import Proxy, ProxyKind
from resources.telegram.update_box import UpdateBox
from resources.telegram.update_session import KeysOnlySession, UpdateSession

_RUN_CONNECTION_RETRIES = 2
_LISTENER_CONNECTION_RETRIES = 10
"""A run ends and is tried again; the listener rides out a router's restart."""

_KEY_BYTES = 256

_REQUEST_RETRIES = 1
"""Telethon sleeps 2 s after each answer of 5xx, and needs one more try to change data centre."""


def build_client(
    config: TelegramConfig,
    *,
    secret: str | None = None,
    standing: Standing | None = None,
    shows_token: bool = False,
) -> Any:
    """Make a client that is not connected yet.

    Args:
        config: The application and, in tests and the demo, the test server.
        secret: The session's string; ``None`` for a new one.
        standing: Where the updates are to go on from; ``None`` for a lane that receives none.
        shows_token: It logs in with a token, and its ``token_taken`` is set when one was accepted.

    Raises:
        Permanent: The stored session is damaged.
        Transient: The test server's name has no address.
    """
    session = _session(config, secret, standing)
    receive_updates = standing is not None
    make = _guest_class() if shows_token else _client_class(receive_updates)
    return make(
        session,
        config.api_id,
        config.api_hash,
        # Where this and the address differ, Telethon goes to Telegram's own servers instead.
        use_ipv6=":" in (session.server_address or ""),
        device_model=DEVICE_MODEL,
        app_version=f"{DEVICE_MODEL} {version('telegram-face-archive')}",
        request_retries=_REQUEST_RETRIES,
        connection_retries=(
            _LISTENER_CONNECTION_RETRIES if receive_updates else _RUN_CONNECTION_RETRIES
        ),
        flood_sleep_threshold=0,
        raise_last_call_error=True,
        sequential_updates=receive_updates,
        receive_updates=receive_updates or shows_token,
        catch_up=receive_updates,
        **_route(config.proxy),
    )


def session_secret(client: Any) -> str:
    """Return the string that brings a client's session back.

    Raises:
        Transient: The key came anew during the login and cannot be stored; a chance of 1 in 256.
    """
    if not has_storable_key(client):
        raise Transient("Telegram's key for this session cannot be stored: log in again.")
    return str(client.session.save())


def has_storable_key(client: Any) -> bool:
    """Whether a session string brings the client's key back as it is.

    One key in 256 begins with a zero byte. Telethon drops that byte, and a session string then
    fills the key up at its end: the server would not know it.
    """
    return len(client.session.auth_key.key) == _KEY_BYTES


def forget_key(client: Any) -> None:
    """Let a disconnected client negotiate another key when it connects again."""
    client.session.auth_key = None
    client._sender.auth_key.key = None


def flood_seconds_left(client: Any) -> float:
    """Return for how long Telethon's own loop asks for no difference, as Telegram demanded."""
    due: list[float] = [
        client._flood_waited_requests.get(request.CONSTRUCTOR_ID, 0.0)
        for request in (
            functions.updates.GetDifferenceRequest,
            functions.updates.GetChannelDifferenceRequest,
        )
    ]
    return max(0.0, max(due) - time.time())


def _route(proxy: Proxy | None) -> dict[str, Any]:
    """Return Telethon's arguments for a proxy; it resolves Telegram's names, if there are any."""
    if proxy is None:
        return {}
    if proxy.kind is ProxyKind.MTPROXY:
        through = (proxy.host, proxy.port, proxy.secret)
        return {"connection": ConnectionTcpMTProxyRandomizedIntermediate, "proxy": through}
    return {
        "proxy": {
            "proxy_type": "socks5",
            "addr": proxy.host,
            "port": proxy.port,
            "username": proxy.user,
            "password": proxy.secret,
        }
    }


def _session(config: TelegramConfig, secret: str | None, standing: Standing | None) -> Any:
    try:
        session = UpdateSession(secret, standing) if standing else KeysOnlySession(secret)
    except (ValueError, OSError) as error:
        raise Permanent("The stored session is damaged: run `face-archive login`.") from error
    if config.server is not None:
        host, port = config.server
        session.set_dc(TEST_SERVER_DC, _ip_address(host), port)
    if config.server_key_pem is not None:
        # Telethon's keys are the process's: only the test server's profile may add one.
        rsa.add_key(config.server_key_pem, old=False)
    return session


def _ip_address(host: str) -> str:
    """Look a name up: a session string has room for an address only."""
    try:
        return ipaddress.ip_address(host).compressed
    except ValueError:
        pass
    try:
        return socket.gethostbyname(host)
    except OSError as error:
        raise lost_connection(f"no address of {host}") from error


def _client_class(receive_updates: bool) -> Any:  # noqa: FBT001
    """Make a class for one client.

    Telethon keeps the list of data centres on the class, for every client of the process; ours
    may talk to a test server now and to another one later.
    """

    class Client(TelegramClient):  # type: ignore[misc]
        async def _update_loop(self) -> None:
            await _forget_updates(self._updates_queue)

    class Listener(TelegramClient):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self._message_box = UpdateBox(self._log["messagebox"], self._updates_queue)
            # Set by the feed: told of each batch, once the box counts it as known, and of the
            # users and chats that came with it.
            self.on_updates: Callable[[Sequence[Any], Sequence[Any]], Awaitable[None]] = (
                _nobody_hears
            )
            # Set by the feed: told of each wait that Telegram asks for before a difference.
            self.on_flood: Callable[[Any, FloodWaitError], Awaitable[None]] = _nobody_waits
            self.reconnected = asyncio.Event()

        async def __call__(self, request: Any, *args: Any, **options: Any) -> Any:
            # Only Telethon's own loop asks in this way. It repeats a wait to itself, without a
            # request, until that is over.
            is_waiting = request.CONSTRUCTOR_ID in self._flood_waited_requests
            try:
                return await super().__call__(request, *args, **options)
            except FloodWaitError as flood:
                if not is_waiting:
                    await self.on_flood(request, flood)
                raise

        async def _preprocess_updates(self, updates: Any, users: Any, chats: Any) -> Sequence[Any]:
            self._mb_entity_cache.extend(users, chats)
            await self.on_updates(updates, (*users, *chats))
            # Handed over already: to be dispatched one by one there is nothing left.
            return ()

        async def _handle_auto_reconnect(self) -> None:
            await super()._handle_auto_reconnect()
            # Telethon would wait for the next update to notice what it missed meanwhile.
            await self.catch_up()
            self.reconnected.set()

    return Listener if receive_updates else Client


def _guest_class() -> Any:
    """Make a class for a client that shows a login token, and waits until it is accepted."""

    class Guest(TelegramClient):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.token_taken = asyncio.Event()

        async def _update_loop(self) -> None:
            while True:
                update = getattr(await self._updates_queue.get(), "update", None)
                if isinstance(update, types.UpdateLoginToken):
                    self.token_taken.set()

    return Guest


async def _nobody_hears(updates: Sequence[Any], entities: Sequence[Any]) -> None:
    """Do nothing."""


async def _nobody_waits(request: Any, flood: FloodWaitError) -> None:
    """Do nothing."""


async def _forget_updates(queue: Any) -> None:
    """Drop what our own requests bring back.

    Telethon would take the answers to our posts for a history with gaps and fetch the
    differences, out of the same flood budget.
    """
    while True:
        await queue.get()
