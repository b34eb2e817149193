"""Short cuts for tests that need a chat in the store, and to see what was stored of it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from archive.chats import allow
from archive.ids import AccountId, ChatId, MessageId
from archive.records import Account, Chat, ChatKind, IdSpace, PeerInfo, Switches
from resources.store.accounts import AccountStore
from resources.store.chats import ChatStore
from resources.store.database import Database

OWNER = AccountId(4242)
_ARCHIVED = Switches(archive=True)
_numbers = count(1)


@dataclass(frozen=True, slots=True, order=True)
class Stored:
    """What the store says of one message."""

    message_id: int
    text: str
    is_deleted: bool
    media_id: str | None


def a_peer(kind: ChatKind = ChatKind.SUPERGROUP, **fields: object) -> PeerInfo:
    """Describe a chat that no other test has."""
    number = next(_numbers)
    own = PeerInfo(ChatId(0), kind, "").id_space is IdSpace.OWN
    chat_id = -1_000_000_000_000 - number if own else number
    known = {"title": f"Chat {number}", "access_hash": number} | fields
    return PeerInfo(ChatId(chat_id), kind, **known)  # type: ignore[arg-type]


def a_source(
    database: Database,
    kind: ChatKind = ChatKind.SUPERGROUP,
    *,
    switches: Switches = _ARCHIVED,
    account_id: AccountId = OWNER,
    hold_backfill: bool = False,
    peer: PeerInfo | None = None,
) -> Chat:
    """Add a chat and allow it."""
    AccountStore(database).save(Account(account_id, "Owner"))
    chats = ChatStore(database)
    chat = chats.upsert_peer(account_id, peer or a_peer(kind))
    return allow(chat, switches, chats, hold_backfill=hold_backfill)


def stored(database: Database, chat: Chat) -> list[Stored]:
    """Return what is stored of a chat, oldest first."""
    with database.transaction() as connection:
        rows = connection.execute(
            "SELECT message_id, text, deleted_at IS NOT NULL, media_id FROM messages "
            "LEFT JOIN message_media USING (chat_no, message_id) "
            "WHERE chat_no = %s ORDER BY message_id, media_id",
            (chat.chat_no,),
        )
        return [Stored(*row) for row in rows]


def live_ids(database: Database, chat: Chat) -> list[MessageId]:
    """Return the ids of a chat's stored messages that are not deleted, each as often as it is."""
    return [MessageId(row.message_id) for row in stored(database, chat) if not row.is_deleted]
