"""What Telethon loses of updates, kept: a thin layer over the box in which it puts them in order.

Telethon 1.45 drops without a word: a difference that is "too long", of the account or a channel;
news of a channel whose place or key it does not know; and the edits and deletions within any
difference, which it takes for known because the difference has moved its count past them. Each of
these is a lost update, or none any more, here. Channels that nobody archives are passed over, so
that they cost no request. ``tests/contract/test_update_box.py`` holds Telethon to what is assumed
here; it is pinned for that reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from telethon._updates import messagebox
from telethon._updates.messagebox import ENTRY_ACCOUNT, ENTRY_SECRET, MessageBox, PtsInfo
from telethon.tl import types

RETRY_SECONDS = 10.0
"""When to ask again for a difference that Telegram did not give. Telethon itself would wait for
the next update or a quarter of an hour; a flood's whole time it waits without asking."""


class UpdateBox(MessageBox):  # type: ignore[misc]
    """Telethon's box for the updates of an account, which says what it lost.

    Args:
        log: Telethon's.
        arriving: Updates that the box has not seen yet.

    Attributes:
        heard: Bare ids of the channels and supergroups that are archived.
        idle: Set while nothing is missing and no update waits.
    """

    def __init__(self, log: Any, arriving: asyncio.Queue[Any]) -> None:
        super().__init__(log)
        self._arriving = arriving
        self.heard: set[int] = set()
        self.idle = asyncio.Event()
        self._lost: set[Any] = set()
        self._behind: set[Any] = set()

    def take_lost(self) -> frozenset[int | None]:
        """Return where updates were lost since the last time; ``None`` is the account itself."""
        lost, self._lost = self._lost, set()
        return frozenset(None if entry is ENTRY_ACCOUNT else entry for entry in lost)

    def lose(self, channel: int) -> None:
        """Say that updates of a channel are lost."""
        self._lost.add(channel)

    def has_lost(self) -> bool:
        """Whether updates were lost since that was last asked for."""
        return bool(self._lost)

    def positions(self) -> Mapping[int, int]:
        """Return where the channels stand."""
        return {entry: state.pts for entry, state in self.map.items() if entry in self.heard}

    def check_deadlines(self) -> float:
        """Say until when to wait for updates; called with no difference left to fetch."""
        deadline: float = super().check_deadlines()
        owed = self.getting_diff_for or self.possible_gaps or self._behind
        if owed or not self._arriving.empty():
            self.idle.clear()
        else:
            self.idle.set()
        return deadline

    def process_updates(self, updates: Any, chat_hashes: Any, result: list[Any]) -> Any:
        """Put updates in order."""
        self.idle.clear()
        return super().process_updates(updates, chat_hashes, result)

    def apply_pts_info(self, update: Any, *, reset_deadlines: Any) -> Any:
        """Count one update; those of channels that are not heard do not exist."""
        entry = _channel_of(update)
        if entry is not None:
            if entry not in self.heard:
                return None
            if entry not in self.map:
                self._lost.add(entry)
                if isinstance(update, types.UpdateChannelTooLong) and update.pts:
                    self.begin(entry, update.pts)
                    return None
        return super().apply_pts_info(update, reset_deadlines=reset_deadlines)

    def begin(self, channel: int, pts: int) -> None:
        """Hear a channel from there on; one that is heard already stays where it stands."""
        self.heard.add(channel)
        self.try_set_channel_state(channel, pts)

    def apply_difference(self, diff: Any, chat_hashes: Any) -> Any:
        """Take over a difference of the account."""
        before = self.map[ENTRY_ACCOUNT].pts
        updates, users, chats = super().apply_difference(diff, chat_hashes)
        self._behind -= {ENTRY_ACCOUNT, ENTRY_SECRET}
        if isinstance(diff, types.updates.DifferenceTooLong):
            self._lost.add(ENTRY_ACCOUNT)
            if diff.pts > before:
                # It names no channels: those in which something happened come with the next.
                self.try_begin_get_diff(ENTRY_ACCOUNT, "the difference was too long")
        return _with_passed_over(updates, diff), users, chats

    def get_channel_difference(self, chat_hashes: Any) -> Any:
        """Return the next request for a channel's difference; no other is under way now."""
        for entry in [each for each in self.map if isinstance(each, int)]:
            if entry not in self.heard:
                self._forget(entry)
        wanted = next((each for each in self.getting_diff_for if isinstance(each, int)), None)
        if wanted is not None and chat_hashes.get(wanted) is None:
            self._lost.add(wanted)
        return super().get_channel_difference(chat_hashes)

    def apply_channel_difference(self, request: Any, diff: Any, chat_hashes: Any) -> Any:
        """Take over a difference of a channel."""
        channel = request.channel.channel_id
        updates, users, chats = super().apply_channel_difference(request, diff, chat_hashes)
        self._behind.discard(channel)
        if isinstance(diff, types.updates.ChannelDifferenceTooLong):
            self._lost.add(channel)
            # Telethon would ask once more, for a difference that is empty.
            self.getting_diff_for.discard(channel)
            updates = [
                types.UpdateNewChannelMessage(message, messagebox.NO_SEQ, messagebox.NO_SEQ)
                for message in diff.messages
            ]
            return updates, diff.users, diff.chats
        return _with_passed_over(updates, diff), users, chats

    def end_difference(self) -> None:
        """Give a difference of the account up for now."""
        entries = {ENTRY_ACCOUNT, ENTRY_SECRET} & self.getting_diff_for
        super().end_difference()
        self._ask_again(entries)

    def end_channel_difference(self, request: Any, reason: Any, chat_hashes: Any) -> None:
        """Give a difference of a channel up, for now or for good."""
        super().end_channel_difference(request, reason, chat_hashes)
        self._ask_again({request.channel.channel_id} & self.map.keys())

    def _ask_again(self, entries: set[Any]) -> None:
        self._behind |= entries
        self.reset_deadlines(entries, asyncio.get_running_loop().time() + RETRY_SECONDS)

    def _forget(self, channel: int) -> None:
        del self.map[channel]
        self.getting_diff_for.discard(channel)
        self.possible_gaps.pop(channel, None)
        self._behind.discard(channel)
        if self.next_deadline == channel:  # type: ignore[has-type]
            self.next_deadline = ENTRY_ACCOUNT


def _channel_of(update: Any) -> int | None:
    """Return whose sequence an update counts in; ``None`` for the account's, or for none."""
    if isinstance(update, types.UpdateChannelTooLong):
        return int(update.channel_id)
    counted = PtsInfo.from_update(update)
    return counted.entry if counted is not None and isinstance(counted.entry, int) else None


def _with_passed_over(updates: list[Any], diff: Any) -> list[Any]:
    """Add what a difference says beside new messages and what Telethon took for known."""
    taken = set(map(id, updates))
    others = getattr(diff, "other_updates", None) or ()
    # What has no count of its own, "too long" among it, was not taken for known.
    passed_over = [
        each for each in others if PtsInfo.from_update(each) is not None and id(each) not in taken
    ]
    return [*updates, *passed_over]
