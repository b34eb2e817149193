"""What may be asked of Telegram by an account, and written to a hub: one row that all runs share.

Implements ``archive.budgets.RequestBudget``. The clock is the database's, the only one that runs
on two machines have in common. How an account is doing is shown by ``accounts``, how a hub is
by ``publish status``.
"""

from __future__ import annotations

from typing import Final, LiteralString

from psycopg.rows import TupleRow

from archive.accounts import AccountState, require_active
from archive.budgets import Permit
from archive.errors import Permanent
from archive.ids import AccountId
from archive.publishing import HubNo
from resources.store.database import Database

BURST_SECONDS: Final = 60.0
"""What an idle account may spend at once: a minute's worth, so that small work never waits."""

# A token bucket kept as the time up to which it is spent (the generic cell rate algorithm, ITU-T
# I.371): whoever comes takes the next moment, so that two runs take turns without asking twice.
_SPEND: Final[LiteralString] = """
SET spent_until = CASE
    WHEN flood_until > clock_timestamp() THEN spent_until
    ELSE greatest(spent_until, clock_timestamp() - make_interval(secs => %(burst)s))
         + make_interval(secs => %(cost)s)
    END
"""

# The few requests that a power cut would forget are not worth waiting for the disk each time.
_PERMIT: Final[LiteralString] = """
RETURNING greatest(0, extract(epoch FROM flood_until - clock_timestamp()))::double precision,
          greatest(0, extract(epoch FROM spent_until - clock_timestamp()))::double precision,
          set_config('synchronous_commit', 'off', true)
"""

# A wait that is told while a longer one is known shortens nothing.
_FLOOD: Final[LiteralString] = """
SET flood_until = clock_timestamp() + make_interval(secs => %(seconds)s),
    flood_method = %(method)s
WHERE coalesce(flood_until, '-infinity') < clock_timestamp() + make_interval(secs => %(seconds)s)
"""

_TAKE_OF_ACCOUNT = (
    "UPDATE accounts" + _SPEND + "WHERE account_id = %(key)s" + _PERMIT + ", state, state_reason"
)
_TAKE_OF_HUB = "UPDATE hubs" + _SPEND + "WHERE hub_no = %(key)s" + _PERMIT
_FLOOD_ACCOUNT = "UPDATE accounts" + _FLOOD + "AND account_id = %(key)s"
_FLOOD_HUB = "UPDATE hubs" + _FLOOD + "AND hub_no = %(key)s"


class _RowBudget:
    """A budget kept in the row of what it is the budget of."""

    _take: LiteralString
    _flood: LiteralString
    _missing: str

    def __init__(self, database: Database, key: int, per_minute: int, burst_seconds: float) -> None:
        self._database = database
        self._key = key
        self._seconds_a_request = 60.0 / per_minute
        self._burst_seconds = burst_seconds

    def take(self, requests: int) -> Permit:
        """Take some requests from the budget; with 0 only ask whether Telegram listens."""
        values = {
            "key": self._key,
            "burst": self._burst_seconds,
            "cost": requests * self._seconds_a_request,
        }
        with self._database.transaction() as connection:
            row = connection.execute(self._take, values).fetchone()
        if row is None:
            raise Permanent(self._missing)
        self._check(row)
        return Permit(flood_seconds=row[0], pace_seconds=row[1] if requests else 0.0)

    def _check(self, row: TupleRow) -> None:
        """Look whether requests may be made at all."""

    def flooded(self, method: str, seconds: float) -> None:
        """Tell all others that Telegram asked to wait."""
        values = {"key": self._key, "method": method, "seconds": seconds}
        with self._database.transaction() as connection:
            connection.execute(self._flood, values)


class AccountBudget(_RowBudget):
    """One account's budget in PostgreSQL.

    Args:
        database: A migrated archive database.
        account_id: Whose; it has logged in.
        requests_per_minute: What it may ask for in the long run.
    """

    _take = _TAKE_OF_ACCOUNT
    _flood = _FLOOD_ACCOUNT
    _missing = "This account never logged in: run `face-archive login`."

    def __init__(
        self, database: Database, account_id: AccountId, *, requests_per_minute: int
    ) -> None:
        super().__init__(database, account_id, requests_per_minute, BURST_SECONDS)

    def _check(self, row: TupleRow) -> None:
        # Asked before each request, so that a pause ends runs that are under way.
        require_active(AccountId(self._key), AccountState(row[3]), row[4])


class HubBudget(_RowBudget):
    """One hub's budget in PostgreSQL: how often it may be written to.

    One write is saved up while nobody writes, and no more: a full bucket and its refill together
    would allow nearly twice the rate in the first minute, and Telegram's limit of about 20
    messages a minute in a group (https://core.telegram.org/bots/faq) has no room for that.

    Args:
        database: A migrated archive database.
        hub_no: Which hub.
        operations_per_minute: Most writes in any minute, by all runs together.
    """

    _take = _TAKE_OF_HUB
    _flood = _FLOOD_HUB
    _missing = "There is no such hub."

    def __init__(self, database: Database, hub_no: HubNo, *, operations_per_minute: int) -> None:
        super().__init__(database, hub_no, operations_per_minute, 60.0 / operations_per_minute)
