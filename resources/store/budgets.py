"""The request budget of an account, as one row that every run of it shares.

Implements ``archive.budgets.RequestBudget``. The clock is the database's, the only one that runs
on two machines have in common. How an account is doing is shown by ``accounts``.
"""

from __future__ import annotations

from typing import Final

from archive.budgets import Permit
from archive.errors import Permanent
from archive.ids import AccountId
from resources.store.database import Database

BURST_SECONDS: Final = 60.0
"""What an idle account may spend at once: a minute's worth, so that small work never waits."""

# A token bucket kept as the time up to which it is spent (the generic cell rate algorithm, ITU-T
# I.371): whoever comes takes the next moment, so that two runs take turns without asking twice.
# The few requests that a power cut would forget are not worth waiting for the disk each time.
_TAKE = """
UPDATE accounts
SET spent_until = CASE
    WHEN flood_until > clock_timestamp() THEN spent_until
    ELSE greatest(spent_until, clock_timestamp() - make_interval(secs => %(burst)s))
         + make_interval(secs => %(cost)s)
    END
WHERE account_id = %(account_id)s
RETURNING greatest(0, extract(epoch FROM flood_until - clock_timestamp()))::double precision,
          greatest(0, extract(epoch FROM spent_until - clock_timestamp()))::double precision,
          set_config('synchronous_commit', 'off', true)
"""

# A wait that is told while a longer one is known shortens nothing.
_FLOOD = """
UPDATE accounts
SET flood_until = clock_timestamp() + make_interval(secs => %(seconds)s),
    flood_method = %(method)s
WHERE account_id = %(account_id)s
  AND coalesce(flood_until, '-infinity') < clock_timestamp() + make_interval(secs => %(seconds)s)
"""


class AccountBudget:
    """One account's budget in PostgreSQL.

    Args:
        database: A migrated archive database.
        account_id: Whose; it has logged in.
        requests_per_minute: What it may ask for in the long run.
    """

    def __init__(
        self, database: Database, account_id: AccountId, *, requests_per_minute: int
    ) -> None:
        self._database = database
        self._account_id = account_id
        self._seconds_a_request = 60.0 / requests_per_minute

    def take(self, requests: int) -> Permit:
        """Take some requests from the budget; with 0 only ask whether Telegram listens."""
        values = {
            "account_id": self._account_id,
            "burst": BURST_SECONDS,
            "cost": requests * self._seconds_a_request,
        }
        with self._database.transaction() as connection:
            row = connection.execute(_TAKE, values).fetchone()
        if row is None:
            raise Permanent("This account never logged in: run `face-archive login`.")
        return Permit(flood_seconds=row[0], pace_seconds=row[1] if requests else 0.0)

    def flooded(self, method: str, seconds: float) -> None:
        """Tell all others that Telegram asked the account to wait."""
        values = {"account_id": self._account_id, "method": method, "seconds": seconds}
        with self._database.transaction() as connection:
            connection.execute(_FLOOD, values)
