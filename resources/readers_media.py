"""Files of chats that another account reads: fetched through that one.

Publishing posts through the account of the hub and takes pictures from every chat. A chat's keys
are its reader's: asked for with another account's connection, Telegram knows none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from archive.errors import ItemRejected, Permanent
from archive.ids import AccountId, MessageId
from archive.media_ports import MediaSource, RangedSource
from archive.media_records import Fetched
from archive.records import Chat, MediaAccess, MediaFile

if TYPE_CHECKING:
    from resources.telegram.client import TelegramAccount


class ReadersMedia:
    """Reads each chat's files with the account that reads the chat.

    Args:
        own: An open connection; for the chats of its account.
        connect: Opens one of another account, for as long as a file takes: those are few.
    """

    def __init__(
        self,
        own: TelegramAccount,
        connect: Callable[[AccountId], AbstractAsyncContextManager[TelegramAccount]],
    ) -> None:
        self._own = own
        self._connect = connect

    def ranged(
        self, chat: Chat, message_id: MessageId, file: MediaFile, access: MediaAccess
    ) -> RangedSource:
        """Give a file of an own chat in parts; see ``archive.media_ports``."""
        return self._media.ranged(chat, message_id, file, access)

    async def fetch(
        self, chat: Chat, message_id: MessageId, file: MediaFile, access: MediaAccess
    ) -> Fetched:
        """Read a whole file; see ``archive.media_ports``.

        Raises:
            ItemRejected: Also where the chat's account may not be used now.
        """
        if chat.account_id == self._own.account.account_id:
            return await self._media.fetch(chat, message_id, file, access)
        try:
            async with self._connect(chat.account_id) as reader:
                return await reader.media.fetch(chat, message_id, file, access)
        except Permanent as refusal:
            # It says nothing of the account that posts.
            raise ItemRejected("reader", str(refusal)) from refusal

    @property
    def _media(self) -> MediaSource:
        return self._own.media
