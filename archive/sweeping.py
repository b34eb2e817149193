"""Files that no row names: what a crash left between writing a file and naming it.

A crop is a face. Whoever erases works from rows, so a file without one would outlive every
erasure; a sweep finds it from the other side.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, Protocol

COMMIT_AT_THE_LATEST: Final = timedelta(days=1)
"""A file without a row is left so long: the commit that will name it may be on its way."""


class NamedFiles(Protocol):
    """What rows name."""

    def blob_keys(self) -> Collection[str]:
        """List the key of every crop, small picture and original."""
        ...


class FileBin(Protocol):
    """Where files lie."""

    def sweep(self, keep: Collection[str], *, older_than: datetime) -> int:
        """Remove files that are old enough and not kept; return how many."""
        ...


def sweep(named: NamedFiles, files: FileBin, *, now: datetime) -> int:
    """Remove the files that nothing names and nothing will; return how many they were.

    Raises:
        Transient: The database or the files' place does not answer.
    """
    return files.sweep(named.blob_keys(), older_than=now - COMMIT_AT_THE_LATEST)
