"""What publishing asks of the store; the port to Telegram is in ``archive.publishing.records``.

The store is synchronous and safe to call from several threads; publishing calls it off the
event loop. Every method is one transaction. ``begin_…`` stores what is about to be done,
``finish_…`` that it was; each names the states it comes from, and a row that is in none of them
was changed by another run, which is ``Transient``. Beginning again what was begun is no error.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from archive.ids import AccountId, ChatNo, IdentityId, MessageId, TopicId
from archive.publishing.doubts import Doubt
from archive.publishing.outbox import Attempt, PublicationRow, SummaryRow, TopicRow
from archive.publishing.records import Hub, HubNo, HubState
from archive.publishing.reviewing import DoubtingStore
from archive.publishing.state import Material, Permission, Projection
from archive.publishing.wanted import Source


class TopicOutbox(Protocol):
    """The topics of hubs."""

    def begin_topic(self, hub_no: HubNo, row: TopicRow) -> None:
        """Mark a topic as being made: none, ``sending`` or ``removed`` → ``sending``."""
        ...

    def finish_topic(self, hub_no: HubNo, row: TopicRow, topic_id: TopicId) -> None:
        """Record a topic's id: ``sending`` → ``sent``."""
        ...

    def begin_topic_edit(
        self, hub_no: HubNo, identity_id: IdentityId, *, title: str | None, closed: bool | None
    ) -> None:
        """Store how a topic is to be: ``sent`` or ``editing`` → ``editing``."""
        ...

    def finish_topic_edit(self, hub_no: HubNo, identity_id: IdentityId) -> None:
        """Record that it is so: ``editing`` → ``sent``."""
        ...

    def begin_topic_removal(
        self, hub_no: HubNo, identity_id: IdentityId, topic_id: TopicId
    ) -> None:
        """Mark a topic as going: any state but ``removed`` → ``removing``.

        Args:
            hub_no: The hub.
            identity_id: Whose topic.
            topic_id: Its id, which is new where the topic had to be found first.
        """
        ...

    def finish_topic_removal(self, hub_no: HubNo, identity_id: IdentityId) -> None:
        """Record that a topic is gone with all in it: ``removing`` → ``removed``."""
        ...

    def begin_summary(self, hub_no: HubNo, identity_id: IdentityId, row: SummaryRow) -> None:
        """Store a summary before it is sent: none or ``sending`` → ``sending``."""
        ...

    def finish_summary(
        self, hub_no: HubNo, identity_id: IdentityId, message_id: MessageId, *, certain: bool
    ) -> None:
        """Record a summary's message: ``sending`` → ``sent``, or ``editing``.

        Args:
            hub_no: The hub.
            identity_id: Whose topic.
            message_id: What it became.
            certain: Whether it says what was stored before it.
        """
        ...

    def begin_summary_edit(self, hub_no: HubNo, identity_id: IdentityId, text: str) -> None:
        """Store what a summary is to say: ``sent`` or ``editing`` → ``editing``."""
        ...

    def finish_summary_edit(self, hub_no: HubNo, identity_id: IdentityId) -> None:
        """Record that it says so: ``editing`` → ``sent``."""
        ...

    def pinned_summary(self, hub_no: HubNo, identity_id: IdentityId) -> None:
        """Record that a summary is pinned; before that, pinning it again does no harm."""
        ...

    def finish_answer(self, remark_id: int, message_id: MessageId) -> None:
        """Record an answer's message; it was stored, its random id with it, when it was due."""
        ...

    def forget_summary(self, hub_no: HubNo, identity_id: IdentityId) -> None:
        """Record that a summary is gone."""
        ...


class PostOutbox(Protocol):
    """The posts of hubs."""

    def begin_post(self, hub_no: HubNo, row: PublicationRow, attempt: Attempt) -> None:
        """Store a request before it is made: none, ``planned`` or ``sending`` → ``sending``."""
        ...

    def finish_post(
        self, publication_id: UUID, random_id: int, message_id: MessageId, *, certain: bool
    ) -> None:
        """Record a post's message: ``sending`` → ``sent``, or ``editing``.

        Args:
            publication_id: Which post.
            random_id: Under which it was sent.
            message_id: What it became.
            certain: Whether it has the caption that was stored with the attempt.
        """
        ...

    def refuse_post(
        self, hub_no: HubNo, row: PublicationRow, reason: str, retry_at: datetime
    ) -> None:
        """Set aside what certainly was not sent: none, ``planned``, ``sending`` → ``planned``."""
        ...

    def begin_caption(self, publication_id: UUID, caption: str) -> None:
        """Store what a post is to name: ``sent`` or ``editing`` → ``editing``."""
        ...

    def finish_caption(self, publication_id: UUID) -> None:
        """Record that it does: ``editing`` → ``sent``."""
        ...

    def seek_post(self, publication_id: UUID) -> None:
        """Record that only its id is asked for from now on: ``sending`` stays ``sending``."""
        ...

    def found_post(self, publication_id: UUID, random_id: int, message_id: MessageId) -> None:
        """Record the message of a post that is going: ``sending`` → ``removing``."""
        ...

    def begin_removals(self, publication_ids: Sequence[UUID]) -> None:
        """Mark posts as going: ``sent``, ``editing`` or ``removing`` → ``removing``."""
        ...

    def finish_removals(self, publication_ids: Sequence[UUID]) -> None:
        """Record that they are gone: ``removing`` → ``removed``."""
        ...


class PublishingStore(TopicOutbox, PostOutbox, DoubtingStore, Protocol):
    """The outbox of a hub, and what belongs into it."""

    def hub(self, hub_no: HubNo) -> Hub | None:
        """Return a configured hub; ``None`` if there is none of that number."""
        ...

    def set_state(self, hub_no: HubNo, state: HubState, reason: str | None = None) -> None:
        """Keep whether a hub can be used now, and why not."""
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

    def permission(
        self, identity_id: IdentityId, chat_nos: Iterable[ChatNo], doubt: Doubt | None = None
    ) -> Permission:
        """Ask what the switches say now about a person and some chats.

        ``REVIEW`` is always visible; a question is as long as it is open.
        """
        ...

    def material(self, source: Source, posting: AccountId) -> Material:
        """Return the file of a source and the keys of the accounts that post and read it."""
        ...
