"""A hub in memory that keeps Telegram's promises.

The law of publishing is tried on it: hundreds of worlds, and death at every step. That the real
one keeps the same promises is what the tests of integration show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import TypeVar

from archive.ids import ContentKey, MediaId, MessageId, TopicId, UserId
from archive.publishing import CopyRefused, HubRights, MessageStuck, Post, PostMethod, TopicGone
from archive.publishing.drift import SeenMessage
from archive.records import Chat, ForumTopic, PeerInfo
from archive.remarks import Remark

START = datetime(2026, 1, 1, tzinfo=UTC)

T = TypeVar("T")


class Died(BaseException):
    """What a kill -9 looks like from inside: nothing catches it."""


@dataclass
class HubMessage:
    """A text, or a post of a content; somebody else's where it is not ours."""

    text: str
    content_key: ContentKey | None = None
    pinned: bool = False
    is_ours: bool = True
    remark: Remark | None = None

    @property
    def media_id(self) -> MediaId | None:
        return None if self.content_key is None else MediaId(f"photo:{self.content_key}")


@dataclass
class HubTopic:
    """A topic as anybody sees it."""

    title: str
    icon_color: int | None
    closed: bool = False
    messages: dict[MessageId, HubMessage] = field(default_factory=dict)

    @property
    def posts(self) -> list[HubMessage]:
        posts = (each for each in self.messages.values() if each.content_key is not None)
        return [each for each in posts if each.is_ours]

    @property
    def texts(self) -> list[HubMessage]:
        texts = (each for each in self.messages.values() if each.content_key is None)
        return [each for each in texts if each.is_ours]


def shown_by(post: Post) -> HubMessage:
    """What a post is to be seen as."""
    if post.method is PostMethod.CROP:
        assert post.data is not None
        assert post.file is None
        return HubMessage(post.caption_html, ContentKey(post.data.decode()))
    assert post.file is not None
    return HubMessage(post.caption_html, ContentKey(post.file.media_id.removeprefix("photo:")))


@dataclass
class MemoryHub:
    """A forum; its process can die at any write.

    Attributes:
        dies: The place of the write, counted from 1, and whether it has its effect then.
        changed: Told after every write.
        page_limit: Messages a page; few, so that there are many pages.
        unlisted: Messages that are there, but on no page.
    """

    chat: Chat
    topics_: dict[TopicId, HubTopic] = field(default_factory=dict)
    dies: tuple[int, bool] | None = None
    changed: Callable[[], None] = lambda: None
    writes: int = 0
    albums: list[int] = field(default_factory=list)
    refuses_albums: bool = False
    page_limit: int = 3
    unlisted: set[MessageId] = field(default_factory=set)
    _ids: count[int] = field(default_factory=lambda: count(2))
    _sent: dict[int, int] = field(default_factory=dict)
    _doing: int = 0

    async def create(self, title: str) -> PeerInfo:
        raise NotImplementedError

    async def inspect(self, hub: Chat) -> HubRights:
        return HubRights(
            is_forum=True, is_public=False, can_manage_topics=True, can_post=True, can_delete=True
        )

    async def topics(self, hub: Chat) -> list[ForumTopic]:
        return [
            self._listed(topic_id, topic)
            for topic_id, topic in list(self.topics_.items())[: self.page_limit]
        ]

    async def topics_named(self, hub: Chat, topic_ids: Sequence[TopicId]) -> list[ForumTopic]:
        return [
            self._listed(topic_id, topic)
            for topic_id, topic in self.topics_.items()
            if topic_id in topic_ids
        ]

    async def page(self, hub: Chat, *, offset_id: MessageId) -> list[SeenMessage]:
        below = (each for each in self.seen() if not offset_id or each.message_id < offset_id)
        listed = (each for each in below if each.message_id not in self.unlisted)
        newest = sorted(listed, key=lambda each: each.message_id, reverse=True)
        return newest[: self.page_limit]

    async def messages(self, hub: Chat, message_ids: Sequence[MessageId]) -> list[SeenMessage]:
        assert 1 <= len(message_ids) <= 100
        return [each for each in self.seen() if each.message_id in message_ids]

    async def admins(self, hub: Chat) -> frozenset[UserId]:
        return frozenset()

    def as_shown(self, html_text: str) -> str:
        return html_text

    async def create_topic(
        self, hub: Chat, *, title: str, icon_color: int | None, random_id: int
    ) -> TopicId:
        def make() -> int:
            topic_id = TopicId(next(self._ids))
            self.topics_[topic_id] = HubTopic(title, icon_color)
            return topic_id

        return TopicId(self._write(hub, lambda: self._once(random_id, make)))

    async def edit_topic(
        self, hub: Chat, topic_id: TopicId, *, title: str | None = None, closed: bool | None = None
    ) -> None:
        def change() -> None:
            topic = self._topic(topic_id)
            topic.title = topic.title if title is None else title
            topic.closed = topic.closed if closed is None else closed

        self._write(hub, change)

    async def delete_topic(self, hub: Chat, topic_id: TopicId) -> None:
        self._write(hub, lambda: self.topics_.pop(topic_id, None))

    async def send(self, hub: Chat, topic_id: TopicId, post: Post) -> MessageId:
        return self._add(hub, topic_id, shown_by(post), post.random_id)

    async def send_album(
        self, hub: Chat, topic_id: TopicId, posts: Sequence[Post]
    ) -> list[MessageId]:
        assert 2 <= len(posts) <= 10
        assert len({post.random_id for post in posts}) == len(posts)

        def make() -> list[MessageId]:
            if self.refuses_albums:
                raise CopyRefused("MEDIA_GROUPED_INVALID")
            self.albums.append(len(posts))
            puts = [partial(self._put, topic_id, shown_by(post)) for post in posts]
            return [
                MessageId(self._once(post.random_id, put))
                for post, put in zip(posts, puts, strict=True)
            ]

        return self._write(hub, make)

    async def say(
        self, hub: Chat, topic_id: TopicId, html_text: str, *, random_id: int
    ) -> MessageId:
        return self._add(hub, topic_id, HubMessage(html_text), random_id)

    async def edit(self, hub: Chat, message_id: MessageId, html_text: str) -> None:
        def change() -> None:
            self._message(message_id).text = html_text

        self._write(hub, change)

    async def delete_messages(self, hub: Chat, message_ids: Sequence[MessageId]) -> None:
        assert 1 <= len(message_ids) <= 100

        def delete() -> None:
            for topic in self.topics_.values():
                for message_id in message_ids:
                    topic.messages.pop(message_id, None)

        self._write(hub, delete)

    async def pin(self, hub: Chat, message_id: MessageId) -> None:
        def change() -> None:
            self._message(message_id).pinned = True

        self._write(hub, change)

    def _add(self, hub: Chat, topic_id: TopicId, shown: HubMessage, random_id: int) -> MessageId:
        def make() -> int:
            return self._put(topic_id, shown)

        return MessageId(self._write(hub, lambda: self._once(random_id, make)))

    def _put(self, topic_id: TopicId, shown: HubMessage) -> MessageId:
        message_id = MessageId(next(self._ids))
        self._topic(topic_id).messages[message_id] = shown
        return message_id

    def _once(self, random_id: int, make: Callable[[], int]) -> int:
        """Answer a repeated random id with what the first call made, there or not."""
        if random_id not in self._sent:
            self._sent[random_id] = make()
        return self._sent[random_id]

    def _write(self, hub: Chat, change: Callable[[], T]) -> T:
        assert hub == self.chat, "a write to a chat that is not the hub"
        self.writes += 1
        dies = self.dies if self.dies is not None and self.dies[0] == self.writes else None
        if dies is not None and not dies[1]:
            raise Died
        found = change()
        self.changed()
        if dies is not None:
            raise Died
        return found

    def add_foreign(self, topic_id: TopicId, text: str, content_key: ContentKey | None) -> None:
        """Let somebody else write into a topic."""
        message = HubMessage(text, content_key, is_ours=False)
        self.topics_[topic_id].messages[MessageId(next(self._ids))] = message

    def seen(self) -> Iterator[SeenMessage]:
        """Return everything that was written, as it stands."""
        for topic_id, topic in self.topics_.items():
            for message_id, each in topic.messages.items():
                yield SeenMessage(
                    message_id,
                    topic_id,
                    each.text,
                    pinned=each.pinned,
                    is_ours=each.is_ours,
                    media_id=each.media_id,
                    remark=each.remark,
                )

    def _listed(self, topic_id: TopicId, topic: HubTopic) -> ForumTopic:
        ourselves = UserId(self.chat.account_id)
        return ForumTopic(
            topic_id, topic.title, START, topic.icon_color, ourselves, is_closed=topic.closed
        )

    def _topic(self, topic_id: TopicId) -> HubTopic:
        if topic_id not in self.topics_:
            raise TopicGone("the topic was deleted")
        return self.topics_[topic_id]

    def _message(self, message_id: MessageId) -> HubMessage:
        for topic in self.topics_.values():
            if message_id in topic.messages:
                return topic.messages[message_id]
        raise MessageStuck("the message was deleted")
