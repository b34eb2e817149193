"""Windows in the store: rows to values, and the planning that history and the inbox share.

Statements on a connection that the caller opened; the repositories are its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from archive.history.pace import PROBE_AFTER
from archive.history.ports import Plan
from archive.ids import AccountId, ChatNo, MessageId
from archive.windows import Descent, Window, WindowRow

LOST_AGAIN_AFTER = timedelta(hours=6)
"""How soon a lost chat is asked for again, by its newest window: one request."""

_OF_CHAT = """
SELECT windows.chat_no, first_id, last_id, watermark, dirty, demands, read_at,
       cursor_id, floor_id, reach_id, coalesce(chats.top_message_id, 0) AS known_top
FROM windows JOIN chats USING (chat_no)
WHERE windows.chat_no = %(chat_no)s OR chats.migrated_to = %(chat_no)s
ORDER BY windows.chat_no <> %(chat_no)s, first_id DESC
"""

# Newest first within each chat, and no chat waits for the whole history of another. Growth
# that a live update named is left to the run which that update asks for.
#
# History is done before the media are, and a run may end in between or leave a file for later:
# media without ledger rows, and open rows whose time has come, bring their window back. Ten
# minutes leave room for the run that is at it; one that takes longer is seen by the lock of
# ``media.MediaStore.hold``. A failed row tells its last try by when it is due again: files that
# fail in one second may be due hours apart, and each needs a run of its own then.
#
# A held backfill holds nothing of what was read already, or begun.
# While Telegram asks an account to wait, or it rests, a run of its chats could only end at once.
_TO_SUBMIT = """
WITH unfinished AS (
    SELECT chat_no, message_id, created_at AS since
    FROM message_media
    WHERE NOT EXISTS (
        SELECT FROM media_products WHERE media_products.media_id = message_media.media_id)
    UNION ALL
    SELECT chat_no, message_id, coalesce(retry_at, media_products.updated_at)
    FROM media_products JOIN message_media USING (media_id) JOIN chats USING (chat_no)
    WHERE (media_products.state = 'pending'
           OR media_products.state = 'failed' AND retry_at IS NOT NULL)
      AND (product = 'fingerprints' OR product IN ('faces', 'embeddings') AND allow_faces
           OR product = 'originals' AND keep_originals)
), halted AS (
    SELECT window_key, max(since) AS halted_at
    FROM unfinished
    JOIN messages USING (chat_no, message_id)
    JOIN windows
        ON windows.chat_no = unfinished.chat_no AND message_id BETWEEN first_id AND last_id
    WHERE messages.deleted_at IS NULL AND read_at IS NOT NULL
      AND since < now() - interval '10 minutes'
      AND NOT EXISTS (
          SELECT FROM pg_locks
          WHERE locktype = 'advisory' AND objsubid = 1
            AND ((classid::bigint << 32) | objid::bigint)
                = hashtextextended('named:media window ' || window_key, 0))
    GROUP BY window_key
)
SELECT windows.chat_no, first_id, last_id, watermark, dirty, demands, read_at,
       cursor_id, floor_id, reach_id, coalesce(chats.top_message_id, 0) AS known_top,
       greatest(halted_at, lost_checked_at, CASE WHEN resume_at <= now() THEN resume_at END)
           AS halted_at
FROM windows JOIN chats USING (chat_no) LEFT JOIN halted USING (window_key)
WHERE chats.allow_archive
  AND (chats.state = 'active'
       OR lost_checked_at < now() - %(lost_again)s
          AND NOT EXISTS (
              SELECT FROM windows AS later
              WHERE later.chat_no = windows.chat_no AND later.first_id > windows.first_id))
  AND NOT EXISTS (
      SELECT FROM account_pace
      WHERE account_pace.account_id = chats.account_id AND slow_since IS NOT NULL
        AND measured_at > now() - %(probe_after)s)
  AND NOT EXISTS (
      SELECT FROM accounts
      WHERE accounts.account_id = chats.account_id
        AND (accounts.flood_until > now() OR accounts.state <> 'active'))
  AND (chats.state = 'lost' OR halted_at IS NOT NULL OR resume_at <= now()
       OR NOT chats.hold_backfill
          AND (read_at IS NULL OR dirty OR cursor_id IS NOT NULL
               OR watermark < least(last_id, chats.top_message_id)
                  AND NOT EXISTS (
                      SELECT FROM inbox
                      WHERE inbox.applied_at IS NULL AND inbox.chat_no = windows.chat_no
                        AND inbox.message_id BETWEEN first_id AND last_id)))
ORDER BY row_number() OVER (PARTITION BY windows.chat_no ORDER BY first_id DESC), windows.chat_no
"""

_INSERT = """
INSERT INTO windows (window_key, chat_no, first_id, last_id)
SELECT window_key, %(chat_no)s, first_id, last_id
FROM unnest(%(keys)s::text[], %(firsts)s::bigint[], %(lasts)s::bigint[])
    AS planned (window_key, first_id, last_id)
ON CONFLICT DO NOTHING
RETURNING window_key
"""

_COVER = """
UPDATE chats
SET window_width = coalesce(window_width, %(width)s),
    top_message_id = greatest(top_message_id, %(known_top)s),
    planned_through = greatest(planned_through, %(through)s)
WHERE chat_no = %(chat_no)s
"""

# What an export told of them is not all that an account can see.
_ASK_TELEGRAM = """
UPDATE windows SET dirty = true, demands = demands + 1
FROM chats JOIN accounts USING (account_id)
WHERE chats.chat_no = windows.chat_no AND account_id = %s
  AND logged_in AND from_export AND NOT dirty
"""

_PLANNED_THROUGH = "SELECT planned_through FROM chats WHERE chat_no = %s"


class WindowRecord(NamedTuple):
    """A row of ``windows`` beside its chat's newest known id."""

    chat_no: ChatNo
    first_id: MessageId
    last_id: MessageId
    watermark: MessageId
    dirty: bool
    demands: int
    read_at: datetime | None
    cursor_id: MessageId | None
    floor_id: MessageId | None
    reach_id: MessageId | None
    known_top: MessageId
    halted_at: datetime | None = None
    from_export: bool = False

    def value(self) -> WindowRow:
        """Return what the archive calls it."""
        descent = None
        if self.cursor_id is not None and self.floor_id is not None and self.reach_id is not None:
            descent = Descent(self.cursor_id, self.floor_id, self.reach_id)
        return WindowRow(
            Window(self.chat_no, self.first_id, self.last_id),
            self.watermark,
            self.known_top,
            self.dirty,
            self.demands,
            self.read_at,
            descent,
            self.halted_at,
            self.from_export,
        )


def windows_of(connection: Connection, chat_no: ChatNo) -> list[WindowRow]:
    """Return the windows of a chat, newest first, then those of the group that it was before."""
    with connection.cursor(row_factory=class_row(WindowRecord)) as cursor:
        rows = cursor.execute(_OF_CHAT, {"chat_no": chat_no})
        return [record.value() for record in rows]


def windows_to_submit(connection: Connection) -> list[WindowRow]:
    """Return the windows that a backfill has to read, newest of each chat first."""
    with connection.cursor(row_factory=class_row(WindowRecord)) as cursor:
        rows = cursor.execute(
            _TO_SUBMIT, {"lost_again": LOST_AGAIN_AFTER, "probe_after": PROBE_AFTER}
        )
        return [record.value() for record in rows]


def add_windows(connection: Connection, chat_no: ChatNo, plan: Plan) -> tuple[Window, ...]:
    """Insert a plan's windows and note how far they cover; return the new ones in order."""
    parameters = {
        "chat_no": chat_no,
        "width": plan.width,
        "known_top": plan.known_top,
        "through": plan.planned_through,
    }
    connection.execute(_COVER, parameters)
    added = set(_insert(connection, chat_no, plan.windows))
    return tuple(window for window in plan.windows if window.key in added)


def ask_telegram(connection: Connection, account_id: AccountId) -> None:
    """Ask for the windows that only an export told of and that an account can read now."""
    connection.execute(_ASK_TELEGRAM, (account_id,))


def planned_through(connection: Connection, chat_no: ChatNo) -> MessageId:
    """Return the id up to which a chat's messages lie in planned windows; 0 for none."""
    row = connection.execute(_PLANNED_THROUGH, (chat_no,)).fetchone()
    return MessageId(row[0] if row else 0)


def _insert(connection: Connection, chat_no: ChatNo, windows: Sequence[Window]) -> list[str]:
    rows = connection.execute(
        _INSERT,
        {
            "chat_no": chat_no,
            "keys": [window.key for window in windows],
            "firsts": [window.first_id for window in windows],
            "lasts": [window.last_id for window in windows],
        },
    )
    return [key for (key,) in rows]
