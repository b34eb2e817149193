"""Planning: which windows a chat has, by arithmetic or by jumping from one to the next.

What the arithmetic is, is in ``archive.windows``; reading a window is ``reading``.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from archive.history.pages import lowest_below
from archive.history.ports import ChatLost, HistorySource, HistoryStore, Plan, StoppedReason
from archive.ids import MessageId
from archive.records import Chat, ChatState, IdSpace, Page
from archive.windows import Window, choose_width, dense_windows, window_at


@dataclass(frozen=True, slots=True)
class PlannedWindows:
    """The outcome of a planning.

    Attributes:
        windows: New windows, newest first.
        requests: How often Telegram was asked.
    """

    windows: tuple[Window, ...]
    requests: int
    stopped_reason: StoppedReason = "done"


async def plan_windows(chat: Chat, source: HistorySource, store: HistoryStore) -> PlannedWindows:
    """Plan the windows that a chat does not have yet; none, if it has not grown.

    A dense space costs one request. A sparse one is jumped through, one request a window that
    holds messages; nothing is stored before the jump has come to its end.

    Args:
        chat: The chat; its archive switch must be on.
        source: The connection of the account that reads it.
        store: Where windows are remembered.

    Raises:
        Transient: Telegram or the store did not answer.
        Permanent: Telegram refuses for a reason that is not the chat's.
    """
    chat = await asyncio.to_thread(store.chat, chat.chat_no)
    if not chat.switches.archive:
        return PlannedWindows((), 0, "switched_off")
    try:
        return await _plan(chat, source, store)
    except ChatLost as lost:
        await asyncio.to_thread(store.mark_lost, chat, lost.reason)
        return PlannedWindows((), 1, "lost")


async def _plan(chat: Chat, source: HistorySource, store: HistoryStore) -> PlannedWindows:
    through = await asyncio.to_thread(store.planned_through, chat.chat_no)
    newest = await source.page(chat, offset_id=0, limit=1)
    if chat.state is ChatState.LOST:
        await asyncio.to_thread(store.mark_active, chat.chat_no)
    top = _largest(newest)
    if top == 0:
        return PlannedWindows((), 1)
    requests = 1
    width = chat.window_width
    if width is None:
        width, asked = await _choose_width(chat, source, top, newest.total)
        requests += asked
    windows: tuple[Window, ...] = ()
    if chat.id_space is IdSpace.OWN:
        windows = tuple(dense_windows(chat.chat_no, top, width, through))
    elif top > through:
        windows, asked = await _jump(chat, source, width, top, through)
        requests += asked
    # Even without a new window: the newest one may have grown.
    plan = Plan(windows, width, known_top=top, planned_through=top)
    added = await asyncio.to_thread(store.add_windows, chat.chat_no, plan)
    return PlannedWindows(added, requests)


async def _choose_width(
    chat: Chat, source: HistorySource, top: MessageId, count: int
) -> tuple[int, int]:
    """Return the width of a chat's windows, and how many requests it took to choose."""
    if chat.id_space is IdSpace.OWN:
        return choose_width(chat.id_space, oldest=MessageId(1), top=top, count=count), 0
    page = await source.page(chat, offset_id=1, add_offset=-1, limit=1)
    oldest = _largest(page) or top
    return choose_width(chat.id_space, oldest=oldest, top=top, count=count), 1


async def _jump(
    chat: Chat, source: HistorySource, width: int, top: MessageId, through: MessageId
) -> tuple[tuple[Window, ...], int]:
    """Find the windows of a sparse space that hold messages, newest first.

    Returns:
        The windows, and how many requests it took to find them.
    """
    windows = [window_at(chat.chat_no, top, width)]
    while (bound := windows[-1].first_id) > through + 1:
        page = await source.page(chat, offset_id=bound, add_offset=0, limit=1)
        below = lowest_below([message.message_id for message in page.messages], bound)
        if below is None or below <= through:
            return tuple(windows), len(windows)
        windows.append(window_at(chat.chat_no, below, width))
    return tuple(windows), len(windows) - 1


def _largest(page: Page) -> MessageId:
    """Return the newest id of a page; 0 for an empty one."""
    return max((message.message_id for message in page.messages), default=MessageId(0))
