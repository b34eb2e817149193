"""Files that are read or written part by part, and what a file is called when it is kept.

What the pass does with them is ``fetching``'s.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import Final

from archive.errors import ItemRejected, Transient
from archive.ledger import TRANSIENT, State
from archive.media_pass.ports import Blobs, RangedSource, Ranges
from archive.media_pass.records import Original
from archive.records import MediaAccess, MediaFile, MediaKind

PART_BYTES: Final = 1024 * 1024
PARTS_AHEAD: Final = 4

_SUFFIX: Final = re.compile(r"[a-z0-9]{1,8}")


class ItemFailed(Exception):
    """One item has no result; the ledger will say why."""

    def __init__(self, state: State, reason: str, detail: str) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason
        self.detail = detail


@contextmanager
def one_item() -> Iterator[None]:
    """Turn what the source says of one file into its row; what concerns all passes unchanged."""
    try:
        yield
    except ItemRejected as exc:
        raise ItemFailed(State.SKIPPED, exc.reason, exc.detail) from exc
    except Transient as exc:
        # With a time it is the account that must wait, and every other item with it.
        if exc.retry_after_seconds is not None:
            raise
        raise ItemFailed(State.FAILED, TRANSIENT, str(exc)) from exc


def suffix_of(file: MediaFile) -> str:
    """Choose what an original's name ends with, so that other programs know what it is."""
    if file.kind is MediaKind.PHOTO:
        return "jpg"
    named = (file.file_name or "").rpartition(".")[2].lower()
    typed = (file.mime_type or "").rpartition("/")[2].lower()
    return next((each for each in (named, typed) if _SUFFIX.fullmatch(each)), "bin")


async def parts_of(source: Ranges, start: int) -> AsyncGenerator[bytes, None]:
    """Read on from a place to the end, in order, some parts ahead of who takes them."""
    size = source.size_bytes
    offsets = iter(range(start, size, PART_BYTES))
    ahead: deque[asyncio.Task[bytes]] = deque()
    try:
        while True:
            while len(ahead) < PARTS_AHEAD and (offset := next(offsets, None)) is not None:
                wanted = source.read(offset, min(PART_BYTES, size - offset))
                ahead.append(asyncio.ensure_future(wanted))
            if not ahead:
                return
            yield await ahead.popleft()
    finally:
        for task in ahead:
            task.cancel()
        await asyncio.gather(*ahead, return_exceptions=True)


class StoredFile:
    """An original that is read where somebody looks."""

    def __init__(self, blobs: Blobs, original: Original) -> None:
        """Name it."""
        self._blobs = blobs
        self._original = original

    @property
    def size_bytes(self) -> int:
        """Of the whole file."""
        return self._original.size_bytes

    async def read(self, offset: int, size: int) -> bytes:
        """Read a part; see ``archive.media_pass.ports.Ranges``."""
        return await asyncio.to_thread(self._blobs.read, self._original.key, offset, size)


class CountedFile:
    """A file at its source that is read in parts, and how much of it was read."""

    def __init__(self, file: RangedSource) -> None:
        """Begin to count."""
        self.read_bytes = 0
        self._file = file

    @property
    def size_bytes(self) -> int:
        """Of the whole file."""
        return self._file.size_bytes

    @property
    def access(self) -> MediaAccess:
        """What is needed to read it now."""
        return self._file.access

    async def read(self, offset: int, size: int) -> bytes:
        """Read a part; see ``archive.media_pass.ports.Ranges``."""
        with one_item():
            data = await self._file.read(offset, size)
        self.read_bytes += len(data)
        return data
