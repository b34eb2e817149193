"""The use case: look whether a hub still is what we last wrote, and record where it is not.

What is recorded is all that it takes: the next publishing then puts it right. What was said to us
while nobody listened is kept on the way (``overhearing``). Topics are listed,
the history of the hub is walked from the newest message down, and what the walk did not meet is
asked for by its id before it counts as deleted. A walk that a budget stops goes on where it was.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from archive.errors import Permanent, Transient
from archive.ids import MediaId, MessageId
from archive.off_loop import off_loop
from archive.publishing.drift import (
    Drift,
    Finding,
    Known,
    SeenMessage,
    Sought,
    message_drift,
    stranger,
    topic_drift,
)
from archive.publishing.outbox import Actual, TopicRow
from archive.publishing.overhearing import Overhearing
from archive.publishing.reading_ports import HubReading, ReadBackStore, RemarkKeeper
from archive.publishing.recording import record
from archive.publishing.records import Hub
from archive.records import Counts

# channels.getMessages takes at most so many.
_NAMED = 100


@dataclass(frozen=True, slots=True)
class ReadBackOptions:
    """How one look at a hub is done.

    Attributes:
        max_requests: After about so many the walk stops and the next goes on there; ``None``
            walks the whole hub from its newest message down.
        dry_run: Record nothing.
    """

    max_requests: int | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class ReadBackResult:
    """What a look at a hub found.

    Attributes:
        counts: By ``Drift``.
        messages: How many were read.
        requests: How many that took, topics aside.
        stopped_reason: ``done``, or ``budget`` where the next look goes on below.
    """

    counts: Counts
    messages: int
    requests: int
    stopped_reason: str

    @property
    def drifted(self) -> int:
        """How many things that we wrote are not as we wrote them."""
        return sum(self.counts[drift] for drift in Drift if drift.is_ours)


async def read_back(
    store: ReadBackStore,
    reader: HubReading,
    hub: Hub,
    options: ReadBackOptions,
    *,
    remarks: RemarkKeeper,
    on_finding: Callable[[Finding], None] = lambda _: None,
) -> ReadBackResult:
    """Hold a hub against what we last wrote to it, and record the differences.

    Args:
        store: The outbox.
        reader: Reads the hub, as its account.
        hub: Which; only its number counts.
        options: The budget.
        remarks: Keeps what was said in the hub.
        on_finding: Told of each difference.

    Raises:
        Transient: A wait longer than is slept in place, a connection lost, or a run that is
            publishing; what was found so far is recorded.
        Permanent: The hub cannot be read (any more), or is not configured.
    """
    async with off_loop(store.publishing(hub.hub_no)):
        known = await asyncio.to_thread(store.hub, hub.hub_no)
        if known is None:
            raise Permanent("The chat is not a configured hub.")
        actual = await asyncio.to_thread(store.recorded, hub.hub_no)
        look = _Look(store, reader, known, options, remarks, on_finding)
        return await look.at(actual)


class _Look:
    """One look at a hub: what it found so far."""

    def __init__(
        self,
        store: ReadBackStore,
        reader: HubReading,
        hub: Hub,
        options: ReadBackOptions,
        remarks: RemarkKeeper,
        on_finding: Callable[[Finding], None],
    ) -> None:
        self._store = store
        self._reader = reader
        self._hub = hub
        self._options = options
        self._remarks = remarks
        self._on_finding = on_finding
        self._counts: Counter[Drift] = Counter()
        self._requests = 0
        self._messages = 0
        self._is_told = False
        self._topics_differ: list[Finding] = []

    async def at(self, actual: Actual) -> ReadBackResult:
        gone = await self._topics(actual)
        sought = Sought(actual, gone)
        ears = Overhearing(self._remarks, self._reader, self._hub, sought)
        try:
            done = not sought.titles or await self._walk(sought, ears)
        except Transient:
            # The next look goes on below, and does not meet it again soon.
            await self._conclude(ears)
            raise
        await self._conclude(ears)
        by_name = {str(drift): count for drift, count in self._counts.items()}
        reason = "done" if done else "budget"
        return ReadBackResult(Counts(by_name), self._messages, self._requests, reason)

    async def _topics(self, actual: Actual) -> list[TopicRow]:
        """Compare the topics; those that a list leaves out are asked for by name."""
        chat = self._hub.chat
        seen = {topic.topic_id: topic for topic in await self._reader.topics(chat)}
        there = [row.topic_id for row in actual.topics.values() if row.state.is_there]
        absent = [topic_id for topic_id in there if topic_id is not None and topic_id not in seen]
        if absent:
            named = await self._reader.topics_named(chat, absent)
            seen.update({topic.topic_id: topic for topic in named})
        gone = []
        for finding in topic_drift(actual, seen):
            await self._keep(finding)
            if finding.drift is Drift.TOPIC_GONE and finding.row is not None:
                gone.append(finding.row)
        return gone

    async def _conclude(self, ears: Overhearing) -> None:
        """Keep what was said, and only then judge what topics are called."""
        unheard = await ears.unheard()
        for finding in ears.findings(unheard):
            await self._keep(finding)
        if self._options.dry_run:
            return
        try:
            await ears.keep(unheard)
        finally:
            for finding in await ears.unexplained(self._topics_differ):
                await asyncio.to_thread(record, self._store, self._hub.hub_no, finding)

    async def _walk(self, sought: Sought, ears: Overhearing) -> bool:
        """Go down the hub's history; false where the budget ended before it did."""
        hub_no, resumable = self._hub.hub_no, self._options.max_requests is not None
        offset = MessageId(0)
        if resumable:
            offset = await asyncio.to_thread(self._store.read_back_from, hub_no)
            await self._look_above(offset, ears)
        while not self._is_spent():
            offset = await self._step(sought, offset, ears)
            over = offset <= sought.floor
            if not self._options.dry_run:
                reached = MessageId(0) if over else offset
                await asyncio.to_thread(self._store.note_read_back, hub_no, reached)
            if over:
                return True
        return False

    async def _look_above(self, start: MessageId, ears: Overhearing) -> None:
        """Learn who gave topics their titles, above where a walk goes on, for half the budget."""
        renamed = [each for each in self._topics_differ if each.drift is Drift.RENAMED]
        most, offset = (self._options.max_requests or 0) // 2, MessageId(0)
        while start and ears.lacks(renamed) and self._requests < most:
            page = await self._page(offset, ears)
            if not page or page[-1].message_id <= start:
                break
            offset = page[-1].message_id

    async def _page(self, offset: MessageId, ears: Overhearing) -> Sequence[SeenMessage]:
        page = await self._reader.page(self._hub.chat, offset_id=offset)
        self._requests += 1
        self._messages += len(page)
        ears.listen(page)
        return page

    async def _step(self, sought: Sought, offset: MessageId, ears: Overhearing) -> MessageId:
        """Read the next page and settle what belongs between its ends; returns its lower end."""
        page = await self._page(offset, ears)
        seen = {message.message_id: message for message in page}
        low = max(page[-1].message_id, sought.floor) if page else sought.floor
        believed = sought.between(low, offset)
        absent = [message_id for message_id in believed if message_id not in seen]
        for start in range(0, len(absent), _NAMED):
            # One batch at least, or a small budget would never get past what was deleted.
            if start and self._is_spent():
                low = MessageId(absent[start] + 1)
                break
            named = absent[start : start + _NAMED]
            found = await self._reader.messages(self._hub.chat, named)
            self._requests += 1
            seen.update({message.message_id: message for message in found})
        await self._settle(sought, [each for each in believed if each >= low], seen)
        await self._greet(sought, [message for message in page if message.message_id >= low])
        return low

    async def _settle(
        self, sought: Sought, believed: Sequence[MessageId], seen: Mapping[MessageId, SeenMessage]
    ) -> None:
        for message_id in believed:
            known, found = sought.known[message_id], seen.get(message_id)
            for finding in message_drift(known, found, self._reader.as_shown):
                await self._keep(finding)
            if known.lacks_media and found is not None and found.media_id is not None:
                await self._learn_media(known, found.media_id)

    async def _learn_media(self, known: Known, media_id: MediaId) -> None:
        """Record what was uploaded: Telegram gave it a file of its own."""
        if known.post is not None and not self._options.dry_run:
            await asyncio.to_thread(self._store.note_media, known.post.publication_id, media_id)

    async def _greet(self, sought: Sought, page: Sequence[SeenMessage]) -> None:
        """Count what nobody of us wrote."""
        for message in page:
            if message.message_id not in sought.ours:
                found = stranger(message, sought.titles)
                if found is not None:
                    await self._keep(found)

    def _is_spent(self) -> bool:
        most = self._options.max_requests
        return most is not None and self._requests >= most

    async def _keep(self, finding: Finding) -> None:
        """Record what is ours and different, so that planning sees it."""
        self._counts[finding.drift] += 1
        if finding.drift.is_ours and not self._options.dry_run:
            if not self._is_told:
                # Before it is recorded: a kill in between costs a run that finds nothing to do.
                await asyncio.to_thread(self._store.note_drift, self._hub.hub_no)
                self._is_told = True
            if finding.drift.is_of_topics:
                self._topics_differ.append(finding)
            else:
                await asyncio.to_thread(record, self._store, self._hub.hub_no, finding)
        self._on_finding(finding)
