"""What a hub should hold, as far as people and sources alone say it: who has a topic, what it says.

Pure. Captions are ``captions``'; which contents are posted depends on which near copy of them is
there already, and is therefore decided in ``comparing``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from archive.chats import message_link
from archive.ids import ChatNo, IdentityId, MessageId, TopicId
from archive.publishing.captions import chat_name
from archive.publishing.doubts import EXPLANATION
from archive.publishing.outbox import TopicRow
from archive.publishing.state import Projection
from archive.publishing.wanted import WantedTopic
from archive.records import Chat

MAX_CHATS = 10


@dataclass(frozen=True, slots=True)
class Policy:
    """What a person chose about topics.

    Attributes:
        min_faces_to_publish: Photos and videos that it takes to have a topic; at least 1.
        post_near_copies: Whether a near copy of a posted content is posted too; otherwise it is
            named as a source of it.
        review_url: Where the pages for review are, without a slash at the end; ``None`` where
            there are none to link to.
    """

    min_faces_to_publish: int = 1
    post_near_copies: bool = False
    review_url: str | None = None


def shown_people(projection: Projection, policy: Policy) -> dict[IdentityId, WantedTopic]:
    """Choose who has a topic; a hidden person only where there is one, and it stays closed."""
    topics = projection.actual.topics
    return {
        wanted.identity.identity_id: wanted
        for wanted in projection.wanted
        if len(wanted.contents) >= policy.min_faces_to_publish
        and (not wanted.closed or _is_there(topics.get(wanted.identity.identity_id)))
    }


def _is_there(row: TopicRow | None) -> bool:
    return row is not None and row.state.is_there


def priority(topic: WantedTopic) -> tuple[bool, int, float, int]:
    """Order people: the named, those with more contents, those seen most recently, by number."""
    newest = max(content.sources[-1].sent_at for content in topic.contents).timestamp()
    return not topic.identity.label, -len(topic.contents), -newest, topic.identity.number


def survivor(identity_id: IdentityId, merged: Mapping[IdentityId, IdentityId]) -> IdentityId | None:
    """Follow merges to whoever the person is now; ``None`` for one who was not merged."""
    found = merged.get(identity_id)
    while found is not None and found in merged:
        found = merged[found]
    return found


def summary(topic: WantedTopic, review_url: str | None = None) -> str:
    """Say in Telegram's HTML who this is, and what of them was seen when and where.

    Args:
        topic: Whose.
        review_url: As in ``Policy``; the last line links to the person's page.
    """
    if topic.is_review:
        return EXPLANATION
    videos = sum(content.is_video for content in topic.contents)
    numbers = [
        _count(len(topic.contents) - videos, "picture"),
        _count(videos, "video"),
    ]
    lines = [f"<b>{escape(topic.title)}</b>", " and ".join(filter(None, numbers))]
    lines[-1] += f" · {_span(topic)}"
    lines.append(escape(_chats(topic)))
    lines.append(_review(topic, review_url))
    return "\n".join(lines)


def chats_of(topic: WantedTopic) -> frozenset[ChatNo]:
    """Name the chats that a summary speaks of."""
    if topic.is_review:
        return frozenset()
    return frozenset(
        source.chat.chat_no for content in topic.contents for source in content.sources
    )


def pointer(hub: Chat, title: str, topic_id: TopicId) -> str:
    """Say in a merged person's topic where they are now."""
    link = message_link(hub, MessageId(topic_id))
    name = escape(title)
    return f'This is <a href="{escape(link)}">{name}</a> now.' if link else f"This is {name} now."


def _review(topic: WantedTopic, review_url: str | None) -> str:
    text = f"Person {topic.identity.number} of the archive"
    if review_url is None:
        return text
    return f'<a href="{escape(review_url)}/people/{topic.identity.identity_id}">{text}</a>'


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}" if number else ""


def _span(topic: WantedTopic) -> str:
    dates = [source.sent_at for content in topic.contents for source in content.sources]
    first, last = min(dates).date().isoformat(), max(dates).date().isoformat()
    return first if first == last else f"{first} – {last}"


def _chats(topic: WantedTopic) -> str:
    chats: dict[ChatNo, Chat] = {}
    counted: Counter[ChatNo] = Counter()
    for content in topic.contents:
        for source in content.sources:
            chats[source.chat.chat_no] = source.chat
            counted[source.chat.chat_no] += 1
    ordered = sorted(counted, key=lambda chat_no: (-counted[chat_no], chats[chat_no].chat_id))
    text = ", ".join(chat_name(chats[chat_no]) for chat_no in ordered[:MAX_CHATS])
    more = len(ordered) - MAX_CHATS
    return f"{text} and {more} more" if more > 0 else text
