"""What a hub should hold and what we know it holds.

Values that the store fills and the planner compares. ``Wanted…`` follows from people, sources
and switches and is computed anew each time; ``…Row`` is the outbox, together ``Actual``: what
was written to the hub, or may have been.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from archive.identity.records import Identity, IdentityState
from archive.ids import ChatNo, ContentKey, IdentityId, MediaId, MessageId, TopicId
from archive.publishing.records import PostMethod
from archive.records import Chat, MediaAccess, MediaFile

# https://core.telegram.org/api/forum: a topic's title has at most 128 characters, and one of
# these six colours, for ever: it is given at creation only.
TITLE_CHARACTERS = 128
ICON_COLORS = (0x6FB9F0, 0xFFD67E, 0xCB86DB, 0x8EEE98, 0xFF93B2, 0xFB6F5F)
# Joiners that words of some scripts and most emoji are made with; all other format characters
# are invisible at best, and turn the reading direction of what follows at worst.
_JOINERS = "\u200c\u200d"


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
    """

    chat: Chat
    message_id: MessageId
    sent_at: datetime
    media_id: MediaId
    topic_id: TopicId | None = None
    topic_title: str | None = None


@dataclass(frozen=True, slots=True)
class WantedContent:
    """A content that shows the person.

    Attributes:
        phash: 64-bit perceptual hash, signed; ``None`` where there was no picture to hash.
        seconds: When the person first appears in a video; ``None`` for pictures.
        sources: Live ones in publishable chats, oldest first; at least one.
    """

    content_key: ContentKey
    phash: int | None
    seconds: float | None
    sources: tuple[Source, ...]

    @property
    def is_video(self) -> bool:
        """Whether it has a length."""
        return self.seconds is not None


@dataclass(frozen=True, slots=True)
class WantedTopic:
    """A visible or hidden person and what shows them, in any order; at least one content."""

    identity: Identity
    contents: tuple[WantedContent, ...]

    @property
    def title(self) -> str:
        """The person's, made fit for a topic; without the label where nothing visible is left."""
        label = self.identity.label
        unnamed = f"Person {self.identity.number}"
        return (shortened(label, TITLE_CHARACTERS) if label else "") or unnamed

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


@dataclass(frozen=True, slots=True)
class Actual:
    """What we know a hub to hold; what was read back from it may correct this.

    Removed rows are left out: nothing in the hub depends on them.
    """

    topics: Mapping[IdentityId, TopicRow] = field(default_factory=dict)
    posts: tuple[PublicationRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Projection:
    """Both sides of one hub, read in one snapshot.

    Attributes:
        hub: The chat, which a link between two of its topics names.
        wanted: Visible and hidden people whom something publishable shows.
        merged: Into whom each merged person went; who may have been merged in turn.
        erased: People of whom nothing may be left.
    """

    hub: Chat
    wanted: tuple[WantedTopic, ...] = ()
    actual: Actual = field(default_factory=Actual)
    merged: Mapping[IdentityId, IdentityId] = field(default_factory=dict)
    erased: frozenset[IdentityId] = frozenset()


@dataclass(frozen=True, slots=True)
class Attempt:
    """Everything about a send that is stored before it, so that its repeat is identical."""

    random_id: int
    caption: str
    method: PostMethod
    source: Source


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


def shortened(text: str, limit: int) -> str:
    """Make any text one visible line of at most ``limit`` UTF-16 units, Telegram's measure.

    Line breaks become spaces; control characters, lone surrogates and marks that turn the
    reading direction are dropped. What is cut ends in an ellipsis.
    """
    kept = "".join(character for character in text if _is_visible(character))
    line = re.sub(r"\s+", " ", kept).strip(f" {_JOINERS}")
    if utf16_units(line) <= limit:
        return line
    while utf16_units(line) > limit - 1:
        line = line[: -max(1, (utf16_units(line) - limit) // 2)]
    return line.rstrip() + "…"


def utf16_units(text: str) -> int:
    """Count as Telegram does: characters outside the basic plane are two."""
    return len(text) + sum(character > "\uffff" for character in text)


def _is_visible(character: str) -> bool:
    category = unicodedata.category(character)
    return character.isspace() or category not in {"Cc", "Cf", "Cs"} or character in _JOINERS
