"""Rows of the topic store as values of ``archive.publishing``, and back.

Conversion only; nothing here touches a connection.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from archive.identity.records import Identity
from archive.ids import ChatNo, ContentKey, IdentityId, MediaId
from archive.publishing import Hub, HubNo, PostMethod
from archive.publishing.state import (
    Attempt,
    Material,
    OutboxState,
    PublicationRow,
    Source,
    TopicRow,
    WantedContent,
    WantedTopic,
)
from archive.records import Chat, MediaAccess, MediaFile, MediaKind

Row = Mapping[str, Any]
Values = dict[str, Any]

_OUTBOX_STATES = {state.value: state for state in OutboxState}
_METHODS = {method.value: method for method in PostMethod}


def wanted_topics(
    people: Iterable[Row],
    appearances: Iterable[Row],
    sources: Iterable[Row],
    chats: Mapping[ChatNo, Chat],
) -> tuple[WantedTopic, ...]:
    """Put together who should have a topic, and what is in it.

    Args:
        people: Visible identities.
        appearances: Which content shows whom, and when in it.
        sources: Live sources in publishable chats, oldest first.
        chats: Those chats.
    """
    contents = _contents(sources, chats)
    shown: dict[IdentityId, list[WantedContent]] = defaultdict(list)
    for row in appearances:
        if found := contents.get(row["content_key"]):
            shown[row["identity_id"]].append(found.seen_at(row["seconds"]))
    return tuple(
        WantedTopic(_identity(row), tuple(shown[row["identity_id"]]))
        for row in people
        if row["identity_id"] in shown
    )


class _Content:
    """One content while its sources are gathered; shared by everybody it shows."""

    __slots__ = ("content_key", "is_video", "phash", "sources")

    def __init__(self, row: Row) -> None:
        self.content_key = ContentKey(row["content_key"])
        self.phash: int | None = row["phash"]
        self.is_video: bool = row["is_video"]
        self.sources: list[Source] = []

    def seen_at(self, seconds: float) -> WantedContent:
        return WantedContent(
            self.content_key,
            self.phash,
            seconds if self.is_video else None,
            tuple(self.sources),
        )


def _contents(sources: Iterable[Row], chats: Mapping[ChatNo, Chat]) -> dict[str, _Content]:
    contents: dict[str, _Content] = {}
    for row in sources:
        key = row["content_key"]
        content = contents.get(key) or contents.setdefault(key, _Content(row))
        content.sources.append(
            Source(
                chats[row["chat_no"]],
                row["message_id"],
                row["sent_at"],
                MediaId(row["media_id"]),
                row["topic_id"],
                row["topic_title"],
            )
        )
    return contents


def _identity(row: Row) -> Identity:
    return Identity(IdentityId(row["identity_id"]), row["number"], row["label"])


def hub_of(row: Row, chat: Chat) -> Hub:
    """Read a hub; its chat was read by itself."""
    return Hub(HubNo(row["hub_no"]), chat, row["in_use"], row["blocked_reason"])


def topic_of(row: Row) -> TopicRow:
    """Read a topic of the outbox."""
    return TopicRow(
        row["identity_id"],
        row["random_id"],
        _OUTBOX_STATES[row["state"]],
        row["title"],
        row["icon_color"],
        row["topic_id"],
    )


def publication_of(row: Row) -> PublicationRow:
    """Read a post of the outbox; the columns are the fields."""
    method = row["method"]
    return PublicationRow(
        **{
            **row,
            "state": _OUTBOX_STATES[row["state"]],
            "method": None if method is None else _METHODS[method],
        }
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
        "content_key": row.content_key,
        "random_id": row.random_id,
    }


def attempt_values(attempt: Attempt) -> Values:
    """Name the parameters of a send that is about to be made."""
    return {
        "random_id": attempt.random_id,
        "caption": attempt.caption,
        "method": attempt.method,
        "source_chat_no": attempt.source.chat.chat_no,
        "source_message_id": attempt.source.message_id,
    }
