"""The repository of the owner's Telegram accounts: who they are, and what holds one up.

Spending an account's budget, and noting its floods, is ``budgets``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from archive.errors import Permanent
from archive.ids import AccountId
from archive.records import Account
from resources.store.database import Database
from resources.store.windows import ask_telegram

# A wait that is over says nothing any more.
_SELECT = """
SELECT account_id, name, state, state_reason,
       CASE WHEN flood_until > now() THEN flood_until END AS flood_until,
       CASE WHEN flood_until > now() THEN flood_method END AS flood_method
FROM accounts
"""
_ONE = _SELECT + "WHERE account_id = %s AND logged_in"
# An export names accounts too.
_ALL = _SELECT + "WHERE logged_in ORDER BY created_at, account_id"

_UPSERT = """
INSERT INTO accounts (account_id, name) VALUES (%s, %s)
ON CONFLICT (account_id) DO UPDATE SET name = excluded.name, logged_in = true
"""

_SET_STATE = "UPDATE accounts SET state = %s, state_reason = %s WHERE account_id = %s"


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account, and what holds it up.

    Attributes:
        state: ``active``, ``paused`` or ``error``; the reason says more.
        flood_until: When Telegram will listen again, while it asks to wait.
        flood_method: The request that it answered so.
    """

    account_id: AccountId
    name: str
    state: str
    state_reason: str | None
    flood_until: datetime | None
    flood_method: str | None


class AccountStore:
    """Accounts in PostgreSQL.

    Args:
        database: A migrated archive database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, account: Account) -> None:
        """Remember an account that logged in."""
        with self._database.transaction() as connection:
            connection.execute(_UPSERT, (account.account_id, account.name))
            ask_telegram(connection, account.account_id)

    def get(self, account_id: AccountId) -> AccountRow:
        """Return an account; ``Permanent`` where it never logged in."""
        with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=class_row(AccountRow)) as cursor,
        ):
            row = cursor.execute(_ONE, (account_id,)).fetchone()
        if row is None:
            raise Permanent("This account never logged in: run `face-archive login`.")
        return row

    def list(self) -> tuple[AccountRow, ...]:
        """Return all accounts, the first to log in first."""
        with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=class_row(AccountRow)) as cursor,
        ):
            return tuple(cursor.execute(_ALL))

    def set_state(self, account_id: AccountId, state: str, reason: str | None = None) -> None:
        """Say whether the account can be used: ``active``, ``paused`` or ``error``."""
        with self._database.transaction() as connection:
            connection.execute(_SET_STATE, (state, reason, account_id))
