"""The snapshots are brought up to date: pieces that changed are written anew, the others stay.

All pieces are read in one consistent look at the archive. What changed is noted by the database
itself, and the notes of a look are removed only after its files are in place: a kill at any
moment costs work and loses no change. Files of another database, or of a declaration that is no
longer ours, are not trusted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from uuid import UUID, uuid4

from archive.warehouse.parts import WHOLE, Change, Part, days, tiles, touched
from archive.warehouse.tables import TABLES, PartsBy, Table

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Written:
    """A piece that lies in files; an empty one has none.

    Attributes:
        files: Names in the table's folder.
    """

    rows: int
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the files are.

    Attributes:
        build_id: Of the look that they were last brought up to date from.
        columns: Of each table, what each column held when its files were written.
        parts: Of each table, its pieces.
    """

    build_id: UUID
    columns: Mapping[str, Mapping[str, str]]
    parts: Mapping[str, Mapping[Part, Written]]


@dataclass(frozen=True, slots=True)
class SnapshotResult:
    """What one bringing up to date came to.

    Attributes:
        rows: Of each table, whether written now or kept.
        written: Pieces that were read from the archive.
        kept: Pieces whose files stay.
    """

    rows: Mapping[str, int]
    written: int
    kept: int


class Look(Protocol):
    """One consistent look at the archive."""

    @property
    def last_build(self) -> UUID | None:
        """The last snapshots that were made of this database."""

    @property
    def changes(self) -> Sequence[Change]:
        """What changed since."""

    def types(self, table: Table) -> Mapping[str, str]:
        """Name PostgreSQL's type of each column, in order."""

    def window_starts(self) -> Mapping[int, Sequence[int]]:
        """Give the first ids of the windows of every chat."""

    def days(self, table: Table) -> Sequence[int]:
        """Give the days, since 1970-01-01, on which rows were made."""

    def frames(self, table: Table, part: Part) -> Iterator[pl.DataFrame]:
        """Give the rows of a piece in frames of bounded size."""

    def settle(self, build_id: UUID) -> None:
        """Forget the changes that this look saw, and remember whose files hold them."""


class Source(Protocol):
    """The archive."""

    def look(self) -> AbstractContextManager[Look]:
        """Look at the archive as it is now, while the body runs."""


class Shelf(Protocol):
    """Where the files lie."""

    def manifest(self) -> Manifest | None:
        """Say what the files are; None where there are none that can be told about."""

    def write(self, table: Table, part: Part, frames: Iterator[pl.DataFrame]) -> Written:
        """Put a piece in the place of the one that was there, file by file in one rename."""

    def publish(self, manifest: Manifest) -> None:
        """Remember what the files are, then remove every file that it does not name."""


def bring_up_to_date(source: Source, shelf: Shelf) -> SnapshotResult:
    """Write what changed since the last time; everything, where nothing can be trusted.

    Raises:
        Permanent: The database gives other columns than are declared.
        Transient: The database does not answer.
    """
    with source.look() as look:
        for table in TABLES:
            table.check(look.types(table))
        known = shelf.manifest()
        if known is not None and known.build_id != look.last_build:
            known = None
        parts: dict[str, Mapping[Part, Written]] = {}
        kept = 0
        for table in TABLES:
            good = _good(table, look, known)
            now = _parts(table, look, known)
            kept += sum(part in good for part in now)
            parts[table.name] = {
                part: good.get(part) or shelf.write(table, part, look.frames(table, part))
                for part in now
            }
        manifest = Manifest(uuid4(), {table.name: dict(table.columns) for table in TABLES}, parts)
        shelf.publish(manifest)
        look.settle(manifest.build_id)
    rows = {name: sum(each.rows for each in of.values()) for name, of in parts.items()}
    return SnapshotResult(rows, sum(map(len, parts.values())) - kept, kept)


def _good(table: Table, look: Look, known: Manifest | None) -> Mapping[Part, Written]:
    """Find the pieces of last time that are still true; a small table is read whole."""
    if known is None or table.parts_by is PartsBy.NOTHING:
        return {}
    if known.columns.get(table.name) != dict(table.columns):
        return {}
    before = known.parts[table.name]
    stale = touched(before, _changes(table, look))
    return {part: written for part, written in before.items() if part not in stale}


def _parts(table: Table, look: Look, known: Manifest | None) -> list[Part]:
    """Say which pieces there are now."""
    match table.parts_by:
        case PartsBy.NOTHING:
            return [WHOLE]
        case PartsBy.MESSAGES:
            return tiles(look.window_starts())
        case PartsBy.DAYS:
            if known is None or table.name not in known.parts:
                return days(look.days(table))
            before = (part.first for part, of in known.parts[table.name].items() if of.rows)
            # A note of a day is about this day alone.
            return days([*before, *(change.first for change in _changes(table, look))])


def _changes(table: Table, look: Look) -> list[Change]:
    return [change for change in look.changes if change.relation == table.name]
