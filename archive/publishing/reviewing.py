"""Which questions about faces a hub asks, and where their topic comes in its order.

Pure but for ``reviewed``, which reads the store. Scores move with every face that is found, and
nobody answers a question that comes and goes: so what was posted stays until it is settled
(``still_asked`` of the store says so), and only what is missing to ``MOST_ASKED`` is new.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from typing import Final, Protocol

from archive.chats import message_link
from archive.identity.records import Identity
from archive.ids import FaceId, IdentityId, MessageId
from archive.publishing.doubts import REVIEW, REVIEW_TITLE, Doubt
from archive.publishing.outbox import OutboxState
from archive.publishing.state import Projection
from archive.publishing.wanted import WantedContent, WantedTopic

MOST_ASKED: Final = 20
"""Questions at a time in one hub: about a screen of a phone, and a minute to post. Each answer
changes which are worth asking, so more at once would be asked in vain."""


class DoubtingStore(Protocol):
    """What is known of faces that are asked about."""

    def still_asked(self, doubts: Sequence[Doubt]) -> Sequence[WantedContent]:
        """Give the questions that nobody and nothing has answered, in their order.

        A question is open as long as the face is where it was when that was asked, no person said
        anything of it and them, the person is visible, and a publishable chat shows the face.
        """
        ...


def reviewed(
    store: DoubtingStore, projection: Projection, doubts: Sequence[Doubt] | None
) -> Projection:
    """Add the open questions to both sides of a hub.

    Args:
        store: Where to ask which are open.
        projection: Of any hub.
        doubts: Questions worth asking, the most useful first; ``None`` where none is to be asked.
    """
    if doubts is None:
        return projection
    posted = (row.doubt for row in projection.actual.posts)
    known = dict.fromkeys((*(doubt for doubt in posted if doubt is not None), *doubts))
    return replace(projection, review=tuple(store.still_asked(list(known))))


def review_topic(
    projection: Projection, people: Sequence[WantedTopic], named: Set[IdentityId]
) -> WantedTopic | None:
    """Choose what a hub asks; ``None`` where there is nothing to ask and never was.

    Args:
        projection: Of the hub, with the open questions that belong here.
        people: Who is to have a topic here.
        named: Who may be asked about: nobody is named in a hub that could not show them.
    """
    chosen = _chosen(projection, [q for q in projection.review or () if _whose(q) in named])
    topic = projection.actual.topics.get(REVIEW)
    if not chosen and (topic is None or not topic.state.is_there):
        return None
    coming = {each.identity.identity_id for each in people if not each.closed}
    linked = (_linked(content, projection, coming) for content in chosen)
    return WantedTopic(Identity(REVIEW, 0, REVIEW_TITLE), tuple(linked))


def in_its_place(
    people: Sequence[WantedTopic], review: WantedTopic | None
) -> tuple[WantedTopic, ...]:
    """Put the questions before all people, but after those to whose topics they are to link."""
    if review is None:
        return tuple(people)
    asked = (content.asked for content in review.contents)
    awaited = {each.doubt.identity_id for each in asked if each is not None and each.awaits_link}
    numbers = [n for n, each in enumerate(people, 1) if each.identity.identity_id in awaited]
    place = max(numbers, default=0)
    return (*people[:place], review, *people[place:])


def _chosen(projection: Projection, contents: Sequence[WantedContent]) -> list[WantedContent]:
    """Keep what was posted, and fill up; a face is asked about once.

    What could not be posted comes last: it would keep others from being asked.
    """
    states = {row.content_key: row.state for row in projection.actual.posts}
    refused = [each for each in contents if states.get(each.content_key) is OutboxState.PLANNED]
    posted = [each for each in contents if each.content_key in states and each not in refused]
    new = [each for each in contents if each.content_key not in states]
    faces: dict[FaceId, WantedContent] = {}
    for content in (*posted, *new, *refused):
        if content.asked is not None and len(faces) < MOST_ASKED:
            faces.setdefault(content.asked.doubt.face_id, content)
    return list(faces.values())


def _whose(content: WantedContent) -> IdentityId | None:
    return None if content.asked is None else content.asked.doubt.identity_id


def _linked(
    content: WantedContent, projection: Projection, coming: Set[IdentityId]
) -> WantedContent:
    asked = content.asked
    if asked is None or asked.doubt.identity_id not in coming:
        return content
    row = projection.actual.topics.get(asked.doubt.identity_id)
    link = None
    if row is not None and row.state.is_there and row.topic_id is not None:
        link = message_link(projection.hub, MessageId(row.topic_id))
    return replace(content, asked=replace(asked, link=link, is_coming=True))
