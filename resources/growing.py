"""Originals that arrive part by part: files that grow until their digest names them.

In a folder what a killed pass left is gone on with; behind other URLs, which cannot append, a file
begins anew. Where originals lie and what errors mean is ``blobs``'.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from archive.errors import Transient
from archive.media_pass.records import Original

PART_BYTES: Final = 1024 * 1024
"""A file is gone on with at a multiple of it."""

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_ABANDONED_SECONDS: Final = 24 * 3600.0

Translated = Callable[[], AbstractContextManager[None]]


class GrowingInFolder:
    """A file in a folder; ours alone while it is open."""

    def __init__(self, folder: Path, name: str, named: Callable[[str], str], root: Path) -> None:
        """Open it, or what is left of it.

        Args:
            folder: Of unfinished files.
            name: Tells it from others.
            named: From its digest to its key.
            root: Where keys begin.

        Raises:
            Transient: Another run is writing it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        _clear(folder)
        # A power cut may leave a file longer than its data: after a start of the machine another
        # name begins anew.
        tag = sha256(f"{name} {_this_boot()}".encode()).hexdigest()
        self._path = folder / f"{tag}.part"
        self._named = named
        self._root = root
        self._file = self._path.open("a+b")
        try:
            _lock(self._file.fileno())
            self._digest = sha256()
            self.size_bytes = self._read_what_is_left()
        except BaseException:
            self._file.close()
            raise

    def _read_what_is_left(self) -> int:
        left = os.fstat(self._file.fileno()).st_size // PART_BYTES * PART_BYTES
        self._file.truncate(left)
        self._file.seek(0)
        while part := self._file.read(PART_BYTES):
            self._digest.update(part)
        return left

    def write(self, data: bytes) -> None:
        """Add what comes next."""
        self._file.write(data)
        self._digest.update(data)
        self.size_bytes += len(data)

    def finish(self) -> Original:
        """Give it its name; it is on the disk by then."""
        self._file.flush()
        os.fsync(self._file.fileno())
        digest = self._digest
        key = self._named(digest.hexdigest())
        place = self._root / key
        place.parent.mkdir(parents=True, exist_ok=True)
        self._path.replace(place)
        return Original(key, digest.digest(), self.size_bytes)

    def close(self) -> None:
        """Let go of it; what was written waits for another try."""
        with suppress(OSError):  # a full disk, told by the write already
            self._file.close()


class GrowingElsewhere:
    """An object of another file system, which shows it under its name when it is whole."""

    def __init__(self, filesystem: Any, path: str, named: Callable[[str], str], root: str) -> None:
        """Begin it.

        Args:
            filesystem: Of fsspec.
            path: Of the unfinished object.
            named: From its digest to its key.
            root: Where keys begin.
        """
        self.size_bytes = 0
        self._filesystem = filesystem
        self._path = path
        self._named = named
        self._root = root
        self._digest = sha256()
        self._file = filesystem.open(path, "wb")

    def write(self, data: bytes) -> None:
        """Add what comes next."""
        self._file.write(data)
        self._digest.update(data)
        self.size_bytes += len(data)

    def finish(self) -> Original:
        """Give it its name."""
        self._file.close()
        key = self._named(self._digest.hexdigest())
        self._filesystem.mv(self._path, f"{self._root}/{key}")
        return Original(key, self._digest.digest(), self.size_bytes)

    def close(self) -> None:
        """Take away what was not finished: nobody could go on with it."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            if self._filesystem.exists(self._path):
                self._filesystem.rm_file(self._path)


class Telling:
    """A growing file whose errors are the archive's own."""

    def __init__(self, file: GrowingInFolder | GrowingElsewhere, translated: Translated) -> None:
        """Wrap one.

        Args:
            file: What grows.
            translated: Gives a context that maps what file systems raise.
        """
        self._file = file
        self._translated = translated

    @property
    def size_bytes(self) -> int:
        """What is there already."""
        return self._file.size_bytes

    def write(self, data: bytes) -> None:
        """Add what comes next."""
        with self._translated():
            self._file.write(data)

    def finish(self) -> Original:
        """Name it by its content."""
        with self._translated():
            return self._file.finish()

    def close(self) -> None:
        """Leave it."""
        self._file.close()


def _this_boot() -> str:
    """Name the run of this machine; where it has no name, nothing is gone on with."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return f"{os.getpid()} {time.time_ns()}"


def _lock(descriptor: int) -> None:
    """Keep a file from a second writer; a death frees it."""
    try:
        import fcntl
    except ImportError:  # not on this system: leases alone keep passes apart
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        raise Transient("another run is writing the same original") from exc


def _clear(folder: Path) -> None:
    """Take away what nobody has gone on with for a day."""
    oldest = time.time() - _ABANDONED_SECONDS
    for path in folder.glob("*.part"):
        with suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()
