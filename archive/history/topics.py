"""Topics of source chats: what the parts of a forum are called.

Messages carry the id of their topic; the title is data of the chat, read once a day at most.
Topics of people in a hub are ``publishing``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Protocol

from archive.ids import ChatNo
from archive.records import Chat, ForumTopic

READ_EVERY: Final = timedelta(hours=24)
"""A renamed topic keeps its old title in new captions for so long."""


class TopicSource(Protocol):
    """One account's view of the topics of forums."""

    async def topics(self, chat: Chat) -> Sequence[ForumTopic]:
        """Return every topic of a forum, General among them."""
        ...


class ForumTopicStore(Protocol):
    """What the archive remembers of the topics of source chats."""

    def is_due(self, chat_no: ChatNo, every: timedelta) -> bool:
        """Whether a chat is a forum whose topics were last read longer ago than that."""
        ...

    def replace(self, chat_no: ChatNo, topics: Sequence[ForumTopic]) -> None:
        """Make the stored topics of a chat equal to these; one that is gone is marked so."""
        ...


async def read_topics(
    chat: Chat, source: TopicSource, store: ForumTopicStore, *, every: timedelta = READ_EVERY
) -> int:
    """Read the topics of a chat that is a forum, if they were not read lately.

    Args:
        chat: The chat; nothing is asked about one that is no forum.
        source: The connection of the account that reads it.
        store: Where topics are remembered.
        every: How old the stored ones may be.

    Returns:
        How many there are; 0 where nothing was asked.

    Raises:
        Transient: Telegram or the store did not answer.
        Permanent: The chat cannot be read.
    """
    if not await asyncio.to_thread(store.is_due, chat.chat_no, every):
        return 0
    topics = await source.topics(chat)
    await asyncio.to_thread(store.replace, chat.chat_no, topics)
    return len(topics)
