"""Locks that the database holds and that a kill -9 frees by itself.

PostgreSQL session-level advisory locks, each on a connection of its own: the server lets go of
them when the socket closes, however the holder ended. Nobody waits here: a busy lock is a
``Transient``, and whoever asked comes back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

import psycopg

from archive.errors import Transient
from archive.ids import AccountId
from resources.store.database import Database

BUSY_RETRY_SECONDS = 15.0
"""When to ask again for a lock that another run holds: less than a page's worth of patience."""

# 64 bits of hash: two names meet with a probability of 2⁻⁶⁴.
_TRY = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
_FREE = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"


def account_lane(
    database: Database, account_id: AccountId, lane: str
) -> AbstractContextManager[None]:
    """Be the only one who spends an account's flood budget in a lane.

    Args:
        database: The archive.
        account_id: The account.
        lane: ``live`` or ``backfill``.

    Raises:
        Transient: Another run is in that lane.
    """
    busy = f"the account's {lane} lane is busy"
    return named_lock(database, f"lane:{account_id}:{lane}", busy=busy)


@contextmanager
def named_lock(
    database: Database,
    name: str,
    *,
    busy: str | None = None,
    retry_after_seconds: float = BUSY_RETRY_SECONDS,
) -> Iterator[None]:
    """Be the only one who does what the name says, such as ``identify``.

    Args:
        database: The archive.
        name: What is done; others see its hash in ``pg_locks``, after ``named:``.
        busy: What to tell who comes second.
        retry_after_seconds: When they may come back.

    Raises:
        Transient: Somebody else does it now.
    """
    key = f"named:{name}"
    with database.session() as connection:
        row = connection.execute(_TRY, (key,)).fetchone()
        if row is None or not row[0]:
            raise Transient(busy or f"{name} is busy", retry_after_seconds=retry_after_seconds)
        try:
            yield
        finally:
            # The server notices a closed connection a moment late: the next step of the same run
            # would find the lane busy. A connection that broke has lost the lock already.
            with suppress(psycopg.Error):
                connection.execute(_FREE, (key,))
