"""The files of the snapshots: Parquet, one folder a table, and a manifest that says what they are.

Implements ``archive.warehouse.snapshots.Shelf``. A file takes its place in one rename; one that
the manifest does not name is removed, so that nothing of what was erased stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from archive.warehouse.parts import Part
from archive.warehouse.snapshots import Manifest, Written
from archive.warehouse.tables import TABLES, Table

if TYPE_CHECKING:
    import polars as pl

# Holds no row: a table without rows has its columns all the same.
_EMPTY: Final = "empty.parquet"
_UNFINISHED: Final = ".new"


class SnapshotFiles:
    """A folder of snapshots.

    Args:
        folder: Made when it is first written to; nothing else may be in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def manifest(self) -> Manifest | None:
        """Say what the files are; None where there are none, or one that it names is missing."""
        try:
            manifest = _from_json(json.loads(self._manifest_file.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            # Never written, or by a release that kept it otherwise: everything is made anew.
            return None
        return manifest if all(path.is_file() for path in self._named(manifest)) else None

    def write(self, table: Table, part: Part, frames: Iterator[pl.DataFrame]) -> Written:
        """Put a piece in the place of the one that was there, file by file in one rename."""
        rows, files = 0, []
        for number, frame in enumerate(frames):
            name = f"{part.name}_{number}.parquet"
            self._write(table, name, frame)
            rows += frame.height
            files.append(name)
        return Written(rows, tuple(files))

    def publish(self, manifest: Manifest) -> None:
        """Remember what the files are, then remove every file that it does not name."""
        import polars as pl

        for table in TABLES:
            self._write(table, _EMPTY, pl.DataFrame(schema=table.schema))
        fresh = self._manifest_file.with_suffix(_UNFINISHED)
        fresh.write_text(json.dumps(_to_json(manifest)), encoding="utf-8")
        fresh.replace(self._manifest_file)
        named = {self._manifest_file, *self._named(manifest)}
        named |= {self.folder / table.name / _EMPTY for table in TABLES}
        for path in self.folder.rglob("*"):
            if path.is_file() and path not in named:
                path.unlink()

    @property
    def _manifest_file(self) -> Path:
        return self.folder / "manifest.json"

    def _named(self, manifest: Manifest) -> Iterator[Path]:
        for table, parts in manifest.parts.items():
            for written in parts.values():
                for name in written.files:
                    yield self.folder / table / name

    def _write(self, table: Table, name: str, frame: pl.DataFrame) -> None:
        path = self.folder / table.name / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(_UNFINISHED)
        frame.write_parquet(fresh)
        fresh.replace(path)


def _to_json(manifest: Manifest) -> dict[str, Any]:
    return {
        "build_id": str(manifest.build_id),
        "columns": {table: dict(of) for table, of in manifest.columns.items()},
        "parts": {
            table: [[p.space, p.first, p.until, of.rows, of.files] for p, of in parts.items()]
            for table, parts in manifest.parts.items()
        },
    }


def _from_json(kept: dict[str, Any]) -> Manifest:
    return Manifest(
        UUID(kept["build_id"]),
        kept["columns"],
        {
            table: {
                Part(space, first, until): Written(rows, tuple(files))
                for space, first, until, rows, files in parts
            }
            for table, parts in kept["parts"].items()
        },
    )
