"""The repository of exports: their chats, messages, windows, and where their files lie.

Implements ``archive.exports.records.ExportStore``. Messages are written by the statements of
``messages``, as a live reading's are; here is what an export may say beside what Telegram said.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Final

from psycopg import Connection

from archive.errors import Permanent
from archive.exports.records import (
    EXPORTED,
    Absence,
    Absent,
    ExportedChat,
    ExportedMessage,
    Place,
    Stored,
)
from archive.history.ports import Plan
from archive.ids import AccountId, ChatNo, MediaId, MessageId
from archive.records import Chat
from resources.store import windows as rows
from resources.store.chats import chat_meant, mark_added
from resources.store.database import Database
from resources.store.messages import clean_json, may_know, upsert_messages
from resources.store.peers import upsert_peers

_ADD_ACCOUNT = """
INSERT INTO accounts (account_id, name, logged_in) VALUES (%s, %s, false) ON CONFLICT DO NOTHING
"""

_ADD_FOLDER = """
INSERT INTO exports (folder) VALUES (%(folder)s)
ON CONFLICT (folder) DO UPDATE SET folder = excluded.folder
RETURNING export_no
"""

_MAY_ARCHIVE = """
SELECT allow_archive AND NOT is_hub, clock_timestamp()
FROM chats WHERE chat_no = %(chat_no)s FOR NO KEY UPDATE
"""

# What an export need not say again: Telegram said it, or an export did in the same words.
_KNOWN = """
SELECT message_id, raw ->> '_' = %(exported)s
FROM messages JOIN unnest(%(ids)s::bigint[], %(raws)b::text[]) AS page (message_id, said)
    USING (message_id)
WHERE chat_no = %(chat_no)s
  AND (raw ->> '_' IS DISTINCT FROM %(exported)s OR raw = said::jsonb)
"""

# Names follow Telegram, where it ever told them.
_USERS = """
INSERT INTO users (user_id, first_name)
SELECT * FROM unnest(%(ids)s::bigint[], %(names)s::text[])
ON CONFLICT DO NOTHING
"""

# Another content under a name that stays: as if never seen.
_FORGET_CHANGED = """
WITH changed AS (
    UPDATE media SET content_key = NULL
    FROM unnest(%(ids)s::text[], %(sizes)s::bigint[]) AS page (media_id, size_bytes)
    WHERE media.media_id = page.media_id AND media.size_bytes <> page.size_bytes
    RETURNING media.media_id
)
DELETE FROM media_products USING changed WHERE media_products.media_id = changed.media_id
"""

# An export without files takes nothing away from an earlier one that had them.
_FILES = """
INSERT INTO exported_files AS known (media_id, export_no, path)
SELECT media_id, %(export_no)s, path
FROM unnest(%(ids)s::text[], %(paths)s::text[]) AS page (media_id, path)
JOIN media USING (media_id)
ON CONFLICT (media_id) DO UPDATE SET export_no = excluded.export_no, path = excluded.path
WHERE excluded.path IS NOT NULL
  AND (known.export_no, known.path) IS DISTINCT FROM (excluded.export_no, excluded.path)
"""

_READ = """
UPDATE windows
SET from_export = true, read_at = coalesce(read_at, now()),
    watermark = greatest(watermark, least(last_id, top_message_id))
FROM chats
WHERE chats.chat_no = windows.chat_no AND windows.chat_no = %(chat_no)s
  AND window_key = ANY(%(keys)s::text[]) AND (read_at IS NULL OR from_export)
  AND cursor_id IS NULL
"""

_ASK = """
UPDATE windows SET dirty = true, demands = demands + 1
WHERE chat_no = %(chat_no)s AND EXISTS (
    SELECT FROM unnest(%(ids)s::bigint[]) AS touched (message_id)
    WHERE message_id BETWEEN first_id AND last_id)
"""

_ABSENT = """
SELECT DISTINCT media_id, path, size_bytes
FROM message_media JOIN exported_files USING (media_id) JOIN media USING (media_id)
JOIN media_products USING (media_id)
WHERE chat_no = %(chat_no)s AND path IS NOT NULL
  AND state = 'skipped' AND reason = ANY(%(reasons)s)
"""

_REOPEN = """
DELETE FROM media_products
WHERE media_id = ANY(%(media_ids)s) AND state = 'skipped' AND reason = ANY(%(reasons)s)
"""

_MESSAGES_OF = """
SELECT message_id FROM message_media
WHERE chat_no = %(chat_no)s AND media_id = ANY(%(media_ids)s)
"""

_PLACE = """
SELECT folder, path FROM exported_files JOIN exports USING (export_no) WHERE media_id = %s
"""

_NUMBERS = """
SELECT path, message_id
FROM message_media JOIN exported_files USING (media_id)
WHERE chat_no = %s AND path IS NOT NULL
"""

# Whoever is logged in may still lack the key to a chat that only an export told of.
_IS_READABLE = """
SELECT logged_in
   AND (kind = 'basic_group' OR chat_id = account_id
        OR EXISTS (
            SELECT FROM account_chats AS key
            WHERE key.account_id = chats.account_id AND key.chat_no = chats.chat_no
              AND key.access_hash IS NOT NULL)
        OR NOT EXISTS (
            SELECT FROM windows WHERE windows.chat_no = chats.chat_no AND from_export))
FROM accounts JOIN chats USING (account_id) WHERE chat_no = %s
"""

_ABSENCES: Final = [str(reason) for reason in Absence]


class ExportStore:
    """Exports in PostgreSQL.

    Args:
        database: A migrated archive database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_chat(self, found: ExportedChat, account_id: AccountId) -> Chat:
        """Make a chat known; everything about it stays as it is, or off.

        What Telegram told of a chat stays: an export may be years old.

        Args:
            found: The chat.
            account_id: In whose numbering its messages are; ``NO_ACCOUNT`` for one of its own.
        """
        with self._database.transaction() as connection:
            connection.execute(_ADD_ACCOUNT, (account_id, "(never logged in)"))
            if chat_meant(connection, found.chat_id, account_id) is None:
                upsert_peers(connection, account_id, [found.peer])
            mark_added(connection, found.chat_id, account_id)
            chat = chat_meant(connection, found.chat_id, account_id)
        if chat is None:
            raise Permanent(f"The chat {found.title!r} could not be stored.")
        return chat

    def number_of(self, folder: Path) -> int:
        """Return the number of an export by the folder in which it lies."""
        with self._database.transaction() as connection:
            row = connection.execute(_ADD_FOLDER, {"folder": str(folder)}).fetchone()
        assert row is not None, "it was inserted or is there"
        return int(row[0])

    def store_page(
        self, chat: Chat, export_no: int, page: Sequence[ExportedMessage]
    ) -> Stored | None:
        """Store messages in one transaction; ``None`` where the chat may not be archived."""
        values = {"chat_no": chat.chat_no}
        with self._database.transaction() as connection:
            allowed = connection.execute(_MAY_ARCHIVE, values).fetchone()
            if allowed is None or not allowed[0]:
                return None
            known = _known(connection, chat.chat_no, page)
            fresh = [each for each in page if each.message.message_id not in known]
            _add_users(connection, fresh)
            _forget_changed(connection, fresh)
            messages = [each.message for each in fresh]
            added = upsert_messages(
                connection, chat.chat_no, chat.account_id, messages, as_of=allowed[1]
            )
            # Telegram's own message shows its own file.
            theirs = {message_id for message_id, is_ours in known.items() if not is_ours}
            ours = [each for each in page if each.message.message_id not in theirs]
            _place_files(connection, export_no, ours)
        return Stored(added, tuple(message.message_id for message in messages))

    def finish(self, chat_no: ChatNo, plan: Plan, touched: Collection[MessageId]) -> int:
        """Remember the windows, ask for those that hold touched ids; return how many are new."""
        with self._database.transaction() as connection:
            new = rows.add_windows(connection, chat_no, plan)
            keys = [window.key for window in plan.windows]
            connection.execute(_READ, {"chat_no": chat_no, "keys": keys})
            if touched:
                connection.execute(_ASK, {"chat_no": chat_no, "ids": list(touched)})
        return len(new)

    def absent(self, chat_no: ChatNo) -> Sequence[Absent]:
        """Return the media that were skipped for want of their file, where one is named."""
        values = {"chat_no": chat_no, "reasons": _ABSENCES}
        with self._database.transaction() as connection:
            return [Absent(*row) for row in connection.execute(_ABSENT, values)]

    def reopen(self, chat_no: ChatNo, media_ids: Collection[MediaId]) -> None:
        """Let the next pass look at media again."""
        values = {"chat_no": chat_no, "media_ids": list(media_ids), "reasons": _ABSENCES}
        with self._database.transaction() as connection:
            connection.execute(_REOPEN, values)
            ids = [message_id for (message_id,) in connection.execute(_MESSAGES_OF, values)]
            connection.execute(_ASK, {"chat_no": chat_no, "ids": ids})

    def place_of(self, media_id: MediaId) -> Place | None:
        """Return where a medium's file lies; ``None`` where no export brought it."""
        with self._database.transaction() as connection:
            row = connection.execute(_PLACE, (media_id,)).fetchone()
        return None if row is None else Place(Path(row[0]), row[1])

    def numbers_of(self, chat_no: ChatNo) -> dict[str, MessageId]:
        """Return which message each file of a folder is."""
        with self._database.transaction() as connection:
            return dict(connection.execute(_NUMBERS, (chat_no,)).fetchall())

    def is_readable(self, chat_no: ChatNo) -> bool:
        """Whether the account of a chat can ask for it: else exports are all there is of it."""
        with self._database.transaction() as connection:
            row = connection.execute(_IS_READABLE, (chat_no,)).fetchone()
        return row is None or bool(row[0])


def _known(
    connection: Connection, chat_no: ChatNo, page: Sequence[ExportedMessage]
) -> dict[MessageId, bool]:
    """Return the messages that are left as they are, and whether an export brought them."""
    ids = [each.message.message_id for each in page]
    if not may_know(connection, chat_no, ids):
        return {}
    values = {
        "chat_no": chat_no,
        "exported": EXPORTED,
        "ids": ids,
        "raws": [clean_json(each.message.raw) for each in page],
    }
    return {message_id: bool(ours) for message_id, ours in connection.execute(_KNOWN, values)}


def _add_users(connection: Connection, page: Sequence[ExportedMessage]) -> None:
    names = {each.sender.user_id: each.sender.first_name for each in page if each.sender}
    if names:
        ordered = sorted(names)
        # NUL is what PostgreSQL cannot store.
        texts = [(names[each] or "").replace("\0", "") for each in ordered]
        connection.execute(_USERS, {"ids": ordered, "names": texts})


def _forget_changed(connection: Connection, page: Sequence[ExportedMessage]) -> None:
    files = [each.message.media for each in page if each.message.media]
    if files:
        values = {
            "ids": [file.media_id for file in files],
            "sizes": [file.size_bytes for file in files],
        }
        connection.execute(_FORGET_CHANGED, values)


def _place_files(connection: Connection, export_no: int, page: Sequence[ExportedMessage]) -> None:
    places = {each.message.media.media_id: each.path for each in page if each.message.media}
    if not places:
        return
    values: dict[str, Any] = {
        "export_no": export_no,
        "ids": list(places),
        "paths": [path and path.replace("\0", "") for path in places.values()],
    }
    connection.execute(_FILES, values)
