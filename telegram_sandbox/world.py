"""The state of the sandbox and the few ways it changes.

Here belong the registers of users, chats and files, the update sequences, and the changes that
must keep them consistent: a message added, edited, deleted or pinned, a topic made. Who may do
what, and the TL form of things, do not belong here. All of it lives in memory.
"""

import random
import struct
from collections import defaultdict
from collections.abc import Callable, Container, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

from telethon.tl import types

from telegram_sandbox.dialog_lists import DialogLists
from telegram_sandbox.media_records import FileKind, StoredFile
from telegram_sandbox.records import (
    GENERAL_TOPIC,
    Chat,
    ChatKind,
    Event,
    Member,
    Message,
    Topic,
    User,
)
from telegram_sandbox.request_log import RequestLog

ICON_COLORS: Final = (0x6FB9F0, 0xFFD67E, 0xCB86DB, 0x8EEE98, 0xFF93B2, 0xFB6F5F)
"""The colours a topic may have: https://core.telegram.org/api/forum"""


class World:
    """Everything that exists, and the changes that keep it consistent."""

    def __init__(self, seed: int, start: datetime) -> None:
        """Starts empty; the same seed gives the same ids and hashes."""
        self.random = random.Random(seed)
        self._secret = seed.to_bytes(16, "little", signed=True)
        self.users: dict[int, User] = {}
        self.chats: dict[int, Chat] = {}
        """Channels and basic groups by bare id."""
        self.private_chats: dict[frozenset[int], Chat] = {}
        self.dialog_lists: defaultdict[int, DialogLists] = defaultdict(DialogLists)
        """By user id."""
        self.files: dict[int, StoredFile] = {}
        self.sent: dict[tuple[int, str, int], Message] = {}
        """What was sent by (user id, peer, random id): a repeated call gets it again."""
        self.in_flight: set[tuple[int, str, int]] = set()
        self.log = RequestLog()
        self.listeners: list[Callable[[User | None, Event], None]] = []
        self.chat_listeners: list[Callable[[Chat], None]] = []
        self.difference_limit = 1000
        """Events after which a difference is answered with "too long"."""
        self.difference_slice = 100
        """Events that one answer about a difference holds at most."""
        self.difference_timeout_seconds: int | None = None
        """After how long channel differences ask the client to come again."""
        self.topic_deletion_limit = 1000
        """Messages that one request to delete a topic deletes at most."""
        # Telegram knows whole seconds only; a fraction would get lost on the way to the client.
        self._clock = start.replace(microsecond=0)
        self.live = False
        """Whether dates come from the wall clock instead of the scenario's own."""

    # Identity

    def digest(self, *parts: object) -> bytes:
        """Returns 8 bytes that depend on the seed and the parts only."""
        text = "|".join(str(part) for part in parts)
        return blake2b(text.encode(), digest_size=8, key=self._secret).digest()

    def access_hash(self, viewer: User, kind: str, entity_id: int) -> int:
        """Returns the access hash by which that account names that entity."""
        return int.from_bytes(self.digest(viewer.id, kind, entity_id), "little", signed=True)

    def file_reference(self, file: StoredFile, viewer: User, origin: Chat | None) -> bytes:
        """Returns a reference that holds until the file's epoch moves on."""
        body = struct.pack("<qqI", file.id, origin.id if origin else 0, file.epoch)
        return body + self.digest("reference", viewer.id, body.hex())

    def new_id(self, low: int, high: int, taken: Container[int]) -> int:
        """Draws an id that is not taken."""
        while (drawn := self.random.randrange(low, high)) in taken:
            pass
        return drawn

    def now(self, date: datetime | None = None) -> datetime:
        """Returns the date for something that happens now, or at the given date."""
        if date is not None:
            if date.tzinfo is None:
                raise ValueError("a date needs a time zone")
            self._clock = date.astimezone(UTC).replace(microsecond=0)
        elif self.live:
            return datetime.now(UTC).replace(microsecond=0)
        else:
            self._clock += timedelta(minutes=1)
        return self._clock

    # Registers

    def chat_by_username(self, username: str) -> Chat | None:
        """Returns the channel or supergroup of that public name."""
        wanted = username.lower()
        return next(
            (chat for chat in self.chats.values() if (chat.username or "").lower() == wanted),
            None,
        )

    def user_by_username(self, username: str) -> User | None:
        """Returns the user of that public name."""
        wanted = username.lower()
        return next(
            (user for user in self.users.values() if (user.username or "").lower() == wanted),
            None,
        )

    def private_chat(self, one: User, two: User) -> Chat:
        """Returns the chat of two users (or of one with itself); made when first asked for."""
        key = frozenset({one.id, two.id})
        if key not in self.private_chats:
            chat = Chat(0, ChatKind.PRIVATE, "", self._clock, default_banned=frozenset())
            chat.members = {user.id: Member(user, self._clock) for user in (one, two)}
            self.private_chats[key] = chat
        return self.private_chats[key]

    def chats_of(self, account: User) -> list[Chat]:
        """Returns the chats that the account is in, whether or not they hold messages."""
        own = [chat for chat in self.chats.values() if chat.member(account)]
        return own + [chat for key, chat in self.private_chats.items() if account.id in key]

    def add_file(
        self, kind: FileKind, data: bytes, mime_type: str, date: datetime, **details: Any
    ) -> StoredFile:
        """Stores bytes as a new file; the same bytes stored twice are two files."""
        file_id = self.new_id(2**60, 2**62, self.files)
        self.files[file_id] = StoredFile(file_id, kind, data, date, mime_type, **details)
        return self.files[file_id]

    # Changes

    def add_message(
        self, chat: Chat, sender: User | None, date: datetime, **content: Any
    ) -> list[Message]:
        """Adds a message to every history of the chat; returns its copies, the sender's first."""
        if chat.is_channel:
            chat.last_message_id += 1
            copies = [Message(chat.last_message_id, chat, None, sender, date, **content)]
        else:
            copies = []
            accounts = [user for user in chat.users if user.is_account]
            for account in sorted(accounts, key=lambda user: user is not sender):
                account.last_message_id += 1
                copies.append(
                    Message(account.last_message_id, chat, account, sender, date, **content)
                )
        for copy in copies:
            copy.twins = [twin for twin in copies if twin is not copy]
            copy.reacted = copies[0].reacted
            chat.history(copy.owner).add(copy)
            if (topic := chat.topic_of(copy)) is not None:
                topic.messages.add(copy)
            copy.pts = self._emit(copy.owner, chat, "new", message=copy)
        return copies

    def edit_message(self, message: Message, **changes: Any) -> None:
        """Changes a message and its copies, and tells everybody."""
        for copy in (message, *message.twins):
            for name, value in changes.items():
                setattr(copy, name, value)
            self._emit(copy.owner, copy.chat, "edit", message=copy)

    def delete_messages(
        self, chat: Chat, account: User | None, ids: Sequence[int], *, revoke: bool = True
    ) -> tuple[int, ...]:
        """Takes messages out of the histories; unknown ids are passed over, as Telegram does."""
        history = chat.history(account)
        found = [message for each in ids if (message := history.get(each))]
        gone: dict[User | None, list[int]] = {}
        for message in found:
            for copy in (message, *(message.twins if revoke else ())):
                if not copy.deleted:
                    copy.deleted = True
                    chat.history(copy.owner).remove(copy.id)
                    if (topic := chat.topic_of(copy)) is not None:
                        topic.messages.discard(copy.id)
                    gone.setdefault(copy.owner, []).append(copy.id)
        for owner, removed in gone.items():
            self._emit(owner, chat, "delete", ids=tuple(removed), count=len(removed))
        return tuple(message.id for message in found)

    def pin_message(self, message: Message, *, pinned: bool) -> None:
        """Pins or unpins a message in every copy."""
        for copy in (message, *message.twins):
            copy.pinned = pinned
            kind = "pin" if pinned else "unpin"
            self._emit(copy.owner, copy.chat, kind, ids=(copy.id,))

    def reactions_changed(self, message: Message) -> None:
        """Tells everybody about reactions. No sequence counts them: who is away misses them."""
        for copy in (message, *message.twins):
            self._emit(copy.owner, copy.chat, "reactions", message=copy, count=0)

    def add_channel(
        self,
        kind: ChatKind,
        title: str,
        creator: User,
        about: str = "",
        *,
        origin: Chat | None = None,
    ) -> Chat:
        """Adds a supergroup or broadcast channel; its first message says where it came from.

        Args:
            kind: which of the two.
            title: shown name.
            creator: who holds every right.
            about: description.
            origin: the basic group that it continues, if any.
        """
        chat_id = self.new_id(1_000_000_000, 4_000_000_000, self.chats)
        chat = Chat(chat_id, kind, title, self.now(), about=about)
        chat.invite_hash = self.digest("invite", chat_id).hex()
        chat.members[creator.id] = Member(creator, chat.date, creator=True)
        self.chats[chat_id] = chat
        action: Any = types.MessageActionChannelCreate(title)
        if origin is not None:
            chat.members = {key: replace(member) for key, member in origin.members.items()}
            chat.migrated_from = origin
            action = types.MessageActionChannelMigrateFrom(title, origin.id)
        self.add_message(chat, creator, chat.date, action=action)
        return chat

    def make_forum(self, chat: Chat) -> None:
        """Gives a supergroup topics: what it held so far belongs to General."""
        chat.forum = True
        if GENERAL_TOPIC not in chat.topics:
            creator = next(iter(chat.members.values())).user
            general = Topic(GENERAL_TOPIC, "General", ICON_COLORS[0], chat.date, creator)
            for message in chat.history(None):
                general.messages.add(message)
            chat.topics[GENERAL_TOPIC] = general

    def add_topic(
        self,
        chat: Chat,
        creator: User,
        title: str,
        icon_color: int,
        date: datetime,
        icon_emoji_id: int | None = None,
    ) -> Topic:
        """Adds a topic and the service message that opens it; they share an id."""
        topic_id = chat.last_message_id + 1
        topic = Topic(topic_id, title, icon_color, date, creator, icon_emoji_id)
        chat.topics[topic_id] = topic
        action = types.MessageActionTopicCreate(title, icon_color, icon_emoji_id=icon_emoji_id)
        self.add_message(chat, creator, date, action=action, topic_id=topic_id)
        return topic

    def chat_changed(self, chat: Chat) -> None:
        """Tells the members that the chat's own data changed."""
        for listener in self.chat_listeners:
            listener(chat)

    def _emit(
        self,
        owner: User | None,
        chat: Chat,
        kind: str,
        *,
        message: Message | None = None,
        ids: tuple[int, ...] = (),
        count: int = 1,
    ) -> int:
        sequence: Chat | User = chat if owner is None else owner
        sequence.pts += count
        date = datetime.now(UTC) if self.live else self._clock
        event = Event(kind, chat, sequence.pts, count, date, message, ids)
        if count:
            sequence.events.append(event)
        for listener in self.listeners:
            listener(owner, event)
        return sequence.pts
