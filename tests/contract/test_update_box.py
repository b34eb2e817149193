"""What our box assumes of Telethon's: each loss happens there, and none of them here.

A test that fails for ``telethon`` alone says that Telethon has changed: then a part of ours can go.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from telethon._updates.entitycache import EntityCache
from telethon._updates.messagebox import (
    ENTRY_ACCOUNT,
    GapError,
    MessageBox,
    PrematureEndReason,
)
from telethon._updates.session import ChannelState, Entity, EntityType, SessionState
from telethon.tl import types

from resources.telegram.feed import changes_of
from resources.telegram.update_box import RETRY_SECONDS, UpdateBox

CHANNEL = 77
OTHER = 78
NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
async def plain() -> MessageBox:
    """Telethon's own, which stands at 10 in the account and in one channel."""
    box = MessageBox(logging.getLogger("telethon"))
    box.load(_state(), [ChannelState(CHANNEL, 10)])
    return box


@pytest.fixture
async def ours() -> UpdateBox:
    """Ours, which stands there too and hears that channel."""
    box = UpdateBox(logging.getLogger("telethon"), asyncio.Queue())
    box.load(_state(), [ChannelState(CHANNEL, 10)])
    box.heard = {CHANNEL}
    return box


@pytest.fixture
def keys() -> EntityCache:
    cache = EntityCache()
    cache.put(Entity(EntityType.CHANNEL, CHANNEL, 5))
    return cache


def _state() -> SessionState:
    return SessionState(0, 0, False, 10, 1, int(NOW.timestamp()), 1, None)


def message(message_id: int, channel: int | None = CHANNEL) -> Any:
    peer = types.PeerUser(1) if channel is None else types.PeerChannel(channel)
    return types.Message(message_id, peer, NOW, "text")


def edit(message_id: int, pts: int, channel: int | None = CHANNEL) -> Any:
    kind = types.UpdateEditMessage if channel is None else types.UpdateEditChannelMessage
    return kind(message(message_id, channel), pts, 1)


def ask_account(box: MessageBox) -> None:
    box.try_begin_get_diff(ENTRY_ACCOUNT, "a test")


def ask_channel(box: MessageBox, keys: EntityCache) -> Any:
    box.try_begin_get_diff(CHANNEL, "a test")
    return box.get_channel_difference(keys)


def named(updates: Any) -> list[tuple[int, str]]:
    return [(change.message_id, change.change) for each in updates for change in changes_of(each)]


def account_difference() -> Any:
    others = [edit(3, 11, None), types.UpdateDeleteMessages([4], 12, 1)]
    state = types.updates.State(13, 1, NOW, 1, 0)
    return types.updates.Difference([message(5, None)], [], others, [], [], state)


def channel_difference() -> Any:
    others = [edit(3, 11), types.UpdateDeleteChannelMessages(CHANNEL, [4], 12, 1)]
    return types.updates.ChannelDifference(13, [message(5)], others, [], [], final=True)


def too_long(pts: int = 99) -> Any:
    dialog = types.Dialog(
        types.PeerChannel(CHANNEL), 40, 0, 0, 0, 0, 0, 0, types.PeerNotifySettings(), pts=pts
    )
    return types.updates.ChannelDifferenceTooLong(dialog, [message(40)], [], [], final=True)


async def test_telethon_takes_edits_and_deletions_of_a_difference_for_known(
    plain: MessageBox, ours: UpdateBox, keys: EntityCache
) -> None:
    lossy, whole = [], []
    for box, found in ((plain, lossy), (ours, whole)):
        ask_account(box)
        found += named(box.apply_difference(account_difference(), keys)[0])
        request = ask_channel(box, keys)
        found += named(box.apply_channel_difference(request, channel_difference(), keys)[0])

    assert lossy == [(5, "new"), (5, "new")]
    assert whole == [(5, "new"), (3, "edited"), (4, "deleted")] * 2
    assert plain.session_state() == ours.session_state()
    assert ours.take_lost() == frozenset()


async def test_telethon_drops_a_too_long_difference_of_the_account(
    plain: MessageBox, ours: UpdateBox, keys: EntityCache
) -> None:
    for box in (plain, ours):
        ask_account(box)
        assert box.apply_difference(types.updates.DifferenceTooLong(99), keys) == ([], [], [])
        assert box.session_state()[0]["pts"] == 99

    assert ours.take_lost() == {None}
    assert ours.take_lost() == frozenset()
    # Which channels have news is told by the next answer only.
    assert (plain.get_difference(), ours.get_difference().pts) == (None, 99)


async def test_a_server_that_repeats_itself_is_not_asked_for_ever(
    ours: UpdateBox, keys: EntityCache
) -> None:
    ask_account(ours)
    ours.apply_difference(types.updates.DifferenceTooLong(10), keys)
    assert ours.get_difference() is None


async def test_telethon_drops_a_too_long_difference_of_a_channel(
    plain: MessageBox, ours: UpdateBox, keys: EntityCache
) -> None:
    found = [
        named(box.apply_channel_difference(ask_channel(box, keys), too_long(), keys)[0])
        for box in (plain, ours)
    ]
    assert found == [[], [(40, "new")]]
    assert ours.take_lost() == {CHANNEL}
    assert ours.positions() == {CHANNEL: 99}
    assert ours.get_channel_difference(keys) is None


async def test_telethon_drops_news_of_a_channel_whose_place_it_does_not_know(
    plain: MessageBox, ours: UpdateBox, keys: EntityCache
) -> None:
    ours.heard.add(OTHER)
    news = types.UpdateShort(types.UpdateChannelTooLong(OTHER, 30), NOW)
    for box in (plain, ours):
        box.process_updates(news, keys, [])
        assert box.get_channel_difference(keys) is None
    assert ours.take_lost() == {OTHER}
    assert ours.positions() == {CHANNEL: 10, OTHER: 30}


async def test_telethon_begins_a_channel_at_its_first_update_and_forgets_what_was_before(
    ours: UpdateBox, keys: EntityCache
) -> None:
    ours.heard.add(OTHER)
    found: list[Any] = []
    update = types.UpdateShort(types.UpdateNewChannelMessage(message(9, OTHER), 31, 1), NOW)
    ours.process_updates(update, keys, found)
    assert named(found) == [(9, "new")]
    assert ours.take_lost() == {OTHER}


async def test_telethon_drops_a_channel_whose_key_it_does_not_know(
    plain: MessageBox, ours: UpdateBox
) -> None:
    for box in (plain, ours):
        assert ask_channel(box, EntityCache()) is None
        assert box.session_state()[1] == {}
    assert ours.take_lost() == {CHANNEL}


async def test_a_channel_that_is_not_heard_has_no_place_and_no_difference(
    ours: UpdateBox, keys: EntityCache
) -> None:
    found: list[Any] = []
    keys.put(Entity(EntityType.CHANNEL, OTHER, 6))
    for pts in (31, 41):
        update = types.UpdateShort(types.UpdateNewChannelMessage(message(9, OTHER), pts, 1), NOW)
        ours.process_updates(update, keys, found)
    ours.process_updates(types.UpdateShort(types.UpdateChannelTooLong(OTHER), NOW), keys, found)
    assert found == []
    assert ours.get_channel_difference(keys) is None
    assert ours.session_state()[1] == {CHANNEL: 10}


async def test_a_channel_that_ceases_to_be_heard_is_forgotten(
    ours: UpdateBox, keys: EntityCache
) -> None:
    ours.next_deadline = CHANNEL
    ours.try_begin_get_diff(CHANNEL, "a test")
    ours.heard.clear()
    assert ours.get_channel_difference(keys) is None
    assert ours.session_state()[1] == {}
    ours.check_deadlines()
    assert ours.idle.is_set()


async def test_a_difference_that_was_refused_is_due_again_soon(
    plain: MessageBox, ours: UpdateBox, keys: EntityCache
) -> None:
    waits = []
    for box in (plain, ours):
        ask_account(box)
        box.end_difference()
        request = ask_channel(box, keys)
        box.end_channel_difference(request, PrematureEndReason.TEMPORARY_SERVER_ISSUES, keys)
        waits.append(box.check_deadlines() - _now())
    assert waits[0] > 600
    assert waits[1] <= RETRY_SECONDS
    assert not ours.idle.is_set()


async def test_a_channel_that_the_account_was_put_out_of_is_not_asked_for_again(
    ours: UpdateBox, keys: EntityCache
) -> None:
    request = ask_channel(ours, keys)
    ours.end_channel_difference(request, PrematureEndReason.BANNED, keys)
    assert ours.check_deadlines() - _now() > 600
    assert ours.idle.is_set()


async def test_it_is_not_idle_while_updates_are_still_to_be_looked_at() -> None:
    arriving: asyncio.Queue[Any] = asyncio.Queue()
    box = UpdateBox(logging.getLogger("telethon"), arriving)
    box.load(_state(), [])
    arriving.put_nowait(types.UpdatesTooLong())
    box.check_deadlines()
    assert not box.idle.is_set()
    arriving.get_nowait()
    box.check_deadlines()
    assert box.idle.is_set()


async def test_updates_too_long_is_a_question_to_be_asked(
    ours: UpdateBox, keys: EntityCache
) -> None:
    with pytest.raises(GapError):
        ours.process_updates(types.UpdatesTooLong(), keys, [])
    assert ours.get_difference().pts == 10


def _now() -> float:

    return asyncio.get_running_loop().time()
