"""Reading the warehouse: questions in SQL, answered without a way out of its one file.

Only reading belongs here. Whoever asks may be anybody with a keyboard: neither files nor the
network can be reached from a question, and no question changes how it is answered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from archive.errors import Permanent, Transient

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BUSY_SECONDS: Final = 30.0
_BATCH: Final = 1_000

# Without external access there is no other file, no address, no extension and no variable of
# Python's; once locked, nothing can be set again.
# https://duckdb.org/docs/current/operations_manual/securing_duckdb/overview
_RESTRAINTS: Final = (
    "SET GLOBAL TimeZone = 'UTC'",
    "SET GLOBAL enable_external_access = false",
    "SET GLOBAL lock_configuration = true",
)

# Two connections of a process share one database: the second finds it restrained, or must wait.
_RESTRAINING: Final = Lock()

_COLUMNS: Final = """
SELECT tables.table_name, tables.comment, columns.column_name, columns.data_type, columns.comment
FROM duckdb_tables() AS tables
JOIN duckdb_columns() AS columns USING (table_oid)
WHERE tables.schema_name = 'main' AND NOT tables.internal AND NOT tables.temporary
ORDER BY tables.table_name, columns.column_index
"""


def warehouse_file(data_dir: Path) -> Path:
    """Say where the warehouse of a data folder is; a build ends with a rename to this name."""
    return data_dir / "warehouse" / "archive.duckdb"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question came to; the rows can be read once, while the warehouse is open.

    Attributes:
        columns: Names, each once.
        rows: Values in the order of the columns.
    """

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class MartColumn:
    """A column of a mart; `about` is empty where nobody described it."""

    mart: str
    mart_about: str
    name: str
    data_type: str
    about: str


class Warehouse:
    """The marts of one installation, for reading.

    Args:
        file: Where they are, once they were built.
    """

    def __init__(self, file: Path) -> None:
        self.file = file

    @contextmanager
    def ask(self, sql: str, parameters: Mapping[str, object] | None = None) -> Iterator[Answer]:
        """Answer a question while the body reads the rows.

        Args:
            sql: Of several statements the last one answers.
            parameters: For the names with a ``$`` in it, no more and no fewer.

        Raises:
            Permanent: There is no warehouse, or the question cannot be answered.
            Transient: Somebody writes to the file itself.
        """
        with self._open() as connection, _one_line_errors():
            asked = connection.execute(sql, dict(parameters) if parameters else None)
            # Of nothing but blanks there is no result at all, whatever its type says.
            description = getattr(asked, "description", None)
            if description is None:
                raise Permanent("Nothing was asked: there is no statement in it.")
            yield Answer(_unique([each[0] for each in description]), _rows(connection))

    def save_parquet(
        self,
        sql: str,
        parameters: Mapping[str, object] | None,
        output: Path,
        *,
        most: int | None = None,
    ) -> None:
        """Write the answer to a question to a Parquet file, in one rename.

        Args:
            sql: Of several statements the last one answers.
            parameters: For the names with a ``$`` in it.
            output: Takes the place of a file that is there.
            most: Most rows; None writes all.

        Raises:
            Permanent: There is no warehouse, or the question has no rows to write.
            Transient: Somebody writes to the file itself.
        """
        fresh = output.with_name(f"{output.name}.new")
        try:
            with self._open(writes=fresh) as connection, _one_line_errors():
                relation = connection.sql(sql, params=dict(parameters) if parameters else None)
                if relation is None:
                    raise Permanent("This statement has no rows to write.")
                limited = relation if most is None else relation.limit(most)
                limited.write_parquet(str(fresh))
            fresh.replace(output)
        finally:
            fresh.unlink(missing_ok=True)

    def columns(self) -> list[MartColumn]:
        """Describe every mart, in the words that its build wrote beside it.

        Raises:
            Permanent: There is no warehouse.
            Transient: Somebody writes to the file itself.
        """
        with self.ask(_COLUMNS) as answer:
            return [
                MartColumn(mart, mart_about or "", name, str(data_type).lower(), about or "")
                for mart, mart_about, name, data_type, about in answer.rows
            ]

    @contextmanager
    def _open(self, *, writes: Path | None = None) -> Iterator[DuckDBPyConnection]:
        """Open the file, restrained before anybody's SQL is seen.

        Args:
            writes: The only file that the question may touch.
        """
        import duckdb

        if not self.file.exists():
            raise Permanent(
                "There is no warehouse yet: `face-archive warehouse` builds it, `face-archive up` "
                "does once a day."
            )
        try:
            connection = duckdb.connect(str(self.file), read_only=True)
        except (duckdb.IOException, duckdb.ConnectionException) as exc:
            raise _cannot_open(exc) from exc
        with connection:
            _restrain(connection, writes)
            yield connection


def _cannot_open(error: Exception) -> Permanent | Transient:
    if "lock" in str(error) or "different configuration" in str(error):
        return Transient("The warehouse is being built.", _BUSY_SECONDS)
    return Permanent("The warehouse cannot be read: build it again with `face-archive warehouse`.")


def _restrain(connection: DuckDBPyConnection, writes: Path | None) -> None:
    with _RESTRAINING:
        row = connection.execute("SELECT current_setting('lock_configuration')").fetchone()
        if row and row[0]:
            return
        if writes is not None:
            connection.execute("SET GLOBAL allowed_paths = $paths", {"paths": [str(writes)]})
        for restraint in _RESTRAINTS:
            connection.execute(restraint)


def _rows(connection: DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while batch := connection.fetchmany(_BATCH):
        yield from batch


def _unique(names: list[str]) -> tuple[str, ...]:
    """Number the names that come again, as DuckDB does in a subquery: `n`, `n_1`."""
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        unique.append(f"{name}_{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return tuple(unique)


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """Turn what DuckDB says about a question into one line.

    Raises:
        Permanent: With DuckDB's sentence; the picture of the place that follows it is left out.
    """
    import duckdb

    try:
        yield
    except duckdb.Error as exc:
        said = str(exc).partition("\n\nLINE ")[0]
        raise Permanent(" ".join(said.split())) from exc
