"""The full object of a message as compact JSON, for what has no column yet.

Without ``null`` and ``false``, and without what is an account's secret: access hashes and file
references. Not here: typed columns (``convert``).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

_SECRETS = frozenset({"access_hash", "file_reference"})


def compact_json(tl_object: Any) -> str:
    """Return a Telethon object as JSON: bytes as base64, times in ISO format."""
    return json.dumps(_clean(tl_object.to_dict()), ensure_ascii=False, separators=(",", ":"))


def without_nul(text: str) -> str:
    """Drop NUL characters, which neither PostgreSQL's text nor its jsonb can hold."""
    return text.replace("\x00", "")


def _clean(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _clean(item)
            for key, item in value.items()
            if item is not None and item is not False and key not in _SECRETS
        }
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    if isinstance(value, str):
        return without_nul(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value.isoformat() if isinstance(value, datetime) else value
