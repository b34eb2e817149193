"""What publishing asks of the store; the port to Telegram is in ``archive.publishing.records``.

The store is synchronous and safe to call from several threads; publishing calls it off the
event loop. Every method is one transaction, and each change of a row names the state it comes
from: a row that is not in it was changed by another run, which is ``Transient``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from archive.ids import AccountId, ChatNo, IdentityId, MessageId, TopicId
from archive.publishing.records import Hub, HubNo
from archive.publishing.state import (
    Attempt,
    Material,
    Permission,
    Projection,
    PublicationRow,
    Source,
    TopicRow,
)


class PublishingStore(Protocol):
    """The outbox of a hub, and what belongs into it."""

    def hub(self, hub_no: HubNo) -> Hub | None:
        """Return a configured hub; ``None`` if there is none of that number."""
        ...

    def set_blocked(self, hub_no: HubNo, reason: str | None) -> None:
        """Keep why a hub cannot be used now, or that it can."""
        ...

    def publishing(self, hub_no: HubNo) -> AbstractContextManager[object]:
        """Hold the hub for one run; a kill -9 gives it back by itself.

        Raises:
            Transient: Another run holds it.
        """
        ...

    def projection(self, hub_no: HubNo) -> Projection:
        """Read both sides of a hub in one snapshot."""
        ...

    def enqueue(
        self, hub_no: HubNo, topics: Sequence[TopicRow], publications: Sequence[PublicationRow]
    ) -> None:
        """Write what this run will send as ``planned``, in place of what earlier runs planned.

        Planned rows were never sent, so nothing in the hub depends on them. A refused one stays,
        with its reason, unless its content is planned anew.
        """
        ...

    def permission(self, identity_id: IdentityId, chat_nos: Iterable[ChatNo]) -> Permission:
        """Ask what the switches say now about a person and some chats."""
        ...

    def material(self, source: Source, posting: AccountId) -> Material:
        """Return the file of a source and the keys of the accounts that post and read it."""
        ...

    def begin_topic(self, hub_no: HubNo, row: TopicRow) -> None:
        """Mark a topic as being made: ``planned`` or ``sending`` → ``sending``."""
        ...

    def finish_topic(self, hub_no: HubNo, row: TopicRow, topic_id: TopicId) -> None:
        """Record a topic's id: ``sending`` → ``sent``."""
        ...

    def begin_post(self, publication_id: UUID, attempt: Attempt) -> None:
        """Store a request before it is made: ``planned`` or ``sending`` → ``sending``."""
        ...

    def finish_post(self, publication_id: UUID, random_id: int, message_id: MessageId) -> None:
        """Record a post's message: ``sending`` → ``sent``."""
        ...

    def refuse_post(self, publication_id: UUID, reason: str, retry_at: datetime) -> None:
        """Set aside what certainly was not sent: ``planned`` or ``sending`` → ``planned``."""
        ...
