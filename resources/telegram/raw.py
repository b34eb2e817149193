"""The full object of a message as compact JSON, for what has no column yet.

Without ``null`` and ``false``, and without what is an account's secret: access hashes and file
references. Not here: typed columns (``convert``).
"""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

_SECRETS = frozenset({"access_hash", "file_reference"})

# ``json.dumps`` would make an encoder for every message.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def compact_json(tl_object: Any) -> str:
    """Return a Telethon object as JSON: bytes as base64, times in ISO format."""
    return _encode(_clean(tl_object.to_dict()))


def without_nul(text: str) -> str:
    """Drop NUL characters, which neither PostgreSQL's text nor its jsonb can hold."""
    return text.replace("\x00", "")


def _clean(value: Any) -> Any:
    """Clean what ``to_dict`` gives: plain types only, the frequent ones asked for first."""
    kind = type(value)
    if kind is int or kind is bool:
        return value
    if kind is str:
        return without_nul(value)
    if kind is dict:
        return {
            key: _clean(item)
            for key, item in value.items()
            if item is not None and item is not False and key not in _SECRETS
        }
    if kind is list:
        return [_clean(item) for item in value]
    if kind is bytes:
        return base64.b64encode(value).decode("ascii")
    return value.isoformat() if isinstance(value, datetime) else value
