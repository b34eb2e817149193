"""Numbered SQL migrations: which exist, which were applied, and applying the rest.

A migration is a file ``migrations/NNNN_name.sql``, run once, in its own transaction, in
order. An applied file never changes: its digest is kept and compared. No migration goes
back; a backup does.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files

import psycopg
from psycopg import Connection

from archive.errors import Permanent, Transient

_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    digest text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
)
"""
_APPLIED = "SELECT number, digest FROM schema_migrations"
_RECORD = "INSERT INTO schema_migrations (number, name, digest) VALUES (%s, %s, %s)"
# Two processes that start together must not both migrate; the number is arbitrary.
_LOCK = "SELECT pg_advisory_xact_lock(7203144)"


@dataclass(frozen=True, slots=True)
class Migration:
    """One file, and whether this database has it."""

    number: int
    name: str
    sql: str
    applied: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 of the file's text, as hex."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def status(url: str) -> list[Migration]:
    """List every migration in order, with whether the database at ``url`` has it.

    Raises:
        Permanent: An applied migration was changed, or the database is newer than the code.
        Transient: The server does not answer.
    """
    with _connect(url) as connection:
        return _status(connection)


def migrate(url: str) -> list[Migration]:
    """Apply what is missing and return it; nothing to do returns an empty list.

    Raises:
        Permanent: A migration is refused by the database, or the histories disagree.
        Transient: The server does not answer.
    """
    applied = []
    with _connect(url) as connection:
        while migration := _apply_next(connection):
            applied.append(migration)
    return applied


def require_migrated(url: str) -> None:
    """Refuse a database that lacks a migration, before anything fails on it half-way.

    Raises:
        Permanent: It lacks one; the message says how to apply it.
        Transient: The server does not answer.
    """
    missing = [each for each in status(url) if not each.applied]
    if missing:
        names = ", ".join(f"{each.number:04} ({each.name})" for each in missing)
        message = f"the database lacks {names}: run `face-archive db migrate`"
        raise Permanent(message)


def _apply_next(connection: Connection) -> Migration | None:
    with connection.transaction():
        connection.execute(_LOCK)
        missing = [each for each in _status(connection) if not each.applied]
        if not missing:
            return None
        migration = missing[0]
        try:
            connection.execute(migration.sql.encode())
        except psycopg.Error as exc:
            message = f"migration {migration.number:04} ({migration.name}) was refused: {exc}"
            raise Permanent(message) from exc
        connection.execute(_RECORD, (migration.number, migration.name, migration.digest))
        return migration


def _status(connection: Connection) -> list[Migration]:
    connection.execute(_LEDGER)
    applied: dict[int, str] = dict(connection.execute(_APPLIED).fetchall())
    known = _shipped()
    if newer := applied.keys() - {each.number for each in known}:
        message = (
            f"the database has migration {max(newer)}, which this version does not know: "
            "install the newer version of the archive"
        )
        raise Permanent(message)
    for each in known:
        if applied.get(each.number, each.digest) != each.digest:
            message = f"migration {each.number:04} was changed after it was applied"
            raise Permanent(message)
    return [
        Migration(each.number, each.name, each.sql, applied=each.number in applied)
        for each in known
    ]


def _shipped() -> list[Migration]:
    folder = files("resources.store") / "migrations"
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".sql"))
    return [
        Migration(
            number=int(name[:4]),
            name=name[5:].removesuffix(".sql"),
            sql=(folder / name).read_text(encoding="utf-8"),
        )
        for name in names
    ]


def _connect(url: str) -> Connection:
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as exc:
        message = f"the database did not answer: {exc}"
        raise Transient(message) from exc
