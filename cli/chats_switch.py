"""Switching chats on from the command line: what that will take, and what comes of it.

Shared by `chats allow` and `init`; which chats, and asking, are theirs. The rules of the switches
are `archive.chats`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archive.chats import allow
from archive.errors import Permanent
from archive.history import PlannedWindows
from archive.history.jumps import Estimate
from archive.ids import ChatNo
from archive.records import Chat, MediaKind, OnDeletion, Switches
from cli.backfill_plan import cost_row, costs_of
from cli.chat_rows import Row, switch_row
from cli.output import emit, progress
from cli.windows import plan_chats

if TYPE_CHECKING:
    from resources.toolbox import Toolbox


_NONE = Switches()


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants of chats; ``None`` leaves a thing as it is."""

    switches: Switches = _NONE
    hold_backfill: bool | None = None
    media_types: frozenset[MediaKind] | None = None
    max_media_bytes: int | None = None
    on_deletion: OnDeletion | None = None

    def archives_anew(self, chats: Sequence[Chat]) -> list[Chat]:
        """Return those that would be archived and are not."""
        return [chat for chat in chats if self.switches.archive and not chat.switches.archive]


@dataclass(frozen=True, slots=True)
class Switched:
    """What became of a wish.

    Attributes:
        rows: A chat each.
        remarks: What a person should know or do next.
    """

    rows: Sequence[Row]
    remarks: Sequence[str]


def show_costs(toolbox: Toolbox, chats: Sequence[Chat], *, beside: bool = False) -> None:
    """Ask Telegram how much is in these chats and show what reading all of it will take.

    Args:
        toolbox: Of the installation.
        chats: Which.
        beside: For a person who is about to decide, on stderr.

    Raises:
        Transient: Telegram did not answer.
    """
    with progress("Counting what is in them") as advance:
        costs = asyncio.run(costs_of(toolbox, chats, advance))
    rows = [_costs(chat, costs) for chat in chats]
    if len(rows) > 1:
        rows.append(_sum(rows))
    emit(rows, title="What reading them will take, as an estimate", beside=beside)


def switched(toolbox: Toolbox, chats: Sequence[Chat], wish: Wish) -> Switched:
    """Store what is wanted of each chat and plan its windows.

    Raises:
        Permanent: A rule forbids it for all of them; where it does for some, their rows say so.
        Transient: Telegram did not answer; the switches are stored.
    """
    after: dict[Chat, Chat] = {}
    refused: dict[Chat, Permanent] = {}
    for chat in chats:
        try:
            after[chat] = _switch(toolbox, chat, wish)
        except Permanent as refusal:
            refused[chat] = refusal
    if refused and not after:
        raise next(iter(refused.values()))
    archived = [chat for chat in after.values() if chat.switches.archive]
    with progress("Planning windows") as advance:
        planned = asyncio.run(plan_chats(toolbox, archived, advance))
    rows = [_row(after.get(chat, chat), planned, refused.get(chat)) for chat in chats]
    return Switched(rows, _remarks(list(after.values()), planned))


def _switch(toolbox: Toolbox, chat: Chat, wish: Wish) -> Chat:
    after = allow(
        chat,
        wish.switches,
        toolbox.chats,
        hold_backfill=wish.hold_backfill,
        media_types=wish.media_types,
        max_media_bytes=wish.max_media_bytes,
        on_deletion=wish.on_deletion,
    )
    toolbox.dialogs.adopt(chat.chat_no)
    return toolbox.chats.get(after.chat_no)


def _costs(chat: Chat, costs: Mapping[ChatNo, Estimate | None]) -> Row:
    return {
        "chat_no": chat.chat_no,
        "title": chat.title,
        "kind": str(chat.kind),
        **cost_row(costs[chat.chat_no]),
    }


def _sum(rows: Sequence[Row]) -> Row:
    total: Row = {"chat_no": None, "title": f"all {len(rows)} chats", "kind": ""}
    for name in list(rows[0])[len(total) :]:
        total[name] = round(sum(row[name] or 0 for row in rows), 1)  # type: ignore[misc]
    return total


def _row(chat: Chat, planned: Mapping[ChatNo, PlannedWindows], refusal: Permanent | None) -> Row:
    windows = planned.get(chat.chat_no)
    return {
        **switch_row(chat),
        "held": chat.hold_backfill,
        "on_deletion": str(chat.on_deletion),
        "new_windows": len(windows.windows) if windows else 0,
        "refused": refusal and str(refusal),
    }


def _remarks(chats: Sequence[Chat], planned: Mapping[ChatNo, PlannedWindows]) -> list[str]:
    archived = [chat for chat in chats if chat.switches.archive]
    lost = [chat for chat in archived if _is_lost(chat, planned)]
    held = [chat for chat in archived if chat.hold_backfill and chat not in lost]
    free = len(archived) - len(lost) - len(held)
    remarks = []
    if len(archived) < len(chats):
        remarks.append("Nothing is read before --archive is allowed.")
    if lost:
        remarks.append(f"{_named(lost)} cannot be read now: `face-archive chats list` says why.")
    if held:
        numbers = " ".join(str(chat.chat_no) for chat in held)
        remarks.append(f"Windows are held: `face-archive backfill {numbers}` submits them.")
    if free:
        remarks.append(
            "`face-archive up` (or `make up`) submits the windows newest first within half a "
            "minute; `face-archive backfill` does it as one backfill."
        )
    return remarks


def _is_lost(chat: Chat, planned: Mapping[ChatNo, PlannedWindows]) -> bool:
    windows = planned.get(chat.chat_no)
    return windows is not None and windows.stopped_reason == "lost"


def _named(chats: Sequence[Chat]) -> str:
    return ", ".join(repr(chat.title) for chat in chats)
