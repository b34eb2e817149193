"""What reading a hub back asks of Telegram and of the store; see ``reading_back``.

The store is synchronous and thread-safe; every method is one transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from archive.ids import IdentityId, MediaId, MessageId, TopicId, UserId
from archive.publishing.drift import SeenMessage
from archive.publishing.outbox import Actual
from archive.publishing.ports import PostOutbox, TopicOutbox
from archive.publishing.records import Hub, HubNo
from archive.records import Chat, ForumTopic

if TYPE_CHECKING:
    from archive.remarks import Remark


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

    async def admins(self, hub: Chat) -> Collection[UserId]:
        """Ask who has a say in a hub."""
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

    def note_unpinned(self, hub_no: HubNo, identity_id: IdentityId) -> None:
        """Record that a summary is not pinned any more."""
        ...

    def note_media(self, publication_id: UUID, media_id: MediaId) -> None:
        """Record which file a post shows, where none was recorded."""
        ...

    def read_back_from(self, hub_no: HubNo) -> MessageId:
        """Tell above which message a walk that was stopped has been; 0 where none was."""
        ...

    def note_read_back(self, hub_no: HubNo, message_id: MessageId) -> None:
        """Record how far down a walk came; 0 when it came to the end."""
        ...


class RemarkKeeper(Protocol):
    """Where what is said in hubs waits for ``archive.heeding``, whoever heard it."""

    def unheard(self, hub_no: HubNo, remarks: Sequence[Remark]) -> Sequence[Remark]:
        """Return those that nobody heard yet and that are not too old to be heard."""
        ...

    def hear(self, hub: Hub, remarks: Sequence[Remark]) -> None:
        """Keep what was said, each message once."""
        ...

    def titles_waiting(self, hub_no: HubNo) -> Set[tuple[TopicId, str]]:
        """Return the titles given in the app of which nothing came yet."""
        ...

    def save_admins(self, hub_no: HubNo, user_ids: Collection[UserId]) -> None:
        """Remember who has a say in a hub, as of now."""
        ...
