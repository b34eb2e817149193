"""The topics of a chat that is a forum, all of them, page by page.

Reading only, and never through an export session, in which Telegram refuses it. Topics of a hub
of ours are made in ``hub_writing``.
"""

from __future__ import annotations

from typing import Any, Final

from telethon.tl import functions, types

from archive.ids import TopicId, UserId
from archive.records import Chat, ForumTopic
from resources.telegram.calling import Caller
from resources.telegram.convert_peers import input_peer, marked_id
from resources.telegram.raw import without_nul

_PAGE: Final = 100


class TelethonTopics:
    """Reads topics through one connection."""

    def __init__(self, call: Caller) -> None:
        self._call = call

    async def topics(self, chat: Chat) -> tuple[ForumTopic, ...]:
        """Return every topic of a forum, General among them.

        Raises:
            Transient: Telegram asks to wait, or the answer was lost.
            Permanent: The chat is no forum (any more), or cannot be read.
        """
        found: dict[TopicId, ForumTopic] = {}
        last: Any = None
        date: Any = None
        while True:
            answer = await self._call(_request(chat, last, date))
            shown = _shown(answer)
            fresh = {TopicId(each.id): _topic(each) for each in shown}
            # Pages overlap when a topic is written in meanwhile; only one that is all known ends.
            if not fresh.keys() - found.keys():
                return tuple(found.values())
            found |= fresh
            last = shown[-1]
            date = last.date if answer.order_by_create_date else _top_date(answer, last)


def topics_of(answer: Any) -> list[ForumTopic]:
    """Convert the topics that an answer shows; deleted ones are left out."""
    return [_topic(each) for each in _shown(answer)]


def _shown(answer: Any) -> list[Any]:
    return [each for each in answer.topics if isinstance(each, types.ForumTopic)]


def _request(chat: Chat, last: Any, date: Any) -> Any:
    """Ask for the topics behind the last one of the page before."""
    return functions.messages.GetForumTopicsRequest(
        peer=input_peer(chat),
        offset_date=date,
        offset_id=last.top_message if last else 0,
        offset_topic=last.id if last else 0,
        limit=_PAGE,
    )


def _top_date(answer: Any, topic: Any) -> Any:
    """Return when the newest message of a topic was written; topics are sorted by that."""
    dates = {message.id: getattr(message, "date", None) for message in answer.messages}
    return dates.get(topic.top_message) or topic.date


def _topic(topic: Any) -> ForumTopic:
    creator = marked_id(topic.from_id)
    return ForumTopic(
        topic_id=TopicId(topic.id),
        title=without_nul(topic.title),
        opened_at=topic.date,
        icon_color=topic.icon_color,
        creator_id=None if creator is None else UserId(creator),
        is_closed=bool(topic.closed),
        is_hidden=bool(topic.hidden),
        is_pinned=bool(topic.pinned),
    )
