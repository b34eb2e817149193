"""Connections to the data centres that hold files: opened once, kept, their keys stored.

A data centre that is not the account's own wants a key of its own, made the account's by an
exported authorization, and exports are what Telegram floods soonest (15–50 minutes reported). So
one connection serves all files of a lane, and its key lies beside the lane's session for the next
run. What is asked on a connection is `downloads`' business.
"""

from __future__ import annotations

import asyncio
import copy
from collections import defaultdict
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from telethon.crypto import AuthKey
from telethon.network import MTProtoSender
from telethon.tl import functions
from telethon.tl.alltlobjects import LAYER

from archive.errors import Transient
from archive.ids import AccountId
from resources.telegram.calling import Caller, method_name
from resources.telegram.errors import SessionLost, TelegramRefused
from resources.telegram.sessions import Lane, SessionFiles

_CONNECTION_RETRIES = 2

# A ticket holds once. Where its answer is lost, Telethon sends it again by itself and gets this:
# another ticket is needed. Not many: exports are flooded soonest.
_SPENT = "AUTH_BYTES_INVALID"
_TICKETS = 2


@dataclass(frozen=True, slots=True)
class FileKeys:
    """The keys of file servers that one session has; it owns them as it owns itself."""

    files: SessionFiles
    account_id: AccountId
    lane: Lane

    def load(self, dc_id: int) -> bytes | None:
        """Return the key of a data centre, if one was kept."""
        return self.files.load_file_key(self.account_id, self.lane, dc_id)

    def save(self, dc_id: int, key: bytes) -> None:
        """Keep a key for the next run."""
        self.files.save_file_key(self.account_id, self.lane, dc_id, key)

    def forget(self, dc_id: int) -> None:
        """Drop a key that is worth nothing any more."""
        self.files.forget_file_key(self.account_id, self.lane, dc_id)


class FileServers:
    """The connections through which one client fetches files; closed with the block.

    Args:
        call: The client's own connection.
        keys: Where keys of data centres are kept.
    """

    def __init__(self, call: Caller, keys: FileKeys) -> None:
        self._call = call
        self._keys = keys
        self._senders: dict[int, Any] = {}
        self._opening: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def __aenter__(self) -> Self:
        """Open nothing yet."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close every connection but the client's own."""
        senders = list(self._senders.values())
        self._senders.clear()
        for sender in senders:
            await sender.disconnect()

    @property
    def home(self) -> int:
        """The number of the account's own data centre."""
        return int(self._call.client.session.dc_id)

    async def sender(self, dc_id: int) -> Any:
        """Return a connection to a data centre that is alive, or that Telethon still revives.

        Raises:
            Transient: It cannot be reached, or exporting the authorization floods.
            SessionLost: The account's own session is worth nothing any more.
        """
        async with self._opening[dc_id]:
            if dc_id == self.home:
                return await self._own()
            sender = self._senders.get(dc_id)
            if sender is None or not sender.is_connected():
                sender = self._senders[dc_id] = await self._opened(dc_id)
            return sender

    async def forget(self, dc_id: int, sender: Any) -> None:
        """Drop a connection whose key its data centre no longer knows."""
        async with self._opening[dc_id]:
            known = self._senders.get(dc_id)
            if known is not None and known is sender:
                del self._senders[dc_id]
                self._keys.forget(dc_id)
                await known.disconnect()

    async def _own(self) -> Any:
        client = self._call.client
        if not client.is_connected():
            await self._call.run("connect", lambda: _reopen(client))
        return client._sender

    async def _opened(self, dc_id: int) -> Any:
        stored = self._keys.load(dc_id)
        if stored is not None:
            try:
                return await self._connected(dc_id, stored, functions.help.GetConfigRequest())
            except SessionLost:
                self._keys.forget(dc_id)
        sender = await self._admitted(dc_id)
        self._keys.save(dc_id, sender.auth_key.key)
        return sender

    async def _admitted(self, dc_id: int) -> Any:
        """Connect with a key that is the account's from now on."""
        for _ in range(_TICKETS):
            ticket = await self._call(functions.auth.ExportAuthorizationRequest(dc_id))
            ticket = functions.auth.ImportAuthorizationRequest(id=ticket.id, bytes=ticket.bytes)
            try:
                return await self._connected(dc_id, None, ticket)
            except TelegramRefused as refusal:
                if refusal.code != _SPENT:
                    raise
        raise Transient(f"Data centre {dc_id} took none of {_TICKETS} authorizations.")

    async def _connected(self, dc_id: int, key: bytes | None, first: Any) -> Any:
        """Connect, and introduce ourselves with the first request.

        Args:
            dc_id: Where to.
            key: A key that the data centre knows; ``None`` negotiates one.
            first: What goes into the introduction.
        """
        client = self._call.client
        place = await self._call.run("help.getConfig", lambda: client._get_dc(dc_id))
        sender = MTProtoSender(
            AuthKey(key), loggers=client._log, retries=_CONNECTION_RETRIES, connect_timeout=10
        )
        connection = client._connection(
            place.ip_address, place.port, place.id, loggers=client._log, proxy=client._proxy
        )
        try:
            await self._call.run("connect", lambda: sender.connect(connection))
            introduction = copy.copy(client._init_request)
            introduction.query = first
            request = functions.InvokeWithLayerRequest(LAYER, introduction)
            await self._call.run(method_name(first), lambda: sender.send(request))
        except BaseException:
            await sender.disconnect()
            raise
        return sender


async def _reopen(client: Any) -> None:
    """Connect again after Telethon gave up; its background tasks are ended first."""
    await client.disconnect()
    await client.connect()
