"""Somebody with the rights to do so spoils a hub in memory by hand, and what is found of it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from archive.ids import ContentKey, MessageId, TopicId
from archive.publishing import Finding, ReadBackOptions, ReadBackResult, read_back
from tests.fakes.hub import HubMessage, MemoryHub
from tests.fakes.remarks import MemoryRemarks
from tests.unit.publishing_house import House


@dataclass
class Vandal:
    """Does one thing to a hub at a time.

    Attributes:
        said: What they wrote into topics that are there.
    """

    hub: MemoryHub
    deeds: list[str] = field(default_factory=list)

    def strike(self, rng: random.Random) -> None:
        """Spoil something; does nothing where there is nothing of that kind."""
        deeds: list[Callable[[random.Random], str]] = [
            self._delete_topic, self._delete, self._delete, self._rename, self._close,
            self._edit, self._unpin, self._say,
        ]  # fmt: skip
        if self.hub.topics_:
            self.deeds.append(rng.choice(deeds)(rng))

    def _topic(self, rng: random.Random) -> TopicId:
        return rng.choice(sorted(self.hub.topics_))

    def _message(self, rng: random.Random) -> tuple[TopicId, MessageId, HubMessage] | None:
        ours = [
            (topic_id, message_id, each)
            for topic_id, topic in sorted(self.hub.topics_.items())
            for message_id, each in topic.messages.items()
            if each.is_ours
        ]
        return rng.choice(ours) if ours else None

    def _delete_topic(self, rng: random.Random) -> str:
        topic_id = self._topic(rng)
        del self.hub.topics_[topic_id]
        return f"delete topic {topic_id}"

    def _delete(self, rng: random.Random) -> str:
        if (found := self._message(rng)) is None:
            return "nothing"
        del self.hub.topics_[found[0]].messages[found[1]]
        return f"delete {found[1]}"

    def _rename(self, rng: random.Random) -> str:
        topic_id = self._topic(rng)
        self.hub.topics_[topic_id].title = rng.choice(["Mia", "by hand", "Person 1"])
        return f"rename {topic_id}"

    def _close(self, rng: random.Random) -> str:
        topic = self.hub.topics_[self._topic(rng)]
        topic.closed = not topic.closed
        return f"closed is {topic.closed}"

    def _edit(self, rng: random.Random) -> str:
        if (found := self._message(rng)) is None:
            return "nothing"
        found[2].text = "something else"
        return f"edit {found[1]}"

    def _unpin(self, rng: random.Random) -> str:
        if (found := self._message(rng)) is None:
            return "nothing"
        found[2].pinned = False
        return f"unpin {found[1]}"

    def _say(self, rng: random.Random) -> str:
        key = rng.choice([None, ContentKey("sha256:foreign")])
        topic_id = self._topic(rng)
        self.hub.add_foreign(topic_id, "I was here", key)
        return f"say in {topic_id}"


def foreign(hub: MemoryHub) -> int:
    """Count the messages of others in a hub."""
    return sum(
        not each.is_ours for topic in hub.topics_.values() for each in topic.messages.values()
    )


def look(
    house: House,
    *,
    max_requests: int | None = None,
    dry_run: bool = False,
    found: list[Finding] | None = None,
    remarks: MemoryRemarks | None = None,
) -> ReadBackResult:
    """Hold the hub of a house against its outbox."""
    options = ReadBackOptions(max_requests, dry_run)
    findings = [] if found is None else found
    return asyncio.run(
        read_back(
            house.store,
            house.hub,
            house.store.hub_,
            options,
            remarks=remarks or MemoryRemarks(),
            on_finding=findings.append,
        )
    )
