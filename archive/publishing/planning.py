"""What is missing in a hub: the difference between what it should hold and what it holds.

Pure but for ``plan``, which reads the store once. The plan only adds; taking away and changing
what was posted is a later chapter, for which ``Plan.counts`` already says how much there is.

The order is the same for the same store. What may be in the hub without our knowing comes
first, because until it is resolved nothing else is certain. Then people, most wanted first:
the named before the unnamed, those with more contents before those with fewer, then those seen
most recently. A person's topic is finished before the next is begun, and fills from the oldest
content on, because a topic reads downwards.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from archive.identity.rules import NEAR_COPY_BITS
from archive.ids import ContentKey, IdentityId
from archive.publishing.captions import caption, order_of, place
from archive.publishing.near_copies import Leaders
from archive.publishing.records import Hub, HubNo
from archive.publishing.state import (
    OutboxState,
    Projection,
    PublicationRow,
    Source,
    TopicRow,
    WantedContent,
    WantedTopic,
)
from archive.records import Counts


@dataclass(frozen=True, slots=True)
class OpenTopic:
    """Make a person's topic.

    Attributes:
        pending: The row of an earlier try whose outcome is unknown.
    """

    identity_id: IdentityId
    title: str
    icon_color: int
    pending: TopicRow | None = None

    def __str__(self) -> str:
        return f"topic  {self.title}"


@dataclass(frozen=True, slots=True)
class PostContent:
    """Post one content into a person's topic.

    Attributes:
        sources: Where the content itself can be copied from, oldest first.
        listed: What the caption names: these and the sources of its near copies.
        pending: The row of an earlier try whose outcome is unknown.
    """

    identity_id: IdentityId
    title: str
    content_key: ContentKey
    sources: tuple[Source, ...]
    listed: tuple[Source, ...] = field(repr=False)
    seconds: float | None = None
    pending: PublicationRow | None = None

    @property
    def caption(self) -> str:
        """Made when asked for: ten thousands of captions are never held at once."""
        return caption(self.listed, self.seconds)

    def __str__(self) -> str:
        more = f" and {len(self.listed) - 1} more" if len(self.listed) > 1 else ""
        return f"post   {self.title} ← {place(self.sources[0])}{more}"


Operation = OpenTopic | PostContent


@dataclass(frozen=True, slots=True)
class Plan:
    """The operations that make a hub complete, in the order they will be done.

    Attributes:
        counts: ``topics`` and ``posts`` to make, ``in_flight`` among them whose outcome is to
            be found out, ``near_copies`` listed instead of posted, ``published`` already,
            ``refused`` set aside for now, ``unwanted`` posted but wanted no more.
    """

    operations: tuple[Operation, ...]
    counts: Counts

    def minutes(self, operations_per_minute: float) -> float:
        """How long it takes at the allowed rate."""
        return len(self.operations) / operations_per_minute

    def lines(self) -> list[str]:
        """Say each operation in a line, as ``--dry-run`` prints it."""
        return [str(operation) for operation in self.operations]


class PlanningStore(Protocol):
    """What planning reads."""

    def projection(self, hub_no: HubNo) -> Projection:
        """Read both sides of a hub in one snapshot."""
        ...


def plan(store: PlanningStore, hub: Hub, *, now: datetime) -> Plan:
    """Read what a hub should hold and what it holds, and plan the difference."""
    return plan_operations(store.projection(hub.hub_no), now=now)


def plan_operations(
    projection: Projection, *, now: datetime, near_copy_bits: int = NEAR_COPY_BITS
) -> Plan:
    """Plan the difference between both sides of a hub.

    Args:
        projection: Both sides.
        now: Posts that were refused are planned again once their time has come.
        near_copy_bits: Most bits in which the pHashes of near copies differ.
    """
    rows: dict[IdentityId, list[PublicationRow]] = defaultdict(list)
    for row in projection.publications:
        rows[row.identity_id].append(row)
    counts: Counter[str] = Counter()
    operations: list[Operation] = []
    for topic in sorted(projection.wanted, key=_priority):
        operations += _openings(topic, projection.topics.get(topic.identity.identity_id))
        outbox = _Outbox(rows.pop(topic.identity.identity_id, []), now)
        operations += _posts(topic, outbox, near_copy_bits, counts)
    # What is left belongs to people who are hidden, merged, or shown by nothing publishable.
    counts["unwanted"] += sum(len(_Outbox(left, now).there) for left in rows.values())
    # The sort is stable: it only brings the unresolved forward.
    operations.sort(key=lambda operation: operation.pending is None)
    counts["topics"] = sum(isinstance(operation, OpenTopic) for operation in operations)
    counts["posts"] = len(operations) - counts["topics"]
    counts["in_flight"] = sum(operation.pending is not None for operation in operations)
    return Plan(tuple(operations), Counts(dict(counts)))


class _Outbox:
    """The rows of one person: what is, or may be, in the hub, and what was set aside."""

    def __init__(self, rows: Iterable[PublicationRow], now: datetime) -> None:
        self.there: dict[ContentKey, PublicationRow] = {}
        self.refused: set[ContentKey] = set()
        for row in rows:
            if row.state is not OutboxState.PLANNED:
                self.there[row.content_key] = row
            elif row.retry_at is not None and row.retry_at > now:
                self.refused.add(row.content_key)

    def is_pending(self, content_key: ContentKey) -> bool:
        row = self.there.get(content_key)
        return row is not None and row.state is OutboxState.SENDING


def _priority(topic: WantedTopic) -> tuple[bool, int, float, int]:
    newest = max(content.sources[-1].sent_at.timestamp() for content in topic.contents)
    return not topic.identity.label, -len(topic.contents), -newest, topic.identity.number


def _openings(topic: WantedTopic, row: TopicRow | None) -> Iterator[OpenTopic]:
    """Yield at most one operation: none once the topic is there."""
    if row is not None and row.state is OutboxState.SENDING:
        yield OpenTopic(
            topic.identity.identity_id, row.title, row.icon_color or topic.icon_color, row
        )
    elif row is None or row.state is OutboxState.PLANNED:
        yield OpenTopic(topic.identity.identity_id, topic.title, topic.icon_color)


def _posts(
    topic: WantedTopic, outbox: _Outbox, near_copy_bits: int, counts: Counter[str]
) -> Iterator[PostContent]:
    """Yield a post for each content that is not there, save near copies of one that is."""
    leaders = Leaders(len(topic.contents) + len(outbox.there), near_copy_bits)
    for row in outbox.there.values():
        leaders.add(row.content_key, row.phash, is_video=row.is_video)
    missing: list[WantedContent] = []
    listed: dict[ContentKey, list[Source]] = defaultdict(list)
    for content in sorted(topic.contents, key=lambda content: order_of(content.sources[0])):
        key = content.content_key
        if key in outbox.there:
            listed[key] += content.sources
            missing += [content] if outbox.is_pending(key) else []
            counts["published"] += not outbox.is_pending(key)
        elif key in outbox.refused:
            counts["refused"] += 1
        elif leader := leaders.near(content.phash, is_video=content.is_video):
            listed[leader] += content.sources
            counts["near_copies"] += 1
        else:
            leaders.add(key, content.phash, is_video=content.is_video)
            listed[key] += content.sources
            missing.append(content)
    counts["unwanted"] += len(outbox.there.keys() - listed.keys())
    for content in missing:
        yield _posting(topic, content, listed[content.content_key], outbox)


def _posting(
    topic: WantedTopic, content: WantedContent, listed: Iterable[Source], outbox: _Outbox
) -> PostContent:
    return PostContent(
        identity_id=topic.identity.identity_id,
        title=topic.title,
        content_key=content.content_key,
        sources=content.sources,
        listed=tuple(listed),
        seconds=content.seconds,
        pending=outbox.there.get(content.content_key),
    )
