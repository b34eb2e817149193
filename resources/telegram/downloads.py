"""One file on its way into memory: in parts, many in flight, each resumed where it broke off.

A part is asked for again at the same offset after a lost connection, a late or a truncated
answer; parts that arrived stay. A file is whole or the download failed: every part has exactly
the bytes it must have. Which connection holds the file is `file_servers`', which files are
fetched is decided in `archive.media_pass`.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from telethon.tl import functions, types

from archive.byte_budget import ByteBudget
from archive.errors import Transient
from archive.records import MediaAccess, MediaFile
from resources.telegram.calling import Caller, Sleep
from resources.telegram.errors import (
    ConnectionLost,
    FileElsewhere,
    SessionLost,
    StaleReference,
    TelegramRefused,
)
from resources.telegram.file_servers import FileServers

BLOCK_BYTES = 1024 * 1024
"""``upload.getFile`` brings no more at a time, and nothing across a multiple of it."""

SMALLEST_PART_BYTES = 4096

IN_FLIGHT_BYTES = 4 * BLOCK_BYTES
"""Of one connection. At 50 ms that is 80 MB/s, more than a core decrypts; at 35 kB/s the last of
them still arrives before its request counts as lost (120 s)."""

ATTEMPTS = 3
"""Of one part, before its file has failed and the ledger takes over with hours."""

_LONGEST_PAUSE_SECONDS = 32.0

_MOST_MOVES = 4
"""A file changes its data centre hardly ever; one that keeps moving is a fault, not a place."""


class Access(Protocol):
    """The account's key to one file."""

    @property
    def access(self) -> MediaAccess:
        """What to ask with now."""
        ...

    def proved(self, access: MediaAccess) -> None:
        """Note that an access was accepted."""
        ...

    async def refresh(self, stale: MediaAccess) -> MediaAccess:
        """Return an access other than the stale one."""
        ...


class Pipeline:
    """What may be in flight on one connection, over all its files.

    The bytes asked for belong to files that ``archive.media_pass`` already counts in full, so
    together with those that have arrived they never exceed its buffer limit.

    Args:
        requests: Parts asked for at a time.
        limit_bytes: Their bytes together.
    """

    def __init__(self, requests: int, limit_bytes: int = IN_FLIGHT_BYTES) -> None:
        self.requests = requests
        self._places = asyncio.Semaphore(requests)
        self._bytes = ByteBudget(limit_bytes)

    @asynccontextmanager
    async def place(self, size_bytes: int) -> AsyncIterator[None]:
        """Wait for a turn, and keep it until the part is where it belongs."""
        async with self._places, self._bytes.hold(size_bytes):
            yield


@dataclass(frozen=True, slots=True)
class Patience:
    """How a part is waited for that does not come.

    Attributes:
        pause_seconds: Before the second attempt; doubles with each, up to 32 s.
        sleep: How to wait.
    """

    pause_seconds: float
    sleep: Sleep = asyncio.sleep

    async def pause(self, attempt: int) -> None:
        """Wait after a failed attempt, counted from 1."""
        await self.sleep(min(self.pause_seconds * 2.0 ** (attempt - 1), _LONGEST_PAUSE_SECONDS))


def part_bytes(size_bytes: int) -> int:
    """Choose how much to ask for at a time: a small file whole, a large one by blocks.

    Args:
        size_bytes: Of the file, 1 or more.

    Returns:
        A power of two from 4 kB to 1 MB, as Telegram demands it.
    """
    fitting = 1 << (size_bytes - 1).bit_length()
    return max(SMALLEST_PART_BYTES, min(fitting, BLOCK_BYTES))


class Download:
    """One file on its way; used once.

    Args:
        call: The account's connection.
        servers: The connections to where files lie.
        pipeline: Shared by the downloads of the connection.
        patience: With parts that do not come.
        file: What to fetch; its size is what must arrive.
        access: The key to it.
    """

    def __init__(
        self,
        call: Caller,
        servers: FileServers,
        pipeline: Pipeline,
        patience: Patience,
        file: MediaFile,
        access: Access,
    ) -> None:
        self._call = call
        self._servers = servers
        self._pipeline = pipeline
        self._patience = patience
        self._file = file
        self._access = access
        self._size = file.size_bytes or 0
        self._part_bytes = part_bytes(max(1, self._size))
        self._buffer = io.BytesIO()
        self._dc_id = file.dc_id or servers.home
        self._moves = 0

    async def run(self) -> bytes:
        """Fetch all parts, the next one as soon as one of those in flight has arrived.

        Raises:
            Transient: A part did not come in three attempts, or Telegram asks to wait.
            ItemRejected: The message carries the file no more.
            Permanent: Telegram refused.
        """
        # Exactly as large as the file and handed out without a copy; pages that no part has been
        # written to take no memory yet.
        self._buffer = io.BytesIO(bytes(self._size))
        offsets = iter(range(0, self._size, self._part_bytes))
        parts = -(-self._size // self._part_bytes)
        workers = [
            asyncio.create_task(self._work(offsets))
            for _ in range(min(self._pipeline.requests, parts))
        ]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        return self._buffer.getvalue()

    async def _work(self, offsets: Iterator[int]) -> None:
        for offset in offsets:
            self._put(offset, await self.part(offset, self._part_bytes))

    def _put(self, offset: int, part: bytes) -> None:
        """Keep a part; no name may outlive this, or each worker holds one while it waits."""
        self._buffer.seek(offset)
        self._buffer.write(part)

    async def part(self, offset: int, size_bytes: int) -> bytes:
        """Fetch one part, however often its connection breaks meanwhile.

        Args:
            offset: A multiple of the smallest part, such that the part lies in one block.
            size_bytes: What to ask for; at the end of the file less comes.

        Raises:
            As `run`.
        """
        expected = min(size_bytes, self._size - offset)
        limit = part_bytes(size_bytes)
        attempt = 1
        while True:
            try:
                async with self._pipeline.place(expected):
                    return self._whole(offset, expected, await self._asked(offset, limit))
            except Transient as error:
                if attempt == ATTEMPTS or _is_wait(error):
                    raise
            await self._patience.pause(attempt)
            attempt += 1

    def _whole(self, offset: int, expected: int, part: bytes) -> bytes:
        if len(part) != expected:
            raise Transient(f"truncated download: {len(part)} of {expected} bytes at {offset}")
        return part

    async def _asked(self, offset: int, limit: int) -> bytes:
        while True:
            access, dc_id = self._access.access, self._dc_id
            if not access.file_reference:
                # Another account saw the file so far: its message brings this one's key.
                access = await self._access.refresh(access)
            sender = await self._servers.sender(dc_id)
            request = functions.upload.GetFileRequest(
                self._location(access), offset=offset, limit=limit
            )
            try:
                answer = await self._call(request, sender=sender)
            except StaleReference:
                await self._access.refresh(access)
            except FileElsewhere as error:
                self._move(dc_id, error)
            except SessionLost as error:
                if dc_id == self._servers.home:
                    raise
                # The account is still logged in at home: only this key is gone.
                await self._servers.forget(dc_id, sender)
                raise Transient(f"Data centre {dc_id} forgot our key.") from error
            else:
                if not isinstance(answer, types.upload.File):
                    raise TelegramRefused("CDN_REDIRECT")
                self._access.proved(access)
                data: bytes = answer.bytes
                return data

    def _move(self, asked: int, error: FileElsewhere) -> None:
        """Go on at the data centre that holds the file; other parts may have done so already."""
        if self._dc_id != asked:
            return
        self._moves += 1
        if error.dc_id == asked or self._moves > _MOST_MOVES:
            raise Transient("Telegram moves this file about.") from error
        self._dc_id = error.dc_id

    def _location(self, access: MediaAccess) -> Any:
        scheme, _, number = access.media_id.partition(":")
        location = (
            types.InputPhotoFileLocation if scheme == "photo" else types.InputDocumentFileLocation
        )
        return location(int(number), access.access_hash, access.file_reference, self._file.variant)


def _is_wait(error: Transient) -> bool:
    """Whether Telegram named a time: then the whole account waits, not this part."""
    return error.retry_after_seconds is not None and not isinstance(error, ConnectionLost)
