"""The repository of windows and their messages: one transaction a page, cursor included.

Implements ``archive.history.ports.HistoryStore``. The bulk statements are in ``messages`` and
``peers``; here is what makes a page whole: the switch, the proof of what exists, the cursor.
"""

from __future__ import annotations

from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import class_row

from archive.deletions import DELETION_BURST
from archive.errors import Permanent
from archive.history.ports import Look, PageCommit, Plan, Stored
from archive.ids import ChatNo, MessageId
from archive.records import Chat
from archive.windows import Descent, Window, WindowKey, WindowRow
from resources.store import windows as rows
from resources.store.chats import chat_of
from resources.store.database import Database
from resources.store.deletion_marks import mark_deleted
from resources.store.messages import upsert_messages
from resources.store.peers import upsert_peers, upsert_users
from resources.store.readers import hand_over, shut_out

_ROW = """
SELECT windows.chat_no, first_id, last_id, watermark, dirty, demands, read_at,
       cursor_id, floor_id, reach_id, coalesce(chats.top_message_id, 0) AS known_top, from_export
FROM windows JOIN chats USING (chat_no)
WHERE window_key = %(window_key)s
"""

_NOW = """
SELECT clock_timestamp(),
       (SELECT coalesce(max(inbox_id), 0) FROM inbox),
       EXISTS (
           SELECT FROM inbox
           WHERE applied_at IS NULL AND change = 'gap' AND chat_no = %(chat_no)s
             AND message_id BETWEEN %(first_id)s AND %(last_id)s)
"""

# The lock is held until the commit: a switch that goes off waits for this page, and no page
# comes after it. It also orders two runs that read the same chat.
_MAY_ARCHIVE = """
SELECT allow_archive AND NOT is_hub FROM chats WHERE chat_no = %(chat_no)s FOR NO KEY UPDATE
"""

_ANSWER = """
UPDATE inbox SET applied_at = now()
WHERE applied_at IS NULL AND inbox_id <= %(inbox_up_to)s AND change <> 'gap'
  AND chat_no = %(chat_no)s AND message_id BETWEEN %(first_id)s AND %(last_id)s
  AND (%(named)s::bigint[] IS NULL OR message_id = ANY(%(named)s::bigint[]))
"""

_SET_CURSOR = """
UPDATE windows SET cursor_id = %(cursor)s, floor_id = %(floor)s, reach_id = %(reach)s
WHERE window_key = %(window_key)s
"""

_RAISE_TOP = """
UPDATE chats SET top_message_id = %(top)s
WHERE chat_no = %(chat_no)s AND coalesce(top_message_id, 0) < %(top)s
"""

_CLOCK = "SELECT clock_timestamp()"

_FINISH = """
UPDATE windows
SET cursor_id = NULL, floor_id = NULL, reach_id = NULL, read_at = now(),
    from_export = false, watermark = greatest(watermark, %(reach)s)
WHERE window_key = %(window_key)s
"""

_CLOSE_GAPS = """
UPDATE inbox SET applied_at = now()
WHERE applied_at IS NULL AND inbox_id <= %(gaps_up_to)s AND change = 'gap'
  AND chat_no = %(chat_no)s AND message_id BETWEEN %(first_id)s AND %(last_id)s
"""

_WAITING = """
SELECT DISTINCT message_id FROM inbox
WHERE applied_at IS NULL AND inbox_id <= %(up_to)s AND change <> 'gap'
  AND chat_no = %(chat_no)s AND message_id BETWEEN %(first_id)s AND %(last_id)s
ORDER BY message_id
"""

_SETTLE = """
UPDATE windows SET dirty = false, resume_at = NULL
WHERE window_key = %(window_key)s AND (dirty OR resume_at IS NOT NULL)
"""

_POSTPONE = """
UPDATE windows SET resume_at = clock_timestamp() + make_interval(secs => %(seconds)s)
WHERE window_key = %(window_key)s
"""

_MARK_LOST = """
UPDATE chats SET state = 'lost', state_reason = %s, lost_checked_at = now(), updated_at = now()
WHERE chat_no = %s AND account_id = %s
"""

_MARK_ACTIVE = """
UPDATE chats
SET state = 'active', state_reason = NULL, lost_checked_at = NULL, updated_at = now()
WHERE chat_no = %s
"""

_KNOWN_KEYS = """
SELECT window_key FROM windows JOIN chats USING (chat_no)
WHERE chats.allow_archive ORDER BY chat_no, first_id DESC
"""


class HistoryStore:
    """Windows and messages in PostgreSQL.

    Args:
        database: A migrated archive database.
        deletion_burst: More deletions within ten minutes wait for a person.
    """

    def __init__(self, database: Database, *, deletion_burst: int = DELETION_BURST) -> None:
        self._database = database
        self._deletion_burst = deletion_burst

    def chat(self, chat_no: ChatNo) -> Chat:
        """Return a chat; ``Permanent`` where there is none of that number."""
        with self._database.transaction() as connection:
            return chat_of(connection, chat_no)

    def planned_through(self, chat_no: ChatNo) -> MessageId:
        """Return the id up to which every message lies in a planned window; 0 for none."""
        with self._database.transaction() as connection:
            return rows.planned_through(connection, chat_no)

    def add_windows(self, chat_no: ChatNo, plan: Plan) -> tuple[Window, ...]:
        """Remember windows and how far they cover; return the new ones, in their order."""
        with self._database.transaction() as connection:
            return rows.add_windows(connection, chat_no, plan)

    def windows_to_submit(self) -> list[WindowRow]:
        """Return the windows that a backfill has to read, newest of each chat first.

        Those never read, dirty, half read, or grown, of chats whose backfill is not held, and
        those read whose media were left unfinished, of all chats that may be archived.
        """
        with self._database.transaction() as connection:
            return rows.windows_to_submit(connection)

    def known_window_keys(self) -> list[WindowKey]:
        """Return the keys of all windows of chats that may be archived, newest first a chat."""
        with self._database.transaction() as connection:
            return [WindowKey(key) for (key,) in connection.execute(_KNOWN_KEYS)]

    def look(self, window: Window) -> Look:
        """Say how far a window is; ``Permanent`` where it was never planned."""
        parameters = _of(window)
        with self._database.transaction() as connection:
            with connection.cursor(row_factory=class_row(rows.WindowRecord)) as cursor:
                record = cursor.execute(_ROW, parameters).fetchone()
            if record is None:
                raise Permanent(f"The window {window.key} was never planned.")
            as_of, inbox_up_to, has_gap = _one(connection, _NOW, parameters)
        return Look(record.value(), as_of, inbox_up_to, has_gap)

    def store_page(self, chat: Chat, commit: PageCommit) -> Stored | None:
        """Store a page with its cursor in one transaction; ``None`` where the switch is off."""
        received = [message.message_id for message in commit.messages]
        parameters = {
            **_of(commit.window),
            "first_id": commit.first_id,
            "last_id": commit.last_id,
            "named": None if commit.named is None else list(commit.named),
            "received": received,
            "as_of": commit.as_of,
            "inbox_up_to": commit.inbox_up_to,
        }
        with self._database.transaction() as connection:
            if not _one(connection, _MAY_ARCHIVE, parameters)[0]:
                return None
            upsert_peers(connection, chat.account_id, commit.chats)
            upsert_users(connection, commit.users)
            added = upsert_messages(
                connection, chat.chat_no, chat.account_id, commit.messages, commit.as_of
            )
            deleted, held = mark_deleted(connection, parameters, self._deletion_burst)
            connection.execute(_ANSWER, parameters)
            if commit.descent is not None:
                connection.execute(_SET_CURSOR, parameters | _cursor(commit.descent))
            if received:
                connection.execute(_RAISE_TOP, parameters | {"top": max(received)})
            as_of = _one(connection, _CLOCK, {})[0]
        media = sum(message.media is not None for message in commit.messages)
        return Stored(as_of, added, deleted, media, held)

    def finish(self, window: Window, descent: Descent, *, gaps_up_to: int) -> None:
        """End a reading: raise the watermark to its reach; gaps up to there are closed."""
        parameters = _of(window) | _cursor(descent) | {"gaps_up_to": gaps_up_to}
        with self._database.transaction() as connection:
            connection.execute(_FINISH, parameters)
            connection.execute(_CLOSE_GAPS, parameters)

    def waiting(self, window: Window, up_to: int) -> tuple[MessageId, ...]:
        """Return the messages in the window that live updates up to there still name."""
        with self._database.transaction() as connection:
            found = connection.execute(_WAITING, _of(window) | {"up_to": up_to})
            return tuple(message_id for (message_id,) in found)

    def postpone(self, window: Window, seconds: float) -> None:
        """Note that a run of the window ended early, and when it is to be asked for again."""
        with self._database.transaction() as connection:
            connection.execute(_POSTPONE, _of(window) | {"seconds": seconds})

    def mark_lost(self, chat: Chat, reason: str) -> None:
        """Note that the account cannot read the chat; another one does from now on, if it can."""
        with self._database.transaction() as connection:
            shut_out(connection, chat.account_id, chat.chat_no)
            # Not if another account reads it by now.
            connection.execute(_MARK_LOST, (reason, chat.chat_no, chat.account_id))
            hand_over(connection)

    def mark_active(self, chat_no: ChatNo) -> None:
        """Note that it can again."""
        with self._database.transaction() as connection:
            connection.execute(_MARK_ACTIVE, (chat_no,))

    def settle(self, window: Window) -> None:
        """Note that everything asked of the window so far is read: it is no longer dirty."""
        with self._database.transaction() as connection:
            connection.execute(_SETTLE, _of(window))


def _of(window: Window) -> dict[str, Any]:
    return {
        "window_key": window.key,
        "chat_no": window.chat_no,
        "first_id": window.first_id,
        "last_id": window.last_id,
    }


def _cursor(descent: Descent) -> dict[str, Any]:
    return {"cursor": descent.cursor, "floor": descent.floor, "reach": descent.reach}


def _one(
    connection: Connection, query: LiteralString, parameters: dict[str, Any]
) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = connection.execute(query, parameters).fetchone()
    if row is None:
        raise Permanent("The chat was erased while it was being read.")
    return row
