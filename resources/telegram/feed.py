"""Live updates: what Telegram pushes and what it owes, in batches with their place in the order.

A change names a message and brings nothing of it; the inbox keeps the name and the window is
read again. Of chats goes with it what an update shows of the one that it is about; of a hub nothing
but ``remarks``. Putting updates in order is Telethon's, and what it loses there ``update_box``'s.
What a change means, and that it is stored together with its place, is decided in
``archive.listening``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from telethon import utils
from telethon._updates.session import Entity, EntityType
from telethon.tl import types

from archive.errors import Transient
from archive.ids import ChatId, MessageId
from archive.listening import Change, Heard, Standing, UpdateState
from archive.reconciling import Top
from archive.records import Chat, IdSpace, PeerInfo
from resources.telegram.calling import Caller, method_name
from resources.telegram.convert_peers import peer_info
from resources.telegram.errors import lost_connection, translate, wait_seconds
from resources.telegram.remarks import remarks_in
from resources.telegram.telethon_client import flood_seconds_left
from resources.telegram.update_box import RETRY_SECONDS, UpdateBox
from resources.telegram.update_session import channel_id, chat_id_of

_WAITING_BATCHES = 10_000
"""Batches kept while the inbox is slow; beyond that Telethon's own loop waits."""

_BATCHES_AT_ONCE = 200
"""Most batches stored in one transaction: a burst of messages costs one commit, not one each."""

_NEW = (types.UpdateNewMessage, types.UpdateNewChannelMessage)
_EDITED = (types.UpdateEditMessage, types.UpdateEditChannelMessage)
_MESSAGES = (types.Message, types.MessageService)


class TelethonFeed:
    """Updates of the listener's connection, from where the store stands.

    Args:
        call: The connection, not open yet: then nothing falls in between.
        standing: Which chats are heard, and from where on.
    """

    def __init__(self, call: Caller, standing: Standing) -> None:
        self._call = call
        self._client = call.client
        self._flood_sleep_limit_seconds = call.flood_sleep_limit_seconds
        self._box: UpdateBox = self._client._message_box
        self._box.heard = set(_channel_ids(each.chat for each in standing.heard))
        self._client.on_updates = self._hear
        self._client.on_flood = partial(_note_flood, call)
        self._waiting: asyncio.Queue[Heard] = asyncio.Queue(_WAITING_BATCHES)
        self._told = standing.state
        self._shown: dict[ChatId, PeerInfo] = {}
        self._told_channels = {
            each.chat.chat_id: each.pts for each in standing.heard if each.pts is not None
        }
        self._hubs = {each.chat.chat_id: each.chat for each in standing.heard if each.chat.is_hub}

    @property
    def reconnected(self) -> asyncio.Event:
        """Set whenever the connection broke and is there again."""
        event: asyncio.Event = self._client.reconnected
        return event

    async def run(
        self,
        on_heard: Callable[[Heard], Awaitable[None]],
        *,
        ready: Callable[[], None] | None = None,
    ) -> None:
        """Hand over what is heard, one batch after another, until cancelled.

        Args:
            on_heard: Stores a batch; an error of its ends the feed.
            ready: Called once, before the first batch.

        Raises:
            Transient: The connection was given up.
            Permanent: The session is no longer valid.
        """
        lost = asyncio.ensure_future(self._client.disconnected)
        try:
            if ready is not None:
                ready()
            # A place that Telegram gave us just now is worth as much as one that updates led to.
            await self._hear(())
            await self._hand_over(lost, on_heard)
        finally:
            lost.cancel()
            await asyncio.gather(lost, return_exceptions=True)

    async def caught_up(self) -> None:
        """Wait until everything that Telegram owes has come and was handed over.

        Raises:
            Transient: Telegram asks to wait for longer than a request may sleep before it gives
                the rest.
        """
        # Telethon's loop keeps such a wait to itself and asks for nothing until it is over.
        while not await set_within(self._box.idle, RETRY_SECONDS):
            wait = flood_seconds_left(self._client)
            if wait > self._flood_sleep_limit_seconds:
                raise Transient(f"Telegram asks to wait {wait:.0f} s before what it owes.", wait)
        await self._waiting.join()

    async def hear(self, tops: Sequence[Top]) -> None:
        """Hear these chats from there on, and fetch what those heard already have missed."""
        for top in tops:
            if top.pts is None or top.chat.access_hash is None:
                continue
            if top.chat.is_hub:
                self._hubs[top.chat.chat_id] = top.chat
            channel = channel_id(top.chat.chat_id)
            known = self._box.positions().get(channel)
            if known is None and top.chat.chat_id in self._told_channels:
                # It was heard once, and Telethon has forgotten where it stood.
                self._box.lose(channel)
            self._client._mb_entity_cache.put(
                Entity(EntityType.CHANNEL, channel, top.chat.access_hash)
            )
            self._box.begin(channel, top.pts)
            # The store knows of it: its first news is what comes next.
            self._told_channels.setdefault(top.chat.chat_id, top.pts)
            if known is None or known < top.pts:
                await self._ask_for(channel, top.pts)
        await self.flush()

    def hear_only(self, chats: Iterable[Chat]) -> None:
        """Cease to hear all other chats."""
        self._box.heard &= set(_channel_ids(chats))

    async def flush(self) -> None:
        """Hand over what was noticed without an update: a channel whose key is not known."""
        if self._box.has_lost():
            await self._hear(())

    async def _ask_for(self, channel: int, pts: int) -> None:
        """Let Telethon's loop fetch a channel's difference, as if Telegram had told it to."""
        news = types.UpdateShort(types.UpdateChannelTooLong(channel, pts), datetime.now(UTC))
        self._box.idle.clear()
        await self._client._updates_queue.put(news)

    async def _hear(self, updates: Sequence[Any], entities: Sequence[Any] = ()) -> None:
        changes = tuple(
            change
            for update in updates
            for change in changes_of(update)
            if change.chat_id not in self._hubs
        )
        lost = self._box.take_lost()
        heard = Heard(
            changes,
            frozenset(None if channel is None else chat_id_of(channel) for channel in lost),
            *self._moved(),
            tuple(self._seen_anew(updates, entities)),
            tuple(each for update in updates for each in remarks_in(update, self._hubs)),
        )
        # A clock that ticked alone is worth no transaction: Telegram tells more, not less, of
        # what happened since an earlier time.
        if heard != Heard(state=heard.state) or _counts(heard.state) != _counts(self._told):
            self._told = heard.state
            self._told_channels.update(heard.channels)
            await self._waiting.put(heard)

    def _seen_anew(self, updates: Sequence[Any], entities: Sequence[Any]) -> Iterator[PeerInfo]:
        """Return the chats that updates are about, unless they look as they did the last time."""
        about = {chat_id for update in updates if (chat_id := _chat_of(update)) is not None}
        for entity in entities:
            # Of a ``min`` one not even its name is sure.
            peer = None if getattr(entity, "min", None) else peer_info(entity)
            if peer is not None and peer.chat_id in about and self._shown.get(peer.chat_id) != peer:
                self._shown[peer.chat_id] = peer
                yield peer

    def _moved(self) -> tuple[UpdateState | None, dict[ChatId, int]]:
        """Return where the updates stand, and the channels that moved."""
        state, _ = self._box.session_state()
        positions = {chat_id_of(channel): pts for channel, pts in self._box.positions().items()}
        moved = dict(positions.items() - self._told_channels.items())
        return (UpdateState(**state) if state["pts"] else None), moved

    async def _hand_over(
        self,
        lost: asyncio.Future[Any],
        on_heard: Callable[[Heard], Awaitable[None]],
    ) -> None:
        while True:
            batch = asyncio.ensure_future(self._waiting.get())
            try:
                await asyncio.wait({batch, lost}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not batch.done():
                    batch.cancel()
            if not batch.done():
                self._raise_end(lost)
            await self._hand_over_with_all_that_waits(batch.result(), on_heard)

    async def _hand_over_with_all_that_waits(
        self, heard: Heard, on_heard: Callable[[Heard], Awaitable[None]]
    ) -> None:
        taken = 1
        while taken < _BATCHES_AT_ONCE and not self._waiting.empty():
            heard = heard.then(self._waiting.get_nowait())
            taken += 1
        await on_heard(heard)
        for _ in range(taken):
            self._waiting.task_done()

    def _raise_end(self, lost: asyncio.Future[Any]) -> None:
        error = self._client._updates_error or lost.exception()
        if error is None:
            raise lost_connection("closed")
        raise translate(error) or error from error


async def _note_flood(call: Caller, request: Any, flood: Exception) -> None:
    """Show a wait that Telethon's own loop keeps to itself."""
    await call.note_flood(method_name(request), wait_seconds(flood) or 0.0, flood)


async def set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event, not longer than that; whether it came."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


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
        chat_id = chat_id_of(update.channel_id)
        yield from (Change(chat_id, MessageId(gone), "deleted") for gone in update.messages)
    elif isinstance(update, types.UpdateDeleteMessages):
        # In the account's shared id space a deletion does not say which chat it was in.
        yield from (Change(None, MessageId(gone), "deleted") for gone in update.messages)
    elif isinstance(update, types.UpdateMessageReactions):
        chat_id = ChatId(utils.get_peer_id(update.peer))
        yield Change(chat_id, MessageId(update.msg_id), "reactions")


def _chat_of(update: Any) -> ChatId | None:
    """Return the chat that an update is about; of deletions and reactions nothing is shown."""
    if isinstance(update, types.UpdateChannel):
        return chat_id_of(update.channel_id)
    if isinstance(update, types.UpdateChat):
        return ChatId(-update.chat_id)
    named = (change.chat_id for change in changes_of(update) if change.change == "new")
    return next(named, None)


def _channel_ids(chats: Iterable[Chat]) -> Iterator[int]:
    return (channel_id(chat.chat_id) for chat in chats if chat.id_space is IdSpace.OWN)


def _counts(state: UpdateState | None) -> tuple[int, int] | None:
    return None if state is None else (state.pts, state.qts)
