"""What is done to a hub, one operation at a time.

Values only. Each carries what a dry run prints and what its doing needs; which are due, and in
which order, is ``planning``'s; how each is done is ``performing``'s. A ``pending`` row is that of
an earlier try whose outcome is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from archive.ids import ChatNo, ContentKey, IdentityId
from archive.publishing.captions import caption, place
from archive.publishing.desired import chats_of, summary
from archive.publishing.doubts import Asked
from archive.publishing.outbox import AnswerRow, PublicationRow, SummaryRow, TopicRow
from archive.publishing.wanted import Source, WantedTopic

# channels.deleteMessages takes at most so many (https://core.telegram.org/method/channels.deleteMessages).
MAX_REMOVALS = 100


@dataclass(frozen=True, slots=True)
class OpenTopic:
    """Make a person's topic."""

    identity_id: IdentityId
    title: str
    icon_color: int
    pending: TopicRow | None = None

    def __str__(self) -> str:
        return f"topic    {self.title}"


@dataclass(frozen=True, slots=True)
class FindTopic:
    """Find out which topic came of a try for somebody who is wanted no more, to delete it."""

    identity_id: IdentityId
    title: str
    pending: TopicRow

    def __str__(self) -> str:
        return f"find     {self.title}"


@dataclass(frozen=True, slots=True)
class EditTopic:
    """Rename, close or reopen a topic; ``None`` leaves that as it is."""

    identity_id: IdentityId
    title: str
    new_title: str | None = None
    closed: bool | None = None

    def __str__(self) -> str:
        said = []
        if self.new_title == self.title:
            said.append(f"retitle  {self.title}")
        elif self.new_title is not None:
            said.append(f"rename   {self.title} → {self.new_title}")
        if self.closed is not None:
            said.append(f"{'close' if self.closed else 'reopen':8} {self.new_title or self.title}")
        return ", ".join(said)


@dataclass(frozen=True, slots=True)
class DeleteTopic:
    """Delete a topic with everything in it.

    Attributes:
        needed: Contents that must be elsewhere before.
    """

    identity_id: IdentityId
    title: str
    needed: frozenset[ContentKey] = field(default=frozenset(), repr=False)

    def __str__(self) -> str:
        return f"delete   {self.title}"


@dataclass(frozen=True, slots=True)
class PostSummary:
    """Say in a topic who it is about."""

    identity_id: IdentityId
    title: str
    topic: WantedTopic = field(repr=False)
    review_url: str | None = None
    pending: SummaryRow | None = None

    @property
    def text(self) -> str:
        """Made when asked for, as captions are."""
        return summary(self.topic, self.review_url)

    @property
    def chat_nos(self) -> frozenset[ChatNo]:
        """Name the chats that it speaks of."""
        return chats_of(self.topic)

    def __str__(self) -> str:
        return f"summary  {self.title}"


@dataclass(frozen=True, slots=True)
class EditSummary:
    """Say it anew."""

    identity_id: IdentityId
    title: str
    topic: WantedTopic = field(repr=False)
    review_url: str | None = None

    @property
    def text(self) -> str:
        """Made when asked for, as captions are."""
        return summary(self.topic, self.review_url)

    @property
    def chat_nos(self) -> frozenset[ChatNo]:
        """Name the chats that it speaks of."""
        return chats_of(self.topic)

    def __str__(self) -> str:
        return f"edit     {self.title}: summary"


@dataclass(frozen=True, slots=True)
class PinSummary:
    """Pin what says who a topic is about."""

    identity_id: IdentityId
    title: str

    def __str__(self) -> str:
        return f"pin      {self.title}: summary"


@dataclass(frozen=True, slots=True)
class LinkTopic:
    """Say in a merged person's topic where they are now, in place of its summary.

    The text is made when it is done: the survivor's topic may not exist before.
    """

    identity_id: IdentityId
    title: str
    survivor_id: IdentityId
    survivor_title: str

    def __str__(self) -> str:
        return f"link     {self.title} → {self.survivor_title}"


@dataclass(frozen=True, slots=True)
class GiveAnswer:
    """Say in a topic why something that was said there cannot be done."""

    identity_id: IdentityId
    title: str
    row: AnswerRow

    def __str__(self) -> str:
        return f"answer   {self.title}: {self.row.text}"


@dataclass(frozen=True, slots=True)
class PostContent:
    """Post one content into a person's topic.

    Attributes:
        sources: Where the content itself can be copied from, oldest first.
        listed: What the caption names: these and the sources of its near copies.
        pending: The row of an earlier try whose outcome is unknown.
        refused: The row of an earlier try that certainly sent nothing.
        album: Shared by those that may be sent together; ``None`` for one by itself.
        asked: The question that it asks, where it is one.
    """

    identity_id: IdentityId
    title: str
    content_key: ContentKey
    sources: Sequence[Source]
    listed: Sequence[Source] = field(repr=False)
    seconds: float | None = None
    pending: PublicationRow | None = None
    refused: PublicationRow | None = None
    album: str | None = None
    asked: Asked | None = None

    @property
    def caption(self) -> str:
        """Made when asked for: ten thousands of captions are never held at once."""
        return caption(self.listed, self.seconds, self.asked)

    def __str__(self) -> str:
        said = f"post     {self.title}" if self.asked is None else f"ask      {self.asked.name}?"
        return f"{said} ← {_named(self.sources, self.listed)}"


@dataclass(frozen=True, slots=True)
class FindPost:
    """Find out which message came of a try that is wanted no more, to delete it."""

    identity_id: IdentityId
    title: str
    pending: PublicationRow

    def __str__(self) -> str:
        return f"find     {self.title}: post"


@dataclass(frozen=True, slots=True)
class EditCaption:
    """Name the sources of a post anew."""

    identity_id: IdentityId
    title: str
    row: PublicationRow
    listed: Sequence[Source] = field(repr=False)
    seconds: float | None = None
    asked: Asked | None = None

    def __str__(self) -> str:
        return f"edit     {self.title} ← {_named(self.listed, self.listed)}"


@dataclass(frozen=True, slots=True)
class DeletePosts:
    """Delete posts of any topics, at most ``MAX_REMOVALS``."""

    titles: tuple[str, ...]
    rows: tuple[PublicationRow, ...]

    def __str__(self) -> str:
        noun = "post" if len(self.rows) == 1 else "posts"
        return f"delete   {len(self.rows)} {noun}: {', '.join(self.titles)}"


Operation = (
    OpenTopic
    | FindTopic
    | EditTopic
    | DeleteTopic
    | PostSummary
    | EditSummary
    | PinSummary
    | LinkTopic
    | GiveAnswer
    | PostContent
    | FindPost
    | EditCaption
    | DeletePosts
)


def _named(sources: Sequence[Source], listed: Sequence[Source]) -> str:
    more = f" and {len(listed) - 1} more" if len(listed) > 1 else ""
    return f"{place(sources[0])}{more}"
