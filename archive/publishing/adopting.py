"""The use case: what a restored backup does not know of a hub is adopted, or removed.

Everything in the hub is read; what is certainly ours (``recognising``) gets its rows again, and
what only our account can have put there, but nobody can tell, is deleted where that is asked for.
What others wrote, or our own account by hand, stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Protocol
from uuid import uuid4

from archive.errors import Permanent
from archive.ids import MessageId, TopicId, new_random_id
from archive.off_loop import off_loop
from archive.publishing.captions import caption
from archive.publishing.drift import SeenMessage
from archive.publishing.outbox import Attempt, OutboxState, PublicationRow, SummaryRow, TopicRow
from archive.publishing.pace import Pace
from archive.publishing.ports import PublishingStore
from archive.publishing.reading_ports import HubReading
from archive.publishing.recognising import (
    HubContentsSeen,
    LostPost,
    LostSummary,
    LostTopic,
    Recognised,
    Stray,
    recognise,
)
from archive.publishing.records import Hub, HubGateway, HubNo
from archive.publishing.rights import require_usable

# channels.deleteMessages takes at most so many.
_AT_ONCE = 100


class AdoptingStore(PublishingStore, Protocol):
    """The outbox, to which rows of what is there already are added; each is one transaction."""

    def adopt_topic(self, hub_no: HubNo, row: TopicRow, topic_id: TopicId) -> None:
        """Record a topic as sent, open or closed."""
        ...

    def adopt_summary(
        self, hub_no: HubNo, row: TopicRow, summary: SummaryRow, message_id: MessageId
    ) -> None:
        """Record a pinned summary as there, saying what it may say."""
        ...

    def adopt_post(
        self, hub_no: HubNo, row: PublicationRow, attempt: Attempt, message_id: MessageId
    ) -> None:
        """Record a post as there, with what caption it may have."""
        ...


async def adopt(
    store: AdoptingStore,
    reader: HubReading,
    hub: Hub,
    *,
    dry_run: bool = False,
    draw: Callable[[], int] = new_random_id,
) -> Recognised:
    """Give rows to what is certainly ours; what its texts say is put right by publishing.

    Args:
        store: What is known, and the outbox.
        reader: Reads the hub, as its account.
        hub: Which; only its number counts.
        dry_run: Record nothing.
        draw: Draws random ids, under which nothing was sent.

    Returns:
        What was adopted, and what could only be removed.

    Raises:
        Transient: A wait longer than is slept in place, or a run that is publishing.
        Permanent: The hub cannot be read, or is not configured.
    """
    async with off_loop(store.publishing(hub.hub_no)):
        known = await _configured(store, hub)
        found = await _recognised(store, reader, known, await _everything(reader, known))
        if not dry_run:
            await asyncio.to_thread(_record, store, known.hub_no, found, draw)
    return found


async def remove_strays(
    store: AdoptingStore,
    reader: HubReading,
    gateway: HubGateway,
    hub: Hub,
    agreed: Sequence[Stray],
    *,
    pace: Pace,
) -> int:
    """Delete what nobody can tell, as far as it was agreed on and still is so.

    Args:
        store: What is known.
        reader: Reads the hub, as its account.
        gateway: Deletes.
        hub: Which; only its number counts.
        agreed: What somebody saw and wants to be gone.
        pace: Awaited before every deletion.

    Returns:
        How many messages and topics were deleted.

    Raises:
        Transient: As ``adopt``; what was deleted stays so.
        HubBlocked: Nothing may be deleted there.
        Permanent: As ``adopt``.
    """
    async with off_loop(store.publishing(hub.hub_no)):
        known = await _configured(store, hub)
        seen = await _everything(reader, known)
        found = await _recognised(store, reader, known, seen)
        due = [stray for stray in found.strays if stray in set(agreed)]
        messages = [stray.message_id for stray in due if stray.message_id is not None]
        for start in range(0, len(messages), _AT_ONCE):
            await _ready(gateway, known, pace)
            await gateway.delete_messages(known.chat, messages[start : start + _AT_ONCE])
        topics = [stray.topic_id for stray in due if stray.message_id is None]
        removed = len(messages)
        for topic_id in topics:
            await _ready(gateway, known, pace)
            # It takes along all that is in it, also what was said while others were deleted.
            if topic_id not in await _spoken_in(reader, known, seen.newest):
                await gateway.delete_topic(known.chat, topic_id)
                removed += 1
    return removed


async def _configured(store: AdoptingStore, hub: Hub) -> Hub:
    known = await asyncio.to_thread(store.hub, hub.hub_no)
    if known is None or not known.chat.is_hub:
        raise Permanent("The chat is not a configured hub.")
    return known


async def _ready(gateway: HubGateway, hub: Hub, pace: Pace) -> None:
    await require_usable(gateway, hub.chat)
    await pace()


async def _recognised(
    store: AdoptingStore, reader: HubReading, hub: Hub, seen: HubContentsSeen
) -> Recognised:
    both = await asyncio.to_thread(store.projection, hub.hub_no)
    return await asyncio.to_thread(
        recognise, seen, both.wanted, both.actual, hub.chat.account_id, reader.as_shown
    )


async def _everything(reader: HubReading, hub: Hub) -> HubContentsSeen:
    """Read a hub whole; topics that the list leaves out are asked for by name."""
    found = HubContentsSeen({each.topic_id: each for each in await reader.topics(hub.chat)})
    async for message in _newest_first(reader, hub):
        found.newest = max(found.newest, message.message_id)
        if message.topic_id is not None and not message.is_service:
            found.messages.setdefault(message.topic_id, []).append(message)
    for messages in found.messages.values():
        messages.reverse()
    absent = sorted(found.messages.keys() - found.topics.keys())
    if absent:
        named = await reader.topics_named(hub.chat, absent)
        found.topics.update({each.topic_id: each for each in named})
    return found


async def _spoken_in(reader: HubReading, hub: Hub, newest: int) -> set[TopicId | None]:
    """Name the topics in which something is newer."""
    spoken: set[TopicId | None] = set()
    async for message in _newest_first(reader, hub):
        if message.message_id <= newest:
            break
        spoken.add(message.topic_id)
    return spoken


async def _newest_first(reader: HubReading, hub: Hub) -> AsyncIterator[SeenMessage]:
    offset = MessageId(0)
    while page := await reader.page(hub.chat, offset_id=offset):
        offset = page[-1].message_id
        for message in page:
            yield message


def _record(
    store: AdoptingStore, hub_no: HubNo, found: Recognised, draw: Callable[[], int]
) -> None:
    for lost in found.lost:
        whose = lost.wanted.identity.identity_id
        topic = TopicRow(whose, draw(), OutboxState.SENDING, lost.wanted.title)
        match lost:
            case LostTopic():
                found_so = replace(topic, closed=lost.topic.is_closed)
                store.adopt_topic(hub_no, found_so, lost.topic.topic_id)
            case LostSummary():
                summary = SummaryRow(draw(), OutboxState.SENDING, "")
                store.adopt_summary(hub_no, topic, summary, lost.message_id)
            case LostPost(content=content):
                row = PublicationRow(
                    uuid4(), whose, content.content_key, draw(), OutboxState.SENDING
                )
                said = caption(content.sources, content.seconds)
                attempt = Attempt(row.random_id, said, lost.method, lost.source)
                store.adopt_post(hub_no, row, attempt, lost.message_id)
