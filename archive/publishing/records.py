"""What publishing says to a hub: posts, rights, topics, and the port that carries them.

Values and the port only. What a hub lacks is decided in ``planning``, how it gets there without
a double in ``sending``, which chat may be a hub at all in ``rights``; hubs are made and chosen
in ``archive.hubs``.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType, Protocol

from archive.errors import Permanent
from archive.ids import ChatNo, MessageId, TopicId
from archive.records import Chat, MediaAccess, MediaFile, PeerInfo

HubNo = NewType("HubNo", int)
"""A hub's random surrogate."""


class HubState(StrEnum):
    """Whether a hub can be written to."""

    READY = "ready"
    FULL = "full"
    """Whoever is there stays and is kept up to date; nobody new gets a topic."""

    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class HubRule:
    """Which chats a hub speaks of: some, or all that no other hub's rule names.

    Attributes:
        chat_nos: These chats.
        tags: Chats with one of these tags.
    """

    chat_nos: frozenset[ChatNo] = frozenset()
    tags: frozenset[str] = frozenset()

    def closeness(self, chat_no: ChatNo, tags: Set[str]) -> int:
        """Say how closely it speaks of a chat: by its number, by a tag, as one of all others."""
        if chat_no in self.chat_nos:
            return 3
        if self.tags & tags:
            return 2
        return 0 if self.chat_nos or self.tags else 1


ALL_OTHERS = HubRule()


@dataclass(frozen=True, slots=True)
class Hub:
    """A chat that was made, or chosen, to receive the topics.

    Attributes:
        in_use: Publishing goes there.
        reason: Why it is not ready, with the way out.
        waits_until: Until when Telegram asked to leave it alone.
    """

    hub_no: HubNo
    chat: Chat
    in_use: bool = False
    state: HubState = HubState.READY
    reason: str | None = None
    rule: HubRule = ALL_OTHERS
    waits_until: datetime | None = None

    @property
    def blocked_reason(self) -> str | None:
        """Why it cannot be written to."""
        return self.reason if self.state is HubState.BLOCKED else None


class PostMethod(StrEnum):
    """How a picture gets into a hub, cheapest first; the next is tried when one is refused."""

    REFERENCE = "reference"
    """Telegram copies a file it already has: no bytes move."""

    FORWARD = "forward"
    """The source message is forwarded: no bytes move either."""

    UPLOAD = "upload"
    """The bytes are sent anew, from memory."""

    CROP = "crop"
    """Only the face is sent, as a small picture; in place of all others where that is chosen."""


class CopyRefused(Permanent):
    """Telegram definitely refused this way of copying; another way may still work.

    Raised by ``HubGateway.send`` only for the error codes that speak of the file or of the
    source (``FILE_REFERENCE_*``, ``MEDIA_INVALID``, ``MEDIA_EMPTY``, ``PHOTO_INVALID*``,
    ``DOCUMENT_INVALID``, ``CHAT_FORWARDS_RESTRICTED``, ``MESSAGE_ID_INVALID``,
    ``CHANNEL_PRIVATE`` of the source …), never for a hub that refuses us and never for an
    answer that was lost: the caller goes on with another method and another random id, which
    is safe only because a refused call made no message.

    Args:
        code: Telegram's error code.
    """

    def __init__(self, code: str) -> None:
        super().__init__(f"Telegram does not copy this file: {code}")
        self.code = code

    def __reduce__(self) -> tuple[type[CopyRefused], tuple[str]]:
        """Pickle by the code: errors travel between processes."""
        return type(self), (self.code,)


class HubGone(Permanent):
    """A hub was deleted, or its account is no member of it any more."""


class TopicGone(Permanent):
    """A topic is not there any more, and with it everything that was in it."""


class MessageStuck(Permanent):
    """A message is not there any more, or cannot be changed: only deleting it is sure to work."""


@dataclass(frozen=True, slots=True)
class Post:
    """One message for a topic of a hub, complete: repeating it is the identical request.

    Attributes:
        random_id: Drawn once and stored before the first send; non-zero, signed 64 bits.
        caption_html: Telegram's HTML (``a``, ``b``, ``i``), at most 1 024 characters parsed. A
            forward cannot carry a caption of its own, so it is forwarded without its author and
            gets the caption by an edit, which may be repeated like the send.
        file: The Telegram file that is posted; tells the adapter whether it is a photo, a video
            or a document. ``None`` for a crop, which is a photo.
        access: With ``REFERENCE``: the account's key to the file. The adapter refreshes a stale
            one from the source message, once, before it gives up with ``CopyRefused``.
        source_chat: Where the file was seen; with ``FORWARD`` what is forwarded.
        source_message_id: The message in ``source_chat``.
        data: With ``UPLOAD`` the whole file, with ``CROP`` the small picture; ``None`` otherwise.
        file_name: With ``UPLOAD``: the name to send it under; ``None`` leaves it to the adapter,
            which makes one of the kind, because an original's name may name a person.
    """

    random_id: int
    caption_html: str
    method: PostMethod
    file: MediaFile | None = None
    access: MediaAccess | None = None
    source_chat: Chat | None = None
    source_message_id: MessageId | None = None
    data: bytes | None = field(default=None, repr=False)
    file_name: str | None = None


@dataclass(frozen=True, slots=True)
class HubRights:
    """What a chat is and what our account may do in it, as of now.

    Attributes:
        is_public: It has a public username, so anybody could read the people in it.
    """

    is_forum: bool
    is_public: bool
    can_manage_topics: bool
    can_post: bool
    can_delete: bool
    can_pin: bool = True


class HubGateway(Protocol):
    """The one door through which anything is written to Telegram.

    Errors are those of ``archive.errors``: ``Transient`` for waits and lost connections (a
    call that ended so may or may not have happened), ``Permanent`` for refusals, and its
    subclass ``CopyRefused`` as described there. ``RANDOM_ID_DUPLICATE`` means that the first
    call is still running and is therefore ``Transient``.
    """

    async def create(self, title: str) -> PeerInfo:
        """Make a private forum supergroup of our own."""
        ...

    async def inspect(self, hub: Chat) -> HubRights:
        """Ask what the chat is now and what our account may do there.

        Raises:
            HubGone: It is not there any more, or not for us.
        """
        ...

    async def create_topic(
        self, hub: Chat, *, title: str, icon_color: int | None, random_id: int
    ) -> TopicId:
        """Make a topic; repeated with the same random id it returns the first one's id."""
        ...

    async def edit_topic(
        self, hub: Chat, topic_id: TopicId, *, title: str | None = None, closed: bool | None = None
    ) -> None:
        """Rename, close or reopen a topic; one that is so already is no error.

        Raises:
            TopicGone: Somebody deleted it.
        """
        ...

    async def delete_topic(self, hub: Chat, topic_id: TopicId) -> None:
        """Delete a topic with everything in it; one that is gone already is no error."""
        ...

    async def send(self, hub: Chat, topic_id: TopicId, post: Post) -> MessageId:
        """Post into a topic; repeated with the same random id it returns the first one's id.

        Raises:
            TopicGone: Somebody deleted the topic.
        """
        ...

    async def send_album(
        self, hub: Chat, topic_id: TopicId, posts: Sequence[Post]
    ) -> list[MessageId]:
        """Post 2 … 10 contents by reference with one request; repeated likewise.

        Raises:
            CopyRefused: No message was made of any.
            TopicGone: Somebody deleted the topic.
        """
        ...

    async def say(
        self, hub: Chat, topic_id: TopicId, html_text: str, *, random_id: int
    ) -> MessageId:
        """Send a text; repeated with the same random id it returns the first message's id.

        Raises:
            TopicGone: Somebody deleted the topic.
        """
        ...

    async def edit(self, hub: Chat, message_id: MessageId, html_text: str) -> None:
        """Give a message another text or caption; one that has it already is no error.

        Raises:
            MessageStuck: It is gone, or can be changed no more.
        """
        ...

    async def delete_messages(self, hub: Chat, message_ids: Sequence[MessageId]) -> None:
        """Delete at most 100 messages for everybody; those that are gone are passed over."""
        ...

    async def pin(self, hub: Chat, message_id: MessageId) -> None:
        """Pin a message without telling anybody; one that is pinned already is no error.

        Raises:
            MessageStuck: It is gone.
        """
        ...
