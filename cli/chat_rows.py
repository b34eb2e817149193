"""Chats as rows of output: the same names wherever a chat is shown.

Only which fields are shown and what they are called.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from archive.deletions import HeldDeletions
from archive.ids import ChatNo
from archive.records import Chat, Switches
from resources.store.overview import ChatProgress

Row = dict[str, object]

_SWITCHES = ("archive", "faces", "publish", "keep_originals")


def chat_rows(
    chats: Iterable[Chat],
    progress: Iterable[ChatProgress],
    held: Iterable[HeldDeletions],
    new: Collection[ChatNo] = (),
) -> Iterator[Row]:
    """Show chats with how much of each is read; a hub has no progress."""
    known = {each.chat_no: each for each in progress}
    waiting = {each.chat_no: each.messages for each in held}
    for chat in chats:
        each = known.get(chat.chat_no)
        yield {
            **switch_row(chat),
            "new": chat.chat_no in new,
            "held": chat.hold_backfill,
            "hub": chat.is_hub,
            "on_deletion": str(chat.on_deletion),
            "deletions_waiting": waiting.get(chat.chat_no, 0),
            "state": str(chat.state),
            "why": chat.state_reason,
            "messages": each.messages if each else 0,
            "windows": each.windows if each else 0,
            "windows_read": each.windows_read if each else 0,
        }


def switch_row(chat: Chat) -> Row:
    """Show who a chat is and what is allowed."""
    return {
        "chat_no": chat.chat_no,
        "title": chat.title,
        "kind": str(chat.kind),
        "username": chat.username,
        "allowed": allowed(chat.switches),
    }


def allowed(switches: Switches) -> list[str]:
    """Name the switches that are on."""
    return [name for name in _SWITCHES if getattr(switches, name)]
