"""What is in a hub: its topics and messages, as whoever wrote them needs to know them.

Implements ``archive.publishing.HubReading``. Never through an export session, in
which Telegram refuses topics; nothing here changes anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from telethon.extensions import html
from telethon.tl import functions, types

from archive.ids import MessageId, TopicId
from archive.publishing import SeenMessage
from archive.records import Chat, ForumTopic, Message, MessageKind
from resources.telegram.calling import Caller
from resources.telegram.convert_peers import input_peer
from resources.telegram.history import PAGE_LIMIT, TelethonHistory
from resources.telegram.remarks import remark_of
from resources.telegram.topics import TelethonTopics, topics_of


class HubContents:
    """Reads what is in hubs through one connection.

    Args:
        call: The connection.
    """

    def __init__(self, call: Caller) -> None:
        self._call = call

    async def topics(self, hub: Chat) -> Sequence[ForumTopic]:
        """List the topics, General among them; very large forums leave some out."""
        return await TelethonTopics(self._call).topics(hub)

    async def topics_named(self, hub: Chat, topic_ids: Sequence[TopicId]) -> Sequence[ForumTopic]:
        """Return those of some topics that exist."""
        found: list[ForumTopic] = []
        for start in range(0, len(topic_ids), PAGE_LIMIT):
            named = list(topic_ids[start : start + PAGE_LIMIT])
            answer = await self._call(
                functions.messages.GetForumTopicsByIDRequest(peer=input_peer(hub), topics=named)
            )
            found += topics_of(answer)
        return found

    async def page(self, hub: Chat, *, offset_id: MessageId) -> Sequence[SeenMessage]:
        """Read at most 100 messages below an id, newest first; 0 begins at the newest."""
        page = await TelethonHistory(self._call).page(hub, offset_id=offset_id)
        return [_seen(message, hub) for message in page.messages]

    async def messages(self, hub: Chat, message_ids: Sequence[MessageId]) -> Sequence[SeenMessage]:
        """Return those of some messages that exist."""
        page = await TelethonHistory(self._call).messages(hub, message_ids)
        return [_seen(message, hub) for message in page.messages]

    def as_shown(self, html_text: str) -> str:
        """Give a text that was written in the form of one that is read."""
        text, entities = html.parse(html_text)
        links = (entity for entity in entities if isinstance(entity, types.MessageEntityTextUrl))
        return _shown(text, links)


def _seen(message: Message, hub: Chat) -> SeenMessage:
    raw = json.loads(message.raw)
    links = [
        types.MessageEntityTextUrl(entity["offset"], entity["length"], entity["url"])
        for entity in raw.get("entities", ())
        if entity["_"] == "MessageEntityTextUrl"
    ]
    return SeenMessage(
        message_id=message.message_id,
        topic_id=message.topic_id,
        shown=_shown(message.text, links),
        pinned=bool(raw.get("pinned")),
        is_ours=bool(raw.get("out")),
        is_service=message.kind is MessageKind.SERVICE,
        # Whoever listens passes edits over: nobody knows what it said before.
        media_id=None if message.media is None else message.media.media_id,
        remark=None if message.edited_at else remark_of(message, hub),
    )


def _shown(text: str, links: Iterable[Any]) -> str:
    """Write a text with its links only.

    Telegram finds mentions, tags and addresses in a text by itself, and trims other formatting
    (https://core.telegram.org/api/entities): what differs in these was changed by nobody.
    """
    return str(html.unparse(text, list(links))).strip()
