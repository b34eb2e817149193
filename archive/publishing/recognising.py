"""What in a hub is ours though no row knows it, as after a restored backup: told for certain.

Pure. A topic is ours if our account opened it; whose it is says its title, and its pictures: most
of them unless the title is a name, because a number may have been given to somebody else since. A
post is ours if our account sent it into such a topic and it names a source; what it shows says the
file, or the source that it links to. What only looks like ours by such a link, but cannot be told,
is a stray. Everything else is left alone: what others wrote, what the owner of our account wrote by
hand, and what may be an unresolved send, because publishing finds out what became of that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from html import escape

from archive.chats import message_link
from archive.ids import AccountId, ContentKey, IdentityId, MessageId, TopicId, UserId
from archive.publishing.captions import place
from archive.publishing.drift import SeenMessage, names_source
from archive.publishing.outbox import Actual, OutboxState
from archive.publishing.records import PostMethod
from archive.publishing.wanted import Source, WantedContent, WantedTopic
from archive.records import ForumTopic

_GENERAL = TopicId(1)


@dataclass(frozen=True, slots=True)
class LostTopic:
    """A topic of ours without a row, and whose it is."""

    topic: ForumTopic
    wanted: WantedTopic

    def __str__(self) -> str:
        return f"adopt  topic {self.wanted.title}"


@dataclass(frozen=True, slots=True)
class LostSummary:
    """A pinned summary of ours without a row."""

    wanted: WantedTopic
    message_id: MessageId

    def __str__(self) -> str:
        return f"adopt  summary of {self.wanted.title}: message {self.message_id}"


@dataclass(frozen=True, slots=True)
class LostPost:
    """A post of ours without a row.

    Attributes:
        source: The file that it shows, or the message that it links to.
        method: How it can only have got there.
    """

    wanted: WantedTopic
    content: WantedContent
    source: Source
    method: PostMethod
    message_id: MessageId

    def __str__(self) -> str:
        return f"adopt  post of {self.wanted.title}: message {self.message_id}"


@dataclass(frozen=True, slots=True)
class Stray:
    """What our account put there and nobody can tell: a post, or a topic with all in it.

    Attributes:
        message_id: ``None`` for the topic itself.
    """

    topic_id: TopicId
    title: str
    message_id: MessageId | None = None

    def __str__(self) -> str:
        what = "topic" if self.message_id is None else f"message {self.message_id} in"
        return f"remove {what} {self.title}"


Lost = LostTopic | LostSummary | LostPost


@dataclass(frozen=True, slots=True)
class Recognised:
    """What of a hub's contents no row knows.

    Attributes:
        lost: Can be adopted, each topic before what is in it.
        strays: Can only be removed.
    """

    lost: tuple[Lost, ...] = ()
    strays: tuple[Stray, ...] = ()


@dataclass
class HubContentsSeen:
    """Everything that is in a hub.

    Attributes:
        topics: By id; General does not matter.
        messages: By topic, oldest first; without those of Telegram itself.
        newest: The newest message of all.
    """

    topics: dict[TopicId, ForumTopic] = field(default_factory=dict)
    messages: dict[TopicId, list[SeenMessage]] = field(default_factory=dict)
    newest: int = 0


def recognise(
    seen: HubContentsSeen,
    wanted: Iterable[WantedTopic],
    actual: Actual,
    ourselves: AccountId,
    as_shown: Callable[[str], str],
) -> Recognised:
    """Tell what is ours.

    Args:
        seen: What is in the hub.
        wanted: Who may have a topic, and what shows them.
        actual: What rows know.
        ourselves: The account that publishes.
        as_shown: Gives what was written in the form of what is seen.
    """
    people = {topic.identity.identity_id: topic for topic in wanted}
    known = {row.topic_id: row.identity_id for row in actual.topics.values() if row.topic_id}
    lost: list[Lost] = []
    strays: list[Stray] = []
    inside = _Inside(actual, as_shown)
    opening, sending = _unresolved(actual)
    for topic_id, topic in seen.topics.items():
        messages = seen.messages.get(topic_id, [])
        whose = known.get(topic_id)
        is_ours = topic_id != _GENERAL and topic.creator_id == UserId(ourselves)
        if whose is None and (not is_ours or topic.title.strip() in opening):
            continue
        owner = None if whose is None else people.get(whose)
        if whose is None and (owner := inside.owner(topic, people, messages)) is not None:
            lost.append(LostTopic(topic, owner))
            del people[owner.identity.identity_id]
        found = list(inside.of(owner, messages)) if owner is not None else []
        lost += found
        told = inside.known | {each.message_id for each in found}
        if whose not in sending:
            strays += inside.strays(topic, messages, told, alone=whose is None and owner is None)
    return Recognised(tuple(lost), tuple(strays))


def _unresolved(actual: Actual) -> tuple[set[str], set[IdentityId]]:
    """Name the topics that may have been opened, and those into which something may be sent."""
    opening = {row.title for row in actual.topics.values() if row.topic_id is None}
    sending = {post.identity_id for post in actual.posts if post.state is OutboxState.SENDING}
    return opening, sending


class _Inside:
    """Tells what is in topics.

    Args:
        actual: What rows know.
        as_shown: Gives what was written in the form of what is seen.
    """

    def __init__(self, actual: Actual, as_shown: Callable[[str], str]) -> None:
        self._actual = actual
        self._as_shown = as_shown
        said = (row.summary.message_id for row in actual.topics.values() if row.summary)
        self.known = {post.message_id for post in actual.posts} | set(said)

    def owner(
        self,
        topic: ForumTopic,
        people: Mapping[IdentityId, WantedTopic],
        messages: Sequence[SeenMessage],
    ) -> WantedTopic | None:
        """Tell whose topic it is; nobody's if they have one, or if several are called so."""
        called = [each for each in people.values() if each.title == topic.title.strip()]
        if len(called) != 1 or called[0].identity.identity_id in self._actual.topics:
            return None
        (whose,) = called
        ours = [each for each in messages if each.is_ours]
        shown = [each for each in ours if _shown_by(each, whose, set()) is not None]
        if whose.identity.label is None:
            is_theirs = 2 * len(shown) > sum(names_source(each) for each in ours)
        else:
            summaries = (self._is_summary(each, whose.title) for each in ours)
            # One that was only talked in was opened by hand.
            is_theirs = not messages or bool(shown) or any(summaries)
        return whose if is_theirs else None

    def of(
        self, owner: WantedTopic, messages: Sequence[SeenMessage]
    ) -> Iterator[LostSummary | LostPost]:
        """Tell what is in a person's topic; each content once."""
        whose = owner.identity.identity_id
        there = {post.content_key for post in self._actual.posts if post.identity_id == whose}
        row = self._actual.topics.get(whose)
        lacks_summary = row is None or row.summary is None
        for message in messages:
            if not message.is_ours or message.message_id in self.known:
                continue
            if message.media_id is None:
                if lacks_summary and self._is_summary(message, owner.title):
                    lacks_summary = False
                    yield LostSummary(owner, message.message_id)
            elif (post := _shown_by(message, owner, there)) is not None:
                there.add(post.content.content_key)
                yield post

    def strays(
        self,
        topic: ForumTopic,
        messages: Sequence[SeenMessage],
        told: Set[MessageId | None],
        *,
        alone: bool,
    ) -> Iterator[Stray]:
        """Tell what is left of ours; a topic that is nobody's, if nothing else is in it."""
        ours = [each for each in messages if each.is_ours]
        posts = [each for each in ours if each.message_id not in told and names_source(each)]
        said = [each for each in ours if self._is_summary(each, topic.title.strip())]
        if alone and posts and len(posts) + len(said) == len(messages):
            yield Stray(topic.topic_id, topic.title)
        else:
            yield from (Stray(topic.topic_id, topic.title, each.message_id) for each in posts)

    def _is_summary(self, message: SeenMessage, title: str) -> bool:
        first, *_ = (message.shown or " ").splitlines()
        is_text = message.media_id is None and message.pinned
        return is_text and first == self._as_shown(f"<b>{escape(title)}</b>")


def _shown_by(message: SeenMessage, owner: WantedTopic, there: Set[ContentKey]) -> LostPost | None:
    """Tell which content of a person a message shows: by its file, or else by its one source."""
    shown = [(c, source) for c in owner.contents for source in c.sources]
    shown = [(c, source) for c, source in shown if source.media_id == message.media_id]
    method = PostMethod.REFERENCE
    if not shown and message.media_id is not None:
        shown = [(c, source) for c in owner.contents for source in _linked(message, c)]
        method = PostMethod.UPLOAD
    if len({content.content_key for content, _ in shown}) != 1:
        return None
    content, source = shown[0]
    if content.content_key in there or not _is_captioned(message, content):
        return None
    return LostPost(owner, content, source, method, message.message_id)


def _is_captioned(message: SeenMessage, content: WantedContent) -> bool:
    """Whether it names a source, as what somebody sent by hand does not."""
    places = (escape(place(source)) for source in content.sources)
    return any(_linked(message, content)) or any(each in message.shown for each in places)


def _linked(message: SeenMessage, content: WantedContent) -> Iterator[Source]:
    for source in content.sources:
        link = message_link(source.chat, source.message_id, source.topic_id)
        if link and any(f'href="{escape(link)}{end}' in message.shown for end in ('"', "?t=")):
            yield source
