"""One medium's way through the pass: look at it, store what was found; and what if that fails.

Knows one item at a time and is called by many tasks at once. Where its bytes come from is
``fetching``'s; which items there are and who else works on
them is ``passing``'s, when to stop ``crew``'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from archive.errors import ArchiveError, ItemRejected
from archive.faces.errors import ChildDied, WorkerDied
from archive.faces.records import MediaAnalysis, PictureKind
from archive.ledger import CRASHED, FACE_PRODUCTS, Product, State, next_try
from archive.media_pass.fetching import Fetcher, FileAtHand, Item, Tally
from archive.media_pass.files import ItemFailed
from archive.media_pass.options import MediaPassOptions
from archive.media_pass.ports import Blobs, MediaSource, MediaStore, Ranges, Vision
from archive.media_pass.records import Commit, Committed, Kept, Original, Result, Setback
from archive.media_pass.unseen import with_unseen
from archive.records import Chat, MediaAccess, MediaKind

_PICTURES: Mapping[MediaKind, PictureKind] = {
    MediaKind.PHOTO: "image",
    MediaKind.IMAGE_DOCUMENT: "image",
    MediaKind.VIDEO: "video",
    MediaKind.GIF: "video",
    MediaKind.ROUND_VIDEO: "round_video",
}


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
        blobs: Blobs,
        *,
        options: MediaPassOptions,
        producers: Mapping[Product, str],
        lease_owner: str,
        clock: Callable[[], datetime],
    ) -> None:
        self.tally = Tally()
        self._chat = chat
        self._vision = vision
        self._store = store
        self._blobs = blobs
        self._options = options
        self._producers = producers
        self._lease_owner = lease_owner
        self._clock = clock
        self._fetcher = Fetcher(chat, source, blobs, options, self.tally)
        self._alone = asyncio.Lock()

    async def process(self, item: Item) -> Committed:
        """Take one item to its end: a result, or a row that says why there is none.

        Raises:
            Transient: The account must wait, or the store or the blobs do not answer.
            Permanent: Nothing can go on until a person acts.
        """
        try:
            async with self._fetcher.hold(item) as file:
                if item.is_to_be_kept and file.original is not None:
                    outcome = await self._note_original(item, file, file.original)
                    item = replace(item, products=item.products - {Product.ORIGINALS})
                    if outcome is not Committed.STORED or not item.products:
                        return outcome
                analysis = await self._analyse(item, file.data)
                if item.products & FACE_PRODUCTS:
                    kind = _PICTURES[item.file.kind]
                    analysis = await with_unseen(
                        self._store, self._vision, item.file.media_id, file.data, kind, analysis
                    )
                access = file.access_now
        except ItemFailed as failure:
            return await self._set_back(item, failure)
        self.tally.rejected_faces.update(analysis.rejected)
        stored = await self._keep(item, _with_digest(analysis, file.original), access)
        self.tally.new_faces += stored.new_faces
        return stored.outcome

    async def _note_original(self, item: Item, file: FileAtHand, original: Original) -> Committed:
        """Store that the file is kept before anybody looks at it: that may be what fails."""
        kept = Kept(
            media_id=item.file.media_id,
            original=original,
            producer=self._producers[Product.ORIGINALS],
            access=file.access_now,
            is_all=item.products == {Product.ORIGINALS},
        )
        return await asyncio.to_thread(
            self._store.keep, self._chat.chat_no, self._lease_owner, kept
        )

    async def _analyse(self, item: Item, data: bytes | Ranges) -> MediaAnalysis:
        try:
            return await self._look_at(item, data)
        except ItemRejected as exc:
            raise ItemFailed(State.SKIPPED, exc.reason, exc.detail) from exc
        except ChildDied as exc:
            raise ItemFailed(State.FAILED, CRASHED, str(exc)) from exc
        except (ArchiveError, ItemFailed):
            raise
        # A defect of ours that one file brings out must not keep its window's other files from
        # being done. It stays visible: the ledger has the error and the window is not complete.
        except Exception as exc:
            raise ItemFailed(State.FAILED, "error", f"{type(exc).__name__}: {exc}") from exc

    async def _look_at(self, item: Item, data: bytes | Ranges) -> MediaAnalysis:
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

    async def _keep(
        self, item: Item, analysis: MediaAnalysis, access: MediaAccess | None
    ) -> Commit:
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
            tuple(self._blobs.put(face.crop) for face in analysis.faces),
            tuple(
                self._blobs.put(picture.data, folder="thumbnails", suffix=picture.format)
                for picture in analysis.pictures
            ),
        )

    async def _set_back(self, item: Item, failure: ItemFailed) -> Committed:
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


def _with_digest(analysis: MediaAnalysis, original: Original | None) -> MediaAnalysis:
    """Name the content by its digest where only parts were looked at, but all of it was read."""
    if original is None:
        return analysis
    return replace(analysis, fingerprint=replace(analysis.fingerprint, sha256=original.sha256))
