"""What the snapshots of the warehouse are read from: one consistent look, piece by piece.

Implements ``archive.warehouse.snapshots.Source``. Rows come by COPY, in frames of bounded size.
What a change is, the triggers of migration 0023 know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, LiteralString
from uuid import UUID

from psycopg import Connection, Cursor, sql

from archive.warehouse.parts import Change, Part
from archive.warehouse.tables import PartsBy, Table
from resources.store.database import Database
from resources.store.locks import named_lock

if TYPE_CHECKING:
    import polars as pl

# Of CSV: some three hundred thousand messages, and four times as much while a frame is made of it.
_FRAME_BYTES: Final = 32_000_000

_ONE_LOOK: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"

_LAST_BUILD: Final = "SELECT build_id FROM warehouse_state"
_CHANGES: Final = "SELECT change_id, relation, space, first, last FROM warehouse_changes"
_FORGET: Final = "DELETE FROM warehouse_changes WHERE change_id = ANY(%s)"
_REMEMBER: Final = """
INSERT INTO warehouse_state (build_id) VALUES (%s)
ON CONFLICT (only_one) DO UPDATE SET build_id = excluded.build_id, created_at = now()
"""

_WINDOW_STARTS: Final = """
SELECT chats.chat_no, array_remove(array_agg(first_id ORDER BY first_id), NULL)
FROM chats LEFT JOIN windows USING (chat_no) GROUP BY chats.chat_no ORDER BY chats.chat_no
"""

_DAYS: Final[LiteralString] = """
SELECT DISTINCT (created_at AT TIME ZONE 'UTC')::date - date '1970-01-01' FROM {}
"""

_ROWS: Final[Mapping[PartsBy, LiteralString]] = {
    PartsBy.NOTHING: "SELECT {columns} FROM {table}",
    PartsBy.MESSAGES: (
        "SELECT {columns} FROM {table} WHERE chat_no = {space}"
        " AND message_id >= {first} AND message_id < {until}"
    ),
    PartsBy.DAYS: (
        "SELECT {columns} FROM {table}"
        " WHERE created_at >= (date '1970-01-01' + {first})::timestamptz"
        " AND created_at < (date '1970-01-01' + {until})::timestamptz"
    ),
}


class SnapshotStore:
    """Looks at the archive as a whole. Satisfies ``archive.warehouse.snapshots.Source``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def look(self) -> Iterator[ArchiveLook]:
        """Look at the archive as it is now, while the body runs; one at a time.

        Raises:
            Transient: Somebody makes snapshots already, or the database does not answer.
        """
        with (
            named_lock(self._database, "snapshots", busy="the warehouse is being built"),
            self._database.transaction() as connection,
        ):
            connection.execute(_ONE_LOOK)
            yield ArchiveLook(self._database, connection)


class ArchiveLook:
    """One look; every statement sees the archive of the same moment.

    Args:
        database: For what is written once the files are in place.
        connection: In a transaction that reads only.
    """

    def __init__(self, database: Database, connection: Connection) -> None:
        self._database = database
        self._connection = connection
        row = connection.execute(_LAST_BUILD).fetchone()
        self.last_build: UUID | None = row[0] if row else None
        self._seen: list[int] = []
        self.changes: list[Change] = []
        for change_id, relation, space, first, last in connection.execute(_CHANGES):
            self._seen.append(change_id)
            self.changes.append(Change(relation, space, first, last))

    def types(self, table: Table) -> Mapping[str, str]:
        """Name PostgreSQL's type of each column, in order."""
        # Of a column that is gone the database says nothing more than that; the check names it.
        shown = sql.SQL("SELECT * FROM {} LIMIT 0").format(sql.Identifier(table.name))
        description = self._connection.execute(shown).description or ()
        types = self._connection.adapters.types
        known = {each.name: types.get(each.type_code) for each in description}
        return {
            name: found.name if (found := known[name]) else "unknown"
            for name in table.columns
            if name in known
        }

    def window_starts(self) -> Mapping[int, Sequence[int]]:
        """Give the first ids of the windows of every chat."""
        return dict(self._connection.execute(_WINDOW_STARTS).fetchall())

    def days(self, table: Table) -> Sequence[int]:
        """Give the days, since 1970-01-01, on which rows were made."""
        asked = sql.SQL(_DAYS).format(sql.Identifier(table.name))
        return [day for (day,) in self._connection.execute(asked)]

    def frames(self, table: Table, part: Part) -> Iterator[pl.DataFrame]:
        """Give the rows of a piece in frames of bounded size; none for an empty piece."""
        with self._connection.cursor() as cursor:
            for csv in _csv(cursor, _rows(table, part)):
                yield table.frame(csv)

    def settle(self, build_id: UUID) -> None:
        """Forget the changes that this look saw, and remember whose files hold them."""
        with self._database.transaction() as connection:
            connection.execute(_FORGET, (self._seen,))
            connection.execute(_REMEMBER, (build_id,))


def _rows(table: Table, part: Part) -> sql.Composed:
    """Name the rows of a piece; the names of columns are those of our own declaration."""
    return sql.SQL(_ROWS[table.parts_by]).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, table.columns)),
        table=sql.Identifier(table.name),
        space=sql.Literal(part.space),
        first=sql.Literal(part.first),
        until=sql.Literal(part.until),
    )


def _csv(cursor: Cursor, rows: sql.Composed) -> Iterator[bytearray]:
    """Copy rows out, in pieces that end with a row."""
    csv = bytearray()
    with cursor.copy(sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(rows)) as copy:
        # PostgreSQL sends one message a row.
        for row in copy:
            csv += row
            if len(csv) >= _FRAME_BYTES:
                yield csv
                csv = bytearray()
    if csv:
        yield csv
