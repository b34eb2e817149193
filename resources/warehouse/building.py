"""Building the warehouse: a file beside the one in use, that takes its place in one rename.

A reader never waits and never sees half a build. Every build begins with an empty file, so what
was erased from the archive is in no page of it. What is built is the dbt project's business.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from archive.errors import Permanent


@dataclass(frozen=True, slots=True)
class Building:
    """One build.

    Attributes:
        file: To be written; DuckDB names the catalogue after it, so it has its final name.
        scratch: A folder for whatever else the build leaves, gone with it.
    """

    file: Path
    scratch: Path

    def row_counts(self) -> Mapping[str, int]:
        """Count the rows of every table that was built.

        Raises:
            Permanent: Nothing was built.
        """
        import duckdb

        if not self.file.exists():
            raise Permanent("The build of the warehouse wrote no file: see its events above.")
        with duckdb.connect(str(self.file), read_only=True) as connection:
            found = connection.execute("SELECT table_name, estimated_size FROM duckdb_tables()")
            return dict(found.fetchall())


@contextmanager
def building(warehouse: Path) -> Iterator[Building]:
    """Give a place to build in; what was built replaces the warehouse when the body succeeds.

    Whoever builds is alone: the asset that does has a pool of one.

    Args:
        warehouse: The file that readers open.
    """
    folder = warehouse.parent / "building"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        build = Building(folder / warehouse.name, folder / "dbt")
        build.scratch.mkdir()
        yield build
        build.file.replace(warehouse)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
