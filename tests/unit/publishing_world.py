"""Small worlds for the tests of publishing: chats, contents, people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from archive.identity.records import Identity, IdentityState
from archive.ids import AccountId, ChatId, ChatNo, ContentKey, IdentityId, MediaId, MessageId
from archive.publishing.outbox import Actual
from archive.publishing.state import Projection
from archive.publishing.wanted import Source, WantedContent, WantedTopic
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


HUB_CHAT = chat(99, "People", is_forum=True, is_hub=True, switches=Switches())


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


def person(
    number: int,
    *contents: WantedContent,
    label: str | None = None,
    state: IdentityState = IdentityState.VISIBLE,
) -> WantedTopic:
    identity_id = IdentityId(UUID(int=number))
    return WantedTopic(Identity(identity_id, number, label, state), contents)


def world(*wanted: WantedTopic, actual: Actual | None = None) -> Projection:
    return Projection(HUB_CHAT, wanted, actual or Actual())
