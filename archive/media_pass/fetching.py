"""Where the bytes of one medium come from: its kept original, Telegram whole, or Telegram in parts.

Gives each item something to look at, within the pass's limit of bytes in memory, and on the way
writes down what is to be kept. What is made of the bytes is ``items``'.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from archive.byte_budget import ByteBudget
from archive.ids import MessageId
from archive.ledger import TRANSIENT, Product, State
from archive.media_pass.files import (
    CountedFile,
    ItemFailed,
    StoredFile,
    one_item,
    parts_of,
    suffix_of,
)
from archive.media_pass.options import MediaPassOptions
from archive.media_pass.ports import Blobs, MediaSource, Ranges
from archive.media_pass.records import Claimed, Original
from archive.records import VIDEO_KINDS, Chat, MediaAccess, MediaFile

# What a file read in ranges has in memory: the parts that a decoder goes back to, twice; or the
# parts of an original that are on their way.
_RANGED_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Item:
    """A claimed medium, and how it is to be handled.

    Attributes:
        products: What somebody allows to be made of it.
        alone: It may have killed a process: look at it in a child of its own.
        original: The file itself, where it is kept already.
    """

    file: MediaFile
    message_id: MessageId
    claimed: Claimed
    products: frozenset[Product]
    alone: bool
    original: Original | None = None

    @property
    def is_to_be_kept(self) -> bool:
        """Whether somebody asks for the file itself."""
        return Product.ORIGINALS in self.products


@dataclass(slots=True)
class Tally:
    """What the pass itself did so far; only numbers, however long it runs."""

    fetched: int = 0
    fetched_bytes: int = 0
    new_faces: int = 0
    rejected_faces: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class FileAtHand:
    """A file that can be looked at while it is held.

    Attributes:
        data: Its bytes, or a way to read parts of them.
        access: What was needed; ``None`` where Telegram was not asked.
        original: The file as it is kept, if it is.
    """

    data: bytes | Ranges = field(repr=False)
    access: MediaAccess | None
    original: Original | None = None

    @property
    def access_now(self) -> MediaAccess | None:
        """The access as it is after the parts that were read."""
        return self.data.access if isinstance(self.data, CountedFile) else self.access


class Fetcher:
    """Brings files within the limits of a pass; safe for many tasks of one event loop.

    Args:
        chat: Through which they are read.
        source: Where Telegram's files come from.
        blobs: Where originals lie.
        options: Limits.
        tally: Counts what was fetched.
    """

    def __init__(
        self,
        chat: Chat,
        source: MediaSource,
        blobs: Blobs,
        options: MediaPassOptions,
        tally: Tally,
    ) -> None:
        self._chat = chat
        self._source = source
        self._blobs = blobs
        self._options = options
        self._tally = tally
        self._budget = ByteBudget(options.buffer_limit_bytes)
        self._downloads = asyncio.Semaphore(options.download_concurrency)

    @asynccontextmanager
    async def hold(self, item: Item) -> AsyncIterator[FileAtHand]:
        """Give an item's file; its bytes are gone when the body has ended.

        Raises:
            ItemFailed: There is no such file, or not now.
            Transient: The account must wait, or the place of originals does not answer.
            Permanent: Nothing can go on until a person acts: a lost session, a full disk.
        """
        async with self._budget.hold(self._bytes_in_memory(item)):
            at_hand = await self._kept(item) or await self._fetched(item)
            try:
                yield at_hand
            finally:
                if isinstance(at_hand.data, CountedFile):
                    self._count(at_hand.data.read_bytes)

    def _bytes_in_memory(self, item: Item) -> int:
        if self._is_read_inparts_of(item):
            return _RANGED_BYTES
        size = item.file.size_bytes
        return self._options.limits.media_bytes if size is None else size

    def _is_read_inparts_of(self, item: Item) -> bool:
        """Whether the file is too large for memory; of a photo that nobody keeps all is needed."""
        most = min(self._options.limits.media_bytes, self._options.buffer_limit_bytes)
        in_parts = item.file.kind in VIDEO_KINDS or self._is_to_be_written(item)
        return in_parts and (item.file.size_bytes or 0) > most

    async def _kept(self, item: Item) -> FileAtHand | None:
        """Give the original instead of asking Telegram; ``None`` if it was lost or spoilt."""
        original = item.original
        if original is None or not await asyncio.to_thread(self._blobs.exists, original.key):
            return None
        if item.products == {Product.ORIGINALS}:
            return FileAtHand(b"", None, original)
        if self._is_read_inparts_of(item):
            return FileAtHand(StoredFile(self._blobs, original), None, original)
        data = await asyncio.to_thread(self._blobs.get, original.key)
        is_whole = await asyncio.to_thread(_digest, data) == original.sha256
        return FileAtHand(data, None, original) if is_whole else None

    async def _fetched(self, item: Item) -> FileAtHand:
        access = _access(item)
        if not self._is_read_inparts_of(item):
            return await self._whole(item, access)
        with one_item():
            source = self._source.ranged(self._chat, item.message_id, item.file, access)
        counted = CountedFile(source)
        if self._is_to_be_written(item):
            return await self._streamed(item, counted)
        return FileAtHand(counted, None)

    def _is_to_be_written(self, item: Item) -> bool:
        """Whether a fetched file is kept; one that was, and is not there any more, is put back."""
        return item.is_to_be_kept or item.original is not None

    async def _whole(self, item: Item, access: MediaAccess) -> FileAtHand:
        with one_item():
            async with self._downloads:
                fetched = await self._source.fetch(self._chat, item.message_id, item.file, access)
        size = len(fetched.data)
        self._count(size)
        if item.file.size_bytes is not None and size != item.file.size_bytes:
            message = f"truncated download: {size} of {item.file.size_bytes} bytes"
            raise ItemFailed(State.FAILED, TRANSIENT, message)
        original = None
        if self._is_to_be_written(item):
            original = await asyncio.to_thread(self._put, item.file, fetched.data)
        return FileAtHand(fetched.data, fetched.access, original)

    def _put(self, file: MediaFile, data: bytes) -> Original:
        key = self._blobs.put(data, folder="originals", suffix=suffix_of(file))
        return Original(key, _digest(data), len(data))

    async def _streamed(self, item: Item, source: CountedFile) -> FileAtHand:
        """Bring a file to the originals part by part, on from where a killed pass got to."""
        name, suffix = f"{item.file.media_id} {source.size_bytes}", suffix_of(item.file)
        growing = await asyncio.to_thread(self._blobs.grow, name, suffix=suffix)
        try:
            async with self._downloads, aclosing(parts_of(source, growing.size_bytes)) as parts:
                async for part in parts:
                    await asyncio.to_thread(growing.write, part)
            original = await asyncio.to_thread(growing.finish)
        finally:
            self._count(source.read_bytes)
            await asyncio.to_thread(growing.close)
        return FileAtHand(StoredFile(self._blobs, original), source.access, original)

    def _count(self, size_bytes: int) -> None:
        self._tally.fetched += 1
        self._tally.fetched_bytes += size_bytes


def _digest(data: bytes) -> bytes:
    return sha256(data).digest()


def _access(item: Item) -> MediaAccess:
    if item.file.size_bytes == 0:
        raise ItemFailed(State.SKIPPED, "empty", "the file has 0 bytes")
    return item.claimed.access or MediaAccess(item.file.media_id, 0, b"")
