"""The pictures and videos in a plain folder and the folders in it; links are not followed."""

from __future__ import annotations

import mimetypes
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from archive.exports.pictures import Picture
from archive.exports.records import Absence, Rejected

# Not in every system's table.
_MORE: Final = {
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".avif": "image/avif",
    ".webp": "image/webp",
    ".jxl": "image/jxl",
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
}


def pictures_in(root: Path) -> Iterator[Picture | Rejected]:
    """List the files that may show somebody, and say of each other one why it does not count.

    Args:
        root: The folder; what is hidden in it is passed over.
    """
    for folder, names, files in os.walk(root, followlinks=False):
        for name in list(names):
            if (Path(folder) / name).is_symlink():
                yield Rejected(Absence.LINK, name)
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                yield _judged(Path(folder) / name, root)


def _judged(path: Path, root: Path) -> Picture | Rejected:
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        return Rejected(Absence.LINK, path.name)
    if not stat.S_ISREG(found.st_mode):
        return Rejected(Absence.NOT_A_FILE, path.name)
    try:
        relative = path.relative_to(root).as_posix()
        relative.encode()
    except UnicodeEncodeError:
        return Rejected("bad_name", "its name is no text")
    mime = _MORE.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0] or ""
    if not mime.startswith(("image/", "video/")):
        return Rejected("no_picture", path.name)
    changed_at = datetime.fromtimestamp(found.st_mtime, UTC)
    return Picture(relative, mime, found.st_size, changed_at)
