"""Changing a `.env` that may be shared: our lines are replaced or added, all others stay.

The file is written in one step with mode 0600, because it holds secrets, and only after the
settings in it were found to be usable. What to write is `cli.init`'s business.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream

from resources.settings import Settings
from resources.settings_source import read_env_file

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=-]*")


def known_values(env_file: Path) -> dict[str, str]:
    """Return what the file sets now; nothing, where there is none."""
    return {name: value for name, value in read_env_file(env_file).items() if value}


def changed_names(env_file: Path, values: Mapping[str, str]) -> list[str]:
    """Return the names whose value in the file would be replaced by another."""
    known = known_values(env_file)
    return [name for name, value in values.items() if known.get(name, value) != value]


def write_values(env_file: Path, values: Mapping[str, str]) -> Settings:
    """Set these names in the file and return the settings that follow from it.

    Raises:
        SettingsError: What would be in the file cannot be used; the file is as it was.
    """
    # A link stays one: what it points to is written.
    target = env_file.resolve()
    text = target.read_text(encoding="utf-8") if target.exists() else ""
    target.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp gives mode 0600.
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".env.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(merged(text, values))
        settings = Settings.load(temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return settings


def merged(text: str, values: Mapping[str, str]) -> str:
    """Return the text of a `.env` with these names set, each at its place or at the end."""
    remaining = dict(values)
    pieces = []
    for binding in parse_stream(StringIO(text)):
        original = binding.original.string
        if binding.key in values and binding.key is not None:
            blank = original[: len(original) - len(original.lstrip())]
            value = remaining.pop(binding.key, None)
            # Named twice, the last one would win: only the first is kept.
            pieces.append("" if value is None else f"{blank}{_line(binding.key, value)}")
        else:
            pieces.append(original)
    before = "".join(pieces)
    if before and not before.endswith("\n") and remaining:
        before += "\n"
    return before + "".join(_line(name, value) for name, value in remaining.items())


def _line(name: str, value: str) -> str:
    if not _PLAIN.fullmatch(value):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        value = f"'{escaped}'"
    return f"{name}={value}\n"
