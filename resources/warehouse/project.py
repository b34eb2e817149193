"""The dbt project, and the environment in which dbt builds a warehouse from it.

Where things are and what dbt is told; what Dagster makes of the project is in
``archive_assets.dbt_graph``. dbt itself is never imported here: it runs as a process.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).parents[2] / "dbt_project"

_READ: Final = frozenset({".sql", ".yml"})


def project_files() -> Iterator[Path]:
    """Give every file that decides what dbt builds, in the order of their names."""
    for path in sorted(PROJECT.rglob("*")):
        if path.suffix in _READ and "target" not in path.relative_to(PROJECT).parts:
            yield path


def digest_of(*more: Path | str) -> str:
    """Name a state of the project: another file, or another text, is another name.

    Args:
        more: What else decides, beside the project's own files.
    """
    digest = hashlib.sha256()
    for each in (*project_files(), *more):
        name, content = (each.name, each.read_bytes()) if isinstance(each, Path) else ("", each)
        digest.update(f"{name}\0".encode())
        digest.update(content.encode() if isinstance(content, str) else content)
    return digest.hexdigest()[:16]


def dbt_command(*words: str, target: Path) -> list[str]:
    """Say how dbt is started; it writes nothing outside `target`.

    Args:
        words: Command and options.
        target: For what dbt keeps of a run.
    """
    places = {
        "--project-dir": PROJECT,
        "--profiles-dir": PROJECT,
        "--target-path": target,
        "--log-path": target,
    }
    options = [str(word) for pair in places.items() for word in pair]
    return [str(Path(sys.executable).with_name("dbt")), *words, *options]


def dbt_environment(file: Path, snapshots: Path) -> dict[str, str]:
    """Tell dbt, in words of the environment, what to read and what to write.

    Args:
        file: Of the warehouse; made if it is not there.
        snapshots: Folder of the Parquet files.
    """
    return {
        "ARCHIVE_WAREHOUSE_FILE": str(file),
        "ARCHIVE_WAREHOUSE_SNAPSHOTS": str(snapshots),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        # Makes of each line an object that Dagster's library can read.
        "DBT_LOG_FORMAT": "json",
        "PYTHONUNBUFFERED": "1",
    }
