"""What is to be done to a hub: the difference between what it should hold and what it holds.

Pure but for ``plan``, which reads the store once; minimal and deterministic: planning after the
plan was done gives nothing. In this order:

0. Answers to what was said in topics, because somebody waits for them.
1. What may have been done without our knowing, because until it is resolved nothing is certain.
2. What takes away: topics and posts of who or what may be seen no more, names in captions.
3. Posts that move from one topic to another, after a merge or a split: each is in the new topic
   before it leaves the old one, and a merged person's topic then points to the survivor's.
4. Everything else by people, most wanted first: the named before the unnamed, those with more
   contents before those with fewer, then those seen most recently. A person's topic is finished
   before the next is begun, and fills from the oldest content on, because a topic reads downwards.
"""

from __future__ import annotations

import gc
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from archive.identity.rules import NEAR_COPY_BITS
from archive.ids import ContentKey, IdentityId
from archive.publishing.comparing import Difference, compare
from archive.publishing.desired import Policy
from archive.publishing.doubts import Doubt
from archive.publishing.operations import GiveAnswer, OpenTopic, Operation, PostContent
from archive.publishing.outbox import Actual, PublicationRow
from archive.publishing.records import Hub, HubNo
from archive.publishing.removing import Farewells, batches
from archive.publishing.reviewing import DoubtingStore, reviewed
from archive.publishing.seating import ROOM_LIMITS, RoomLimits, seat
from archive.publishing.state import Projection
from archive.records import Counts


@dataclass(frozen=True, slots=True)
class Plan:
    """The operations that make a hub what it should be, in the order they will be done.

    Attributes:
        counts: ``topics`` and ``posts`` to make, ``in_flight`` operations whose outcome is to be
            found out, ``edits``, posts ``removed``, ``near_copies`` listed instead of posted,
            contents ``published`` already, ``refused`` set aside for now, ``waiting`` to be
            removed until they could be posted where they belong, people ``without_room`` in any
            hub of the rule.
        is_full: Nobody new goes to this hub any more.
    """

    operations: tuple[Operation, ...]
    counts: Counts
    is_full: bool = False

    def minutes(self, operations_per_minute: float) -> float:
        """How long it takes at the allowed rate."""
        return len(self.operations) / operations_per_minute

    def lines(self, most: int | None = None) -> list[str]:
        """Say each operation in a line, as a dry run prints it."""
        return [str(operation) for operation in self.operations[:most]]


class PlanningStore(DoubtingStore, Protocol):
    """What planning reads."""

    def projection(self, hub_no: HubNo) -> Projection:
        """Read both sides of a hub in one snapshot."""
        ...


@contextmanager
def _without_cycles() -> Iterator[None]:
    """Keep Python from looking for cycles: of all these records none is in one.

    It would look through everything once more for each quarter that comes, and a hub of a hundred
    thousand pictures took nearly twice as long (2.9 s instead of 1.5, `topics.plan`).
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_without_cycles()
def plan(
    store: PlanningStore,
    hub: Hub,
    *,
    now: datetime,
    policy: Policy | None = None,
    doubts: Sequence[Doubt] | None = None,
    room_limits: RoomLimits = ROOM_LIMITS,
) -> Plan:
    """Read what a hub should hold and what it holds, and plan the difference."""
    projection = reviewed(store, store.projection(hub.hub_no), doubts)
    return plan_operations(projection, now=now, policy=policy, room_limits=room_limits)


def plan_operations(
    projection: Projection,
    *,
    now: datetime,
    policy: Policy | None = None,
    near_copy_bits: int = NEAR_COPY_BITS,
    room_limits: RoomLimits = ROOM_LIMITS,
) -> Plan:
    """Plan the difference between both sides of a hub.

    Args:
        projection: Both sides.
        now: Posts that were refused are planned again once their time has come.
        policy: What a person chose; the defaults where that is ``None``.
        near_copy_bits: Most bits in which the pHashes of near copies differ.
        room_limits: How much a hub holds before nobody new goes there.
    """
    policy = policy or Policy()
    seating = seat(projection, policy, room_limits)
    rows: dict[IdentityId, list[PublicationRow]] = defaultdict(list)
    for row in projection.actual.posts:
        rows[row.identity_id].append(row)
    differences = {
        topic.identity.identity_id: compare(
            topic,
            projection.actual.topics.get(topic.identity.identity_id),
            rows.pop(topic.identity.identity_id, ()),
            now=now,
            policy=policy,
            near_copy_bits=near_copy_bits,
        )
        for topic in seating.people
    }
    farewells = Farewells(projection, differences)
    for difference in differences.values():
        farewells.settle(difference.unwanted, difference.topic.title)
    farewells.leave(rows)
    operations = [*_answers(projection.actual), *_ordered(differences, farewells)]
    counts = _counts(differences.values(), farewells, operations)
    counts["without_room"] = seating.without_room
    return Plan(tuple(operations), Counts(counts), is_full=seating.is_full)


def _answers(actual: Actual) -> list[Operation]:
    topics = {row.identity_id: row for row in actual.topics.values() if row.state.is_there}
    return [
        GiveAnswer(row.identity_id, topics[row.identity_id].title, row)
        for row in actual.answers
        if row.identity_id in topics
    ]


def _ordered(differences: dict[IdentityId, Difference], farewells: Farewells) -> list[Operation]:
    unresolved = [each for found in differences.values() for each in found.unresolved]
    urgent = [each for found in differences.values() for each in found.urgent]
    operations = [*unresolved, *farewells.unresolved, *farewells.urgent()]
    operations += urgent
    rest: list[Operation] = []
    for identity_id, found in differences.items():
        first, links = farewells.awaited_in(identity_id), farewells.links.get(identity_id, ())
        if first or links:
            operations += found.head
            operations += _posts(found, first, among=True)
            operations += batches(farewells.moved_to(identity_id), farewells.titles)
            operations += links
            rest += _posts(found, first, among=False)
        else:
            rest += found.head
            rest += found.posts
        rest += found.edits
    return [*operations, *farewells.late, *rest]


def _posts(found: Difference, keys: set[ContentKey], *, among: bool) -> list[PostContent]:
    return [post for post in found.posts if (post.content_key in keys) is among]


def _counts(
    differences: Iterable[Difference], farewells: Farewells, operations: list[Operation]
) -> dict[str, int]:
    counts = Counter({"waiting": farewells.waiting, "removed": farewells.removed})
    for found in differences:
        counts["near_copies"] += found.near_copies
        counts["published"] += found.published
        counts["refused"] += len(found.refused)
    counts["topics"] = sum(isinstance(each, OpenTopic) for each in operations)
    counts["posts"] = sum(isinstance(each, PostContent) for each in operations)
    counts["in_flight"] = sum(len(found.unresolved) for found in differences)
    return dict(counts)
