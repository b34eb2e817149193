"""The repository of chats: which there are, who reads them, what their owner allowed.

Implements ``archive.chats.ChatStore``. Rules about switches are the archive's; the CHECKs of
the schema are the second pair of eyes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import dict_row

from archive.chats import Allowance, find_chat
from archive.errors import Permanent
from archive.exports.records import NO_ACCOUNT
from archive.ids import AccountId, ChatId, ChatNo
from archive.records import Chat, ChatKind, ChatState, MediaKind, OnDeletion, PeerInfo, Switches
from archive.windows import WindowRow
from resources.store.database import Database
from resources.store.peers import upsert_peers
from resources.store.windows import ask_telegram, windows_of

_SELECT = """
SELECT chats.chat_no, chat_id, account_id, kind, title, username, access_hash, is_forum,
       noforwards, allow_archive, allow_faces, allow_publish, keep_originals, window_width,
       top_message_id,
       media_types, max_media_bytes, hold_backfill, is_hub, on_deletion,
       state, state_reason, migrated_to
FROM chats LEFT JOIN account_chats USING (account_id, chat_no)
"""
_BY_NUMBER = _SELECT + "WHERE chats.chat_no = %s"
_BY_ID = _SELECT + "WHERE chat_id = %s AND (id_space = 'own' OR account_id = %s)"
# A group that became a supergroup is one chat with it, and goes by the supergroup's name.
_ADDED = (
    _SELECT
    + """
WHERE added_at IS NOT NULL AND migrated_to IS NULL ORDER BY lower(title), chats.chat_no
"""
)
_KNOWN = (
    _SELECT
    + """
WHERE migrated_to IS NULL
  AND (added_at IS NOT NULL
       OR EXISTS (
           SELECT FROM account_chats AS listed
           WHERE listed.chat_no = chats.chat_no AND listed_at IS NOT NULL))
ORDER BY lower(title), chats.chat_no
"""
)
_ALLOWED = (
    _SELECT + "WHERE allow_archive AND migrated_to IS NULL ORDER BY lower(title), chats.chat_no"
)
_HEARD_BY = (
    _SELECT
    + """
WHERE account_id = %s AND allow_archive AND NOT is_hub AND state = 'active'
  AND migrated_to IS NULL
ORDER BY chats.chat_no
"""
)
_HUBS_HEARD_BY = (
    _SELECT
    + """
WHERE account_id = %s AND is_hub AND state = 'active'
  AND EXISTS (SELECT FROM hubs WHERE hubs.chat_no = chats.chat_no)
ORDER BY chats.chat_no
"""
)
_PREDECESSORS = _SELECT + "WHERE chats.migrated_to = %s ORDER BY chats.chat_no"
_UNPLANNED = (
    _SELECT
    + """
WHERE allow_archive AND planned_through = 0 AND state = 'active' ORDER BY chats.chat_no
"""
)

# A chat that was only spoken of, or came out of an export, is read by the account that adds it.
_MARK_ADDED = """
UPDATE chats
SET added_at = coalesce(added_at, now()),
    account_id = CASE %(account_id)s WHEN %(no_account)s THEN account_id ELSE %(account_id)s END
WHERE chat_id = %(chat_id)s AND (id_space = 'own' OR account_id = %(account_id)s)
  AND (added_at IS NULL OR account_id = %(no_account)s AND %(account_id)s <> %(no_account)s)
"""

_SET_ALLOWANCE = """
UPDATE chats
SET allow_archive = %(archive)s, allow_faces = %(faces)s,
    allow_publish = %(publish)s AND NOT (noforwards AND chat_no <> %(chat_no)s),
    keep_originals = %(keep_originals)s,
    faces_denied_at = CASE
        WHEN %(faces)s THEN NULL WHEN %(drop_faces)s THEN now() ELSE faces_denied_at END,
    media_types = %(media_types)s, max_media_bytes = %(max_media_bytes)s,
    hold_backfill = %(hold_backfill)s, on_deletion = %(on_deletion)s, updated_at = now(),
    -- Whoever allows a chat that was only discovered has named it.
    added_at = CASE WHEN %(archive)s THEN coalesce(added_at, now()) ELSE added_at END
WHERE chat_no = %(chat_no)s OR migrated_to = %(chat_no)s
"""

_DIRTY = """
UPDATE windows SET dirty = true, demands = demands + 1
WHERE chat_no IN (
        SELECT chat_no FROM chats WHERE chat_no = %(chat_no)s OR migrated_to = %(chat_no)s)
  AND read_at IS NOT NULL AND EXISTS (
    SELECT FROM message_media
    WHERE message_media.chat_no = windows.chat_no
      AND message_media.message_id BETWEEN windows.first_id AND windows.last_id)
"""

_MARK_HUB = """
UPDATE chats SET is_hub = true, updated_at = now()
WHERE chat_no = %s AND NOT allow_archive
"""


class ChatStore:
    """Chats in PostgreSQL.

    Args:
        database: A migrated archive database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, chat_no: ChatNo) -> Chat:
        """Return a chat; ``Permanent`` where there is none of that number."""
        with self._database.transaction() as connection:
            return chat_of(connection, chat_no)

    def by_chat_id(self, chat_id: ChatId, account_id: AccountId) -> Chat | None:
        """Return the chat that an account means by a marked id."""
        with self._database.transaction() as connection:
            return chat_meant(connection, chat_id, account_id)

    def find(self, text: str) -> Chat:
        """Return the one added chat meant by a number, marked id, ``@username``, link or title.

        Raises:
            Permanent: None or several are meant.
        """
        return find_chat(self.list(), text)

    def list(self) -> Sequence[Chat]:
        """Return the chats that were added, hubs among them, by title."""
        with self._database.transaction() as connection:
            return _chats(connection, _ADDED, ())

    def known(self) -> Sequence[Chat]:
        """Return the chats that were added or that an account was found in, by title."""
        with self._database.transaction() as connection:
            return _chats(connection, _KNOWN, ())

    def allowed(self) -> Sequence[Chat]:
        """Return the chats that may be archived, by title."""
        with self._database.transaction() as connection:
            return _chats(connection, _ALLOWED, ())

    def unplanned(self) -> Sequence[Chat]:
        """Return the chats that may be archived and have no windows yet."""
        with self._database.transaction() as connection:
            return _chats(connection, _UNPLANNED, ())

    def predecessors(self, chat_no: ChatNo) -> Sequence[Chat]:
        """Return the groups that became this supergroup: one at most, as each account sees it."""
        with self._database.transaction() as connection:
            return _chats(connection, _PREDECESSORS, (chat_no,))

    def upsert_peer(self, account_id: AccountId, peer: PeerInfo) -> Chat:
        """Add a chat, or bring what is known of it up to date."""
        with self._database.transaction() as connection:
            upsert_peers(connection, account_id, [peer])
            mark_added(connection, peer.chat_id, account_id)
            chat = chat_meant(connection, peer.chat_id, account_id)
        if chat is None:
            raise Permanent(f"The chat {peer.title!r} could not be stored.")
        return chat

    def set_allowance(
        self, chat_no: ChatNo, allowance: Allowance, *, again: bool, drop_faces: bool = False
    ) -> Chat:
        """Store what the owner decided.

        Args:
            chat_no: The chat.
            allowance: All of it.
            again: Mark windows with media dirty.
            drop_faces: Let the view ``lost_contents`` show what was made of its faces.
        """
        parameters = {
            "chat_no": chat_no,
            "archive": allowance.switches.archive,
            "faces": allowance.switches.faces,
            "publish": allowance.switches.publish,
            "keep_originals": allowance.switches.keep_originals,
            "media_types": sorted(kind.value for kind in allowance.media_types),
            "max_media_bytes": allowance.max_media_bytes,
            "hold_backfill": allowance.hold_backfill,
            "on_deletion": allowance.on_deletion,
            "drop_faces": drop_faces,
        }
        with self._database.transaction() as connection:
            connection.execute(_SET_ALLOWANCE, parameters)
            if again:
                connection.execute(_DIRTY, parameters)
            return chat_of(connection, chat_no)

    def windows(self, chat_no: ChatNo) -> Sequence[WindowRow]:
        """Return the chat's windows, newest first, then those of the group that it was before."""
        with self._database.transaction() as connection:
            return windows_of(connection, chat_no)

    def mark_hub(self, chat_no: ChatNo) -> None:
        """Make the chat a hub; ``Permanent`` where it is a source."""
        with self._database.transaction() as connection:
            chat_of(connection, chat_no)
            if connection.execute(_MARK_HUB, (chat_no,)).rowcount == 0:
                raise Permanent(
                    "This chat is archived, and a hub is never a source. Deny it first "
                    "(`face-archive chats deny`), or choose another chat."
                )


def mark_added(connection: Connection, chat_id: ChatId, account_id: AccountId) -> None:
    """Note that a chat's owner named it, and whose account reads it from now on."""
    named = {"account_id": account_id, "chat_id": chat_id, "no_account": NO_ACCOUNT}
    connection.execute(_MARK_ADDED, named)
    ask_telegram(connection, account_id)


def chat_of(connection: Connection, chat_no: ChatNo) -> Chat:
    """Return a chat by its number; ``Permanent`` where there is none."""
    found = _chats(connection, _BY_NUMBER, (chat_no,))
    if not found:
        raise Permanent(f"There is no chat of number {chat_no}.")
    return found[0]


def chat_meant(connection: Connection, chat_id: ChatId, account_id: AccountId) -> Chat | None:
    """Return the chat that an account means by a marked id."""
    found = _chats(connection, _BY_ID, (chat_id, account_id))
    return found[0] if found else None


def chats_heard_by(connection: Connection, account_id: AccountId) -> list[Chat]:
    """Return the chats that an account archives and can see."""
    return _chats(connection, _HEARD_BY, (account_id,))


def hubs_heard_by(connection: Connection, account_id: AccountId) -> list[Chat]:
    """Return the hubs of an account that it can see."""
    return _chats(connection, _HUBS_HEARD_BY, (account_id,))


def _chats(
    connection: Connection, query: LiteralString, parameters: tuple[object, ...]
) -> list[Chat]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return [_chat(row) for row in cursor.execute(query, parameters)]


def _chat(row: dict[str, Any]) -> Chat:
    archive, faces, publish = (row.pop(f"allow_{name}") for name in ("archive", "faces", "publish"))
    row["kind"] = ChatKind(row["kind"])
    row["state"] = ChatState(row["state"])
    row["on_deletion"] = OnDeletion(row["on_deletion"])
    row["media_types"] = frozenset(MediaKind(kind) for kind in row["media_types"])
    originals = row.pop("keep_originals")
    return Chat(**row, switches=Switches(archive, faces, publish, originals))
