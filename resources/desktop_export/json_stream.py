"""JSON that is larger than memory, a value at a time.

Walks objects and arrays; single values are the standard library's to decode, whose scanner is
written in C: 2.3 µs a small message, where ijson's C backend takes 8.5 µs by events. Its ``items``
is as fast, but runs the chats of a whole account together. What values mean is ``reading``'s.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import BinaryIO, Final

from archive.exports.records import BrokenExport

_CHUNK: Final = 1 << 20
_LONGEST: Final = 16 << 20
"""Characters of a single value: a message has some kilobytes."""

_SPACE: Final = " \t\r\n"
_AFTER: Final = frozenset(" \t\r\n,:]}")


def _no_number(name: str) -> object:
    """Take NaN and Infinity for nothing: they are no JSON, and no database stores them."""
    return None


_DECODER: Final = json.JSONDecoder(parse_constant=_no_number)


class JsonStream:
    """One JSON text, read from the beginning to the end once.

    Args:
        file: UTF-8; what is none is replaced, so that one spoilt letter does not end an import.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._buffer = ""
        self._at = 0
        self._read_bytes = 0
        self._is_over = False

    def names(self) -> Iterator[str]:
        """Walk an object; whoever gets a key has to take its value before the next."""
        self._expect("{")
        if self._peek() == "}":
            self._at += 1
            return
        while True:
            key = self.value()
            if not isinstance(key, str):
                raise self._broken("a name is no text")
            self._expect(":")
            yield key
            if self._ends("}"):
                return

    def elements(self) -> Iterator[None]:
        """Walk an array; whoever gets an element has to take it before the next."""
        self._expect("[")
        if self._peek() == "]":
            self._at += 1
            return
        while True:
            yield
            if self._ends("]"):
                return

    def value(self) -> object:
        """Take the next value whole.

        Raises:
            BrokenExport: There is none, or it is too large to be a part of an export.
        """
        self._peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._buffer, self._at)
            except (ValueError, RecursionError) as exc:
                if not self._more():
                    raise self._broken("the JSON ends in the middle or is none") from exc
            else:
                # A number may go on: `1` is the beginning of `1e5`.
                if self._buffer[end : end + 1] in _AFTER or not self._more():
                    self._at = end
                    return value

    def _ends(self, closing: str) -> bool:
        """Take a comma, or the end of an object or array."""
        found = self._peek()
        if found not in (",", closing) or not found:
            raise self._broken(f"expected ',' or {closing!r}")
        self._at += 1
        return found == closing

    def _expect(self, character: str) -> None:
        if self._peek() != character:
            raise self._broken(f"expected {character!r}")
        self._at += 1

    def _peek(self) -> str:
        """Return the next character that is no space; nothing at the end."""
        while True:
            while self._at < len(self._buffer):
                if (found := self._buffer[self._at]) not in _SPACE:
                    return found
                self._at += 1
            if not self._more():
                return ""

    def _more(self) -> bool:
        """Read on; what was taken is forgotten."""
        if self._is_over:
            return False
        if len(self._buffer) - self._at > _LONGEST:
            raise self._broken(f"a value has more than {_LONGEST >> 20} million characters")
        data = self._file.read(_CHUNK)
        self._is_over = not data
        self._read_bytes += len(data)
        text = self._decoder.decode(data, final=self._is_over)
        self._buffer = self._buffer[self._at :] + text
        self._at = 0
        return bool(text) or not self._is_over

    def _broken(self, why: str) -> BrokenExport:
        left = len(self._buffer[self._at :].encode(errors="replace"))
        place = max(0, self._read_bytes - left)
        return BrokenExport(
            f"result.json cannot be read beyond byte {place}: {why}. What came before it is "
            "imported; export the chat again and import that."
        )
