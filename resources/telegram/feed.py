"""Live updates: which messages are new, edited or deleted, as Telegram pushes them.

A change names a message and brings nothing of it; the inbox keeps the name and the window is
read again. Reconnecting is Telethon's. What a change means is decided in ``archive.listening``;
gaps that Telethon drops silently, and an update state that commits with the inbox, belong to the
reconciliation that comes with them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from telethon import events, utils
from telethon.tl import types

from archive.ids import ChatId, MessageId
from archive.listening import Change
from resources.telegram.calling import Caller
from resources.telegram.errors import lost_connection, translate

_WAITING_CHANGES = 10_000
"""Changes kept while the inbox is slow; beyond that Telethon's own loop waits."""

_NEW = (types.UpdateNewMessage, types.UpdateNewChannelMessage)
_EDITED = (types.UpdateEditMessage, types.UpdateEditChannelMessage)
_MESSAGES = (types.Message, types.MessageService)


class TelethonFeed:
    """Updates of the listener's connection."""

    def __init__(self, call: Caller) -> None:
        self._client = call.client
        self._waiting: asyncio.Queue[Change] = asyncio.Queue(_WAITING_CHANGES)
        self._listening = False

    def listen(self) -> None:
        """Keep what is heard from now on; done before connecting, nothing falls in between."""
        if not self._listening:
            self._client.add_event_handler(self._hear, events.Raw())
            self._listening = True

    async def run(
        self,
        on_change: Callable[[Change], Awaitable[None]],
        *,
        ready: Callable[[], None] | None = None,
    ) -> None:
        """Hand over each change, one after another, until cancelled.

        Args:
            on_change: Called in the order Telegram sends; an error of its ends the feed.
            ready: Called once, before the first change.

        Raises:
            Transient: The connection was given up.
            Permanent: The session is no longer valid.
        """
        self.listen()
        lost = asyncio.ensure_future(self._client.disconnected)
        try:
            if ready is not None:
                ready()
            await self._hand_over(lost, on_change)
        finally:
            self._client.remove_event_handler(self._hear)
            self._listening = False
            lost.cancel()
            await asyncio.gather(lost, return_exceptions=True)

    async def _hear(self, update: Any) -> None:
        # Telethon logs and swallows what a handler raises: nothing that can fail is done here.
        for change in changes_of(update):
            await self._waiting.put(change)

    async def _hand_over(
        self,
        lost: asyncio.Future[Any],
        on_change: Callable[[Change], Awaitable[None]],
    ) -> None:
        while True:
            change = asyncio.ensure_future(self._waiting.get())
            try:
                await asyncio.wait({change, lost}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not change.done():
                    change.cancel()
            if not change.done():
                self._raise_end(lost)
            await on_change(change.result())

    def _raise_end(self, lost: asyncio.Future[Any]) -> None:
        error = self._client._updates_error or lost.exception()
        if error is None:
            raise lost_connection("closed")
        raise translate(error) or error from error


def changes_of(update: Any) -> Iterator[Change]:
    """Return what an update says of messages; most updates say nothing of any."""
    if isinstance(update, _NEW + _EDITED):
        if isinstance(update.message, _MESSAGES):
            chat_id = ChatId(utils.get_peer_id(update.message.peer_id))
            is_new = isinstance(update, _NEW)
            yield Change(chat_id, MessageId(update.message.id), "new" if is_new else "edited")
    elif isinstance(update, types.UpdateShortMessage):
        yield Change(ChatId(update.user_id), MessageId(update.id), "new")
    elif isinstance(update, types.UpdateShortChatMessage):
        yield Change(ChatId(-update.chat_id), MessageId(update.id), "new")
    elif isinstance(update, types.UpdateDeleteChannelMessages):
        chat_id = ChatId(utils.get_peer_id(types.PeerChannel(update.channel_id)))
        yield from (Change(chat_id, MessageId(gone), "deleted") for gone in update.messages)
    elif isinstance(update, types.UpdateDeleteMessages):
        # In the account's shared id space a deletion does not say which chat it was in.
        yield from (Change(None, MessageId(gone), "deleted") for gone in update.messages)
