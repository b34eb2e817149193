"""Files of chats that another account reads: fetched through that one.

Publishing posts through the account of the hub and takes pictures from every chat. A chat's keys
are its reader's: asked for with another account's connection, Telegram knows none of them.
"""

from __future__ import annotations

from asyncio import Lock
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

from archive.errors import ItemRejected, Permanent
from archive.ids import AccountId, MessageId
from archive.media_pass.ports import MediaSource, RangedSource
from archive.media_pass.records import Fetched
from archive.records import Chat, MediaAccess, MediaFile

if TYPE_CHECKING:
    from resources.telegram.client import TelegramAccount

    Connect = Callable[[AccountId], AbstractAsyncContextManager[TelegramAccount]]


class ReadersMedia:
    """Reads each chat's files with the account that reads the chat.

    Connections of other accounts are opened when they are first needed and closed at the end of
    ``async with``; one through which something went wrong is closed at once, with its error, and
    opened anew for the next file.

    Args:
        own: An open connection; for the chats of its account.
        connect: Opens one of another account.
    """

    def __init__(self, own: TelegramAccount, connect: Connect) -> None:
        self._own = own
        self._connect = connect
        self._readers: dict[AccountId, tuple[AsyncExitStack, TelegramAccount]] = {}
        self._opening = Lock()

    async def __aenter__(self) -> Self:
        """Begin; nothing is opened yet."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close what was opened; what ended the run is none of these connections' fault."""
        async with AsyncExitStack() as ending:
            while self._readers:
                _, (kept, _) = self._readers.popitem()
                ending.push_async_callback(kept.aclose)

    def ranged(
        self, chat: Chat, message_id: MessageId, file: MediaFile, access: MediaAccess
    ) -> RangedSource:
        """Give a file of an own chat in parts; see ``archive.media_pass.ports``."""
        return self._media.ranged(chat, message_id, file, access)

    async def fetch(
        self, chat: Chat, message_id: MessageId, file: MediaFile, access: MediaAccess
    ) -> Fetched:
        """Read a whole file; see ``archive.media_pass.ports``.

        Raises:
            ItemRejected: Also where the chat's account may not be used now.
        """
        if chat.account_id == self._own.account.account_id:
            return await self._media.fetch(chat, message_id, file, access)
        try:
            reader = await self._reader(chat.account_id)
            return await reader.media.fetch(chat, message_id, file, access)
        except ItemRejected:
            raise
        except Permanent as refusal:
            await self._drop(chat.account_id, refusal)
            # It says nothing of the account that posts.
            raise ItemRejected("reader", str(refusal)) from refusal
        except BaseException as error:
            await self._drop(chat.account_id, error)
            raise

    async def _reader(self, account_id: AccountId) -> TelegramAccount:
        async with self._opening:
            if account_id not in self._readers:
                async with AsyncExitStack() as opened:
                    reader = await opened.enter_async_context(self._connect(account_id))
                    self._readers[account_id] = opened.pop_all(), reader
            return self._readers[account_id][1]

    async def _drop(self, account_id: AccountId, error: BaseException) -> None:
        """Close a connection with what went wrong through it, which its account may be told of."""
        if (kept := self._readers.pop(account_id, None)) is not None:
            await _close_with(kept[0], error)

    @property
    def _media(self) -> MediaSource:
        return self._own.media


async def _close_with(connection: AsyncExitStack, error: BaseException) -> None:
    try:
        await connection.__aexit__(type(error), error, error.__traceback__)
    except BaseException as raised:
        if raised is not error:
            raise
