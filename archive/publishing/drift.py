"""How a hub differs from what we last wrote to it: what was read back, beside the outbox.

Pure. Only what certainly was there is compared; where the outcome of a call is unknown, the next
publishing finds it out. Messages of others in our topics are counted and left alone.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from archive.ids import MediaId, MessageId, TopicId
from archive.publishing.outbox import Actual, OutboxState, PublicationRow, TopicRow
from archive.records import ForumTopic

if TYPE_CHECKING:
    from archive.remarks import Remark

# How a caption of ours names a source; of private chats and basic groups it has no links.
_SOURCE_LINK = re.compile(
    r'href="https://t\.me/[^"]+/[0-9]+(?:\?t=[0-9]+)?">[^<]+ · [0-9]{4}-[0-9]{2}-[0-9]{2}</a>'
)
_GENERAL = TopicId(1)


class Drift(StrEnum):
    """One way in which a hub is not what we wrote; also the name it is counted under."""

    TOPIC_GONE = "topics_gone"
    RENAMED = "renamed"
    CLOSED = "closed"
    REOPENED = "reopened"
    SUMMARY_GONE = "summaries_gone"
    SUMMARY_EDITED = "summaries_edited"
    UNPINNED = "unpinned"
    POST_GONE = "posts_gone"
    POST_EDITED = "posts_edited"
    POST_MOVED = "posts_moved"
    POST_REPLACED = "posts_replaced"
    """It shows another file under its caption."""

    UNKNOWN_TOPIC = "unknown_topics"
    """No row knows it: somebody opened it, or the row was lost with a database."""

    UNKNOWN_POST = "unknown_posts"
    """Ours, because it names a source, but no row knows it: the row was lost with a database."""

    FOREIGN = "foreign_messages"
    UNHEARD = "unheard_commands"
    """Said in a topic while nobody listened; kept like what was heard."""

    @property
    def is_ours(self) -> bool:
        """Whether it is about something we wrote, which the next publishing puts right."""
        return self not in {
            Drift.UNKNOWN_TOPIC,
            Drift.UNKNOWN_POST,
            Drift.FOREIGN,
            Drift.UNHEARD,
        }

    @property
    def is_of_topics(self) -> bool:
        """Whether it is about a topic that is there."""
        return self in {Drift.RENAMED, Drift.CLOSED, Drift.REOPENED}


@dataclass(frozen=True, slots=True)
class SeenMessage:
    """A message as it stands in a hub.

    Attributes:
        topic_id: ``None`` in General.
        shown: What it says and where its links lead, as ``HubReading.as_shown`` gives it.
        is_ours: Sent by the account that publishes, by this program or by hand.
        is_service: Telegram's own word on a topic or a pin.
        remark: What it says to us, unless its words were changed since.
        media_id: Of the file that it shows.
    """

    message_id: MessageId
    topic_id: TopicId | None
    shown: str
    pinned: bool = False
    is_ours: bool = False
    is_service: bool = False
    remark: Remark | None = None
    media_id: MediaId | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference.

    Attributes:
        title: Of the topic, as recorded where a row knows it.
        row: Of the topic; ``None`` where no row knows it.
        post: Which one, where it is about one.
        seen: The topic as it stands.
        message_id: Which message, where it is about one that no row knows.
    """

    drift: Drift
    title: str
    row: TopicRow | None = None
    post: PublicationRow | None = None
    seen: ForumTopic | None = None
    message_id: MessageId | None = None

    def __str__(self) -> str:
        said = _SAID[self.drift]
        if self.drift is Drift.RENAMED and self.seen is not None:
            return f"{said} {self.title} → {self.seen.title}"
        what = "" if self.message_id is None else f": message {self.message_id}"
        return f"{said} {self.title}{what}"


_SAID = {
    Drift.TOPIC_GONE: "deleted  topic",
    Drift.RENAMED: "renamed ",
    Drift.CLOSED: "closed  ",
    Drift.REOPENED: "reopened",
    Drift.SUMMARY_GONE: "deleted  summary of",
    Drift.SUMMARY_EDITED: "edited   summary of",
    Drift.UNPINNED: "unpinned summary of",
    Drift.POST_GONE: "deleted  post of",
    Drift.POST_EDITED: "edited   post of",
    Drift.POST_MOVED: "moved    post of",
    Drift.POST_REPLACED: "replaced post of",
    Drift.UNKNOWN_TOPIC: "unknown  topic",
    Drift.UNKNOWN_POST: "unknown  post in",
    Drift.FOREIGN: "foreign  in",
    Drift.UNHEARD: "unheard  command in",
}


@dataclass(frozen=True, slots=True)
class Known:
    """A message that certainly was in a topic: its summary, or a post."""

    topic: TopicRow
    post: PublicationRow | None = None

    @property
    def lacks_media(self) -> bool:
        """Whether it is a post of which it is not known which file it shows."""
        return self.post is not None and self.post.media_id is None

    def finding(self, drift: Drift) -> Finding:
        """Say what is wrong with it."""
        message_id = None if self.post is None else self.post.message_id
        return Finding(drift, self.topic.title, self.topic, self.post, message_id=message_id)


def topic_drift(actual: Actual, seen: Mapping[TopicId, ForumTopic]) -> Iterator[Finding]:
    """Compare topics.

    Args:
        actual: What is recorded.
        seen: Every topic of the hub.
    """
    known = {row.topic_id: row for row in actual.topics.values() if row.topic_id is not None}
    for topic_id, row in known.items():
        if row.state.is_there:
            yield from _topic_drift(row, seen.get(topic_id))
    for topic_id, topic in seen.items():
        if topic_id != _GENERAL and topic_id not in known:
            yield Finding(Drift.UNKNOWN_TOPIC, topic.title, seen=topic)


def _topic_drift(row: TopicRow, seen: ForumTopic | None) -> Iterator[Finding]:
    if seen is None:
        yield Finding(Drift.TOPIC_GONE, row.title, row)
        return
    # What is being edited may read either way.
    if row.state is not OutboxState.SENT:
        return
    if seen.title.strip() != row.title:
        yield Finding(Drift.RENAMED, row.title, row, seen=seen)
    if seen.is_closed is not row.closed:
        drift = Drift.CLOSED if seen.is_closed else Drift.REOPENED
        yield Finding(drift, row.title, row, seen=seen)


def _known_messages(actual: Actual, gone: Sequence[TopicRow]) -> dict[MessageId, Known]:
    """Name every message that certainly was in a topic that still is there."""
    away = {row.identity_id for row in gone}
    topics = {
        key: row for key, row in actual.topics.items() if row.state.is_there and key not in away
    }
    found: dict[MessageId, Known] = {}
    for row in topics.values():
        if row.summary is not None and row.summary.message_id is not None:
            found[row.summary.message_id] = Known(row)
    for post in actual.posts:
        topic = topics.get(post.identity_id)
        if topic is not None and post.state.is_there and post.message_id is not None:
            found[post.message_id] = Known(topic, post)
    return found


class Sought:
    """What a walk down a hub looks for.

    Args:
        actual: What is recorded.
        gone: Topics that are not there any more.

    Attributes:
        known: What certainly was there.
        ours: These, and what is on its way out.
        titles: Of our topics.
        floor: Nothing in a topic is older than its opening, so no message of ours is below.
    """

    def __init__(self, actual: Actual, gone: Sequence[TopicRow]) -> None:
        self.known: dict[MessageId, Known] = _known_messages(actual, gone)
        self.ours = {post.message_id for post in actual.posts} | self.known.keys()
        away = {row.identity_id for row in gone}
        self.titles = {
            row.topic_id: row.title
            for row in actual.topics.values()
            if row.topic_id is not None and row.identity_id not in away
        }
        self.floor = MessageId(min(self.titles, default=TopicId(1)))
        self._ids = sorted(self.known)

    def between(self, low: MessageId, high: MessageId) -> list[MessageId]:
        """Name what is to be met from an id on and below another (0: no end), newest first."""
        end = bisect_left(self._ids, high) if high else len(self._ids)
        return self._ids[bisect_left(self._ids, low) : end][::-1]


def message_drift(
    known: Known, seen: SeenMessage | None, as_shown: Callable[[str], str]
) -> Iterator[Finding]:
    """Compare one message.

    Args:
        known: What is recorded.
        seen: As it stands; ``None`` where it is not there any more.
        as_shown: Gives what was written in the form of what is seen.
    """
    if known.post is not None:
        yield from _post_drift(known, known.post, seen, as_shown)
    elif (said := known.topic.summary) is not None:
        if seen is None:
            yield known.finding(Drift.SUMMARY_GONE)
            return
        if said.state is OutboxState.SENT and seen.shown != as_shown(said.text):
            yield known.finding(Drift.SUMMARY_EDITED)
        if said.pinned and not seen.pinned:
            yield known.finding(Drift.UNPINNED)


def _post_drift(
    known: Known, post: PublicationRow, seen: SeenMessage | None, as_shown: Callable[[str], str]
) -> Iterator[Finding]:
    if seen is None:
        yield known.finding(Drift.POST_GONE)
    elif seen.topic_id not in {None, known.topic.topic_id}:
        yield known.finding(Drift.POST_MOVED)
    elif post.media_id is not None and seen.media_id != post.media_id:
        yield known.finding(Drift.POST_REPLACED)
    elif post.state is OutboxState.SENT and seen.shown != as_shown(post.caption):
        yield known.finding(Drift.POST_EDITED)


def stranger(seen: SeenMessage, titles: Mapping[TopicId, str]) -> Finding | None:
    """Say what a message that no row knows is; ``None`` where it is none of our business.

    Args:
        seen: The message.
        titles: Of the topics that are ours.
    """
    title = titles.get(seen.topic_id) if seen.topic_id is not None else None
    if title is None or seen.is_service:
        return None
    drift = Drift.UNKNOWN_POST if seen.is_ours and names_source(seen) else Drift.FOREIGN
    return Finding(drift, title, message_id=seen.message_id)


def names_source(seen: SeenMessage) -> bool:
    """Whether a picture says where it was seen, as only our posts do."""
    return seen.media_id is not None and _SOURCE_LINK.search(seen.shown) is not None
