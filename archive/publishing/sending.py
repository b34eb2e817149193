"""A content gets into the hub, once, whatever happens on the way.

Everything about a request is stored before it is made, so that after a lost answer or a kill
the identical request is made again, and Telegram answers with the message it already has.

The random id stays as long as it is unknown whether a request was carried out. It is drawn anew
only after a *definite refusal*: Telegram then made no message under the old one, so the other
request under the new one cannot be a second. Were the old id kept, nothing would double either;
but which of two different requests an id stands for would no longer be certain.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from archive.errors import ItemRejected
from archive.ids import MessageId, TopicId, new_random_id
from archive.publishing.captions import caption, names_only
from archive.publishing.doubts import Doubt
from archive.publishing.operations import PostContent
from archive.publishing.outbox import NOTHING, Attempt, OutboxState, PublicationRow
from archive.publishing.outcomes import Outcome
from archive.publishing.pace import Pace
from archive.publishing.ports import PublishingStore
from archive.publishing.records import CopyRefused, Hub, HubGateway, MessageStuck
from archive.publishing.state import Permission
from archive.publishing.wanted import Source
from archive.publishing.ways import Way, Ways, compose, from_pending, writes

# What every way of copying refused is tried again after a day: most refusals are for ever, but
# a file that could not be downloaded may be there tomorrow.
REFUSAL_PAUSE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Draft:
    """What is about to be sent of one content.

    Attributes:
        row: As recorded, or as it will be.
        sources: That it may be copied from now.
    """

    row: PublicationRow
    text: str
    sources: Sequence[Source]

    @property
    def is_certain(self) -> bool:
        """Whether what arrives says this; an earlier request may have brought what it said then."""
        return self.row.state is OutboxState.PLANNED or self.text == self.row.caption


@dataclass(slots=True)
class _Trial:
    """Where the tries for one post stand.

    Attributes:
        is_settled: Certain that nothing was sent under this random id.
    """

    random_id: int
    is_settled: bool
    reason: str = "no source can be copied"


class Sender:
    """Posts into one hub.

    Args:
        store: The outbox.
        gateway: The only way to write to Telegram.
        hub: As the store knows it.
        ways: In which pictures get there.
        pace: Awaited before every write.
        now: The time, UTC.
        draw: Draws random ids.
    """

    def __init__(
        self,
        store: PublishingStore,
        gateway: HubGateway,
        hub: Hub,
        ways: Ways,
        *,
        pace: Pace,
        now: Callable[[], datetime],
        draw: Callable[[], int] = new_random_id,
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._hub = hub
        self._ways = ways
        self._pace = pace
        self._now = now
        self._draw = draw

    async def post(self, operation: PostContent, topic_id: TopicId) -> Outcome:
        """Post a content by the first way that works, or find out that it was posted."""
        draft = await self.draft(operation)
        if draft is None:
            return Outcome.WITHDRAWN
        row = draft.row
        trial = _Trial(row.random_id, is_settled=row.state is OutboxState.PLANNED)
        ways = await self._ways.of(draft.sources, face_only=row.doubt is not None)
        for way in from_pending(ways, row):
            if await self._try(draft, way, trial, topic_id):
                return Outcome(way.method)
        return await self._give_up(row, trial)

    async def draft(self, operation: PostContent) -> Draft | None:
        """Ask the switches what may be sent now; ``None`` where nothing may."""
        row = operation.pending or self._new_row(operation)
        chat_nos = {source.chat.chat_no for source in operation.listed}
        permission = await asyncio.to_thread(
            self._store.permission, operation.identity_id, chat_nos, _doubt(operation)
        )
        sources = _permitted(operation.sources, permission)
        if not permission.is_visible or not sources:
            return None
        return Draft(row, _caption(operation, row, permission), sources)

    async def find(self, row: PublicationRow, topic_id: TopicId) -> MessageId:
        """Find out which message came of a post that is wanted no more, to delete it.

        What it showed is not sent again: under the same random id a text that says nothing yields
        the message there is, or becomes one that is as easily deleted. From then on it is never
        taken for a post again, even if it is wanted again before it was found.
        """
        await self._pace()
        await asyncio.to_thread(self._store.seek_post, row.publication_id)
        message_id = await self._gateway.say(
            self._hub.chat, topic_id, NOTHING, random_id=row.random_id
        )
        await asyncio.to_thread(
            self._store.found_post, row.publication_id, row.random_id, message_id
        )
        return message_id

    def _new_row(self, operation: PostContent) -> PublicationRow:
        """Draw a random id; a row that was set aside is taken up again."""
        publication_id = uuid4() if operation.refused is None else operation.refused.publication_id
        return PublicationRow(
            publication_id,
            operation.identity_id,
            operation.content_key,
            self._draw(),
            OutboxState.PLANNED,
            doubt=_doubt(operation),
        )

    async def _try(self, draft: Draft, way: Way, trial: _Trial, topic_id: TopicId) -> bool:
        """Send by one way; false where that way is closed."""
        row = draft.row
        try:
            data = await self._ways.data(way, row)
        except ItemRejected as rejection:
            trial.reason = rejection.reason
            return False
        post = compose(way, draft.text, trial.random_id, data)
        for _ in range(writes(way.method)):
            await self._pace()
        attempt = Attempt(trial.random_id, draft.text, way.method, way.source)
        await asyncio.to_thread(self._store.begin_post, self._hub.hub_no, row, attempt)
        trial.is_settled = False
        try:
            message_id = await self._gateway.send(self._hub.chat, topic_id, post)
        except CopyRefused as refusal:
            trial.random_id, trial.is_settled, trial.reason = self._draw(), True, refusal.code
            return False
        except MessageStuck:
            # Somebody deleted what an earlier try had sent.
            trial.random_id, trial.is_settled, trial.reason = self._draw(), True, "deleted by hand"
            return False
        await asyncio.to_thread(
            self._store.finish_post,
            row.publication_id,
            trial.random_id,
            message_id,
            certain=draft.is_certain,
        )
        return True

    async def _give_up(self, row: PublicationRow, trial: _Trial) -> Outcome:
        """Set aside what was certainly not sent; what may have been stays as it is."""
        if not trial.is_settled:
            return Outcome.UNRESOLVED
        retry_at = self._now() + REFUSAL_PAUSE
        await asyncio.to_thread(
            self._store.refuse_post, self._hub.hub_no, row, trial.reason, retry_at
        )
        return Outcome.REFUSED


def _permitted(sources: Sequence[Source], permission: Permission) -> list[Source]:
    return [source for source in sources if source.chat.chat_no in permission.chat_nos]


def _caption(operation: PostContent, row: PublicationRow, permission: Permission) -> str:
    """Repeat the stored caption, unless it names what may be named no more."""
    listed = _permitted(operation.listed, permission)
    if row.state is OutboxState.SENDING and names_only(row.caption, listed):
        return row.caption
    return caption(listed, operation.seconds, operation.asked)


def _doubt(operation: PostContent) -> Doubt | None:
    return None if operation.asked is None else operation.asked.doubt
