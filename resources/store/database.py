"""The pool of connections, and the one place that translates the driver's errors.

Repositories get a ``Database`` and open transactions on it. Queries belong to them,
schema changes to ``migrate``, starting a server to ``embedded``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import psycopg
from pgvector.psycopg import register_vector
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool

from archive.errors import Permanent, Transient

# A batch that waits for a lock this long is stuck, not busy; a statement that runs this
# long is wrong. Both then fail as Transient instead of holding a run for ever.
_OPTIONS = "-c timezone=UTC -c lock_timeout=60s -c statement_timeout=600s"
_CONNECT_TIMEOUT_SECONDS = 10
_POOL_WAIT_SECONDS = 15


class Database:
    """A thread-safe pool of connections to a migrated archive database.

    Args:
        url: ``postgresql://…`` or a libpq connection string.
        max_connections: Most connections held at once by this process.
    """

    def __init__(self, url: str, *, max_connections: int = 8) -> None:
        self._conninfo = _with_options(url)
        # min_size 1: the first error of a wrong url or a stopped server is ours to report,
        # not that of a background worker.
        self._pool = ConnectionPool(
            self._conninfo,
            min_size=1,
            max_size=max_connections,
            timeout=_POOL_WAIT_SECONDS,
            reconnect_timeout=_CONNECT_TIMEOUT_SECONDS,
            check=ConnectionPool.check_connection,
            configure=_configure,
            open=False,
        )
        with _translated():
            self._pool.open(wait=True, timeout=_POOL_WAIT_SECONDS)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Run the body in one transaction: committed at its end, rolled back on any error.

        Raises:
            Transient: The server is gone, busy, or broke the connection.
            Permanent: The statement itself is wrong or breaks a rule of the schema.
        """
        with _translated(), self._pool.connection() as connection:
            yield connection

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """Open a connection of its own, outside the pool, in autocommit mode.

        For what lives as long as a session: advisory locks, which a kill -9 frees by itself
        because the server notices the closed socket.
        """
        with _translated(), psycopg.connect(self._conninfo, autocommit=True) as connection:
            yield connection

    def close(self) -> None:
        """Give every connection back to the server."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _with_options(url: str) -> str:
    """Add our session settings to a connection string, keeping options it already has."""
    options = f"{conninfo_to_dict(url).get('options') or ''} {_OPTIONS}".strip()
    return make_conninfo(
        url,
        options=options,
        application_name="face-archive",
        connect_timeout=_CONNECT_TIMEOUT_SECONDS,
    )


def _configure(connection: Connection) -> None:
    """Teach a new connection the vector type."""
    register_vector(connection)
    connection.commit()


@contextmanager
def _translated() -> Iterator[None]:
    """Map the driver's errors onto the archive's; everything else passes unchanged."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError) as exc:
        cause = _without_detail(exc)
        raise Transient(f"the database did not answer: {cause}") from cause
    except psycopg.Error as exc:
        cause = _without_detail(exc)
        raise Permanent(f"the database refused a statement: {cause}") from cause


def _without_detail(exc: psycopg.Error) -> psycopg.Error:
    """Return the driver's error without its detail, which quotes the row.

    Whoever shows an error shows its causes too: Dagster would keep a message's text in its
    event log.
    """
    first_line = (str(exc).splitlines() or [type(exc).__name__])[0]
    return type(exc)(first_line).with_traceback(exc.__traceback__)
