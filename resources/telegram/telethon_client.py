"""Telethon's client, set up the way this program behaves.

The only place that constructs one. It names itself honestly, sleeps and retries little (waits
belong to ``calling``, retries to Dagster and the ledger), and only the listener asks for
updates. What is overridden here is private to Telethon 1.45, which is why that is pinned.
"""

from __future__ import annotations

import ipaddress
import socket
from importlib.metadata import version
from typing import Any

from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.sessions import StringSession

from archive.errors import Permanent, Transient
from resources.telegram.config import DEVICE_MODEL, TEST_SERVER_DC, TelegramConfig
from resources.telegram.errors import lost_connection

_RUN_CONNECTION_RETRIES = 2
_LISTENER_CONNECTION_RETRIES = 10
"""A run ends and is tried again; the listener rides out a router's restart."""

_KEY_BYTES = 256

_REQUEST_RETRIES = 1
"""Telethon sleeps 2 s after each answer of 5xx, and needs one more try to change data centre."""


class _KeysOnlySession(StringSession):  # type: ignore[misc]
    """A session without Telethon's growing table of peers: access hashes live in the store."""

    def process_entities(self, tlo: Any) -> None:
        """Keep nothing."""


def build_client(
    config: TelegramConfig, *, secret: str | None = None, receive_updates: bool = False
) -> Any:
    """Make a client that is not connected yet.

    Args:
        config: The application and, in tests and the demo, the test server.
        secret: The session's string; ``None`` for a new one.
        receive_updates: Only the listener's lane does.

    Raises:
        Permanent: The stored session is damaged.
        Transient: The test server's name has no address.
    """
    session = _session(config, secret)
    return _client_class(receive_updates)(
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
        receive_updates=receive_updates,
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


def _session(config: TelegramConfig, secret: str | None) -> Any:
    try:
        session = _KeysOnlySession(secret)
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
            if receive_updates:
                await super()._update_loop()
            else:
                await _forget_updates(self._updates_queue)

    return Client


async def _forget_updates(queue: Any) -> None:
    """Drop what our own requests bring back.

    Telethon would take the answers to our posts for a history with gaps and fetch the
    differences, out of the same flood budget.
    """
    while True:
        await queue.get()
