"""Whether a model's files are the ones we know, before any of them is loaded.

Digests only. Where the registry names one, it must be that; where nobody we can trust publishes
one, whoever verifies the pack first notes what they saw beside it, in a file that `sha256sum -c`
reads too, and from then on it must be that (trust on first use: it finds a file that was changed
or damaged, not one that was bad from the start).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Final

from archive.errors import Permanent
from resources.vision.known_models import KnownModel, Role

SEEN_FILE: Final = "SHA256SUMS"
_MODELS: Final = 32


class State(StrEnum):
    """What a digest says about a file."""

    KNOWN = "as in the registry"
    SEEN = "as first seen"
    NEW = "never seen before"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A file that was looked at.

    Attributes:
        expected: The digest it must have; None where nothing is known.
    """

    role: Role
    path: Path
    sha256: str
    expected: str | None
    state: State


def sha256_of(path: Path) -> str:
    """Give the digest of a file; an unchanged one is read once a process.

    A gigabyte a second and more where the processor knows SHA-256, so that the 191 MB of buffalo_l
    cost a fraction of what loading them does.
    """
    at = path.stat()
    return _sha256(path, at.st_ino, at.st_size, at.st_mtime_ns)


@lru_cache(maxsize=_MODELS)
def _sha256(path: Path, _inode: int, _size: int, _changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def judge(model: KnownModel, files: Mapping[Role, Path]) -> list[Verdict]:
    """Compare files with what is known of them."""
    return [_judged(model, role, path) for role, path in files.items()]


def require_known(model: KnownModel, files: Mapping[Role, Path]) -> None:
    """Refuse files that are not those of a model.

    Raises:
        Permanent: One differs; the text names it and what to do.
    """
    for verdict in judge(model, files):
        if verdict.state is State.DIFFERS:
            raise Permanent(
                f"{verdict.path} is not the file of model `{model.name}`: its sha256 is "
                f"{verdict.sha256[:12]}…, not {(verdict.expected or '')[:12]}…. Remove the "
                f"folder and get the pack anew (`face-archive models fetch {model.name}`), or give "
                "the folder another name."
            )


def note_seen(verdicts: list[Verdict]) -> None:
    """Keep what was seen first, so that it is held against it from now on.

    Raises:
        OSError: The folder cannot be written to.
    """
    new = [verdict for verdict in verdicts if verdict.state is State.NEW]
    for folder in {verdict.path.parent for verdict in new}:
        here = {v.path.name: v.sha256 for v in new if v.path.parent == folder}
        both = _seen(folder) | here
        lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(both.items()))
        (folder / SEEN_FILE).write_text(lines, encoding="utf-8")


def _judged(model: KnownModel, role: Role, path: Path) -> Verdict:
    part = model.part(role)
    known = part.sha256 if part else None
    expected = known or _seen(path.parent).get(path.name)
    found = sha256_of(path)
    if expected is None:
        state = State.NEW
    elif expected != found:
        state = State.DIFFERS
    else:
        state = State.KNOWN if known else State.SEEN
    return Verdict(role, path, found, expected, state)


def _seen(folder: Path) -> dict[str, str]:
    file = folder / SEEN_FILE
    if not file.is_file():
        return {}
    pairs = (line.split(maxsplit=1) for line in file.read_text(encoding="utf-8").splitlines())
    return {pair[1].lstrip("*"): pair[0] for pair in pairs if len(pair) == 2}
