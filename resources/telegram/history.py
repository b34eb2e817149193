"""Pages of a chat's history.

One request, one page, in the archive's words. Which pages to ask for, and when a window is read
to its end, is decided in ``archive.history``; whether a request goes through an export session,
in ``takeout``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any, Final

from telethon.tl import functions, types

from archive.history.jumps import MediaCounters
from archive.history.ports import Arrival, ChatLost
from archive.ids import MessageId
from archive.records import Chat, ChatKind, Page
from resources.telegram.calling import Caller
from resources.telegram.convert import ids_of, page_of
from resources.telegram.convert_peers import input_channel, input_peer
from resources.telegram.errors import TelegramRefused
from resources.telegram.takeout import Takeout

PAGE_LIMIT: Final = 100
"""Telegram brings no more messages in one answer (measured, FIELD_NOTES)."""

HISTORY: Final = "messages.getHistory"
"""The request whose latency tells how fast Telegram answers: always a page, never a file."""

_CHANNELS = frozenset({ChatKind.SUPERGROUP, ChatKind.CHANNEL})

# https://core.telegram.org/method/messages.getHistory#possible-errors
_LOST = {
    "CHANNEL_PRIVATE": "the account is not, or no longer, a member of it",
    "CHANNEL_INVALID": "it was deleted, or the account was never in it",
    "CHAT_ID_INVALID": "the account is not, or no longer, a member of it",
    "CHAT_FORBIDDEN": "the account was removed from it",
    "PEER_ID_INVALID": "it was deleted, or the account never met it",
    "USER_BANNED_IN_CHANNEL": "the account is banned from it",
}

_PHOTOS: Final = (types.InputMessagesFilterPhotos,)
_VIDEOS: Final = (
    types.InputMessagesFilterVideo,
    types.InputMessagesFilterRoundVideo,
    types.InputMessagesFilterGif,
)


class TelethonHistory:
    """Reads messages through one connection.

    Args:
        call: The connection.
        takeout: An export session to read through, where one may be had.
    """

    def __init__(self, call: Caller, takeout: Takeout | None = None) -> None:
        self._call = call
        self._takeout = takeout

    async def page(
        self,
        chat: Chat,
        *,
        offset_id: int,
        offset_date: datetime | None = None,
        add_offset: int = 0,
        limit: int = PAGE_LIMIT,
    ) -> Page:
        """Read one page, newest first.

        Args:
            chat: The chat, with the account's key to it.
            offset_id: Exclusive upper end; 0 begins at the newest message.
            offset_date: With ``offset_id`` 0: begins at the newest message before this moment.
            add_offset: Moves the page: positive to older, negative to newer messages.
            limit: 1 … 100.

        Returns:
            The page; a short one is no sign of the end, an empty one is.

        Raises:
            Transient: Telegram asks to wait, or the answer was lost.
            ChatLost: The account cannot read the chat (any more).
            Permanent: Telegram refuses for another reason.
        """
        answer = await self._slice(
            chat,
            offset_id=offset_id,
            offset_date=offset_date,
            add_offset=add_offset,
            limit=limit,
        )
        return page_of(answer, chat)

    async def below(self, chat: Chat, message_id: MessageId) -> Arrival:
        """Ask for the newest hundred messages below an id; see ``page``."""
        answer = await self._slice(chat, offset_id=message_id)
        return Arrival(ids_of(answer, chat), partial(page_of, answer, chat))

    async def _slice(
        self,
        chat: Chat,
        *,
        offset_id: int,
        offset_date: datetime | None = None,
        add_offset: int = 0,
        limit: int = PAGE_LIMIT,
    ) -> Any:
        # The server applies min_id and max_id after slicing: never send them.
        request = functions.messages.GetHistoryRequest(
            peer=input_peer(chat),
            offset_id=offset_id,
            offset_date=offset_date,
            add_offset=add_offset,
            limit=limit,
            max_id=0,
            min_id=0,
            hash=0,
        )
        return await self._ask(request, chat)

    async def messages(self, chat: Chat, ids: Sequence[MessageId]) -> Page:
        """Read named messages; those that do not exist, or not in this chat, are absent.

        Args:
            chat: The chat.
            ids: Any number; a request asks for a hundred.
        """
        pages = [
            page_of(await self._ask(self._named(chat, ids[start : start + PAGE_LIMIT]), chat), chat)
            for start in range(0, len(ids), PAGE_LIMIT)
        ]
        return _joined(pages)

    async def counters(self, chat: Chat) -> MediaCounters:
        """Ask how many photos and videos a whole chat holds; one request."""
        kinds = (*_PHOTOS, *_VIDEOS)
        request = functions.messages.GetSearchCountersRequest(
            peer=input_peer(chat), filters=[kind() for kind in kinds]
        )
        counted = {type(each.filter): each.count for each in await self._ask(request, chat)}
        return MediaCounters(
            photos=sum(counted.get(kind, 0) for kind in _PHOTOS),
            videos=sum(counted.get(kind, 0) for kind in _VIDEOS),
        )

    async def _ask(self, request: Any, chat: Chat) -> Any:
        try:
            if self._takeout is None or isinstance(
                request, functions.messages.GetSearchCountersRequest
            ):
                return await self._call(request)
            return await self._takeout(request, chat)
        except TelegramRefused as refused:
            if refused.code not in _LOST:
                raise
            raise ChatLost(f"{_LOST[refused.code]} ({refused.code})") from refused

    @staticmethod
    def _named(chat: Chat, ids: Iterable[MessageId]) -> Any:
        named = [types.InputMessageID(message_id) for message_id in ids]
        if chat.kind in _CHANNELS:
            return functions.channels.GetMessagesRequest(input_channel(chat), named)
        return functions.messages.GetMessagesRequest(named)


def _joined(pages: Sequence[Page]) -> Page:
    """Put answers together; a user that two of them bring counts once."""
    messages = tuple(chain.from_iterable(page.messages for page in pages))
    users = {user.user_id: user for page in pages for user in page.users}
    chats = {peer.chat_id: peer for page in pages for peer in page.chats}
    return Page(messages, tuple(users.values()), tuple(chats.values()), len(messages))
