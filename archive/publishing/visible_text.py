"""Names that people and chats give themselves, fit to be shown: one line, visible, not too long.

Pure text; nothing here knows what it names.
"""

from __future__ import annotations

import re
import unicodedata

# Joiners that words of some scripts and most emoji are made with; all other format characters
# are invisible at best, and turn the reading direction of what follows at worst.
_JOINERS = "\u200c\u200d"


def shortened(text: str, limit: int) -> str:
    """Make any text one visible line of at most ``limit`` UTF-16 units, Telegram's measure.

    Line breaks become spaces; control characters, lone surrogates and marks that turn the
    reading direction are dropped. What is cut ends in an ellipsis.
    """
    kept = "".join(character for character in text if _is_visible(character))
    line = re.sub(r"\s+", " ", kept).strip(f" {_JOINERS}")
    if utf16_units(line) <= limit:
        return line
    while utf16_units(line) > limit - 1:
        line = line[: -max(1, (utf16_units(line) - limit) // 2)]
    return line.rstrip() + "…"


def utf16_units(text: str) -> int:
    """Count as Telegram does: characters outside the basic plane are two."""
    return len(text) + sum(character > "\uffff" for character in text)


def _is_visible(character: str) -> bool:
    category = unicodedata.category(character)
    return character.isspace() or category not in {"Cc", "Cf", "Cs"} or character in _JOINERS
