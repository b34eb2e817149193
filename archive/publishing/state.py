"""What a hub should hold and what we know it holds.

Values that the store fills and the planner compares. ``Wanted…`` follows from people, sources
and switches and is computed anew each time; ``…Row`` is the outbox, together ``Actual``: what
was written to the hub, or may have been.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from archive.identity.records import Identity, IdentityState
from archive.ids import ChatNo, ContentKey, IdentityId, MediaId, MessageId, TopicId
from archive.publishing.doubts import REVIEW, Asked, Doubt
from archive.publishing.records import ALL_OTHERS, HubNo, HubRule, PostMethod
from archive.publishing.visible_text import shortened
from archive.records import Chat, MediaAccess, MediaFile

# https://core.telegram.org/api/forum: a topic's title has at most 128 characters, and one of
# these six colours, for ever: it is given at creation only.
TITLE_CHARACTERS = 128
ICON_COLORS = (0x6FB9F0, 0xFFD67E, 0xCB86DB, 0x8EEE98, 0xFF93B2, 0xFB6F5F)

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
class Source:
    """One message in which a content was seen, in a chat that may be published.

    Attributes:
        topic_id: Where in a forum, except in its General part.
        topic_title: What that part of the forum is called, where that was read.
        grouped_id: Shared by the messages of one album.
    """

    chat: Chat
    message_id: MessageId
    sent_at: datetime
    media_id: MediaId
    topic_id: TopicId | None = None
    topic_title: str | None = None
    grouped_id: int | None = None


@dataclass(frozen=True, slots=True)
class WantedContent:
    """A content that shows the person; or a question about a face in one.

    Attributes:
        content_key: Of a question, ``Doubt.key``.
        phash: 64-bit perceptual hash, signed; ``None`` where there was no picture to hash.
        seconds: When the person first appears in a video; ``None`` for pictures.
        sources: Live ones in publishable chats, oldest first; at least one.
        asked: The question, where it is one.
    """

    content_key: ContentKey
    phash: int | None
    seconds: float | None
    sources: tuple[Source, ...]
    asked: Asked | None = None

    @property
    def is_video(self) -> bool:
        """Whether it has a length."""
        return self.seconds is not None


@dataclass(frozen=True, slots=True)
class WantedTopic:
    """A visible or hidden person and what shows them, in any order; at least one content.

    Or ``REVIEW`` and what is asked, in the order in which it is posted.
    """

    identity: Identity
    contents: tuple[WantedContent, ...]

    @property
    def is_review(self) -> bool:
        """Whether it is the topic of open questions."""
        return self.identity.identity_id == REVIEW

    @property
    def title(self) -> str:
        """The person's, made fit for a topic."""
        return topic_title(self.identity)

    @property
    def icon_color(self) -> int:
        """One of the six colours, the same each time."""
        return ICON_COLORS[self.identity.number % len(ICON_COLORS)]

    @property
    def closed(self) -> bool:
        """Whether nothing more is posted; a hidden person gets no topic, but may have one."""
        return self.identity.state is IdentityState.HIDDEN


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
class Room:
    """A hub in use, as far as it matters for who goes where.

    Attributes:
        is_open: It can be written to; whoever lives in one that cannot stays there all the same.
        residents: Who has a topic there, or may have.
        messages: About how many there are in it.
    """

    hub_no: HubNo
    rule: HubRule = ALL_OTHERS
    is_open: bool = True
    residents: frozenset[IdentityId] = frozenset()
    messages: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rule of a hub sees of a chat.

    Attributes:
        chat_no: Its number, or that of the chat it became.
        tags: Of both.
    """

    chat_no: ChatNo
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Projection:
    """Both sides of one hub, read in one snapshot.

    Attributes:
        hub: The chat, which a link between two of its topics names.
        wanted: Visible and hidden people whom something publishable shows.
        merged: Into whom each merged person went; who may have been merged in turn.
        erased: People of whom nothing may be left.
        hub_no: Which of the rooms this hub is.
        rooms: Every hub in use, in the order in which hubs of one rule fill; without any, all
            people belong here.
        standings: What rules see of the chats.
        review: Open questions that may be asked in some hub, the most useful first; ``None``
            where nothing is to be asked.
    """

    hub: Chat
    wanted: tuple[WantedTopic, ...] = ()
    actual: Actual = field(default_factory=Actual)
    merged: Mapping[IdentityId, IdentityId] = field(default_factory=dict)
    erased: frozenset[IdentityId] = frozenset()
    hub_no: HubNo | None = None
    rooms: tuple[Room, ...] = ()
    standings: Mapping[ChatNo, Standing] = field(default_factory=dict)
    review: tuple[WantedContent, ...] | None = None


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


@dataclass(frozen=True, slots=True)
class Material:
    """The file of a source.

    Attributes:
        access: The posting account's key to it, where it has one.
        reading_access: The key of the account that reads the source, for downloading.
    """

    file: MediaFile
    access: MediaAccess | None
    reading_access: MediaAccess | None


@dataclass(frozen=True, slots=True)
class Permission:
    """What the switches say now, asked again right before a send."""

    is_visible: bool
    chat_nos: frozenset[ChatNo]


def topic_title(identity: Identity) -> str:
    """Name a person's topic; without the label where nothing visible is left of it."""
    label = identity.label
    return (shortened(label, TITLE_CHARACTERS) if label else "") or unnamed_title(identity)


def unnamed_title(identity: Identity) -> str:
    """Name the topic of somebody without a name."""
    return f"Person {identity.number}"
