"""What reading a hub back asks of Telegram and of the store; see ``reading_back``.

The store is synchronous and thread-safe; every method is one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from archive.ids import IdentityId, MessageId, TopicId
from archive.publishing.drift import SeenMessage
from archive.publishing.ports import PostOutbox, TopicOutbox
from archive.publishing.records import Hub, HubNo
from archive.publishing.state import Actual
from archive.records import Chat, ForumTopic


class HubReading(Protocol):
    """What a hub is asked; nothing here changes it."""

    async def topics(self, hub: Chat) -> Sequence[ForumTopic]:
        """List the topics; very large forums leave some out."""
        ...

    async def topics_named(self, hub: Chat, topic_ids: Sequence[TopicId]) -> Sequence[ForumTopic]:
        """Return those of some topics that exist."""
        ...

    async def page(self, hub: Chat, *, offset_id: MessageId) -> Sequence[SeenMessage]:
        """Read at most 100 messages below an id, newest first; 0 begins at the newest."""
        ...

    async def messages(self, hub: Chat, message_ids: Sequence[MessageId]) -> Sequence[SeenMessage]:
        """Return those of at most 100 messages that exist."""
        ...

    def as_shown(self, html_text: str) -> str:
        """Give a text that was written in the form of one that is read."""
        ...


class ReadBackStore(TopicOutbox, PostOutbox, Protocol):
    """The outbox, and how far it was held against the hub."""

    def hub(self, hub_no: HubNo) -> Hub | None:
        """Return a configured hub; ``None`` if there is none of that number."""
        ...

    def publishing(self, hub_no: HubNo) -> AbstractContextManager[object]:
        """Hold the hub: nothing is written to it meanwhile."""
        ...

    def recorded(self, hub_no: HubNo) -> Actual:
        """Read what we know the hub to hold."""
        ...

    def note_drift(self, hub_no: HubNo) -> None:
        """Record that there is something to put right, so that publishing is asked for."""
        ...

    def note_title(self, hub_no: HubNo, identity_id: IdentityId, title: str) -> None:
        """Record what a topic is called in the hub: ``sent`` or ``editing``."""
        ...

    def note_unpinned(self, hub_no: HubNo, identity_id: IdentityId) -> None:
        """Record that a summary is not pinned any more."""
        ...

    def read_back_from(self, hub_no: HubNo) -> MessageId:
        """Tell above which message a walk that was stopped has been; 0 where none was."""
        ...

    def note_read_back(self, hub_no: HubNo, message_id: MessageId) -> None:
        """Record how far down a walk came; 0 when it came to the end."""
        ...


NameGiven = Callable[[IdentityId, str], bool]
"""Told whose topic somebody gave which title in Telegram; says whether that is their name now.

A name's title is recorded afterwards, so that it is nobody's news; asked twice after a kill.
"""


def as_drift(identity_id: IdentityId, title: str) -> bool:
    """Take a title given by hand for no name: the next publishing puts back the old one."""
    return False
