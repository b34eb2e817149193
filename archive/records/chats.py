"""Accounts and chats: as Telegram shows them, and as their owner set them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from archive.ids import AccountId, ChatId, ChatNo, MessageId
from archive.records.media import SEARCHABLE_KINDS, MediaKind


class ChatKind(StrEnum):
    """What Telegram calls the chat."""

    PRIVATE = "private"
    BASIC_GROUP = "basic_group"
    SUPERGROUP = "supergroup"
    CHANNEL = "channel"

    @property
    def id_space(self) -> IdSpace:
        """Whose numbering the messages of such a chat use."""
        dense = self in {ChatKind.SUPERGROUP, ChatKind.CHANNEL}
        return IdSpace.OWN if dense else IdSpace.ACCOUNT


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


@dataclass(frozen=True, slots=True)
class Account:
    """A Telegram account that the owner logged in with."""

    account_id: AccountId
    name: str


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
        """Whose numbering its messages use; it follows from the kind."""
        return self.kind.id_space


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
        """Whose numbering its messages use; it follows from the kind."""
        return self.kind.id_space
