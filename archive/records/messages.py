"""Messages, who writes them, the topics they are in, the answers that bring them, and counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from archive.ids import MessageId, TopicId, UserId
from archive.records.chats import PeerInfo
from archive.records.media import MediaAccess, MediaFile


class MessageKind(StrEnum):
    """The three shapes of a message."""

    TEXT = "text"
    MEDIA = "media"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class User:
    """Someone who writes, taken from the answer that brought the message."""

    user_id: UserId
    first_name: str | None
    last_name: str | None
    username: str | None
    is_bot: bool = False
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it stands on the server.

    Attributes:
        sender_id: Marked id of the author: a user, or the chat itself where it posts as such.
        text: The text or caption; empty where there is none.
        topic_id: The forum topic it is in; ``None`` outside forums and in General.
        grouped_id: Shared by the items of one album.
        forwarded_from: Marked id of the original author or channel, where shown.
        raw: The full object as compact JSON without ``null`` and ``false``.
    """

    message_id: MessageId
    kind: MessageKind
    sent_at: datetime
    sender_id: UserId | None = None
    edited_at: datetime | None = None
    text: str = ""
    reply_to_id: MessageId | None = None
    topic_id: TopicId | None = None
    grouped_id: int | None = None
    forwarded_from: UserId | None = None
    forwarded_message_id: MessageId | None = None
    forwarded_at: datetime | None = None
    media: MediaFile | None = None
    access: MediaAccess | None = None
    raw: str = "{}"


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of the history request: messages newest first, and who they speak of.

    Attributes:
        total: Messages the server claims the chat holds; a placeholder near 2³¹ in some
            private chats, so never a bound to stop at.
    """

    messages: tuple[Message, ...]
    users: tuple[User, ...] = ()
    chats: tuple[PeerInfo, ...] = ()
    total: int = 0


@dataclass(frozen=True, slots=True)
class ForumTopic:
    """A topic of a chat that is a forum; two of a chat may have the same title.

    Attributes:
        topic_id: General is 1, and has no opening message.
        icon_color: RGB; ``None`` where Telegram shows none.
        creator_id: Marked id of whoever opened it.
    """

    topic_id: TopicId
    title: str
    opened_at: datetime
    icon_color: int | None = None
    creator_id: UserId | None = None
    is_closed: bool = False
    is_hidden: bool = False
    is_pinned: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of what a step did, by name; grows with nothing but its kinds."""

    by_name: Mapping[str, int]

    def __getitem__(self, name: str) -> int:
        """Return one count; a name that never occurred counts zero."""
        return self.by_name.get(name, 0)
