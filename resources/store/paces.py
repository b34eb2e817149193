"""The repository of how fast Telegram answers each account, and which are slow now."""

from __future__ import annotations

from typing import LiteralString

from psycopg.rows import dict_row

from archive.history.pace import Pace
from archive.ids import AccountId
from resources.store.database import Database

_SELECT = """
SELECT account_id, newest_seconds, baseline_seconds, slow_since, measured_at FROM account_pace
"""
_ONE = _SELECT + "WHERE account_id = %s"
_SLOW = _SELECT + "WHERE slow_since IS NOT NULL ORDER BY account_id"

_SAVE = """
INSERT INTO account_pace (account_id, newest_seconds, baseline_seconds, slow_since, measured_at)
VALUES (%(account_id)s, %(newest)s, %(baseline)s, %(slow_since)s, %(measured_at)s)
ON CONFLICT (account_id) DO UPDATE
SET newest_seconds = excluded.newest_seconds, baseline_seconds = excluded.baseline_seconds,
    slow_since = excluded.slow_since, measured_at = excluded.measured_at
"""


class PaceStore:
    """Paces in PostgreSQL.

    Args:
        database: A migrated archive database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, account_id: AccountId) -> Pace:
        """Return what is remembered of an account; an empty pace before its first answer."""
        found = self._find(_ONE, account_id)
        return found[0] if found else Pace(account_id)

    def slow(self) -> list[Pace]:
        """Return the accounts that Telegram answers slowly."""
        return self._find(_SLOW)

    def save(self, pace: Pace) -> None:
        """Remember an account's pace; nothing before its first answer."""
        if pace.measured_at is None:
            return
        values = {
            "account_id": pace.account_id,
            "newest": list(pace.newest_seconds),
            "baseline": pace.baseline_seconds,
            "slow_since": pace.slow_since,
            "measured_at": pace.measured_at,
        }
        with self._database.transaction() as connection:
            connection.execute(_SAVE, values)

    def _find(self, query: LiteralString, *parameters: object) -> list[Pace]:
        with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            rows = cursor.execute(query, parameters).fetchall()
        return [Pace(**row | {"newest_seconds": tuple(row["newest_seconds"])}) for row in rows]
