"""Fetching files from Telegram into memory.

In parts, several at a time, never onto a disk. A file is whole or the fetch failed: its exact
size is checked. Which files are fetched, and how many bytes may be in flight over all files, is
decided in ``archive.media_pass``.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from typing import Any

from telethon.tl import functions, types

from archive.errors import ItemRejected, Transient
from archive.ids import MediaId, MessageId
from archive.media_ports import Fetched
from archive.records import Chat, MediaAccess, MediaFile, MediaKind
from resources.telegram.calling import Caller
from resources.telegram.errors import FileElsewhere, StaleReference, TelegramRefused
from resources.telegram.history import TelethonHistory

PART_BYTES = 512 * 1024
"""Aligned parts of this size stay inside one block of 1 MB, as ``upload.getFile`` demands."""

_NEVER_FETCHED = {MediaKind.VIEW_ONCE: "view_once", MediaKind.PAID: "type"}


# Other refusals speak of the session or the chat, and would meet every file that follows.
_SPEAK_OF_ONE_FILE = frozenset({"CDN_REDIRECT", "FILE_ID_INVALID", "LOCATION_INVALID"})


class TelethonMedia:
    """Downloads through one connection.

    Args:
        call: The connection.
        history: Brings the message again when a file reference expired.
        concurrency: Parts requested at a time, of one file or of several.
    """

    def __init__(self, call: Caller, history: TelethonHistory, *, concurrency: int) -> None:
        self._call = call
        self._history = history
        self._concurrency = concurrency
        self._slots = asyncio.Semaphore(concurrency)

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
            Transient: The file arrived truncated, a wait, or a lost connection.
            Permanent: Telegram refused.
        """
        if file.kind in _NEVER_FETCHED:
            raise ItemRejected(_NEVER_FETCHED[file.kind])
        if file.size_bytes is None:
            raise ItemRejected("gone", "Telegram shows no file")
        key = _Key(self._history, chat, message_id, access)
        download = _Download(self._call, file, key, self._slots)
        try:
            data = await download.run(self._concurrency)
        except TelegramRefused as refused:
            if refused.code in _SPEAK_OF_ONE_FILE:
                raise ItemRejected("refused", refused.code) from refused
            raise
        finally:
            await download.close()
        return Fetched(data, key.access)

    async def refreshed(
        self, chat: Chat, message_id: MessageId, access: MediaAccess
    ) -> MediaAccess:
        """Ask for the message again and return the new access to its file.

        Raises:
            ItemRejected: The message carries the file no more (``gone``).
        """
        return await _Key(self._history, chat, message_id, access).refresh(access)


class _Key:
    """The access to one file, refreshed at most once however many parts find it expired."""

    def __init__(
        self, history: TelethonHistory, chat: Chat, message_id: MessageId, access: MediaAccess
    ) -> None:
        self._history = history
        self._chat = chat
        self._message_id = message_id
        self.access = access
        self._lock = asyncio.Lock()
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


class _Download:
    """One file on its way."""

    def __init__(self, call: Caller, file: MediaFile, key: _Key, slots: asyncio.Semaphore) -> None:
        self._call = call
        self._file = file
        self._size = file.size_bytes or 0
        self._key = key
        self._slots = slots
        self._buffer = io.BytesIO()
        self._sender: Any = None
        self._sender_lock = asyncio.Lock()

    async def run(self, concurrency: int) -> bytes:
        """Fetch all parts, the next one as soon as one of those in flight has arrived."""
        offsets = iter(range(0, self._size, PART_BYTES))
        parts = -(-self._size // PART_BYTES)
        workers = [asyncio.create_task(self._work(offsets)) for _ in range(min(concurrency, parts))]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        # BytesIO hands its own bytes out: no second copy of a large file.
        return self._buffer.getvalue()

    async def close(self) -> None:
        """Give a borrowed connection back."""
        sender, self._sender = self._sender, None
        if sender is not None:
            await self._call.client._return_exported_sender(sender)

    async def _work(self, offsets: Iterator[int]) -> None:
        if self._is_elsewhere(self._file.dc_id):
            await self._move(self._file.dc_id or 0)
        for offset in offsets:
            part = await self._part(offset)
            expected = min(PART_BYTES, self._size - offset)
            if len(part) != expected:
                raise Transient(f"truncated download: {len(part)} of {expected} bytes at {offset}")
            self._buffer.seek(offset)
            self._buffer.write(part)

    async def _part(self, offset: int) -> bytes:
        while True:
            access, sender = self._key.access, self._sender
            request = functions.upload.GetFileRequest(
                self._location(access), offset=offset, limit=PART_BYTES
            )
            try:
                async with self._slots:
                    answer = await self._call(request, sender=sender)
            except StaleReference:
                await self._key.refresh(access)
            except FileElsewhere as error:
                if sender is not None:
                    raise Transient("Telegram moves this file about.") from error
                await self._move(error.dc_id)
            else:
                if not isinstance(answer, types.upload.File):
                    raise TelegramRefused("CDN_REDIRECT")
                return bytes(answer.bytes)

    async def _move(self, dc_id: int) -> None:
        """Go on at the data centre that holds the file; the workers share the connection."""
        async with self._sender_lock:
            if self._sender is None:
                client = self._call.client
                self._sender = await self._call.run(
                    "auth.exportAuthorization", lambda: client._borrow_exported_sender(dc_id)
                )

    def _is_elsewhere(self, dc_id: int | None) -> bool:
        return bool(dc_id) and dc_id != self._call.client.session.dc_id

    def _location(self, access: MediaAccess) -> Any:
        scheme, _, number = access.media_id.partition(":")
        location = (
            types.InputPhotoFileLocation if scheme == "photo" else types.InputDocumentFileLocation
        )
        return location(int(number), access.access_hash, access.file_reference, self._file.variant)
