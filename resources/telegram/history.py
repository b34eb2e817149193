"""Pages of a chat's history.

One request, one page, in the archive's words. Which pages to ask for, and when a window is read
to its end, is decided in ``archive.history``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from telethon.tl import functions, types

from archive.ids import MessageId
from archive.records import Chat, ChatKind, Page
from resources.telegram.calling import Caller
from resources.telegram.convert import page_of
from resources.telegram.convert_peers import input_channel, input_peer

PAGE_LIMIT = 100
"""Telegram brings no more messages in one answer (measured, FIELD_NOTES)."""

_CHANNELS = frozenset({ChatKind.SUPERGROUP, ChatKind.CHANNEL})


class TelethonHistory:
    """Reads messages through one connection."""

    def __init__(self, call: Caller) -> None:
        self._call = call

    async def page(
        self, chat: Chat, *, offset_id: int, add_offset: int = 0, limit: int = PAGE_LIMIT
    ) -> Page:
        """Read one page, newest first.

        Args:
            chat: The chat, with the account's key to it.
            offset_id: Exclusive upper end; 0 begins at the newest message.
            add_offset: Moves the page: positive to older, negative to newer messages.
            limit: 1 … 100.

        Returns:
            The page; a short one is no sign of the end, an empty one is.

        Raises:
            Transient: Telegram asks to wait, or the answer was lost.
            Permanent: The chat cannot be read.
        """
        # The server applies min_id and max_id after slicing: never send them.
        request = functions.messages.GetHistoryRequest(
            peer=input_peer(chat),
            offset_id=offset_id,
            offset_date=None,
            add_offset=add_offset,
            limit=limit,
            max_id=0,
            min_id=0,
            hash=0,
        )
        return page_of(await self._call(request), chat)

    async def messages(self, chat: Chat, ids: Sequence[MessageId]) -> Page:
        """Read named messages; those that do not exist, or not in this chat, are absent.

        Args:
            chat: The chat.
            ids: Any number; a request asks for a hundred.
        """
        pages = [
            page_of(await self._call(self._named(chat, ids[start : start + PAGE_LIMIT])), chat)
            for start in range(0, len(ids), PAGE_LIMIT)
        ]
        return _joined(pages)

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
