"""One pass over one window: enroll its media, have them worked at, count what came of it.

The order of work lives here: enroll, claim, work, wait for what others hold, count. What a
medium may have is decided in ``ledger``, what happens to one item in ``items``, and what
the pass asks of the world is described in ``ports``.

One pass a window at a time, by a lock that dies with its holder. So whoever has the lock knows
that leases of earlier passes of the window are from the dead, and does those items again one by
one in a child process: one of them may be what killed its pass.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from archive.errors import ArchiveError
from archive.faces.records import ModelRecord
from archive.ids import MediaId
from archive.ledger import (
    CRASHED,
    FACE_PRODUCTS,
    PASS_PRODUCTS,
    ChatPolicy,
    LedgerRow,
    Product,
    State,
    is_due,
    joint_verdict,
    reconcile,
)
from archive.media_pass.crew import Crew, Todo
from archive.media_pass.items import ItemWorker
from archive.media_pass.options import ORIGINALS_VERSION, MediaPassOptions
from archive.media_pass.ports import Blobs, MediaSource, MediaStore, Vision
from archive.media_pass.records import Claims, LedgerChange, Surveyed
from archive.media_pass.result import SWITCHED_OFF, MediaPassResult
from archive.off_loop import off_loop
from archive.records import Chat
from archive.windows import Window


async def run_media_pass(
    window: Window,
    chat: Chat,
    source: MediaSource,
    vision: Vision,
    store: MediaStore,
    blobs: Blobs,
    *,
    options: MediaPassOptions,
    owner: str,
    clock: Callable[[], datetime],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> MediaPassResult:
    """Do for one window what is missing, or stale where the options say so, and nothing else.

    Args:
        window: Whose messages are in the store already.
        chat: The window's chat, with the account that reads it.
        source: Where that account's files come from.
        vision: Open, its model loaded.
        store: The ledger.
        blobs: Where crops of faces go, and originals.
        options: Limits and rates.
        owner: Who runs this, for a person who looks at the leases: a run id.
        clock: Gives the time, with zone.
        sleep: Waits; used only while another pass holds a shared medium.

    Raises:
        Transient: A pass of this window is running, Telegram wants the account to wait, the model
            was changed meanwhile, or the database or the blobs' place does not answer. Nothing
            that was stored is lost.
        Permanent: Nothing can go on until a person acts: a lost session, a full disk.
    """
    producers = producers_today(vision, options)
    async with off_loop(store.hold(window, owner)) as lease_owner:
        items = ItemWorker(
            chat,
            source,
            vision,
            store,
            blobs,
            options=options,
            producers=producers,
            lease_owner=lease_owner,
            clock=clock,
        )
        this = _Pass(
            window=window,
            chat=chat,
            store=store,
            model=vision.model,
            items=items,
            options=options,
            producers=producers,
            lease_owner=lease_owner,
            clock=clock,
            sleep=sleep,
        )
        try:
            return await this.run()
        finally:
            await asyncio.to_thread(_let_go, store, lease_owner)


@dataclass(frozen=True, slots=True)
class _Pass:
    """One run over one window, whose lock is held."""

    window: Window
    chat: Chat
    store: MediaStore
    model: ModelRecord | None
    items: ItemWorker
    options: MediaPassOptions
    producers: Mapping[Product, str]
    lease_owner: str
    clock: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]

    async def run(self) -> MediaPassResult:
        policy = await asyncio.to_thread(self.store.policy, self.chat.chat_no)
        if not policy.archive:
            return MediaPassResult(stopped_reason=SWITCHED_OFF)
        if self.model is not None:
            await asyncio.to_thread(self.store.ensure_model, self.model)
        work = await self._enroll()
        crew = self._crew(policy)
        await self._work_through(crew, work)
        if crew.must_wait is not None:
            raise crew.must_wait
        return await self._result(crew.stopped_reason)

    async def _enroll(self) -> dict[MediaId, Todo]:
        """Bring the ledger up to today's policy and producers; list what asks for work."""
        surveyed = await asyncio.to_thread(self.store.survey, self.window)
        now = self.clock()
        judged = [self._judge(medium, now) for medium in surveyed]
        changes = [change for each in judged for change in each.changes]
        if changes:
            await asyncio.to_thread(self.store.enroll, changes)
        todos = (each.todo for each in judged)
        return {each.medium.file.media_id: each for each in todos if each is not None}

    def _judge(self, medium: Surveyed, now: datetime) -> _Judged:
        changes: list[LedgerChange] = []
        wanted: dict[Product, LedgerRow] = {}
        for product in _products_of(medium):
            skip = joint_verdict(product, medium.file, medium.policies, self.options.limits)
            before = medium.rows.get(product)
            after = reconcile(
                before, skip, self.producers.get(product), redo_stale=self.options.redo_stale
            )
            if after != before:
                changes.append(LedgerChange(medium.file.media_id, product, before, after))
            if skip is None and product in self.producers:
                wanted[product] = after
        if not any(is_due(row, now) for row in wanted.values()):
            return _Judged(changes, None)
        crashed = any(row.reason == CRASHED for row in wanted.values())
        return _Judged(changes, Todo(medium, _to_make(wanted), crashed))

    async def _work_through(self, crew: Crew, work: dict[MediaId, Todo]) -> None:
        """Do everything that can be had; wait a while for what another window's pass holds."""
        waited = 0.0
        while work := await crew.work_through(work):
            if crew.has_stopped or waited >= self.options.wait_for_others_seconds:
                return
            await self.sleep(self.options.poll_seconds)
            waited += self.options.poll_seconds

    def _crew(self, policy: ChatPolicy) -> Crew:
        options = self.options
        return Crew(
            options.download_concurrency + options.workers,
            policy=policy,
            claim=self._claim,
            process=self.items.process,
            renew=self._renew,
            renew_seconds=options.lease_seconds / 3,
        )

    async def _claim(self, media_ids: Sequence[MediaId]) -> Claims:
        return await asyncio.to_thread(
            self.store.claim,
            self.window,
            self.chat.account_id,
            media_ids,
            self.producers,
            lease_owner=self.lease_owner,
            lease_seconds=self.options.lease_seconds,
            now=self.clock(),
        )

    async def _renew(self) -> None:
        await asyncio.to_thread(self.store.renew, self.lease_owner, self.options.lease_seconds)

    async def _result(self, stopped_reason: str | None) -> MediaPassResult:
        counts = await asyncio.to_thread(self.store.tally, self.window)
        tally = self.items.tally
        return MediaPassResult(
            counts=tuple(counts),
            products=frozenset(self.producers),
            model=self.model.name if self.model else None,
            provider=self.model.provider if self.model else None,
            fetched=tally.fetched,
            fetched_bytes=tally.fetched_bytes,
            new_faces=tally.new_faces,
            rejected_faces=dict(tally.rejected_faces),
            stopped_reason=stopped_reason,
        )


@dataclass(frozen=True, slots=True)
class _Judged:
    """What one medium's rows become, and whether it asks for work."""

    changes: list[LedgerChange]
    todo: Todo | None


def _products_of(medium: Surveyed) -> tuple[Product, ...]:
    """Leave originals out where nobody ever asked for them: most archives never do."""
    asked = any(each.archive and each.keep_originals for each in medium.policies)
    if asked or Product.ORIGINALS in medium.rows:
        return (*PASS_PRODUCTS, Product.ORIGINALS)
    return PASS_PRODUCTS


def _to_make(wanted: Mapping[Product, LedgerRow]) -> frozenset[Product]:
    """Leave out what is done and costs much to do again; a fingerprint names the content."""
    open_ones = {product for product, row in wanted.items() if row.state is not State.DONE}
    if open_ones == {Product.ORIGINALS}:
        return frozenset(open_ones)
    # A detector that changed makes other vectors, and vectors need their faces.
    if open_ones & FACE_PRODUCTS:
        open_ones |= FACE_PRODUCTS & wanted.keys()
    return frozenset(open_ones | {Product.FINGERPRINTS} & wanted.keys())


def producers_today(vision: Vision, options: MediaPassOptions) -> dict[Product, str]:
    """Say who would make each product today; without a model nobody makes faces."""
    producers = {
        Product.FINGERPRINTS: options.fingerprint_version,
        Product.ORIGINALS: ORIGINALS_VERSION,
    }
    if options.thumbnail_version is not None:
        producers[Product.THUMBNAILS] = options.thumbnail_version
    if vision.model is not None:
        producers[Product.FACES] = vision.model.detector_version
        producers[Product.EMBEDDINGS] = vision.model.embedding_version
    return producers


def _let_go(store: MediaStore, lease_owner: str) -> None:
    """Free what was in hand, so that nobody suspects it: nothing died here.

    Where the store itself is what failed, its error is on its way already. The leases then look
    like those of a dead pass, which costs time and no result.
    """
    with suppress(ArchiveError):
        store.release(lease_owner)
