"""What the archive knows of Telegram: chats, people who write, messages, media.

Plain frozen values that adapters produce and use cases consume; no behaviour beyond what
follows from the fields. Faces live in ``archive.faces.records``, people in
``archive.identity.records``, posts in ``archive.publishing``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from archive.ids import AccountId, ChatId, ChatNo, MediaId, MessageId, TopicId, UserId


class ChatKind(StrEnum):
    """What Telegram calls the chat."""

    PRIVATE = "private"
    BASIC_GROUP = "basic_group"
    SUPERGROUP = "supergroup"
    CHANNEL = "channel"


class IdSpace(StrEnum):
    """Whose numbering the messages of a chat use."""

    OWN = "own"
    """Channels and supergroups: dense, the same for every account."""

    ACCOUNT = "account"
    """Private chats and basic groups: one sparse space shared by all of an account's chats."""


class ChatState(StrEnum):
    """Whether the account can still read the chat."""

    ACTIVE = "active"
    LOST = "lost"


class OnDeletion(StrEnum):
    """What the deletion of a message does to the faces and posts of its photo or video."""

    KEEP = "keep"
    """Nothing: it stays a source as if it were not deleted."""

    HIDE = "hide"
    """It is no source any more; what was found stays, out of use, and comes back with it."""

    ERASE = "erase"
    """What was found is erased, unless another message still shows the content."""


class MediaKind(StrEnum):
    """What a medium is, decided by its attributes and not by its Telegram class alone."""

    PHOTO = "photo"
    IMAGE_DOCUMENT = "image_document"
    VIDEO = "video"
    ROUND_VIDEO = "round_video"
    GIF = "gif"
    STICKER = "sticker"
    AUDIO = "audio"
    VOICE = "voice"
    DOCUMENT = "document"
    PAID = "paid"
    VIEW_ONCE = "view_once"


SEARCHABLE_KINDS = frozenset(
    {
        MediaKind.PHOTO,
        MediaKind.IMAGE_DOCUMENT,
        MediaKind.VIDEO,
        MediaKind.ROUND_VIDEO,
        MediaKind.GIF,
    }
)
"""Kinds that can hold a face; also the default of a chat's ``media_types``."""

KEEPABLE_KINDS = SEARCHABLE_KINDS | {MediaKind.VOICE, MediaKind.AUDIO, MediaKind.DOCUMENT}
"""Kinds whose file itself may be kept."""

VIDEO_KINDS = frozenset({MediaKind.VIDEO, MediaKind.ROUND_VIDEO, MediaKind.GIF})


class MessageKind(StrEnum):
    """The three shapes of a message."""

    TEXT = "text"
    MEDIA = "media"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Account:
    """A Telegram account that the owner logged in with."""

    account_id: AccountId
    name: str


@dataclass(frozen=True, slots=True)
class Switches:
    """What the owner of a chat allowed, each on its own; everything is off until allowed."""

    archive: bool = False
    faces: bool = False
    publish: bool = False
    keep_originals: bool = False


@dataclass(frozen=True, slots=True)
class Successor:
    """The supergroup that a basic group became.

    Attributes:
        access_hash: The account's key to it, where the answer brings one.
    """

    chat_id: ChatId
    access_hash: int | None = None


class Presence(StrEnum):
    """What an account is to a chat."""

    INSIDE = "inside"
    OUTSIDE = "outside"
    """It left, or was never in it; what is public it can read all the same."""

    SHUT_OUT = "shut_out"
    """It was removed, or what it left is not public: there is nothing to read any more."""


@dataclass(frozen=True, slots=True)
class PeerInfo:
    """A chat as one Telegram answer describes it, seen through one account.

    Attributes:
        access_hash: The account's key to the chat; ``None`` where none is needed or the
            answer held only a ``min`` constructor, whose hash must never replace a real one.
        top_message_id: Largest message id known to exist, where the answer says so.
        successor: The supergroup that a basic group became, if it did.
        presence: What the account is to it.
    """

    chat_id: ChatId
    kind: ChatKind
    title: str
    username: str | None = None
    access_hash: int | None = None
    is_forum: bool = False
    noforwards: bool = False
    top_message_id: MessageId | None = None
    successor: Successor | None = None
    presence: Presence = Presence.INSIDE

    @property
    def id_space(self) -> IdSpace:
        """Whose numbering this chat's messages use; it follows from the kind."""
        dense = self.kind in {ChatKind.SUPERGROUP, ChatKind.CHANNEL}
        return IdSpace.OWN if dense else IdSpace.ACCOUNT


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat the archive knows, with what its owner allowed.

    Attributes:
        account_id: The account that reads it.
        access_hash: That account's key to the chat.
        window_width: Ids per window, chosen once; ``None`` until the first planning.
        media_types: Kinds to fetch; others become ``skipped(type)``.
        max_media_bytes: Largest file to fetch; ``None`` leaves it to the setting.
        hold_backfill: Windows are planned but not submitted by themselves.
        on_deletion: What a deletion does to faces and posts.
        is_hub: The chat is a hub of ours and therefore never a source.
        state_reason: Why the account cannot read the chat any more.
        migrated_to: The supergroup that this basic group became: the two are one chat.
    """

    chat_no: ChatNo
    chat_id: ChatId
    account_id: AccountId
    kind: ChatKind
    title: str
    username: str | None = None
    access_hash: int | None = None
    is_forum: bool = False
    noforwards: bool = False
    switches: Switches = Switches()
    window_width: int | None = None
    top_message_id: MessageId | None = None
    media_types: frozenset[MediaKind] = SEARCHABLE_KINDS
    max_media_bytes: int | None = None
    hold_backfill: bool = False
    is_hub: bool = False
    on_deletion: OnDeletion = OnDeletion.HIDE
    state: ChatState = ChatState.ACTIVE
    state_reason: str | None = None
    migrated_to: ChatNo | None = None

    @property
    def id_space(self) -> IdSpace:
        """Whose numbering this chat's messages use; it follows from the kind."""
        dense = self.kind in {ChatKind.SUPERGROUP, ChatKind.CHANNEL}
        return IdSpace.OWN if dense else IdSpace.ACCOUNT


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
class MediaFile:
    """One Telegram file, whichever messages carry it.

    Attributes:
        size_bytes: Exact size of what will be downloaded; ``None`` where no file is shown.
        variant: For a photo, the letter of its largest size; empty for documents.
        duration_seconds: Of a video or a sound; ``None`` where Telegram does not say.
        dc_id: The data centre that holds the file.
    """

    media_id: MediaId
    kind: MediaKind
    mime_type: str | None = None
    file_name: str | None = None
    size_bytes: int | None = None
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    dc_id: int | None = None
    variant: str = ""


@dataclass(frozen=True, slots=True)
class MediaAccess:
    """What one account needs to fetch a file; the reference expires within hours or days.

    Attributes:
        file_reference: Empty where the account has not seen the file: its message has to be asked.
    """

    media_id: MediaId
    access_hash: int
    file_reference: bytes = field(repr=False)


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
class TakeoutNote:
    """What is remembered of an export session of one account and lane.

    Attributes:
        takeout_id: The session, while it holds.
        refused_until: Plain requests until then.
        reason: Why, for a person.
    """

    takeout_id: int | None = None
    refused_until: datetime | None = None
    reason: str | None = None


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
class Counts:
    """How many of what a step did, by name; grows with nothing but its kinds."""

    by_name: Mapping[str, int]

    def __getitem__(self, name: str) -> int:
        """Return one count; a name that never occurred counts zero."""
        return self.by_name.get(name, 0)
