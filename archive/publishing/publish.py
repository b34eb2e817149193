"""The use case: bring a hub up to what it should hold, or as far as the budget goes.

Running it again, after whatever ended the last run, goes on where that stopped; once the hub is
complete it sends nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from archive.budgets import AskedToWait
from archive.errors import ArchiveError, Permanent
from archive.ids import new_random_id
from archive.media_pass.ports import MediaSource
from archive.off_loop import off_loop
from archive.publishing.albums import requests
from archive.publishing.board import Board
from archive.publishing.desired import Policy
from archive.publishing.doubts import Doubt
from archive.publishing.operations import Operation
from archive.publishing.outcomes import Outcome
from archive.publishing.pace import Pace
from archive.publishing.performing import Performer
from archive.publishing.planning import Plan, plan_operations
from archive.publishing.ports import PublishingStore
from archive.publishing.records import Hub, HubGateway, HubState
from archive.publishing.reviewing import reviewed
from archive.publishing.rights import HubBlocked, full_reason, require_usable
from archive.publishing.ways import CropSource, Ways
from archive.records import Counts


@dataclass(frozen=True, slots=True)
class PublishOptions:
    """How much one run may do, and what a person chose about topics.

    Attributes:
        max_operations: Writes of any kind together; ``None`` for all.
        doubts: Questions about faces that are worth asking, the most useful first; ``None`` asks
            nothing, and takes away what was asked.
    """

    max_operations: int | None = None
    policy: Policy = field(default_factory=Policy)
    doubts: Sequence[Doubt] | None = None


DEFAULT_OPTIONS = PublishOptions()


@dataclass(frozen=True, slots=True)
class PublishResult:
    """What a run did.

    Attributes:
        counts: By ``Outcome``.
        stopped_reason: ``done``, or ``budget`` where operations are left for the next run.
        remaining: How many are left.
    """

    counts: Counts
    stopped_reason: str
    remaining: int

    @property
    def sent(self) -> int:
        """Topics and posts that are in the hub now and were not recorded before."""
        made = [outcome for outcome in Outcome if outcome.is_post or outcome is Outcome.TOPIC]
        return sum(self.counts[outcome] for outcome in made)

    @property
    def done(self) -> int:
        """Operations after which the hub is as they wanted it."""
        return sum(self.counts[outcome] for outcome in Outcome if outcome.is_done)


def utc_now() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


async def publish(
    store: PublishingStore,
    gateway: HubGateway,
    media: MediaSource,
    hub: Hub,
    options: PublishOptions = DEFAULT_OPTIONS,
    *,
    pace: Pace,
    crops: CropSource | None = None,
    faces: CropSource | None = None,
    now: Callable[[], datetime] = utc_now,
    draw: Callable[[], int] = new_random_id,
    on_operation: Callable[[Operation], None] = lambda _: None,
) -> PublishResult:
    """Make the hub what it should be.

    Args:
        store: What should be there, and the outbox.
        gateway: Writes to Telegram, as the hub's account.
        media: Downloads what can only be uploaded.
        hub: Where to; only its number counts, the chat is read from the store, so that nothing
            is ever sent to a chat that is not a configured hub.
        options: The budget, and the policy.
        pace: Awaited before every write, see ``archive.publishing.pace``.
        crops: Given where faces alone are to be posted from now on, and no whole pictures.
        faces: Given where there may be doubts.
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
        hub = await _configured(store, hub)
        await _require_usable(store, gateway, hub)
        hub = replace(hub, state=HubState.READY, reason=None)
        projection = await asyncio.to_thread(store.projection, hub.hub_no)
        projection = await asyncio.to_thread(reviewed, store, projection, options.doubts)
        drawn = await asyncio.to_thread(
            plan_operations, projection, now=now(), policy=options.policy
        )
        await _note_room(store, hub, drawn)
        due = drawn.operations[: options.max_operations]
        account_id, crops_only = hub.chat.account_id, crops is not None
        ways = Ways(store, media, account_id, crops or faces, crops_only=crops_only)
        board = Board.of(projection.actual)
        performer = Performer(store, gateway, hub, ways, board, pace=pace, now=now, draw=draw)
        counts: Counter[Outcome] = Counter()
        with _said_how_far(counts, len(due)):
            for request in requests(due):
                async with _watched(store, gateway, hub, pace):
                    counts.update(await performer.perform(request))
                for operation in request:
                    on_operation(operation)
    return _result(drawn, len(due), counts)


async def _configured(store: PublishingStore, hub: Hub) -> Hub:
    """Return the hub as it is configured."""
    known = await asyncio.to_thread(store.hub, hub.hub_no)
    if known is None or not known.chat.is_hub:
        raise Permanent(
            "The chat is not a configured hub: nothing is sent there. Choose one "
            "with `face-archive hub use`, or make one with `face-archive hub create`."
        )
    return known


async def _require_usable(store: PublishingStore, gateway: HubGateway, hub: Hub) -> None:
    """Ask Telegram what the hub is and what we may do there, and keep why not."""
    try:
        await require_usable(gateway, hub.chat)
    except HubBlocked as blocked:
        await asyncio.to_thread(store.set_state, hub.hub_no, HubState.BLOCKED, str(blocked))
        raise
    if hub.state is HubState.BLOCKED:
        # Before it is planned for: nobody new goes into one that is blocked.
        await asyncio.to_thread(store.set_state, hub.hub_no, HubState.READY)


@asynccontextmanager
async def _watched(
    store: PublishingStore, gateway: HubGateway, hub: Hub, pace: Pace
) -> AsyncIterator[None]:
    """Look at the hub before an operation, and again where one is refused.

    A hub that turned public accepts whatever is sent: only looking tells. It costs one cheap
    request beside each write, of which there are eighteen a minute.
    """
    await _require_usable(store, gateway, hub)
    try:
        yield
    except AskedToWait as wait:
        await pace.asked_to_wait(wait)
        raise
    except Permanent:
        await _require_usable(store, gateway, hub)
        raise


async def _note_room(store: PublishingStore, hub: Hub, drawn: Plan) -> None:
    """Keep that a hub is full, or that it can be used."""
    state = HubState.FULL if drawn.is_full else HubState.READY
    reason = full_reason(drawn.counts["without_room"]) if drawn.is_full else None
    await asyncio.to_thread(store.set_state, hub.hub_no, state, reason)


def _result(drawn: Plan, due: int, counts: Counter[Outcome]) -> PublishResult:
    remaining = len(drawn.operations) - due
    reason = "budget" if remaining else "done"
    by_name = {str(outcome): count for outcome, count in counts.items()}
    return PublishResult(Counts(by_name), reason, remaining)


@contextmanager
def _said_how_far(counts: Counter[Outcome], due: int) -> Iterator[None]:
    """Let an error that ends the run say what was done before it."""
    try:
        yield
    except ArchiveError as error:
        error.add_note(f"{counts.total()} of {due} operations were done before that.")
        raise
