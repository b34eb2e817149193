"""Basic groups that became supergroups: two histories of one chat.

Statements on a connection that the caller opened. Telegram keeps both chats and says in each
where the other is; what the owner allowed one of them holds for both.
"""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import Connection

from archive.ids import AccountId, new_chat_no
from archive.records import PeerInfo

_INSERT = """
INSERT INTO chats (chat_no, chat_id, account_id, kind, id_space, title)
VALUES (%(chat_no)s, %(new_id)s, %(account_id)s, 'supergroup', 'own', %(title)s)
ON CONFLICT DO NOTHING
"""

_ACCESS = """
INSERT INTO account_chats AS known (account_id, chat_no, access_hash)
SELECT %(account_id)s, chat_no, %(access_hash)s
FROM chats WHERE chat_id = %(new_id)s AND id_space = 'own'
ON CONFLICT (account_id, chat_no) DO UPDATE SET access_hash = excluded.access_hash
WHERE known.access_hash IS NULL
"""

_LINK = """
UPDATE chats AS old SET migrated_to = new.chat_no, updated_at = now()
FROM chats AS new
WHERE old.chat_id = %(old_id)s AND old.account_id = %(account_id)s AND old.id_space = 'account'
  AND new.chat_id = %(new_id)s AND new.id_space = 'own' AND NOT new.is_hub
  AND old.migrated_to IS NULL
RETURNING old.chat_no, new.chat_no
"""

# The supergroup's switches stand where it has any: its owner chose them later. Publishing never
# carries over to what may not be copied.
_CARRY_OVER = """
UPDATE chats AS heir
SET allow_archive = giver.allow_archive, allow_faces = giver.allow_faces,
    allow_publish = giver.allow_publish AND NOT heir.noforwards,
    keep_originals = giver.keep_originals,
    media_types = giver.media_types, max_media_bytes = giver.max_media_bytes,
    hold_backfill = giver.hold_backfill, added_at = coalesce(heir.added_at, giver.added_at),
    updated_at = now()
FROM chats AS giver
WHERE giver.allow_archive AND heir.chat_no <> giver.chat_no
  AND heir.chat_no IN (%(old)s, %(new)s)
  AND giver.chat_no = (
      SELECT chat_no FROM chats WHERE chat_no IN (%(old)s, %(new)s) AND allow_archive
      ORDER BY chat_no = %(new)s DESC LIMIT 1)
"""


def follow_successors(
    connection: Connection, account_id: AccountId, peers: Iterable[PeerInfo]
) -> None:
    """Join each group that an answer shows as moved with the supergroup that it became."""
    for peer in peers:
        if peer.successor is None:
            continue
        parameters = {
            "chat_no": new_chat_no(),
            "account_id": account_id,
            "old_id": peer.chat_id,
            "new_id": peer.successor.chat_id,
            "access_hash": peer.successor.access_hash,
            "title": peer.title,
        }
        connection.execute(_INSERT, parameters)
        connection.execute(_ACCESS, parameters)
        for old, new in connection.execute(_LINK, parameters).fetchall():
            connection.execute(_CARRY_OVER, {"old": old, "new": new})
