"""The repository of the owner's Telegram accounts: who they are, and what holds one up.

Spending an account's budget, and noting its floods, is ``budgets``; which chats it reads is
``readers``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import class_row

from archive.accounts import AccountState, require_active
from archive.errors import Permanent
from archive.ids import AccountId
from archive.records import Account
from resources.store.database import Database
from resources.store.readers import Departure, departure, hand_over, leave
from resources.store.windows import ask_telegram

# A wait that is over says nothing any more.
_SELECT = """
SELECT account_id, name, state, state_reason, greatest(last_active_at, heartbeat_at) AS last_active,
       CASE WHEN flood_until > now() THEN flood_until END AS flood_until,
       CASE WHEN flood_until > now() THEN flood_method END AS flood_method
FROM accounts LEFT JOIN update_state USING (account_id)
"""
_ONE = _SELECT + "WHERE account_id = %s AND logged_in"
# An export names accounts too.
_ALL = (
    _SELECT
    + "WHERE logged_in AND state <> 'removed' ORDER BY accounts.created_at, accounts.account_id"
)

_STATE = "SELECT state, state_reason FROM accounts WHERE account_id = %s AND logged_in"

_LOGGED_IN = """
INSERT INTO accounts (account_id, name) VALUES (%s, %s)
ON CONFLICT (account_id) DO UPDATE SET name = excluded.name, logged_in = true
"""

# Says nothing of its state: it may have been paused while the connection was made.
_CONNECTED = """
INSERT INTO accounts (account_id, name, last_active_at) VALUES (%s, %s, now())
ON CONFLICT (account_id) DO UPDATE
SET name = excluded.name, logged_in = true, last_active_at = excluded.last_active_at
"""

_MOVE = """
UPDATE accounts SET state = %(state)s, state_reason = %(reason)s
WHERE account_id = %(account_id)s AND logged_in AND state = ANY(%(from_states)s)
"""

# What came to nothing while the account rested is asked for again at once.
_ASK_AGAIN = """
UPDATE windows SET demands = demands + 1
FROM chats
WHERE chats.chat_no = windows.chat_no AND account_id = %s
  AND (read_at IS NULL OR dirty OR cursor_id IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account, and what holds it up.

    Attributes:
        state_reason: Of an error, with the way out.
        last_active: When a lane of it last connected, or its listener last was alive.
        flood_until: When Telegram will listen again, while it asks to wait.
        flood_method: The request that it answered so.
    """

    account_id: AccountId
    name: str
    state: AccountState
    state_reason: str | None
    last_active: datetime | None
    flood_until: datetime | None
    flood_method: str | None

    def __post_init__(self) -> None:
        """Read the state's word."""
        object.__setattr__(self, "state", AccountState(self.state))

    @property
    def is_active(self) -> bool:
        """Whether it may be used."""
        return self.state is AccountState.ACTIVE


class AccountStore:
    """Accounts in PostgreSQL.

    Args:
        database: A migrated archive database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, account: Account) -> None:
        """Remember an account that logged in; whatever held it up is over."""
        own, held = account.account_id, (each for each in AccountState if each != "active")
        with self._database.transaction() as connection:
            connection.execute(_LOGGED_IN, (own, account.name))
            ask_telegram(connection, own)
            if _move(connection, own, AccountState.ACTIVE, *held):
                connection.execute(_ASK_AGAIN, (own,))
            hand_over(connection)

    def connected(self, account: Account) -> None:
        """Note that a lane of an account has connected."""
        with self._database.transaction() as connection:
            connection.execute(_CONNECTED, (account.account_id, account.name))

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
        """Return all accounts but removed ones, the first to log in first."""
        with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=class_row(AccountRow)) as cursor,
        ):
            return tuple(cursor.execute(_ALL))

    def require_active(self, account_id: AccountId) -> None:
        """Let an account pass that may be used, or that the store has not seen yet.

        Raises:
            AccountHeld: It rests, or has to log in again.
        """
        with self._database.transaction() as connection:
            row = connection.execute(_STATE, (account_id,)).fetchone()
        if row is not None:
            require_active(account_id, AccountState(row[0]), row[1])

    def pause(self, account_id: AccountId) -> None:
        """Let an account rest.

        Raises:
            AccountHeld: There is something else the matter with it.
        """
        with self._database.transaction() as connection:
            _move(connection, account_id, AccountState.PAUSED, AccountState.ACTIVE)
            hand_over(connection)
        self._require(account_id, AccountState.PAUSED)

    def resume(self, account_id: AccountId) -> None:
        """End a pause; what came to nothing meanwhile is asked for again.

        Raises:
            AccountHeld: There is something else the matter with it.
        """
        with self._database.transaction() as connection:
            if _move(connection, account_id, AccountState.ACTIVE, AccountState.PAUSED):
                connection.execute(_ASK_AGAIN, (account_id,))
            hand_over(connection)
        self._require(account_id, AccountState.ACTIVE)

    def fail(self, account_id: AccountId, reason: str) -> None:
        """Note that Telegram will not have an account any more, and what to do."""
        usable = (AccountState.ACTIVE, AccountState.PAUSED, AccountState.ERROR)
        with self._database.transaction() as connection:
            _move(connection, account_id, AccountState.ERROR, *usable, reason=reason)
            hand_over(connection)

    def departure(self, account_id: AccountId) -> Departure:
        """Say what would go with an account."""
        with self._database.transaction() as connection:
            return departure(connection, account_id)

    def remove(self, account_id: AccountId) -> None:
        """Take an account away; what it read stays, and belongs to chats that are lost."""
        with self._database.transaction() as connection:
            _move(connection, account_id, AccountState.REMOVED, *AccountState)
            leave(connection, account_id)

    def hand_over(self) -> int:
        """Give every chat that its account cannot read now to one that can; say how many.

        What changes an account's state does so by itself; floods and access change meanwhile.
        """
        with self._database.transaction() as connection:
            return hand_over(connection)

    def _require(self, account_id: AccountId, state: AccountState) -> None:
        found = self.get(account_id)
        if found.state is not state:
            require_active(account_id, found.state, found.state_reason)


def _move(
    connection: Connection,
    account_id: AccountId,
    state: AccountState,
    *from_states: AccountState,
    reason: str | None = None,
) -> bool:
    """Change an account's state; say whether it was in one of those."""
    values = {
        "account_id": account_id,
        "state": state,
        "reason": reason,
        "from_states": list(from_states),
    }
    return connection.execute(_MOVE, values).rowcount > 0
