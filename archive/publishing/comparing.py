"""One person's topic: what should be in it beside what is.

Pure. The difference is sorted by why something is due, not by when: the order of a whole hub,
and what becomes of posts that do not belong here any more, is ``planning``'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from archive.ids import ContentKey
from archive.publishing.albums import album_of, together
from archive.publishing.captions import caption, names_only, order_of
from archive.publishing.desired import Policy
from archive.publishing.near_copies import earlier_copies
from archive.publishing.operations import (
    DeleteTopic,
    EditCaption,
    EditSummary,
    EditTopic,
    FindPost,
    OpenTopic,
    Operation,
    PinSummary,
    PostContent,
    PostSummary,
)
from archive.publishing.outbox import OutboxState, PublicationRow, TopicRow
from archive.publishing.wanted import Source, WantedContent, WantedTopic


@dataclass(slots=True)
class Difference:
    """What one wanted topic lacks, and what is too much in it.

    Attributes:
        unresolved: May have been done already.
        urgent: Takes away what may not be seen.
        head: What comes before posts: the topic itself, its title, its summary.
        posts: Oldest content first.
        edits: What comes after posts.
        unwanted: Posts that do not belong here.
        shown: Contents that are there, as themselves or as a source of a near copy.
        coming: Contents that new posts bring, and the content that is posted for each.
        refused: Contents that no way of copying works for at present.
        near_copies: How many contents are listed instead of posted.
        published: How many contents have their own post.
    """

    topic: WantedTopic
    unresolved: list[Operation] = field(default_factory=list)
    urgent: list[Operation] = field(default_factory=list)
    head: list[Operation] = field(default_factory=list)
    posts: list[PostContent] = field(default_factory=list)
    edits: list[Operation] = field(default_factory=list)
    unwanted: list[PublicationRow] = field(default_factory=list)
    shown: set[ContentKey] = field(default_factory=set)
    coming: dict[ContentKey, ContentKey] = field(default_factory=dict)
    refused: set[ContentKey] = field(default_factory=set)
    near_copies: int = 0
    published: int = 0


def compare(
    topic: WantedTopic,
    row: TopicRow | None,
    rows: Iterable[PublicationRow],
    *,
    now: datetime,
    policy: Policy,
    near_copy_bits: int,
) -> Difference:
    """Find the difference between a topic as it should be and as it is recorded.

    Args:
        topic: As it should be.
        row: As it is; ``None`` where there never was one.
        rows: Its posts.
        now: Posts that were refused are due again once their time has come.
        policy: What a person chose.
        near_copy_bits: Most bits in which the hashes of near copies differ.
    """
    found = Difference(topic)
    if row is not None and row.state is OutboxState.REMOVING:
        found.unresolved.append(DeleteTopic(row.identity_id, row.title))
        row, rows = None, ()
    _compare_posts(found, rows, now, policy, near_copy_bits)
    _compare_topic(found, row)
    _compare_summary(found, row, policy.review_url)
    return found


def _compare_topic(found: Difference, row: TopicRow | None) -> None:
    topic = found.topic
    identity_id, title = topic.identity.identity_id, topic.title
    if row is None or row.state is OutboxState.PLANNED:
        found.head.append(OpenTopic(identity_id, title, topic.icon_color))
        return
    if row.state is OutboxState.SENDING:
        color = row.icon_color or topic.icon_color
        found.unresolved.append(OpenTopic(identity_id, row.title, color, row))
    if row.state is OutboxState.EDITING:
        found.unresolved.append(EditTopic(identity_id, row.title, title, topic.closed))
        return
    new_title = title if row.title != title else None
    closed = topic.closed if row.closed is not topic.closed else None
    if new_title is not None or closed is not None:
        due = found.urgent if closed else found.head
        due.append(EditTopic(identity_id, row.title, new_title, closed))


def _compare_summary(found: Difference, row: TopicRow | None, review_url: str | None) -> None:
    topic = found.topic
    identity_id, title = topic.identity.identity_id, topic.title
    there = row.summary if row is not None else None
    if there is None:
        if not topic.closed:
            found.head.append(PostSummary(identity_id, title, topic, review_url))
            found.head.append(PinSummary(identity_id, title))
        return
    edit = EditSummary(identity_id, title, topic, review_url)
    if there.state is OutboxState.SENDING:
        # What was sent may say something else, so it is edited whatever is sent now.
        found.unresolved.append(PostSummary(identity_id, title, topic, review_url, there))
    if there.state is not OutboxState.SENT:
        found.unresolved.append(edit)
    elif there.text != edit.text:
        # Whatever takes something else away may be named here too.
        (found.urgent if found.urgent or found.unwanted else found.edits).append(edit)
    if not there.pinned:
        found.head.append(PinSummary(identity_id, title))


def _compare_posts(
    found: Difference,
    rows: Iterable[PublicationRow],
    now: datetime,
    policy: Policy,
    near_copy_bits: int,
) -> None:
    wanted = {content.content_key: content for content in found.topic.contents}
    expected = {OutboxState.SENT, OutboxState.EDITING}
    # Nothing is sent into a closed topic, not even again.
    expected |= set() if found.topic.closed else {OutboxState.SENDING}
    there: dict[ContentKey, PublicationRow] = {}
    again: dict[ContentKey, PublicationRow] = {}
    for row in rows:
        key = row.content_key
        if row.state is OutboxState.PLANNED:
            again[key] = row
            if key in wanted and row.retry_at is not None and row.retry_at > now:
                found.refused.add(key)
        elif key in wanted and row.state in expected and not row.is_sought:
            there[key] = row
        else:
            dismiss(found.unresolved, found.unwanted, row, found.topic.title)
    bits = None if policy.post_near_copies else near_copy_bits
    for content, listed in _led(found, wanted, there, bits):
        _post_or_edit(found, content, listed, there.get(content.content_key), again)
    found.posts = together(found.posts)


def dismiss(
    unresolved: list[Operation], unwanted: list[PublicationRow], row: PublicationRow, title: str
) -> None:
    """Let a post go: it may have to be found first."""
    if row.state is OutboxState.SENDING:
        unresolved.append(FindPost(row.identity_id, title, row))
    if row.state is not OutboxState.PLANNED:
        unwanted.append(row)


def _led(
    found: Difference,
    wanted: dict[ContentKey, WantedContent],
    there: dict[ContentKey, PublicationRow],
    near_copy_bits: int | None,
) -> list[tuple[WantedContent, list[Source]]]:
    """Say which contents have posts, and what each names; what is there leads what comes."""
    oldest = list(wanted.values())
    if not found.topic.is_review:
        oldest.sort(key=lambda content: order_of(content.sources[0]))
    sequence = [content for content in oldest if content.content_key in there]
    sequence += [content for content in oldest if content.content_key not in there]
    copies = {} if near_copy_bits is None else earlier_copies(sequence, near_copy_bits)
    listed: dict[int, list[Source]] = {}
    for place, content in enumerate(sequence):
        key = content.content_key
        leader = next((each for each in copies.get(place, ()) if each in listed), None)
        if key in there:
            listed[place] = [*content.sources]
            found.shown.add(key)
        elif key in found.refused:
            continue
        elif leader is not None:
            listed[leader] += content.sources
            found.near_copies += 1
            _show(found, key, sequence[leader].content_key, there)
        elif not found.topic.closed:
            listed[place] = [*content.sources]
            found.coming[key] = key
    return [(sequence[place], sources) for place, sources in listed.items()]


def _show(
    found: Difference,
    key: ContentKey,
    leader: ContentKey,
    there: dict[ContentKey, PublicationRow],
) -> None:
    if leader in there:
        found.shown.add(key)
    else:
        found.coming[key] = leader


def _post_or_edit(
    found: Difference,
    content: WantedContent,
    listed: Sequence[Source],
    row: PublicationRow | None,
    again: dict[ContentKey, PublicationRow],
) -> None:
    key, topic = content.content_key, found.topic
    identity_id, seconds, asked = topic.identity.identity_id, content.seconds, content.asked
    if row is None:
        found.posts.append(
            PostContent(
                identity_id,
                topic.title,
                key,
                content.sources,
                listed,
                seconds,
                refused=again.get(key),
                album=None if key in again else album_of(content),
                asked=asked,
            )
        )
        return
    edit = EditCaption(identity_id, topic.title, row, listed, seconds, asked)
    if row.state is OutboxState.SENDING:
        repeat = PostContent(
            identity_id,
            topic.title,
            key,
            content.sources,
            listed,
            seconds,
            row,
            album=None if row.album_id is None else row.album_id.hex,
            asked=asked,
        )
        found.unresolved.append(repeat)
    else:
        found.published += 1
    if row.state is OutboxState.EDITING:
        found.unresolved.append(edit)
    elif row.caption != caption(listed, seconds, asked):
        harmless = names_only(row.caption, listed)
        (found.edits if harmless else found.urgent).append(edit)
    if asked is not None and asked.awaits_link:
        # By then the person's topic is there.
        found.edits.append(edit)
