"""The repository of dialogs: which chats an account is in, and how far their list has been read.

Implements ``archive.chats.discovering.DialogStore``. Names, keys and successors of chats are
written as for any other answer (``peers``); what is theirs alone is whether an account is in a
chat, and what follows for whether it can read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from psycopg import Connection

from archive.chats.discovering import Beyond, DialogCursor, DialogList, Sweep
from archive.errors import Permanent
from archive.exports.records import NO_ACCOUNT
from archive.ids import AccountId, ChatId, ChatNo
from archive.records import ChatKind, PeerInfo, Presence
from resources.store.chats import chat_of, mark_added
from resources.store.database import Database
from resources.store.peers import upsert_peers

_BEGIN = """
INSERT INTO dialog_sweeps AS known (account_id) VALUES (%(account_id)s)
ON CONFLICT (account_id) DO UPDATE
SET started_at = now(), finished_at = NULL, new_since = known.finished_at
WHERE known.finished_at IS NOT NULL
"""

_SWEEP = """
SELECT started_at, finished_at, list, beyond_sent_at, beyond_message_id, chat_id, kind,
       access_hash,
       (SELECT count(*) FROM account_chats AS listed
        WHERE listed.account_id = dialog_sweeps.account_id AND listed_at >= started_at)
FROM dialog_sweeps
LEFT JOIN chats ON chats.chat_no = beyond_chat_no
LEFT JOIN account_chats
    ON account_chats.chat_no = beyond_chat_no
    AND account_chats.account_id = dialog_sweeps.account_id
WHERE dialog_sweeps.account_id = %(account_id)s
"""

_GO_ON = """
UPDATE dialog_sweeps
SET list = %(list)s, beyond_sent_at = %(sent_at)s, beyond_message_id = %(message_id)s,
    beyond_chat_no = (
        SELECT chat_no FROM chats
        WHERE chat_id = %(chat_id)s AND (id_space = 'own' OR account_id = %(account_id)s))
WHERE account_id = %(account_id)s
"""

# The next reading begins at the top again. What this one did not find the account has left, or
# its owner deleted the dialog.
_FINISH = """
UPDATE dialog_sweeps
SET finished_at = now(), list = 'main', beyond_chat_no = NULL, beyond_sent_at = NULL,
    beyond_message_id = NULL
WHERE account_id = %(account_id)s
"""
_UNLIST_OTHERS = """
UPDATE account_chats SET discovered_at = NULL, listed_at = NULL
FROM dialog_sweeps
WHERE account_chats.account_id = %(account_id)s
  AND dialog_sweeps.account_id = account_chats.account_id AND listed_at < started_at
"""

_LIST = """
UPDATE account_chats
SET discovered_at = CASE WHEN inside THEN coalesce(discovered_at, now()) END,
    listed_at = CASE WHEN inside THEN now() END
FROM unnest(%(chat_ids)s::bigint[], %(inside)s::boolean[]) AS seen (chat_id, inside)
JOIN chats ON chats.chat_id = seen.chat_id
    AND (chats.id_space = 'own' OR chats.account_id = %(account_id)s)
WHERE account_chats.account_id = %(account_id)s AND account_chats.chat_no = chats.chat_no
  AND (inside OR listed_at IS NOT NULL)
"""

# Only the account that reads a chat can lose it. What it left and is public can still be read;
# who is in again can read again.
_SHUT_OUT_REASON = "the account is not, or no longer, a member of it"
_FOLLOW_ACCESS = """
UPDATE chats
SET state = CASE WHEN presence = 'inside' THEN 'active' ELSE 'lost' END,
    state_reason = CASE WHEN presence = 'inside' THEN NULL ELSE %(reason)s END,
    lost_checked_at = CASE WHEN presence = 'inside' THEN NULL ELSE now() END,
    updated_at = now()
FROM unnest(%(chat_ids)s::bigint[], %(presences)s::text[]) AS seen (chat_id, presence)
WHERE chats.chat_id = seen.chat_id AND chats.account_id = %(account_id)s
  AND (presence = 'inside' AND state = 'lost' OR presence = 'shut_out' AND state = 'active')
"""

_IS_DISCOVERED = "SELECT FROM dialog_sweeps WHERE account_id = %s"
_ADDED = """
SELECT chat_id FROM chats
WHERE chat_id = ANY(%(chat_ids)s::bigint[]) AND added_at IS NOT NULL
  AND (id_space = 'own' OR account_id = %(account_id)s)
"""

_NEW = """
SELECT chat_no FROM account_chats
JOIN dialog_sweeps USING (account_id) JOIN chats USING (chat_no)
WHERE discovered_at > coalesce(new_since, '-infinity') AND added_at IS NULL
"""

_IS_IN = """
SELECT FROM account_chats WHERE chat_no = %s AND account_id = %s AND listed_at IS NOT NULL
"""

_LISTED_BY = """
SELECT account_id FROM account_chats
WHERE chat_no = %s AND listed_at IS NOT NULL ORDER BY discovered_at, account_id LIMIT 1
"""


class DialogStore:
    """Dialogs in PostgreSQL.

    Args:
        database: A migrated archive database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, account_id: AccountId) -> Sweep:
        """Begin a reading, or go on with one that was broken off."""
        with self._database.transaction() as connection:
            connection.execute(_BEGIN, {"account_id": account_id})
            return _sweep(connection, account_id)

    def keep(
        self, account_id: AccountId, peers: Sequence[PeerInfo], cursor: DialogCursor | None
    ) -> Sweep:
        """Store a page and where to go on, in one transaction."""
        with self._database.transaction() as connection:
            _store(connection, account_id, peers)
            if cursor is None:
                connection.execute(_UNLIST_OTHERS, {"account_id": account_id})
                connection.execute(_FINISH, {"account_id": account_id})
            else:
                connection.execute(_GO_ON, _place(account_id, cursor))
            return _sweep(connection, account_id)

    def new(self) -> frozenset[ChatNo]:
        """Return the chats that were found after the look before the last, and not chosen yet."""
        with self._database.transaction() as connection:
            return frozenset(chat_no for (chat_no,) in connection.execute(_NEW))

    def is_in(self, chat_no: ChatNo, account_id: AccountId) -> bool:
        """Whether an account was found in a chat."""
        with self._database.transaction() as connection:
            return connection.execute(_IS_IN, (chat_no, account_id)).fetchone() is not None

    def adopt(self, chat_no: ChatNo) -> None:
        """Let a chat that came out of an export be read by the account that was found in it."""
        with self._database.transaction() as connection:
            chat = chat_of(connection, chat_no)
            listed = connection.execute(_LISTED_BY, (chat_no,)).fetchone()
            if listed is not None and chat.account_id == NO_ACCOUNT:
                mark_added(connection, chat.chat_id, listed[0])


def note_seen(connection: Connection, account_id: AccountId, peers: Sequence[PeerInfo]) -> None:
    """Store what updates show of chats.

    Chats that nobody knows are taken in only for an account whose owner had its chats discovered:
    before that the archive knows of those that were named to it.
    """
    if not peers:
        return
    if connection.execute(_IS_DISCOVERED, (account_id,)).fetchone() is None:
        ids = {"account_id": account_id, "chat_ids": [peer.chat_id for peer in peers]}
        added = {chat_id for (chat_id,) in connection.execute(_ADDED, ids)}
        peers = [peer for peer in peers if peer.chat_id in added]
    _store(connection, account_id, peers)


def _store(connection: Connection, account_id: AccountId, peers: Sequence[PeerInfo]) -> None:
    """Write chats, whether the account is in them, and whether it can read them."""
    peers = list({peer.chat_id: peer for peer in peers}.values())
    upsert_peers(connection, account_id, peers)
    seen = {
        "account_id": account_id,
        "chat_ids": [peer.chat_id for peer in peers],
        "inside": [peer.presence is Presence.INSIDE for peer in peers],
        "presences": [peer.presence.value for peer in peers],
        "reason": _SHUT_OUT_REASON,
    }
    connection.execute(_LIST, seen)
    connection.execute(_FOLLOW_ACCESS, seen)


def _sweep(connection: Connection, account_id: AccountId) -> Sweep:
    row = connection.execute(_SWEEP, {"account_id": account_id}).fetchone()
    if row is None:
        raise Permanent("No reading of this account's dialogs was begun.")
    started_at, finished_at, list_, *place, seen = row
    cursor = None if finished_at else DialogCursor(DialogList(list_), _beyond(*place))
    return Sweep(started_at, cursor, seen)


def _beyond(
    sent_at: datetime | None,
    message_id: int | None,
    chat_id: ChatId | None,
    kind: str | None,
    access_hash: int | None,
) -> Beyond | None:
    if sent_at is None or message_id is None or chat_id is None or kind is None:
        return None
    return Beyond(sent_at, message_id, chat_id, ChatKind(kind), access_hash)


def _place(account_id: AccountId, cursor: DialogCursor) -> dict[str, object]:
    place = cursor.beyond
    return {
        "account_id": account_id,
        "list": cursor.list.value,
        "sent_at": place and place.sent_at,
        "message_id": place and place.message_id,
        "chat_id": place and place.chat_id,
    }
