"""The use case: bring a hub up to what it should hold, or as far as the budget goes.

Running it again, after whatever ended the last run, goes on where that stopped; once the hub is
complete it sends nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from archive.errors import ArchiveError, Permanent
from archive.ids import IdentityId, TopicId, new_random_id
from archive.media_ports import MediaSource
from archive.off_loop import off_loop
from archive.publishing.pace import Pace
from archive.publishing.planning import OpenTopic, Operation, Plan, PostContent, plan_operations
from archive.publishing.ports import PublishingStore
from archive.publishing.records import Hub, HubGateway
from archive.publishing.rights import HubBlocked, require_hub_rights
from archive.publishing.sending import Outcome, Sender
from archive.publishing.state import OutboxState, Projection, PublicationRow, TopicRow
from archive.records import Counts

Rows = Sequence[TopicRow | PublicationRow]


@dataclass(frozen=True, slots=True)
class PublishOptions:
    """How much one run may do.

    Attributes:
        max_operations: Topics and posts together; ``None`` for all.
    """

    max_operations: int | None = None


@dataclass(frozen=True, slots=True)
class PublishResult:
    """What a run did.

    Attributes:
        counts: ``topics``; posts by method: ``reference``, ``forward``, ``upload``; and what was
            ``refused``, ``withdrawn`` or left ``unresolved``.
        stopped_reason: ``done``, or ``budget`` where operations are left for the next run.
        remaining: How many are left.
    """

    counts: Counts
    stopped_reason: str
    remaining: int

    @property
    def sent(self) -> int:
        """Topics and posts that are in the hub now and were not recorded before."""
        done = (Outcome.TOPIC, Outcome.REFERENCE, Outcome.FORWARD, Outcome.UPLOAD)
        return sum(self.counts[name] for name in done)


def utc_now() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


async def publish(
    store: PublishingStore,
    gateway: HubGateway,
    media: MediaSource,
    hub: Hub,
    options: PublishOptions | None = None,
    *,
    pace: Pace,
    now: Callable[[], datetime] = utc_now,
    draw: Callable[[], int] = new_random_id,
    on_operation: Callable[[Operation], None] = lambda _: None,
) -> PublishResult:
    """Make the topics and posts that the hub lacks.

    Args:
        store: What should be there, and the outbox.
        gateway: Writes to Telegram, as the hub's account.
        media: Downloads what can only be uploaded.
        hub: Where to; only its number counts, the chat is read from the store, so that nothing
            is ever sent to a chat that is not a configured hub.
        options: The budget.
        pace: Awaited before every write, see ``archive.publishing.pace``.
        now: The time, UTC.
        draw: Draws random ids.
        on_operation: Told of each operation when it is over.

    Raises:
        Transient: A wait longer than is slept in place, or a connection lost; what was sent is
            recorded, what may have been is found out by the next run.
        HubBlocked: The hub cannot be used as it is.
        Permanent: Telegram refused the hub, or it is not configured.
    """
    async with off_loop(store.publishing(hub.hub_no)):
        hub = await _configured(store, gateway, hub)
        projection = await asyncio.to_thread(store.projection, hub.hub_no)
        drawn = await asyncio.to_thread(plan_operations, projection, now=now())
        due = drawn.operations[: (options or PublishOptions()).max_operations]
        rows = [_row(operation, draw) for operation in due]
        await _enqueue(store, hub, rows)
        sender = Sender(store, gateway, media, hub, pace=pace, now=now, draw=draw)
        run = _Run(sender, _topic_ids(projection))
        with _said_how_far(run.counts, len(due)):
            for operation, row in zip(due, rows, strict=True):
                run.counts[await run.perform(operation, row)] += 1
                on_operation(operation)
    return _result(drawn, len(due), run.counts)


class _Run:
    """The operations of one run in turn, and the topics they have to go to."""

    def __init__(self, sender: Sender, topic_ids: dict[IdentityId, TopicId]) -> None:
        self._sender = sender
        self._topic_ids = topic_ids
        self.counts: Counter[str] = Counter()

    async def perform(self, operation: Operation, row: TopicRow | PublicationRow) -> Outcome:
        match operation, row:
            case OpenTopic(), TopicRow():
                return await self._open(operation, row)
            case PostContent(), PublicationRow():
                return await self._post(operation, row)
        raise AssertionError("an operation and a row of different kinds")

    async def _open(self, operation: OpenTopic, row: TopicRow) -> Outcome:
        topic_id = await self._sender.open_topic(operation, row)
        if topic_id is None:
            return Outcome.WITHDRAWN
        self._topic_ids[operation.identity_id] = topic_id
        return Outcome.TOPIC

    async def _post(self, operation: PostContent, row: PublicationRow) -> Outcome:
        topic_id = self._topic_ids.get(operation.identity_id)
        # Its topic was withdrawn a moment ago.
        if topic_id is None:
            return Outcome.WITHDRAWN
        return await self._sender.post(operation, row, topic_id)


async def _configured(store: PublishingStore, gateway: HubGateway, hub: Hub) -> Hub:
    """Return the hub as it is configured, after asking Telegram what we may do there."""
    known = await asyncio.to_thread(store.hub, hub.hub_no)
    if known is None or not known.chat.is_hub:
        raise Permanent(
            "The chat is not a configured hub: nothing is sent there. Choose one "
            "with `face-archive hub use`, or make one with `face-archive hub create`."
        )
    try:
        require_hub_rights(await gateway.inspect(known.chat))
    except HubBlocked as blocked:
        await asyncio.to_thread(store.set_blocked, known.hub_no, str(blocked))
        raise
    await asyncio.to_thread(store.set_blocked, known.hub_no, None)
    return known


def _topic_ids(projection: Projection) -> dict[IdentityId, TopicId]:
    rows = projection.topics.values()
    return {row.identity_id: row.topic_id for row in rows if row.topic_id is not None}


def _row(operation: Operation, draw: Callable[[], int]) -> TopicRow | PublicationRow:
    """Go on with the row of an earlier try, or draw a new one."""
    if operation.pending is not None:
        return operation.pending
    identity_id = operation.identity_id
    if isinstance(operation, OpenTopic):
        title, color = operation.title, operation.icon_color
        return TopicRow(identity_id, draw(), OutboxState.PLANNED, title, color)
    return PublicationRow(uuid4(), identity_id, operation.content_key, draw(), OutboxState.PLANNED)


async def _enqueue(store: PublishingStore, hub: Hub, rows: Rows) -> None:
    """Store every random id of this run before the first of them is sent."""
    new = [row for row in rows if row.state is OutboxState.PLANNED]
    topics = [row for row in new if isinstance(row, TopicRow)]
    publications = [row for row in new if isinstance(row, PublicationRow)]
    await asyncio.to_thread(store.enqueue, hub.hub_no, topics, publications)


def _result(drawn: Plan, due: int, counts: Counter[str]) -> PublishResult:
    remaining = len(drawn.operations) - due
    reason = "budget" if remaining else "done"
    by_name = {str(outcome): count for outcome, count in counts.items()}
    return PublishResult(Counts(by_name), reason, remaining)


@contextmanager
def _said_how_far(counts: Counter[str], due: int) -> Iterator[None]:
    """Let an error that ends the run say what was done before it."""
    try:
        yield
    except ArchiveError as error:
        error.add_note(f"{counts.total()} of {due} operations were done before that.")
        raise
