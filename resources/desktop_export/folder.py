"""The folder of an export: files in it are opened, and nothing outside ever is.

A path in an export is whatever somebody wrote there. Each of its parts is opened beneath the one
before, and a symbolic link is never followed: between a check and the opening there is no time in
which anything could be exchanged.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from archive.errors import ItemRejected, Permanent, Transient
from archive.exports.records import Absence

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Opening a pipe would wait for a writer.
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class ExportFolder:
    """A folder that a person named; links on the way to it are that person's own.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def at(cls, root: Path) -> ExportFolder:
        """Take the folder that a person typed.

        Raises:
            Permanent: It is none.
        """
        if not root.is_dir():
            raise Permanent(f"{root} is no folder.")
        return cls(root.resolve())

    @contextmanager
    def open(self, path: str) -> Iterator[int]:
        """Give a file as a descriptor to read from.

        Args:
            path: Relative, its parts divided by ``/``.

        Raises:
            ItemRejected: It is not there, leads out of the folder or over a link, or is no file.
            Transient: The folder itself is away: a disk that is not plugged in.
        """
        *folders, name = _parts(path)
        with self._folder(folders) as folder:
            file = _opened(name, _FILE, folder)
            try:
                if not stat.S_ISREG(os.fstat(file).st_mode):
                    raise ItemRejected(Absence.NOT_A_FILE, "it is no ordinary file")
                yield file
            finally:
                os.close(file)

    def size_of(self, path: str) -> int | None:
        """Return how large a file is; ``None`` if it cannot be opened."""
        with suppress(ItemRejected), self.open(path) as file:
            return os.fstat(file).st_size
        return None

    @contextmanager
    def _folder(self, names: list[str]) -> Iterator[int]:
        try:
            folder = os.open(self.root, _FOLDER)
        except OSError as exc:
            raise Transient(
                f"The folder of the import {self.root} is away: {exc.strerror}."
            ) from exc
        try:
            for name in names:
                inner = _opened(name, _FOLDER | os.O_NOFOLLOW, folder)
                os.close(folder)
                folder = inner
            yield folder
        finally:
            os.close(folder)


def _parts(path: str) -> list[str]:
    parts = path.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise ItemRejected(Absence.OUTSIDE, "its path leads out of the folder")
    return parts


def _opened(name: str, flags: int, folder: int) -> int:
    try:
        return os.open(name, flags, dir_fd=folder)
    except OSError as exc:
        raise _absent(name, folder, exc) from exc


def _absent(name: str, folder: int, error: OSError) -> ItemRejected | Transient:
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except OSError:
        return ItemRejected(Absence.MISSING, "there is no such file in the folder")
    if stat.S_ISLNK(found):
        return ItemRejected(Absence.LINK, "its path leads over a symbolic link")
    if isinstance(error, NotADirectoryError) or not (stat.S_ISREG(found) or stat.S_ISDIR(found)):
        return ItemRejected(Absence.NOT_A_FILE, "it is no ordinary file")
    return Transient(f"A file of the import cannot be read: {error.strerror}.")
