"""The nouns of the sandbox: users, chats, messages, topics.

Here belong plain records and what can be read off a single one. Changing several of them
together is the world's business; their TL form is the views'. Files are in `media_records`.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Final

from telegram_sandbox.media_records import FileMedia as FileMedia
from telegram_sandbox.media_records import Media

CHANNEL_MARK: Final = 10**12
"""Marked ids of channels are -(10**12 + id): `telethon.utils.get_peer_id`."""

GENERAL_TOPIC: Final = 1
"""The topic that every forum has, and that cannot be deleted."""

ADMIN_RIGHTS: Final = frozenset(
    {
        "change_info",
        "post_messages",
        "edit_messages",
        "delete_messages",
        "ban_users",
        "invite_users",
        "pin_messages",
        "add_admins",
        "manage_call",
        "other",
        "manage_topics",
    }
)
"""The rights that a creator holds; names of `ChatAdminRights` fields."""

DEFAULT_BANNED: Final = frozenset({"change_info", "pin_messages", "manage_topics"})
"""What ordinary members of a new supergroup may not do; names of `ChatBannedRights` fields."""


class ChatKind(Enum):
    """What a chat is; it decides the id space and the peer constructor."""

    SUPERGROUP = "supergroup"
    CHANNEL = "channel"
    PRIVATE = "private"
    GROUP = "group"


@dataclass(slots=True, eq=False)
class User:
    """A person, bot or deleted account; with a phone it is an account that can log in."""

    id: int
    first_name: str | None = None
    last_name: str | None = None
    username: str | None = None
    phone: str | None = None
    bot: bool = False
    deleted: bool = False
    min_for_others: bool = False
    password: str | None = None
    last_message_id: int = 0
    pts: int = 1
    events: list["Event"] = field(default_factory=list)

    @property
    def is_account(self) -> bool:
        """Whether somebody can log in as this user."""
        return self.phone is not None


@dataclass(slots=True, eq=False)
class Member:
    """What one user is in one chat."""

    user: User
    date: datetime
    creator: bool = False
    admin_rights: frozenset[str] = frozenset()
    banned_rights: frozenset[str] = frozenset()
    gone: bool = False

    @property
    def is_admin(self) -> bool:
        """Whether the user holds any admin right."""
        return self.creator or bool(self.admin_rights)

    def may(self, right: str) -> bool:
        """Whether the user holds that admin right."""
        return not self.gone and (self.creator or right in self.admin_rights)


@dataclass(slots=True, eq=False)
class LoginToken:
    """What a new session shows to one that is logged in; `accepted` by whom."""

    expires: datetime
    accepted: User | None = None


@dataclass(frozen=True, slots=True)
class Forward:
    """Where a forwarded message came from."""

    date: datetime
    sender: User | None = None
    sender_name: str | None = None
    channel: "Chat | None" = None
    channel_post: int | None = None


@dataclass(frozen=True, slots=True)
class Reaction:
    """What one user thinks of a message."""

    user: User
    date: datetime
    emoticons: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Message:
    """One message as one history holds it; `twins` are its copies in other accounts."""

    id: int
    chat: "Chat"
    owner: User | None
    sender: "User | None"
    date: datetime
    text: str = ""
    media: Media | None = None
    action: Any | None = None
    entities: tuple[Any, ...] = ()
    reply_to: "Message | None" = None
    topic_id: int | None = None
    forward: Forward | None = None
    grouped_id: int | None = None
    edit_date: datetime | None = None
    pinned: bool = False
    reactions: Any | None = None
    reacted: dict[int, Reaction] = field(default_factory=dict)
    """Reactions by user id; one dictionary for all copies."""
    noforwards: bool = False
    deleted: bool = False
    pts: int = 0
    twins: list["Message"] = field(default_factory=list)

    def copy_for(self, owner: User | None) -> "Message | None":
        """Returns this message as that account's history holds it."""
        if self.owner is owner:
            return self
        return next((twin for twin in self.twins if twin.owner is owner), None)


class History:
    """Messages by id, in order."""

    def __init__(self) -> None:
        """Starts empty."""
        self._ids: list[int] = []
        self._by_id: dict[int, Message] = {}

    def add(self, message: Message) -> None:
        """Puts a message in its place."""
        insort(self._ids, message.id)
        self._by_id[message.id] = message

    def remove(self, message_id: int) -> None:
        """Takes a message out."""
        del self._by_id[message_id]
        del self._ids[bisect_left(self._ids, message_id)]

    def discard(self, message_id: int) -> None:
        """Takes a message out if it is here."""
        if message_id in self._by_id:
            self.remove(message_id)

    def get(self, message_id: int) -> Message | None:
        """Returns the message of that id, if it is here."""
        return self._by_id.get(message_id)

    @property
    def ids(self) -> list[int]:
        """The ids in ascending order; not to be changed."""
        return self._ids

    def __len__(self) -> int:
        """The number of messages."""
        return len(self._ids)

    def __iter__(self) -> Iterator[Message]:
        """Goes through the messages in ascending order of id."""
        return (self._by_id[message_id] for message_id in self._ids)

    def at(self, index: int) -> Message:
        """Returns the message at that place in ascending order."""
        return self._by_id[self._ids[index]]


@dataclass(slots=True, eq=False)
class Topic:
    """One topic of a forum."""

    id: int
    title: str
    icon_color: int
    date: datetime
    creator: User
    icon_emoji_id: int | None = None
    closed: bool = False
    hidden: bool = False
    pinned: bool = False
    messages: History = field(default_factory=History)

    @property
    def top_message(self) -> int:
        """The id of its newest message; its own where it holds none."""
        return self.messages.ids[-1] if len(self.messages) else self.id


@dataclass(frozen=True, slots=True)
class Event:
    """One step of an account's or channel's update sequence."""

    kind: str
    """new, edit, delete, pin, unpin; or reactions, which count for nothing."""
    chat: "Chat"
    pts: int
    count: int
    date: datetime
    message: Message | None = None
    ids: tuple[int, ...] = ()


@dataclass(slots=True, eq=False)
class Chat:
    """A chat of any kind, with one history, or one for each account that is in it."""

    id: int
    kind: ChatKind
    title: str
    date: datetime
    invite_hash: str = ""
    username: str | None = None
    about: str = ""
    forum: bool = False
    noforwards: bool = False
    placeholder_count: int | None = None
    default_banned: frozenset[str] = DEFAULT_BANNED
    members: dict[int, Member] = field(default_factory=dict)
    histories: dict[int, History] = field(default_factory=dict)
    topics: dict[int, Topic] = field(default_factory=dict)
    deleted_topics: set[int] = field(default_factory=set)
    last_message_id: int = 0
    pts: int = 1
    events: list[Event] = field(default_factory=list)
    slow_mode_seconds: int = 0
    last_posts: dict[int, datetime] = field(default_factory=dict)
    """When each user last wrote, by user id: what slow mode goes by."""
    migrated_to: "Chat | None" = None
    migrated_from: "Chat | None" = None

    @property
    def is_channel(self) -> bool:
        """Whether it is a supergroup or broadcast channel: a history and ids of its own."""
        return self.kind in {ChatKind.SUPERGROUP, ChatKind.CHANNEL}

    @property
    def users(self) -> list[User]:
        """The users who are in the chat now."""
        return [member.user for member in self.members.values() if not member.gone]

    def member(self, user: User) -> Member | None:
        """Returns what the user is here, or None for one who is not in the chat."""
        member = self.members.get(user.id)
        return None if member is None or member.gone else member

    def other(self, user: User) -> User:
        """Returns the partner in a private chat; the user itself in its saved messages."""
        return next((each for each in self.users if each is not user), user)

    def topic_of(self, message: "Message") -> Topic | None:
        """Returns the topic that holds the message; General where it names none."""
        return self.topics.get(message.topic_id or GENERAL_TOPIC)

    def history(self, account: User | None) -> History:
        """Returns the history that the account sees; made when first asked for."""
        key = 0 if self.is_channel or account is None else account.id
        return self.histories.setdefault(key, History())

    def marked_id(self, viewer: User) -> int:
        """Returns the id as Telethon marks it, in that account's eyes."""
        if self.is_channel:
            return -(CHANNEL_MARK + self.id)
        return -self.id if self.kind is ChatKind.GROUP else self.other(viewer).id
