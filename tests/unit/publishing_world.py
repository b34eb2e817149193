"""Small worlds for the tests of publishing: chats, contents, people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from archive.identity.records import Identity
from archive.ids import AccountId, ChatId, ChatNo, ContentKey, IdentityId, MediaId, MessageId
from archive.publishing.planning import OpenTopic, Operation, PostContent
from archive.publishing.state import (
    OutboxState,
    Projection,
    PublicationRow,
    Source,
    TopicRow,
    WantedContent,
    WantedTopic,
)
from archive.records import Chat, ChatKind, Switches

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)


def chat(
    number: int = 1, title: str = "Family", kind: ChatKind = ChatKind.SUPERGROUP, **more: object
) -> Chat:
    is_dense = kind in {ChatKind.SUPERGROUP, ChatKind.CHANNEL}
    values = {
        "chat_no": ChatNo(number),
        "chat_id": ChatId(-1_000_000_000_000 - number if is_dense else number),
        "account_id": AccountId(7),
        "kind": kind,
        "title": title,
        "switches": Switches(archive=True, faces=True, publish=True),
    }
    return Chat(**{**values, **more})  # type: ignore[arg-type]


def source(message_id: int, where: Chat | None = None, day: int | None = None) -> Source:
    return Source(
        where or chat(),
        MessageId(message_id),
        START + timedelta(days=message_id if day is None else day),
        MediaId(f"photo:{message_id}"),
    )


def content(
    number: int,
    *sources: Source,
    phash: int | None = None,
    seconds: float | None = None,
) -> WantedContent:
    key = ContentKey(f"sha256:{number:064x}")
    return WantedContent(key, phash, seconds, sources or (source(number),))


def person(number: int, *contents: WantedContent, label: str | None = None) -> WantedTopic:
    identity_id = IdentityId(UUID(int=number))
    return WantedTopic(Identity(identity_id, number, label), contents)


def world(*wanted: WantedTopic) -> Projection:
    return Projection(wanted, {}, ())


def after(projection: Projection, operations: Sequence[Operation]) -> Projection:
    """Both sides of the hub once the operations were done."""
    topics = dict(projection.topics)
    rows = {row.publication_id: row for row in projection.publications}
    kinds = {c.content_key: c for topic in projection.wanted for c in topic.contents}
    for number, operation in enumerate(operations, len(rows) + len(topics) + 2):
        match operation:
            case OpenTopic(identity_id, title, color):
                sent = OutboxState.SENT
                topics[identity_id] = TopicRow(identity_id, number, sent, title, color, number)
            case PostContent(identity_id, _, key):
                row = PublicationRow(
                    UUID(int=number),
                    identity_id,
                    key,
                    number,
                    OutboxState.SENT,
                    message_id=MessageId(number),
                    phash=kinds[key].phash,
                    is_video=kinds[key].is_video,
                )
                rows[row.publication_id] = row
    return Projection(projection.wanted, topics, tuple(rows.values()))
