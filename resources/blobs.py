"""Crops, small pictures and originals, named by their content, in a folder or any fsspec URL.

Rows name them by key; which keys are in use is the store's knowledge. A file is written before
the row that names it, so an interrupted commit leaves an orphan and never a dangling key; ``sweep``
takes orphans away.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property, partial
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from archive.errors import Permanent, Transient
from resources.growing import GrowingElsewhere, GrowingInFolder, Telling

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_CLOSED: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
# Something else lies where a folder should be: no time heals that.
_NO_FOLDER: Final = frozenset({errno.ENOTDIR, errno.EEXIST})
_FOLDERS: Final = ("crops", "thumbnails", "originals")
_UNFINISHED: Final = "originals/unfinished"
_KEY: Final = re.compile(
    rf"({'|'.join(_FOLDERS)})/[0-9a-f]{{2}}/[0-9a-f]{{2}}/[0-9a-f]{{64}}\.[a-z0-9]{{1,8}}"
)


class BlobStore:
    """A place for files. Safe for many threads."""

    def __init__(self, url: str | Path) -> None:
        """Name the place; nothing is touched yet.

        Args:
            url: A folder, or a URL such as ``s3://bucket/prefix``.
        """
        self._url = str(url)

    def put(self, data: bytes, *, folder: str = "crops", suffix: str = "webp") -> str:
        """Keep one file and return its key; the same bytes give the same key and one file.

        What is there already is written again: that gives it a new date, which protects it from
        a sweep until the row that will name it is stored, and mends what a broken disk left.

        Args:
            data: The file.
            folder: `crops`, `thumbnails` or `originals`.
            suffix: What the format is called.

        Raises:
            Permanent: The place is full, is no folder, or may not be written.
            Transient: It does not answer.
        """
        key = _key(folder, sha256(data).hexdigest(), suffix)
        with self._translated():
            if self._is_local:
                _write_whole(Path(self._path(key)), data)
            else:
                # Object stores show an object whole or not at all.
                self._filesystem.pipe_file(self._path(key), data)
        return key

    def grow(self, name: str, *, suffix: str) -> Telling:
        """Begin an original that arrives part by part, or go on with it.

        Args:
            name: Tells it from others until its content names it.
            suffix: What the format is called.

        Raises:
            Permanent: As `put`.
            Transient: As `put`, or another run is writing it.
        """
        named = partial(_key, "originals", suffix=suffix)
        with self._translated():
            root = self._opened[1]
            file: GrowingInFolder | GrowingElsewhere
            if self._is_local:
                file = GrowingInFolder(Path(root, _UNFINISHED), name, named, Path(root))
            else:
                path = f"{root}/{_UNFINISHED}/{uuid4().hex}.part"
                file = GrowingElsewhere(self._filesystem, path, named, root)
        return Telling(file, self._translated)

    def get(self, key: str) -> bytes:
        """Read a file.

        Raises:
            Permanent: There is none of this key.
            Transient: The place does not answer.
        """
        return self._read(key)

    def read(self, key: str, offset: int, size: int) -> bytes:
        """Read `size` bytes of a file from `offset` on; raises as `get`."""
        return self._read(key, start=offset, end=offset + size)

    def _read(self, key: str, **part: int) -> bytes:
        try:
            with self._translated():
                return bytes(self._filesystem.cat_file(self._path(key), **part))
        except FileNotFoundError as exc:
            raise Permanent(f"no file {key} in {self._shown}: it was swept or lost") from exc

    def exists(self, key: str) -> bool:
        """Whether a key can be read."""
        with self._translated():
            return bool(self._filesystem.isfile(self._path(key)))

    def remove(self, keys: Collection[str], *, older_than: datetime) -> set[str]:
        """Remove some files that no row names any more.

        Args:
            keys: Which.
            older_than: A younger one stays: a commit that will name it may be on its way.

        Returns:
            Those of the keys of which nothing is there any more.
        """
        gone = set()
        with self._translated():
            for key in keys:
                path = self._path(key)
                if self._filesystem.isfile(path):
                    if self._filesystem.modified(path) >= older_than:
                        continue
                    self._filesystem.rm_file(path)
                gone.add(key)
        return gone

    def sweep(self, keep: Collection[str], *, older_than: datetime) -> int:
        """Remove files that no row names, and what interrupted writes left.

        Args:
            keep: Every key that a row names.
            older_than: Files from then on stay, named or not: a commit that will name them may be
                on its way. A day ago is safe, and so is a time before ``keep`` was read at which
                no pass was running.

        Returns:
            How many were removed.
        """
        kept = {self._path(key) for key in keep}
        removed = 0
        with self._translated():
            for path in chain.from_iterable(
                self._filesystem.find(self._path(folder)) for folder in _FOLDERS
            ):
                if path not in kept and self._filesystem.modified(path) < older_than:
                    self._filesystem.rm_file(path)
                    removed += 1
        return removed

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        """The filesystem and the place within it; fsspec loads when first used."""
        import fsspec

        filesystem, root = fsspec.url_to_fs(self._url)
        return filesystem, root.rstrip("/")

    @property
    def _filesystem(self) -> Any:
        return self._opened[0]

    @property
    def _is_local(self) -> bool:
        return "file" in self._filesystem.protocol

    @property
    def _shown(self) -> str:
        """The place for a message; a URL may carry a password before its host."""
        return self._url.rpartition("@")[2]

    def _path(self, key: str) -> str:
        if key not in _FOLDERS and not _KEY.fullmatch(key):
            raise ValueError(f"not the key of a file: {key!r}")
        return f"{self._opened[1]}/{key}"

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Map what file systems raise; a missing file stays what it is."""
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as exc:
            if exc.errno in _FULL:
                raise Permanent(
                    f"the disk of {self._shown} is full: free some space, or choose another place "
                    "with FACE_ARCHIVE_BLOB_URL"
                ) from exc
            if exc.errno in _CLOSED:
                raise Permanent(
                    f"{self._shown} may not be written ({exc.strerror}): open it to this user, or "
                    "choose another place with FACE_ARCHIVE_BLOB_URL"
                ) from exc
            if exc.errno in _NO_FOLDER:
                raise Permanent(
                    f"{self._shown} is no folder to write to ({exc.strerror}): move away what lies "
                    "there, or choose another place with FACE_ARCHIVE_BLOB_URL"
                ) from exc
            raise Transient(f"{self._shown} does not answer: {exc}") from exc


def _key(folder: str, digest: str, suffix: str) -> str:
    return f"{folder}/{digest[:2]}/{digest[2:4]}/{digest}.{suffix}"


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a reader, and whoever comes after a kill, sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{uuid4().hex}.part")
    try:
        with unfinished.open("wb") as file:
            file.write(data)
            file.flush()
            # The row will survive a power cut; so must what it names.
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
