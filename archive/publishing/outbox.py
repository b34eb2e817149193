"""What we know a hub to hold: the rows of the outbox.

What was written to the hub, or may have been. How a row changes is the store's, which change is
due ``comparing``'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from archive.ids import ChatNo, ContentKey, IdentityId, MediaId, MessageId, TopicId
from archive.publishing.doubts import Doubt
from archive.publishing.records import PostMethod
from archive.publishing.wanted import Source

# What is sent where only the id of what was sent before is asked for: a text, or a topic's title.
NOTHING = "…"


class OutboxState(StrEnum):
    """How far one topic, summary or post has come.

    The intent is stored before a call, the outcome after it: what stands between the two states
    of a call is unresolved, and doing it again resolves it.
    """

    PLANNED = "planned"
    """Certainly not sent: no way of copying worked, see ``PublicationRow.refusal``."""

    SENDING = "sending"
    """It was sent, or is about to be: only repeating the identical request can tell."""

    SENT = "sent"
    EDITING = "editing"
    """It is there; it reads as it did, or as the row says now."""

    REMOVING = "removing"
    """It was there; now it may not be."""

    REMOVED = "removed"

    @property
    def is_there(self) -> bool:
        """Whether it certainly is in the hub."""
        return self in {OutboxState.SENT, OutboxState.EDITING}


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """The pinned message of a topic as recorded.

    Attributes:
        text: HTML as sent, or about to be.
    """

    random_id: int
    state: OutboxState
    text: str
    message_id: MessageId | None = None
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """Why something that was said in a person's topic cannot be done; sent once.

    Attributes:
        remark_id: What it answers.
        text: Plain.
    """

    remark_id: int
    identity_id: IdentityId
    random_id: int
    text: str


@dataclass(frozen=True, slots=True)
class TopicRow:
    """A topic as recorded.

    Attributes:
        title: As sent, or about to be.
        closed: Likewise.
    """

    identity_id: IdentityId
    random_id: int
    state: OutboxState
    title: str
    icon_color: int | None = None
    topic_id: TopicId | None = None
    closed: bool = False
    summary: SummaryRow | None = None


@dataclass(frozen=True, slots=True)
class PublicationRow:
    """A post as recorded.

    Attributes:
        caption: As sent, or about to be.
        method: How it was tried last; ``None`` while planned.
        refusal: Why no way of copying worked; it is left alone until ``retry_at``.
        album_id: Shared by posts that were sent with one request.
        media_id: Of the file that it shows; ``None`` where that is not known yet.
        doubt: What it asks, where it is a question; ``content_key`` is then that of the question.
    """

    publication_id: UUID
    identity_id: IdentityId
    content_key: ContentKey
    random_id: int
    state: OutboxState
    caption: str = ""
    method: PostMethod | None = None
    source_chat_no: ChatNo | None = None
    source_message_id: MessageId | None = None
    message_id: MessageId | None = None
    refusal: str | None = None
    retry_at: datetime | None = None
    album_id: UUID | None = None
    media_id: MediaId | None = None
    doubt: Doubt | None = None

    @property
    def is_sought(self) -> bool:
        """Whether a text that says nothing may have become of it, which is then no post."""
        return self.state is OutboxState.SENDING and self.caption == NOTHING


@dataclass(frozen=True, slots=True)
class Actual:
    """What we know a hub to hold; what was read back from it may correct this.

    Removed rows are left out: nothing in the hub depends on them.

    Attributes:
        answers: That were not sent yet, in the order of what they answer.
    """

    topics: Mapping[IdentityId, TopicRow] = field(default_factory=dict)
    posts: tuple[PublicationRow, ...] = ()
    answers: tuple[AnswerRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """Everything about a send that is stored before it, so that its repeat is identical."""

    random_id: int
    caption: str
    method: PostMethod
    source: Source
    album_id: UUID | None = None

    @property
    def media_id(self) -> MediaId | None:
        """Of the file that the post will show; what is uploaded gets a new one."""
        copies = self.method in {PostMethod.REFERENCE, PostMethod.FORWARD}
        return self.source.media_id if copies else None
