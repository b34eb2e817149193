"""Which account reads a chat that several can see: one at a time, handed over when it cannot.

Only chats with an id space of their own change hands: in another account's numbering the messages
of a private chat or basic group have other ids. A hub stays with the account that may write to
it. Statements on a connection that the caller opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import LiteralString

from psycopg import Connection
from psycopg.rows import class_row

from archive.ids import AccountId, ChatNo

LONG_FLOOD = timedelta(hours=1)
"""A wait that is worth a change: the next reader's listener did not hear what came before, so all
windows are read once more, a hundred messages a request."""

# A reader that may not be used or was shut out is replaced by whoever is inside; one that is
# flooded only by who is not. The least flooded first, then who asked for least lately.
_CHOICE: LiteralString = """
SELECT DISTINCT ON (chats.chat_no) chats.chat_no, other.account_id
FROM chats
JOIN accounts AS reader USING (account_id)
LEFT JOIN account_chats AS own USING (account_id, chat_no)
JOIN account_chats AS other
    ON other.chat_no = chats.chat_no AND other.account_id <> chats.account_id
    AND other.is_inside AND other.access_hash IS NOT NULL
JOIN accounts AS heir
    ON heir.account_id = other.account_id AND heir.logged_in AND heir.state = 'active'
WHERE chats.id_space = 'own' AND chats.added_at IS NOT NULL AND NOT chats.is_hub
  AND reader.logged_in
  AND (reader.account_id = %(leaving)s OR reader.state <> 'active' OR chats.state = 'lost'
       OR NOT own.is_inside
       OR reader.flood_until > now() + %(long)s
          AND coalesce(heir.flood_until, '-infinity') <= now())
ORDER BY chats.chat_no, greatest(heir.flood_until, now()), heir.spent_until, heir.account_id
"""

# What the reader before came to nothing with is asked for again at once.
_HAND_OVER: LiteralString = f"""
WITH chosen AS ({_CHOICE}), handed AS (
    UPDATE chats
    SET account_id = chosen.account_id, state = 'active', state_reason = NULL,
        lost_checked_at = NULL, updated_at = now()
    FROM chosen WHERE chats.chat_no = chosen.chat_no
    RETURNING chats.chat_no
), asked AS (
    UPDATE windows
    SET demands = demands + 1,
        resume_at = CASE WHEN resume_at > now() THEN now() ELSE resume_at END
    FROM handed WHERE handed.chat_no = windows.chat_no
)
SELECT count(*) FROM handed
"""

_WITH_IT: LiteralString = f"""
WITH chosen AS ({_CHOICE})
SELECT count(*) AS chats, count(chosen.chat_no) AS handed_over,
       coalesce(sum(stored.messages) FILTER (WHERE chosen.chat_no IS NULL), 0)::bigint
           AS messages_without,
       count(*) FILTER (WHERE is_hub) AS hubs
FROM chats
LEFT JOIN chosen USING (chat_no)
LEFT JOIN (SELECT chat_no, count(*) AS messages FROM messages GROUP BY chat_no) AS stored
    USING (chat_no)
WHERE chats.account_id = %(leaving)s AND (added_at IS NOT NULL OR is_hub)
"""

_SHUT_OUT = """
UPDATE account_chats SET is_inside = false WHERE account_id = %s AND chat_no = %s
"""

_LOST = """
UPDATE chats
SET state = 'lost', state_reason = 'its account was removed', lost_checked_at = now(),
    updated_at = now()
WHERE account_id = %(account_id)s AND added_at IS NOT NULL AND NOT is_hub
"""

# What only its sessions could use; what was read belongs to the chats.
_KEYS = (
    "DELETE FROM media_access WHERE account_id = %(account_id)s",
    "DELETE FROM account_chats WHERE account_id = %(account_id)s",
    "DELETE FROM heard_chats WHERE account_id = %(account_id)s",
    "DELETE FROM update_state WHERE account_id = %(account_id)s",
    "DELETE FROM takeouts WHERE account_id = %(account_id)s",
    "DELETE FROM account_pace WHERE account_id = %(account_id)s",
    "DELETE FROM dialog_sweeps WHERE account_id = %(account_id)s",
)


@dataclass(frozen=True, slots=True)
class Departure:
    """What goes with an account.

    Attributes:
        chats: That it reads, hubs among them.
        handed_over: Those that another account reads from then on.
        messages_without: Stored messages of the others; they stay.
        hubs: Those that nobody could post to any more.
    """

    chats: int
    handed_over: int
    messages_without: int
    hubs: int


def hand_over(connection: Connection, leaving: AccountId | None = None) -> int:
    """Give every chat that its reader cannot read now to an account that can.

    Args:
        connection: In a transaction.
        leaving: An account that gives away all it can.

    Returns:
        How many chats changed hands.
    """
    row = connection.execute(_HAND_OVER, {"leaving": leaving, "long": LONG_FLOOD}).fetchone()
    return int(row[0]) if row else 0


def shut_out(connection: Connection, account_id: AccountId, chat_no: ChatNo) -> None:
    """Note that an account cannot read a chat, until an answer says that it is in again."""
    connection.execute(_SHUT_OUT, (account_id, chat_no))


def departure(connection: Connection, account_id: AccountId) -> Departure:
    """Say what would go with an account."""
    with connection.cursor(row_factory=class_row(Departure)) as cursor:
        row = cursor.execute(_WITH_IT, {"leaving": account_id, "long": LONG_FLOOD}).fetchone()
    return row or Departure(0, 0, 0, 0)


def leave(connection: Connection, account_id: AccountId) -> None:
    """Give away what another account can read, note the rest as lost, and forget the keys."""
    hand_over(connection, account_id)
    connection.execute(_LOST, {"account_id": account_id})
    for statement in _KEYS:
        connection.execute(statement, {"account_id": account_id})
