"""Windows: the fixed ranges of message ids in which a chat is read.

Arithmetic only: keys, widths, which window an id lies in, which part of a window is still to be
read. Asking Telegram is in ``history``, remembering in the store.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from math import log2
from typing import NewType

from archive.errors import Permanent
from archive.ids import ChatNo, MessageId
from archive.records import IdSpace

WindowKey = NewType("WindowKey", str)
"""``"{chat_no}_{first}_{last}"``: a Dagster partition, so of ``[0-9_]`` only."""

OWN_WIDTH = 10_000
"""Ids per window in a dense space: some hundred requests, minutes of work (ARCHITECTURE 2)."""

PLACEHOLDER_WIDTH = 1_000_000
"""Width where nobody says how many messages there are (ARCHITECTURE 2)."""

MAX_MESSAGE_ID = MessageId(2**31 - 1)
"""Message ids are 32-bit signed integers on the wire."""

PLACEHOLDER_COUNT = 2**30
"""A claim of more messages is none: some private chats say something near 2³¹ (FIELD_NOTES)."""

_NO_MESSAGE = MessageId(0)
_KEY = re.compile(r"([0-9]+)_([0-9]{10,})_([0-9]{10,})")


@dataclass(frozen=True, slots=True)
class Window:
    """A range of message ids of one chat, both ends included."""

    chat_no: ChatNo
    first_id: MessageId
    last_id: MessageId

    @property
    def key(self) -> WindowKey:
        """The window's name everywhere; ids are padded so that keys sort like ids."""
        return WindowKey(f"{self.chat_no}_{self.first_id:010}_{self.last_id:010}")

    def __contains__(self, message_id: MessageId) -> bool:
        """Whether a message id lies in the window."""
        return self.first_id <= message_id <= self.last_id


@dataclass(frozen=True, slots=True)
class Descent:
    """A reading in progress: newest to oldest, resumable at every page.

    Attributes:
        cursor: Where the next page begins, exclusive.
        floor: The lowest id to read.
        reach: Once the floor is reached, everything up to here has been read.
    """

    cursor: MessageId
    floor: MessageId
    reach: MessageId


@dataclass(frozen=True, slots=True)
class WindowRow:
    """A window and how far it is.

    Attributes:
        watermark: Ids up to here were read.
        known_top: Largest id known to exist in the chat.
        dirty: Something in it has to be done again.
        demands: How often it became dirty.
        read_at: When a reading last came to its end; ``None`` before the first.
        descent: The reading in progress, if one was begun.
        from_export: Telegram itself was never asked for it: only an export told of it.
        halted_at: When work on its media last came to a halt with something left to do;
            ``None`` where nothing is, or where nobody asked.
    """

    window: Window
    watermark: MessageId = _NO_MESSAGE
    known_top: MessageId = _NO_MESSAGE
    dirty: bool = False
    demands: int = 0
    read_at: datetime | None = None
    descent: Descent | None = None
    halted_at: datetime | None = None
    from_export: bool = False

    @property
    def sealed(self) -> bool:
        """Whether it was read to its end at a time when a later id existed beyond it."""
        return self.watermark >= self.window.last_id

    @property
    def occasion(self) -> str:
        """What makes this demand for a run differ from the last one: part of a run key."""
        occasion = f"{min(self.window.last_id, self.known_top)}-{self.demands}"
        # Each try that gets anywhere moves it.
        return f"{occasion}-{self.halted_at.timestamp():.0f}" if self.halted_at else occasion


def parse_key(text: str) -> Window:
    """Read a window's key.

    Raises:
        Permanent: It is none.
    """
    match = _KEY.fullmatch(text)
    if match is None:
        raise Permanent(f"{text!r} is not the key of a window: expected chat_first_last.")
    chat_no, first, last = (int(part) for part in match.groups())
    if not 1 <= first <= last:
        raise Permanent(f"{text!r} is not the key of a window: its ids are out of order.")
    return Window(ChatNo(chat_no), MessageId(first), MessageId(last))


def choose_width(space: IdSpace, *, oldest: MessageId, top: MessageId, count: int) -> int:
    """Choose the width of a chat's windows; it is chosen once and kept.

    Args:
        space: Whose numbering the chat uses.
        oldest: Smallest id of the chat.
        top: Largest id of the chat.
        count: Messages that the server claims the chat holds.

    Returns:
        10 000 for a dense space; for a sparse one, such a multiple of it (a power of two) that
        a window holds about 10 000 messages.
    """
    if space is IdSpace.OWN:
        return OWN_WIDTH
    span = top - oldest + 1
    if not 0 < count < PLACEHOLDER_COUNT or count > span:
        return PLACEHOLDER_WIDTH
    return OWN_WIDTH << round(log2(span / count))


def window_at(chat_no: ChatNo, message_id: MessageId, width: int) -> Window:
    """Return the window that an id lies in; they begin at 1, width + 1 and so on."""
    first = (message_id - 1) // width * width + 1
    return Window(chat_no, MessageId(first), MessageId(first + width - 1))


def dense_windows(
    chat_no: ChatNo, top: MessageId, width: int, planned_through: MessageId = _NO_MESSAGE
) -> Iterator[Window]:
    """Cover the ids above ``planned_through`` up to ``top``, newest window first."""
    for block in range((top - 1) // width, -1, -1):
        last = (block + 1) * width
        if last <= planned_through:
            return
        yield Window(chat_no, MessageId(last - width + 1), MessageId(last))


def next_descent(row: WindowRow, *, whole: bool = False) -> Descent | None:
    """Decide what of a window is to be read now.

    Args:
        row: How far the window is.
        whole: Read all of it, even what was read before.

    Returns:
        ``None`` where the window is sealed and nothing asks for it again.
    """
    if row.descent is not None:
        return row.descent
    window = row.window
    if whole or row.read_at is None or row.from_export:
        floor = window.first_id
    elif not row.sealed:
        floor = MessageId(row.watermark + 1)
    else:
        return None
    # What existed before we ask is either brought or gone: nothing up to there comes later.
    reach = max(min(window.last_id, row.known_top), row.watermark)
    return Descent(MessageId(min(window.last_id + 1, MAX_MESSAGE_ID)), floor, MessageId(reach))
