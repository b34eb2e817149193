"""The chats in a Telegram Desktop export: one in a file of one chat, many in a whole account's.

Only where things are in ``result.json``; what a message says is ``archive.exports.messages``'.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final

from archive.exports.records import BrokenExport
from resources.desktop_export.json_stream import JsonStream

_HEAD: Final = frozenset({"name", "type", "id"})
_LISTS: Final = frozenset({"chats", "left_chats"})


@dataclass(frozen=True, slots=True)
class FoundChat:
    """A chat in the file.

    Attributes:
        head: Its ``name``, ``type`` and ``id``, as they are written.
        items: Its messages; they can be taken once, before the next chat.
    """

    head: Mapping[str, object]
    items: Iterator[object]


def chats_in(file: BinaryIO) -> Iterator[FoundChat]:
    """Find the chats of an export, one after the other; messages not taken are passed over.

    Raises:
        BrokenExport: The file breaks off or is no export.
    """
    found = False
    for chat in _walk(JsonStream(file)):
        found = True
        yield chat
    if not found:
        raise BrokenExport(
            "result.json holds no chat: choose 'Machine-readable JSON' when you export."
        )


def _walk(stream: JsonStream) -> Iterator[FoundChat]:
    head: dict[str, object] = {}
    for key in stream.names():
        if key in _LISTS:
            yield from _listed(stream)
        elif key == "messages":
            yield from _messages(stream, head)
        elif key in _HEAD:
            head[key] = stream.value()
        else:
            stream.value()


def _listed(stream: JsonStream) -> Iterator[FoundChat]:
    for key in stream.names():
        if key != "list":
            stream.value()
            continue
        for _ in stream.elements():
            yield from _walk(stream)


def _messages(stream: JsonStream, head: Mapping[str, object]) -> Iterator[FoundChat]:
    items = _values(stream)
    yield FoundChat(dict(head), items)
    for _ in items:
        pass


def _values(stream: JsonStream) -> Iterator[object]:
    for _ in stream.elements():
        yield stream.value()
