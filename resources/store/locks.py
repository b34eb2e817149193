"""Locks that the database holds and that a kill -9 frees by itself.

PostgreSQL session-level advisory locks, each on a connection of its own: the server lets go of
them when the socket closes, however the holder ended. Nobody waits here: a busy lock is a
``Transient``, and whoever asked comes back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from archive.errors import Transient
from archive.ids import AccountId
from resources.store.database import Database

BUSY_RETRY_SECONDS = 15.0
"""When to ask again for a lock that another run holds: less than a page's worth of patience."""

# 64 bits of hash: two names meet with a probability of 2⁻⁶⁴.
_TRY = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
_FREE = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"


@contextmanager
def account_lane(database: Database, account_id: AccountId, lane: str) -> Iterator[None]:
    """Be the only one who spends an account's flood budget in a lane.

    Args:
        database: The archive.
        account_id: The account.
        lane: ``live`` or ``backfill``.

    Raises:
        Transient: Another run is in that lane.
    """
    with _lock(database, f"lane:{account_id}:{lane}", f"the account's {lane} lane is busy"):
        yield


@contextmanager
def named_lock(database: Database, name: str) -> Iterator[None]:
    """Be the only one who does what the name says, such as ``identify``.

    Raises:
        Transient: Somebody else does it now.
    """
    with _lock(database, f"named:{name}", f"{name} is busy"):
        yield


@contextmanager
def _lock(database: Database, key: str, busy: str) -> Iterator[None]:
    with database.session() as connection:
        row = connection.execute(_TRY, (key,)).fetchone()
        if row is None or not row[0]:
            raise Transient(busy, retry_after_seconds=BUSY_RETRY_SECONDS)
        try:
            yield
        finally:
            # The server notices a closed connection a moment late: the next step of the same run
            # would find the lane busy. A connection that broke has lost the lock already.
            with suppress(psycopg.Error):
                connection.execute(_FREE, (key,))
