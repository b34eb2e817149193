"""Who answers speak of: chats and users, written in bulk as each answer brings them.

Statements on a connection that the caller opened. Names follow Telegram; access hashes are
kept per account, and a partial description never replaces a full one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from psycopg import Connection

from archive.ids import AccountId, new_chat_no
from archive.records import IdSpace, PeerInfo, Presence, User
from resources.store.successors import follow_successors

_INSERT_CHATS = """
INSERT INTO chats (chat_no, chat_id, account_id, kind, id_space, title, username, is_forum,
                   noforwards, top_message_id)
SELECT chat_no, chat_id, %(account_id)s, kind, id_space, title, username, is_forum,
       noforwards, top_message_id
FROM unnest(%(chat_nos)s::bigint[], %(chat_ids)s::bigint[], %(kinds)s::text[],
            %(spaces)s::text[], %(titles)s::text[], %(usernames)s::text[],
            %(forums)s::boolean[], %(noforwards)s::boolean[], %(tops)s::bigint[])
    AS seen (chat_no, chat_id, kind, id_space, title, username, is_forum, noforwards,
             top_message_id)
ON CONFLICT DO NOTHING
"""

_UPDATE_CHATS = """
UPDATE chats
SET title = seen.title, username = seen.username, is_forum = seen.is_forum,
    noforwards = seen.noforwards, updated_at = now(),
    top_message_id = greatest(chats.top_message_id, seen.top_message_id),
    -- What may not be copied may not be published either, from the moment we learn it.
    allow_publish = chats.allow_publish AND NOT seen.noforwards
FROM unnest(%(chat_ids)s::bigint[], %(titles)s::text[], %(usernames)s::text[],
            %(forums)s::boolean[], %(noforwards)s::boolean[], %(tops)s::bigint[])
    AS seen (chat_id, title, username, is_forum, noforwards, top_message_id)
WHERE chats.chat_id = seen.chat_id
  AND (chats.id_space = 'own' OR chats.account_id = %(account_id)s)
  AND ((chats.title, chats.username, chats.is_forum, chats.noforwards)
           IS DISTINCT FROM (seen.title, seen.username, seen.is_forum, seen.noforwards)
       OR coalesce(chats.top_message_id, 0) < seen.top_message_id)
"""

_ACCESS = """
INSERT INTO account_chats AS known (account_id, chat_no, access_hash, is_inside)
SELECT %(account_id)s, chats.chat_no, seen.access_hash, seen.is_inside
FROM unnest(%(chat_ids)s::bigint[], %(hashes)s::bigint[], %(inside)s::boolean[])
    AS seen (chat_id, access_hash, is_inside)
JOIN chats ON chats.chat_id = seen.chat_id
    AND (chats.id_space = 'own' OR chats.account_id = %(account_id)s)
ON CONFLICT (account_id, chat_no) DO UPDATE
SET access_hash = coalesce(excluded.access_hash, known.access_hash),
    is_inside = coalesce(excluded.is_inside, known.is_inside)
WHERE known.access_hash <> excluded.access_hash OR known.is_inside <> excluded.is_inside
   OR known.access_hash IS NULL AND excluded.access_hash IS NOT NULL
   OR known.is_inside IS NULL AND excluded.is_inside IS NOT NULL
"""

_USERS = """
INSERT INTO users AS known (user_id, first_name, last_name, username, is_bot, is_deleted)
SELECT * FROM unnest(%(ids)s::bigint[], %(first_names)s::text[], %(last_names)s::text[],
                     %(usernames)s::text[], %(bots)s::boolean[], %(deleted)s::boolean[])
ON CONFLICT (user_id) DO UPDATE
SET first_name = excluded.first_name, last_name = excluded.last_name,
    username = excluded.username, is_bot = excluded.is_bot, is_deleted = excluded.is_deleted,
    updated_at = now()
WHERE (known.first_name, known.last_name, known.username, known.is_bot, known.is_deleted)
    IS DISTINCT FROM (excluded.first_name, excluded.last_name, excluded.username,
                      excluded.is_bot, excluded.is_deleted)
"""


def upsert_peers(connection: Connection, account_id: AccountId, peers: Iterable[PeerInfo]) -> None:
    """Write the chats that an answer speaks of; what their owners allowed stays as it is."""
    # In one order everywhere, so that two answers about the same chats cannot deadlock.
    seen = sorted({peer.chat_id: peer for peer in peers}.values(), key=lambda peer: peer.chat_id)
    if not seen:
        return
    columns = _columns(account_id, seen)
    connection.execute(_INSERT_CHATS, columns)
    full = [peer for peer in seen if _is_full(peer)]
    if full:
        connection.execute(_UPDATE_CHATS, _columns(account_id, full))
    connection.execute(_ACCESS, columns)
    follow_successors(connection, account_id, seen)


def upsert_users(connection: Connection, users: Iterable[User]) -> None:
    """Write the people that an answer speaks of."""
    seen = sorted({user.user_id: user for user in users}.values(), key=lambda user: user.user_id)
    if not seen:
        return
    connection.execute(
        _USERS,
        {
            "ids": [user.user_id for user in seen],
            "first_names": [user.first_name for user in seen],
            "last_names": [user.last_name for user in seen],
            "usernames": [user.username for user in seen],
            "bots": [user.is_bot for user in seen],
            "deleted": [user.is_deleted for user in seen],
        },
    )


def _is_full(peer: PeerInfo) -> bool:
    """Whether the description is a whole one: a ``min`` one of a channel shows no hash."""
    return peer.id_space is IdSpace.ACCOUNT or peer.access_hash is not None


def _is_inside(peer: PeerInfo) -> bool | None:
    """Whether the account is in the chat; an export, as a ``min`` description, does not say."""
    return (peer.presence is Presence.INSIDE) if _is_full(peer) else None


def _columns(account_id: AccountId, peers: Sequence[PeerInfo]) -> dict[str, object]:
    return {
        "account_id": account_id,
        "chat_nos": [new_chat_no() for _ in peers],
        "chat_ids": [peer.chat_id for peer in peers],
        "kinds": [peer.kind.value for peer in peers],
        "spaces": [peer.id_space.value for peer in peers],
        "titles": [peer.title for peer in peers],
        "usernames": [peer.username for peer in peers],
        "forums": [peer.is_forum for peer in peers],
        "noforwards": [peer.noforwards for peer in peers],
        "tops": [peer.top_message_id for peer in peers],
        "hashes": [peer.access_hash for peer in peers],
        "inside": [_is_inside(peer) for peer in peers],
    }
