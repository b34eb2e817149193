"""Who is to have a topic in a hub, and what is to be in it.

Values that follow from people, sources and switches, and are computed anew each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from archive.identity.records import Identity, IdentityState
from archive.ids import ContentKey, MediaId, MessageId, TopicId
from archive.publishing.doubts import REVIEW, Asked
from archive.publishing.visible_text import shortened
from archive.records import Chat

# https://core.telegram.org/api/forum: a topic's title has at most 128 characters, and one of
# these six colours, for ever: it is given at creation only.
TITLE_CHARACTERS = 128
ICON_COLORS = (0x6FB9F0, 0xFFD67E, 0xCB86DB, 0x8EEE98, 0xFF93B2, 0xFB6F5F)


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


def topic_title(identity: Identity) -> str:
    """Name a person's topic; without the label where nothing visible is left of it."""
    label = identity.label
    return (shortened(label, TITLE_CHARACTERS) if label else "") or unnamed_title(identity)


def unnamed_title(identity: Identity) -> str:
    """Name the topic of somebody without a name."""
    return f"Person {identity.number}"
