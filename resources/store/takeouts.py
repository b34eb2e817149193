"""The repository of export sessions: one a lane of an account, kept from run to run."""

from __future__ import annotations

from psycopg.rows import class_row

from archive.ids import AccountId
from archive.records import TakeoutNote
from resources.store.database import Database

_SELECT = """
SELECT takeout_id, refused_until, reason FROM takeouts WHERE account_id = %s AND lane = %s
"""

_SAVE = """
INSERT INTO takeouts (account_id, lane, takeout_id, refused_until, reason)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (account_id, lane) DO UPDATE
SET takeout_id = excluded.takeout_id, refused_until = excluded.refused_until,
    reason = excluded.reason
"""

_WORK_LEFT = """
SELECT EXISTS (
    SELECT FROM windows JOIN chats USING (chat_no)
    WHERE chats.account_id = %s AND allow_archive AND state = 'active'
      AND (read_at IS NULL OR cursor_id IS NOT NULL))
"""


class TakeoutStore:
    """The export session of one lane of an account.

    Args:
        database: A migrated archive database.
        account_id: An account that logged in.
        lane: Whose session of Telegram's it belongs to.
    """

    def __init__(self, database: Database, account_id: AccountId, lane: str) -> None:
        self._database = database
        self._of = (account_id, str(lane))

    def load(self) -> TakeoutNote:
        """Return what is known."""
        with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=class_row(TakeoutNote)) as cursor,
        ):
            return cursor.execute(_SELECT, self._of).fetchone() or TakeoutNote()

    def save(self, note: TakeoutNote) -> None:
        """Remember it instead."""
        values = (*self._of, note.takeout_id, note.refused_until, note.reason)
        with self._database.transaction() as connection:
            connection.execute(_SAVE, values)

    def work_left(self) -> bool:
        """Whether the account has windows that were not read to their end, held ones included."""
        with self._database.transaction() as connection:
            row = connection.execute(_WORK_LEFT, self._of[:1]).fetchone()
        return bool(row and row[0])
