"""A chat as scenarios and tests hold it: adds messages, and lets itself be looked at.

Here belong the convenient ways to put something into a chat. They know no rights and no limits:
a scenario may contain what a client could not send. The media they attach come from `media`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from telethon.tl import types

from telegram_sandbox import media
from telegram_sandbox.media_records import FileMedia, Media, PaidMedia, WebPageMedia
from telegram_sandbox.migration import migrate
from telegram_sandbox.reactions import react
from telegram_sandbox.records import Chat, Forward, Message, Topic, User
from telegram_sandbox.world import ICON_COLORS, World

MakeMedia = Callable[[World, datetime], Media]


class ChatHandle:
    """A chat, seen by one account where the kind of chat makes a difference."""

    def __init__(self, world: World, chat: Chat, account: User | None) -> None:
        """Keeps the record and whose ids are used."""
        self._world = world
        self.record = chat
        self._account = None if chat.is_channel else account

    # Looking at it

    @property
    def id(self) -> int:
        """The marked id: -100… for channels, the partner's id for private chats."""
        viewer = self._account or next(iter(self.record.members.values())).user
        return self.record.marked_id(viewer)

    @property
    def title(self) -> str:
        """The title; empty for private chats."""
        return self.record.title

    @property
    def invite_link(self) -> str:
        """The link that lets people in."""
        return f"https://t.me/+{self.record.invite_hash}"

    @property
    def messages(self) -> list[Message]:
        """All messages in ascending order of id."""
        return list(self.record.history(self._account))

    @property
    def topics(self) -> list[Topic]:
        """The topics of a forum in ascending order of id, General included."""
        return [topic for _, topic in sorted(self.record.topics.items())]

    def message(self, message_id: int) -> Message:
        """Returns one message; raises KeyError when there is none of that id."""
        found = self.record.history(self._account).get(message_id)
        if found is None:
            raise KeyError(message_id)
        return found

    # Adding to it

    def text(self, sender: User, text: str, **options: Any) -> Message:
        """Adds a text message; see `add` for the options."""
        return self.add(sender, text=text, **options)

    def photo(self, sender: User, data: bytes, *, caption: str = "", **options: Any) -> Message:
        """Adds a picture sent as photo; options of `media.photo` and of `add`."""
        return self._with(partial(media.photo, data=data), sender, caption, options)

    def video(self, sender: User, data: bytes, *, caption: str = "", **options: Any) -> Message:
        """Adds a video or round video; options of `media.video` and of `add`."""
        return self._with(partial(media.video, data=data), sender, caption, options)

    def gif(self, sender: User, data: bytes, *, caption: str = "", **options: Any) -> Message:
        """Adds an animation: a document video/mp4 with the animated attribute."""
        return self._with(partial(media.gif, data=data), sender, caption, options)

    def document(self, sender: User, data: bytes, *, caption: str = "", **options: Any) -> Message:
        """Adds a file, such as a picture sent as file; options of `media.document`."""
        return self._with(partial(media.document, data=data), sender, caption, options)

    def sticker(self, sender: User, data: bytes, **options: Any) -> Message:
        """Adds a sticker; options of `media.sticker`."""
        return self._with(partial(media.sticker, data=data), sender, "", options)

    def audio(self, sender: User, data: bytes, *, caption: str = "", **options: Any) -> Message:
        """Adds music or a voice note; options of `media.audio`."""
        return self._with(partial(media.audio, data=data), sender, caption, options)

    def view_once_photo(self, sender: User, data: bytes, **options: Any) -> Message:
        """Adds a photo that may be looked at once; `expired=True` for one that has been."""
        return self._with(partial(media.view_once_photo, data=data), sender, "", options)

    def view_once_video(self, sender: User, data: bytes, **options: Any) -> Message:
        """Adds a video that may be looked at once; `expired=True` for one that has been."""
        return self._with(partial(media.view_once_video, data=data), sender, "", options)

    def paid(
        self,
        sender: User,
        items: Sequence[bytes],
        *,
        stars: int = 50,
        buyers: Sequence[User] = (),
        **options: Any,
    ) -> Message:
        """Adds photos behind a price; only the buyers get the files."""
        date = self._world.now(options.pop("date", None))
        photos = tuple(media.photo(self._world, date, data=data) for data in items)
        bought = PaidMedia(stars, photos, frozenset(buyer.id for buyer in buyers))
        return self.add(sender, media=bought, fixed_date=date, **options)

    def web_page(
        self, sender: User, url: str, *, title: str = "", photo: bytes | None = None, **options: Any
    ) -> Message:
        """Adds a link with its preview."""
        date = self._world.now(options.pop("date", None))
        picture = media.photo(self._world, date, data=photo).file if photo else None
        page = WebPageMedia(url, title, picture)
        return self.add(sender, text=url, media=page, fixed_date=date, **options)

    def poll(self, sender: User, question: str, answers: Sequence[str], **options: Any) -> Message:
        """Adds a poll."""
        return self.add(sender, media=media.poll(self._world, question, answers), **options)

    def contact(self, sender: User, phone: str, name: str, **options: Any) -> Message:
        """Adds a shared contact."""
        return self.add(sender, media=media.contact(phone, name), **options)

    def geo(self, sender: User, latitude: float, longitude: float, **options: Any) -> Message:
        """Adds a place."""
        return self.add(sender, media=media.geo(latitude, longitude), **options)

    def album(
        self, sender: User, photos: Sequence[bytes], *, caption: str = "", **options: Any
    ) -> list[Message]:
        """Adds photos that share a grouped id; the first carries the caption."""
        group = self._world.random.randrange(2**60)
        captions = [caption] + [""] * (len(photos) - 1)
        return [
            self.photo(sender, data, caption=text, grouped_id=group, **options)
            for data, text in zip(photos, captions, strict=True)
        ]

    def forward(self, sender: User, original: Message, **options: Any) -> Message:
        """Adds a forward: the same text and the same file, with a header that says from where."""
        return self.add(
            sender,
            text=original.text,
            media=original.media,
            forward=forward_of(original),
            **options,
        )

    def service(self, sender: User, action: Any = None, **options: Any) -> Message:
        """Adds a service message; a changed title unless an action (a TL object) is given."""
        action = action or types.MessageActionChatEditTitle(self.record.title or "A chat")
        return self.add(sender, action=action, **options)

    def topic(
        self,
        creator: User,
        title: str,
        *,
        icon_color: int = ICON_COLORS[0],
        date: datetime | None = None,
    ) -> Topic:
        """Adds a topic to a forum."""
        date = self._world.now(date)
        return self._world.add_topic(self.record, creator, title, icon_color, date)

    def skip_ids(self, count: int) -> None:
        """Leaves a gap of that many ids, as deleted messages do."""
        if self._account is None:
            self.record.last_message_id += count
        else:
            self._account.last_message_id += count

    def add(
        self,
        sender: User | None,
        *,
        date: datetime | None = None,
        fixed_date: datetime | None = None,
        topic: Topic | None = None,
        reply_to: Message | None = None,
        edit_date: datetime | None = None,
        grouped_id: int | None = None,
        reactions: Any = None,
        pinned: bool = False,
        noforwards: bool = False,
        **content: Any,
    ) -> Message:
        """Adds a message of any content.

        Args:
            sender: who wrote it.
            date: when, with time zone; a minute after the message before if not given.
            fixed_date: a date already drawn from the world's clock.
            topic: the forum topic that holds it.
            reply_to: the message it answers.
            edit_date: when it was last edited.
            grouped_id: the album it belongs to.
            reactions: a TL object with the reactions to it.
            pinned: whether it is pinned.
            noforwards: whether this single message is protected.
            content: text, media, action, entities, forward.
        """
        if topic is None and reply_to is not None and reply_to.topic_id is not None:
            topic = self.record.topics.get(reply_to.topic_id)
        copies = self._world.add_message(
            self.record,
            sender,
            fixed_date or self._world.now(date),
            topic_id=topic.id if topic else None,
            reply_to=reply_to,
            edit_date=edit_date,
            grouped_id=grouped_id,
            reactions=reactions,
            pinned=pinned,
            noforwards=noforwards,
            **content,
        )
        return self._mine(copies)

    # Changing it

    def edit(self, message: Message, **changes: Any) -> None:
        """Edits a message: `text`, `media`, …; clients see an edit date."""
        changes.setdefault("edit_date", self._world.now())
        self._world.edit_message(message, **changes)

    def delete(self, *messages: Message) -> None:
        """Deletes messages for everybody."""
        ids = [message.id for message in messages]
        self._world.delete_messages(self.record, self._account, ids)

    def edit_topic(self, topic: Topic, editor: User, **changes: Any) -> Message:
        """Changes a topic, as an admin does in the app: `title`, `closed`, …; all are told."""
        for name, value in changes.items():
            setattr(topic, name, value)
        return self.service(editor, types.MessageActionTopicEdit(**changes), topic=topic)

    def pin(self, message: Message, *, pinned: bool = True) -> None:
        """Pins or unpins a message."""
        self._world.pin_message(message, pinned=pinned)

    def react(self, message: Message, user: User, *emoticons: str) -> None:
        """Replaces a user's reactions to a message; none at all takes them back."""
        react(self._world, message, user, emoticons)

    def migrate(self) -> "ChatHandle":
        """Turns a basic group into a supergroup; returns that, while this stays the old chat."""
        return ChatHandle(self._world, migrate(self._world, self.record), None)

    def expire_view_once(self, message: Message) -> None:
        """Lets a view-once medium have been looked at: the file is gone from the message."""
        if isinstance(message.media, FileMedia):
            self._world.edit_message(message, media=replace(message.media, file=None))

    def _with(
        self, make: Callable[..., Media], sender: User, caption: str, options: dict[str, Any]
    ) -> Message:
        date = self._world.now(options.pop("date", None))
        known = media.OPTIONS[make.func.__name__] if isinstance(make, partial) else frozenset()
        chosen = {name: options.pop(name) for name in list(options) if name in known}
        attached = make(self._world, date, **chosen)
        return self.add(sender, text=caption, media=attached, fixed_date=date, **options)

    def _mine(self, copies: list[Message]) -> Message:
        return next((copy for copy in copies if copy.owner is self._account), copies[0])


def forward_of(original: Message) -> Forward:
    """Returns the header of a forward of this message; a forward keeps its first source."""
    if original.forward is not None:
        return original.forward
    if original.chat.kind.value == "channel":
        return Forward(original.date, channel=original.chat, channel_post=original.id)
    return Forward(original.date, sender=original.sender)
