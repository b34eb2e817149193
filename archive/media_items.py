"""One medium's way through the pass: fetch, look at, store; and what becomes of it if it fails.

Knows one item at a time and is called by many tasks at once. Which items there are, who else
works on them and when to stop is ``media_pass``'s.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from archive.byte_budget import ByteBudget
from archive.errors import ArchiveError, ItemRejected, Transient
from archive.faces.errors import ChildDied, WorkerDied
from archive.faces.records import MediaAnalysis
from archive.faces.records import MediaKind as PictureKind
from archive.ids import MessageId
from archive.ledger import CRASHED, FACE_PRODUCTS, TRANSIENT, Product, State, next_try
from archive.media_ports import (
    Claimed,
    Committed,
    CropStore,
    Fetched,
    MediaSource,
    MediaStore,
    RangedSource,
    Result,
    Setback,
    Stored,
    Vision,
)
from archive.records import VIDEO_KINDS, Chat, MediaAccess, MediaFile, MediaKind

_PICTURES: Mapping[MediaKind, PictureKind] = {
    MediaKind.PHOTO: "image",
    MediaKind.IMAGE_DOCUMENT: "image",
    MediaKind.VIDEO: "video",
    MediaKind.GIF: "video",
    MediaKind.ROUND_VIDEO: "round_video",
}

# What a file read in ranges has in memory: the parts that a decoder goes back to, twice.
_RANGED_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class MediaPassOptions:
    """What a person or the wiring sets about a pass.

    Attributes:
        fingerprint_version: Producer of fingerprints in the ledger.
        thumbnail_version: Producer of small pictures; ``None`` makes none.
        max_media_bytes: Largest file to fetch where the chat has no limit of its own; of a larger
            video only parts are.
        buffer_limit_bytes: Most bytes of files in memory at a time.
        download_concurrency: Files downloaded at a time.
        workers: Files looked at at a time; what the vision port can do at once.
        item_memory_limit_mb: Of the child process for what was in flight at a death.
        lease_seconds: How long a claim outlives its owner, where only time can tell; renewed
            three times in between.
        retry_base_seconds: Wait after the first failure of an item; doubles with each. What
            passes in seconds, the source has tried again already.
        poll_seconds: How often to look whether another pass finished a shared medium.
        wait_for_others_seconds: How long to do so before leaving it to the next run.
    """

    fingerprint_version: str
    max_media_bytes: int
    thumbnail_version: str | None = None
    buffer_limit_bytes: int = 256 * 1024 * 1024
    download_concurrency: int = 16
    workers: int = 2
    item_memory_limit_mb: int = 2048
    lease_seconds: float = 120.0
    retry_base_seconds: float = 3600.0
    poll_seconds: float = 2.0
    wait_for_others_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class Item:
    """A claimed medium, and how it is to be handled.

    Attributes:
        products: What somebody allows to be made of it.
        alone: It may have killed a process: look at it in a child of its own.
    """

    file: MediaFile
    message_id: MessageId
    claimed: Claimed
    products: frozenset[Product]
    alone: bool


@dataclass(slots=True)
class Tally:
    """What the pass itself did so far; only numbers, however long it runs."""

    fetched: int = 0
    fetched_bytes: int = 0
    new_faces: int = 0
    rejected_faces: Counter[str] = field(default_factory=Counter)


class ItemWorker:
    """Takes items through; safe for many tasks of one event loop.

    Args:
        lease_owner: The name under which the items were claimed.
        producers: Who makes each product today.
        clock: Tells the time from which a retry is counted.
    """

    def __init__(
        self,
        chat: Chat,
        source: MediaSource,
        vision: Vision,
        store: MediaStore,
        crops: CropStore,
        *,
        options: MediaPassOptions,
        producers: Mapping[Product, str],
        lease_owner: str,
        clock: Callable[[], datetime],
    ) -> None:
        self.tally = Tally()
        self._chat = chat
        self._source = source
        self._vision = vision
        self._store = store
        self._crops = crops
        self._options = options
        self._producers = producers
        self._lease_owner = lease_owner
        self._clock = clock
        self._budget = ByteBudget(options.buffer_limit_bytes)
        self._downloads = asyncio.Semaphore(options.download_concurrency)
        self._alone = asyncio.Lock()

    async def process(self, item: Item) -> Committed:
        """Take one item to its end: a result, or a row that says why there is none.

        Raises:
            Transient: The account must wait, or the store or the crops do not answer.
            Permanent: Nothing can go on until a person acts.
        """
        try:
            analysis, access = await self._look(item)
        except _Failed as failure:
            return await self._set_back(item, failure)
        stored = await self._keep(item, analysis, access)
        self.tally.new_faces += stored.new_faces
        return stored.outcome

    async def _look(self, item: Item) -> tuple[MediaAnalysis, MediaAccess]:
        """Fetch and analyse; the bytes are gone when this returns."""
        if self._is_ranged(item.file):
            return await self._look_in_ranges(item)
        expected = item.file.size_bytes
        size = self._options.max_media_bytes if expected is None else expected
        async with self._budget.hold(size):
            fetched = await self._fetch(item)
            analysis = await self._analyse(item, fetched.data)
        self.tally.rejected_faces.update(analysis.rejected)
        return analysis, fetched.access

    def _is_ranged(self, file: MediaFile) -> bool:
        most = min(self._options.max_media_bytes, self._options.buffer_limit_bytes)
        return file.kind in VIDEO_KINDS and (file.size_bytes or 0) > most

    async def _look_in_ranges(self, item: Item) -> tuple[MediaAnalysis, MediaAccess]:
        """Let vision fetch what it looks at; no more is in memory than a few parts."""
        access = _access(item)
        async with self._budget.hold(_RANGED_BYTES):
            with _one_item():
                file = self._source.ranged(self._chat, item.message_id, item.file, access)
                counted = _Counted(file)
                try:
                    analysis = await self._analyse(item, counted)
                finally:
                    self.tally.fetched += 1
                    self.tally.fetched_bytes += counted.read_bytes
        self.tally.rejected_faces.update(analysis.rejected)
        return analysis, file.access

    async def _fetch(self, item: Item) -> Fetched:
        access = _access(item)
        with _one_item():
            async with self._downloads:
                fetched = await self._source.fetch(self._chat, item.message_id, item.file, access)
        self._count_and_check(item.file, len(fetched.data))
        return fetched

    def _count_and_check(self, file: MediaFile, size: int) -> None:
        self.tally.fetched += 1
        self.tally.fetched_bytes += size
        if file.size_bytes is not None and size != file.size_bytes:
            message = f"truncated download: {size} of {file.size_bytes} bytes"
            raise _Failed(State.FAILED, TRANSIENT, message)

    async def _analyse(self, item: Item, data: bytes | RangedSource) -> MediaAnalysis:
        try:
            return await self._look_at(item, data)
        except ItemRejected as exc:
            raise _Failed(State.SKIPPED, exc.reason, exc.detail) from exc
        except ChildDied as exc:
            raise _Failed(State.FAILED, CRASHED, str(exc)) from exc
        except ArchiveError:
            raise
        # A defect of ours that one file brings out must not keep its window's other files from
        # being done. It stays visible: the ledger has the error and the window is not complete.
        except Exception as exc:
            raise _Failed(State.FAILED, "error", f"{type(exc).__name__}: {exc}") from exc

    async def _look_at(self, item: Item, data: bytes | RangedSource) -> MediaAnalysis:
        kind = _PICTURES[item.file.kind]
        faces = bool(item.products & FACE_PRODUCTS)
        thumbnails = Product.THUMBNAILS in item.products
        if not item.alone:
            try:
                return await self._vision.analyse(data, kind, faces=faces, thumbnails=thumbnails)
            except (WorkerDied, MemoryError):
                # It or a neighbour did it: alone it will show.
                pass
        async with self._alone:
            return await self._vision.analyse_alone(
                data,
                kind,
                faces=faces,
                thumbnails=thumbnails,
                memory_limit_mb=self._options.item_memory_limit_mb,
            )

    async def _keep(self, item: Item, analysis: MediaAnalysis, access: MediaAccess) -> Stored:
        """Write the pictures, then everything else in one transaction."""
        crop_keys, picture_keys = await asyncio.to_thread(self._put_pictures, analysis)
        model = self._vision.model
        result = Result(
            media_id=item.file.media_id,
            products=item.products,
            producers=self._producers,
            analysis=analysis,
            crop_keys=crop_keys,
            picture_keys=picture_keys,
            model=model.name if model else None,
            access=access,
        )
        return await asyncio.to_thread(
            self._store.commit, self._chat.chat_no, self._lease_owner, result
        )

    def _put_pictures(self, analysis: MediaAnalysis) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return (
            tuple(self._crops.put(face.crop) for face in analysis.faces),
            tuple(
                self._crops.put(picture.data, folder="thumbnails", suffix=picture.format)
                for picture in analysis.pictures
            ),
        )

    async def _set_back(self, item: Item, failure: _Failed) -> Committed:
        retry_at = None
        if failure.state is State.FAILED:
            base = timedelta(seconds=self._options.retry_base_seconds)
            wait = next_try(item.claimed.attempts + 1, base, failure.reason)
            retry_at = None if wait is None else self._clock() + wait
        setback = Setback(
            media_id=item.file.media_id,
            state=failure.state,
            reason=failure.reason,
            error=failure.detail,
            products=item.products,
            producers=self._producers,
            retry_at=retry_at,
        )
        return await asyncio.to_thread(self._store.set_back, self._lease_owner, setback)


class _Counted:
    """A file read in ranges, and how much of it was read."""

    def __init__(self, file: RangedSource) -> None:
        self.read_bytes = 0
        self._file = file

    @property
    def size_bytes(self) -> int:
        return self._file.size_bytes

    @property
    def access(self) -> MediaAccess:
        return self._file.access

    async def read(self, offset: int, size: int) -> bytes:
        data = await self._file.read(offset, size)
        self.read_bytes += len(data)
        return data


def _access(item: Item) -> MediaAccess:
    if item.file.size_bytes == 0:
        raise _Failed(State.SKIPPED, "empty", "the file has 0 bytes")
    if item.claimed.access is None:
        raise _Failed(State.FAILED, "no_access", "the account has not seen this file yet")
    return item.claimed.access


@contextmanager
def _one_item() -> Iterator[None]:
    """Turn what the source says of one file into its row; what concerns all passes unchanged."""
    try:
        yield
    except ItemRejected as exc:
        raise _Failed(State.SKIPPED, exc.reason, exc.detail) from exc
    except Transient as exc:
        # With a time it is the account that must wait, and every other item with it.
        if exc.retry_after_seconds is not None:
            raise
        raise _Failed(State.FAILED, TRANSIENT, str(exc)) from exc


class _Failed(Exception):
    """One item has no result; the ledger will say why."""

    def __init__(self, state: State, reason: str, detail: str) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason
        self.detail = detail
