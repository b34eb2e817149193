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

from archive.errors import ItemRejected, Transient
from archive.ids import MessageId, TopicId, new_random_id
from archive.media_ports import MediaSource
from archive.publishing.captions import caption, names_only
from archive.publishing.operations import PostContent
from archive.publishing.outcomes import Outcome
from archive.publishing.pace import Pace
from archive.publishing.ports import PublishingStore
from archive.publishing.records import (
    CopyRefused,
    Hub,
    HubGateway,
    MessageStuck,
    Post,
    PostMethod,
)
from archive.publishing.state import (
    Attempt,
    Material,
    OutboxState,
    Permission,
    PublicationRow,
    Source,
)

# Also the title of a topic that is about to be deleted.
NOTHING = "…"
# What every way of copying refused is tried again after a day: most refusals are for ever, but
# a file that could not be downloaded may be there tomorrow.
REFUSAL_PAUSE = timedelta(days=1)
# A picture that was forwarded a hundred times need not be refused three hundred times.
MAX_SOURCES = 3


@dataclass(frozen=True, slots=True)
class Way:
    """One way of copying one source."""

    source: Source
    method: PostMethod
    material: Material


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
        media: Downloads what has to be uploaded.
        hub: As the store knows it.
        pace: Awaited before every write.
        now: The time, UTC.
        draw: Draws random ids.
    """

    def __init__(
        self,
        store: PublishingStore,
        gateway: HubGateway,
        media: MediaSource,
        hub: Hub,
        *,
        pace: Pace,
        now: Callable[[], datetime],
        draw: Callable[[], int] = new_random_id,
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._media = media
        self._hub = hub
        self._pace = pace
        self._now = now
        self._draw = draw

    async def post(self, operation: PostContent, topic_id: TopicId) -> Outcome:
        """Post a content by the first way that works, or find out that it was posted."""
        row = operation.pending or self._new_row(operation)
        chat_nos = {source.chat.chat_no for source in operation.listed}
        permission = await asyncio.to_thread(
            self._store.permission, operation.identity_id, chat_nos
        )
        sources = _permitted(operation.sources, permission)
        if not permission.is_visible or not sources:
            return Outcome.WITHDRAWN
        text = _caption(operation, row, permission)
        trial = _Trial(row.random_id, is_settled=row.state is OutboxState.PLANNED)
        for way in _from_pending(await self._ways(sources), row):
            if await self._try(row, way, text, trial, topic_id):
                return Outcome(way.method)
        return await self._give_up(row, trial)

    async def find(self, row: PublicationRow, topic_id: TopicId) -> MessageId:
        """Find out which message came of a post that is wanted no more, to delete it.

        What it showed is not sent again: under the same random id a text that says nothing yields
        the message there is, or becomes one that is as easily deleted.
        """
        await self._pace()
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
        )

    async def _try(
        self, row: PublicationRow, way: Way, text: str, trial: _Trial, topic_id: TopicId
    ) -> bool:
        """Send by one way; false where that way is closed."""
        data = None
        if way.method is PostMethod.UPLOAD and (data := await self._download(way, trial)) is None:
            return False
        post = _compose(way, text, trial.random_id, data)
        for _ in range(_writes(way.method)):
            await self._pace()
        attempt = Attempt(trial.random_id, text, way.method, way.source)
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
        # The first request may have brought the caption that it had then.
        certain = row.state is OutboxState.PLANNED or text == row.caption
        await asyncio.to_thread(
            self._store.finish_post,
            row.publication_id,
            trial.random_id,
            message_id,
            certain=certain,
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

    async def _ways(self, sources: Sequence[Source]) -> list[Way]:
        """List every way, cheapest first within a source, sources in their order."""
        posting = self._hub.chat.account_id
        ways = []
        for source in sources[:MAX_SOURCES]:
            material = await asyncio.to_thread(self._store.material, source, posting)
            if material.access is not None:
                ways.append(Way(source, PostMethod.REFERENCE, material))
            if source.chat.account_id == posting:
                ways.append(Way(source, PostMethod.FORWARD, material))
            if material.reading_access is not None:
                ways.append(Way(source, PostMethod.UPLOAD, material))
        return ways

    async def _download(self, way: Way, trial: _Trial) -> bytes | None:
        """Fetch the file into memory; ``None``, with the reason, where it cannot be had."""
        access = way.material.reading_access
        if access is None:
            return None
        try:
            fetched = await self._media.fetch(
                way.source.chat, way.source.message_id, way.material.file, access
            )
        except ItemRejected as rejection:
            trial.reason = rejection.reason
            return None
        except Transient as failure:
            # A wait concerns the whole account; without one, this download only.
            if failure.retry_after_seconds is not None:
                raise
            trial.reason = "download failed"
            return None
        return fetched.data


def _permitted(sources: Sequence[Source], permission: Permission) -> list[Source]:
    return [source for source in sources if source.chat.chat_no in permission.chat_nos]


def _caption(operation: PostContent, row: PublicationRow, permission: Permission) -> str:
    """Repeat the stored caption, unless it names what may be named no more."""
    listed = _permitted(operation.listed, permission)
    if row.state is OutboxState.SENDING and names_only(row.caption, listed):
        return row.caption
    return caption(listed, operation.seconds)


def _from_pending(ways: Sequence[Way], row: PublicationRow) -> Sequence[Way]:
    """Begin with the way whose outcome is unknown; with the first where it is gone."""
    for index, way in enumerate(ways):
        place = (way.method, way.source.chat.chat_no, way.source.message_id)
        if place == (row.method, row.source_chat_no, row.source_message_id):
            return ways[index:]
    return ways


def _compose(way: Way, text: str, random_id: int, data: bytes | None) -> Post:
    return Post(
        random_id=random_id,
        caption_html=text,
        method=way.method,
        file=way.material.file,
        access=way.material.access,
        source_chat=way.source.chat,
        source_message_id=way.source.message_id,
        data=data,
    )


def _writes(method: PostMethod) -> int:
    """How many writes Telegram counts: a forward's caption is set by an edit."""
    return 2 if method is PostMethod.FORWARD else 1
