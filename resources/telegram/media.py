"""Fetching files from Telegram into memory, never onto a disk.

What may be fetched, and with which access; a file reference that expired is renewed in place, of
photos and documents alike. How the bytes of one file come is ``downloads``', which files are
fetched, and how many of their bytes may be in memory, is decided in ``archive.media_pass``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from archive.errors import ItemRejected, Transient
from archive.ids import MediaId, MessageId
from archive.media_pass.records import Fetched
from archive.records import Chat, MediaAccess, MediaFile, MediaKind
from resources.telegram.calling import Caller
from resources.telegram.downloads import Download, Patience, Pipeline
from resources.telegram.errors import TelegramRefused
from resources.telegram.file_servers import FileServers
from resources.telegram.history import TelethonHistory

_NEVER_FETCHED = {MediaKind.VIEW_ONCE: "view_once", MediaKind.PAID: "type"}


# Other refusals speak of the session or the chat, and would meet every file that follows.
_SPEAK_OF_ONE_FILE = frozenset({"CDN_REDIRECT", "FILE_ID_INVALID", "LOCATION_INVALID"})


class TelethonMedia:
    """Downloads through one connection.

    Args:
        call: The connection.
        history: Brings the message again when a file reference expired.
        servers: The connections to where files lie.
        concurrency: Parts requested at a time, of one file or of several.
        pause_seconds: Before a part that did not come is asked for again.
    """

    def __init__(
        self,
        call: Caller,
        history: TelethonHistory,
        servers: FileServers,
        *,
        concurrency: int,
        pause_seconds: float,
    ) -> None:
        self._call = call
        self._history = history
        self._servers = servers
        self._pipeline = Pipeline(concurrency)
        self._patience = Patience(pause_seconds)

    async def fetch(
        self, chat: Chat, message_id: MessageId, file: MediaFile, access: MediaAccess
    ) -> Fetched:
        """Read a whole file into memory.

        Args:
            chat: A chat that shows the file.
            message_id: The message there that carries it.
            file: What to fetch; its size is what must arrive.
            access: The account's key to the file, which may have expired.

        Returns:
            The bytes, with the access that was valid in the end.

        Raises:
            ItemRejected: View-once and paid media are never fetched (``view_once``, ``type``);
                ``gone`` where the message carries the file no more; ``refused`` where
                Telegram refuses this file and no other.
            Transient: A part arrived late, truncated or not at all, three times; or a wait.
            Permanent: Telegram refused.
        """
        download, key = self._download(chat, message_id, file, access)
        with _of_one_file():
            data = await download.run()
        return Fetched(data, key.access)

    def ranged(
        self, chat: Chat, message_id: MessageId, file: MediaFile, access: MediaAccess
    ) -> RangedFile:
        """Give a file of which only parts will be fetched; see ``fetch``."""
        return RangedFile(file, *self._download(chat, message_id, file, access))

    def _download(
        self, chat: Chat, message_id: MessageId, file: MediaFile, access: MediaAccess
    ) -> tuple[Download, _Key]:
        if file.kind in _NEVER_FETCHED:
            raise ItemRejected(_NEVER_FETCHED[file.kind])
        if file.size_bytes is None:
            raise ItemRejected("gone", "Telegram shows no file")
        key = _Key(self._history, chat, message_id, access)
        return Download(self._call, self._servers, self._pipeline, self._patience, file, key), key

    async def refreshed(
        self, chat: Chat, message_id: MessageId, access: MediaAccess
    ) -> MediaAccess:
        """Ask for the message again and return the new access to its file.

        Raises:
            ItemRejected: The message carries the file no more (``gone``).
        """
        return await _Key(self._history, chat, message_id, access).refresh(access)


class RangedFile:
    """One file of which only parts are fetched."""

    def __init__(self, file: MediaFile, download: Download, key: _Key) -> None:
        self._file = file
        self._download = download
        self._key = key

    @property
    def size_bytes(self) -> int:
        """Of the whole file."""
        return self._file.size_bytes or 0

    @property
    def access(self) -> MediaAccess:
        """The key to it that was valid last."""
        return self._key.access

    async def read(self, offset: int, size: int) -> bytes:
        """Fetch a part; see ``archive.media_pass.ports.RangedSource``."""
        with _of_one_file():
            return await self._download.part(offset, size)


@contextmanager
def _of_one_file() -> Iterator[None]:
    try:
        yield
    except TelegramRefused as refused:
        if refused.code in _SPEAK_OF_ONE_FILE:
            raise ItemRejected("refused", refused.code) from refused
        raise


class _Key:
    """The access to one file, refreshed once however many parts find it expired."""

    def __init__(
        self, history: TelethonHistory, chat: Chat, message_id: MessageId, access: MediaAccess
    ) -> None:
        self._history = history
        self._chat = chat
        self._message_id = message_id
        self.access = access
        self._lock = asyncio.Lock()
        self._refreshed = False

    def proved(self, access: MediaAccess) -> None:
        """Note that an access was accepted: should it expire too, that is worth another refresh."""
        if access is self.access:
            self._refreshed = False

    async def refresh(self, stale: MediaAccess) -> MediaAccess:
        """Return an access other than the stale one.

        Raises:
            ItemRejected: The message carries the file no more.
            Transient: The access was fresh already and is refused all the same.
        """
        async with self._lock:
            if self.access is not stale:
                return self.access
            if self._refreshed:
                raise Transient("Telegram refuses a fresh file reference.")
            self._refreshed = True
            self.access = await self._asked(stale.media_id)
            return self.access

    async def _asked(self, media_id: MediaId) -> MediaAccess:
        page = await self._history.messages(self._chat, [self._message_id])
        for message in page.messages:
            if message.access is not None and message.access.media_id == media_id:
                return message.access
        raise ItemRejected("gone", "the message carries this file no more")
