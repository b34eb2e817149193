"""Rows of the topic store as values of ``archive.publishing``, and back.

Conversion only; nothing here touches a connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from archive.identity.records import Identity, IdentityState
from archive.ids import ChatNo, ContentKey, IdentityId
from archive.publishing import HubNo, PostMethod
from archive.publishing.doubts import REVIEW, Asked, Doubt
from archive.publishing.outbox import (
    Actual,
    AnswerRow,
    Attempt,
    OutboxState,
    PublicationRow,
    SummaryRow,
    TopicRow,
)
from archive.publishing.state import Material
from archive.publishing.wanted import Source, WantedContent, WantedTopic, topic_title
from archive.records import Chat, MediaAccess, MediaFile, MediaKind

Row = Mapping[str, Any]
Fields = tuple[Any, ...]
"""A row by place: there are hundreds of thousands."""
Values = dict[str, Any]

_OUTBOX_STATES = {state.value: state for state in OutboxState}
_METHODS: dict[str | None, PostMethod | None] = {
    None: None,
    **{method.value: method for method in PostMethod},
}


def wanted_topics(
    people: Iterable[Fields],
    appearances: Iterable[Fields],
    sources: Iterable[Fields],
    chats: Mapping[ChatNo, Chat],
) -> tuple[WantedTopic, ...]:
    """Put together who may have a topic, and what is in it.

    Args:
        people: Visible and hidden identities.
        appearances: Whom which contents show, and when in them.
        sources: Live sources in publishable chats, oldest first.
        chats: Those chats.
    """
    contents = _contents(sources, chats)
    shown: dict[IdentityId, tuple[WantedContent, ...]] = {}
    for identity_id, keys, seconds in appearances:
        shown[identity_id] = tuple(
            contents[key].seen_at(moment)
            for key, moment in zip(keys, seconds, strict=True)
            if key in contents
        )
    return tuple(
        WantedTopic(Identity(identity_id, number, label, IdentityState(state)), found)
        for identity_id, number, label, state in people
        if (found := shown.get(identity_id))
    )


def open_doubts(
    doubts: Iterable[Fields], sources: Iterable[Fields], chats: Mapping[ChatNo, Chat]
) -> tuple[WantedContent, ...]:
    """Put together what is asked about faces, in its order.

    Args:
        doubts: Open ones, and where the face is.
        sources: Live ones of those contents in publishable chats, oldest first.
        chats: Those chats.
    """
    contents = _contents(sources, chats)
    found = []
    for face_id, identity_id, placed, number, label, state, key, seconds in doubts:
        if key in contents:
            doubt = Doubt(face_id, identity_id, placed)
            name = topic_title(Identity(identity_id, number, label, IdentityState(state)))
            content = contents[key].seen_at(seconds)
            asked = Asked(doubt, name, number)
            found.append(replace(content, content_key=doubt.key, phash=None, asked=asked))
    return tuple(found)


class _Content:
    """One content while its sources are gathered; shared by everybody it shows."""

    __slots__ = ("_sources", "content_key", "is_video", "phash", "photo")

    def __init__(self, content_key: ContentKey, phash: int | None, *, is_video: bool) -> None:
        self.content_key = content_key
        self.phash = phash
        self.is_video = is_video
        self._sources: list[Source] = []
        self.photo: WantedContent | None = None

    def add(self, source: Source) -> None:
        self._sources.append(source)

    def seen_at(self, seconds: float) -> WantedContent:
        """Give the content as somebody's; a photo is the same for everybody."""
        if self.is_video:
            return WantedContent(self.content_key, self.phash, seconds, tuple(self._sources))
        if self.photo is None:
            self.photo = WantedContent(self.content_key, self.phash, None, tuple(self._sources))
        return self.photo


def _contents(
    sources: Iterable[Fields], chats: Mapping[ChatNo, Chat]
) -> dict[ContentKey, _Content]:
    contents: dict[ContentKey, _Content] = {}
    for key, phash, is_video, chat_no, message_id, sent_at, media_id, *place in sources:
        content = contents.get(key)
        if content is None:
            content = contents[key] = _Content(key, phash, is_video=is_video)
        content.add(Source(chats[chat_no], message_id, sent_at, media_id, *place))
    return contents


def actual(
    topics: Iterable[Fields], publications: Iterable[Fields], answers: Iterable[Fields] = ()
) -> Actual:
    """Put together what is recorded of a hub."""
    found = (_topic(row) for row in topics)
    return Actual(
        {row.identity_id: row for row in found},
        tuple(_publication(row) for row in publications),
        tuple(AnswerRow(*row) for row in answers),
    )


def _topic(row: Fields) -> TopicRow:
    identity_id, random_id, state, title, icon_color, topic_id, closed, *said = row
    summary = None
    if said[0] is not None:
        summary = SummaryRow(said[0], _OUTBOX_STATES[said[1]], *said[2:])
    return TopicRow(
        identity_id,
        random_id,
        _OUTBOX_STATES[state],
        title,
        icon_color,
        topic_id,
        closed,
        summary,
    )


def _publication(row: Fields) -> PublicationRow:
    """Read a post of the outbox; most columns are the fields."""
    publication_id, identity_id, content_key, random_id, state, caption, method, *rest = row
    *rest, face_id, asked_id, placed = rest
    doubt = None if face_id is None else Doubt(face_id, asked_id, placed)
    rest.append(doubt)
    return PublicationRow(
        publication_id,
        identity_id,
        content_key if doubt is None else doubt.key,
        random_id,
        _OUTBOX_STATES[state],
        caption,
        _METHODS[method],
        *rest,
    )


def material_of(row: Row) -> Material:
    """Read a file with the keys of the accounts that post and read it."""
    file = MediaFile(
        media_id=row["media_id"],
        kind=MediaKind(row["kind"]),
        mime_type=row["mime_type"],
        file_name=row["file_name"],
        size_bytes=row["size_bytes"],
        width=row["width"],
        height=row["height"],
        duration_seconds=row["duration_seconds"],
        dc_id=row["dc_id"],
        variant=row["variant"],
    )
    return Material(file, _access(row, "posting"), _access(row, "reading"))


def _access(row: Row, account: str) -> MediaAccess | None:
    access_hash, reference = row[f"{account}_hash"], row[f"{account}_reference"]
    if access_hash is None:
        return None
    return MediaAccess(row["media_id"], access_hash, reference)


def topic_values(hub_no: HubNo, row: TopicRow) -> Values:
    """Name the parameters of a topic."""
    return {
        "hub_no": hub_no,
        "identity_id": row.identity_id,
        "random_id": row.random_id,
        "title": row.title,
        "icon_color": row.icon_color,
    }


def publication_values(hub_no: HubNo, row: PublicationRow) -> Values:
    """Name the parameters of a new post."""
    return {
        "publication_id": row.publication_id,
        "hub_no": hub_no,
        "identity_id": row.identity_id,
        "random_id": row.random_id,
        **_shown_values(row),
    }


def _shown_values(row: PublicationRow) -> Values:
    """Name what a post shows: a content, or a face about which it asks."""
    doubt = row.doubt
    return {
        "content_key": row.content_key if doubt is None else None,
        "face_id": doubt and doubt.face_id,
        "asked_id": doubt and doubt.identity_id,
        "placed": doubt and doubt.placed,
    }


def permission_values(identity_id: IdentityId, doubt: Doubt | None) -> Values:
    """Name the parameters of asking whether a person is visible, or a question open."""
    if doubt is None:
        return {"identity_id": identity_id, "review": REVIEW}
    return {"face_id": doubt.face_id, "asked_id": doubt.identity_id, "placed": doubt.placed}


def doubt_values(doubts: Sequence[Doubt]) -> Values:
    """Name the parameters of questions, one list each."""
    return {
        "face_ids": [doubt.face_id for doubt in doubts],
        "identity_ids": [doubt.identity_id for doubt in doubts],
        "placed": [doubt.placed for doubt in doubts],
    }


def attempt_values(attempt: Attempt) -> Values:
    """Name the parameters of a send that is about to be made."""
    return {
        "random_id": attempt.random_id,
        "caption": attempt.caption,
        "method": attempt.method,
        "source_chat_no": attempt.source.chat.chat_no,
        "source_message_id": attempt.source.message_id,
        "album_id": attempt.album_id,
        "media_id": attempt.media_id,
    }
