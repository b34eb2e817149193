"""The history of chats: one window of message ids a partition."""

import asyncio
from functools import partial

import dagster as dg

from archive.history import plan_windows, read_window
from archive.history.topics import read_topics
from archive.records import Chat
from archive.windows import Window, parse_key
from archive_assets.lanes import lane_of
from archive_assets.outcomes import dagster_outcome, timed
from archive_assets.partitions import chat_window, one_window_a_run
from resources.telegram.client import TelegramAccount
from resources.telegram.history import HISTORY
from resources.telegram.sessions import Lane
from resources.toolbox import Toolbox

_Metadata = dict[str, int | float | str]


@dg.asset(
    partitions_def=chat_window,
    backfill_policy=one_window_a_run,
    group_name="telegram",
    kinds={"telegram", "postgres"},
)
def chat_history(
    context: dg.AssetExecutionContext, toolbox: dg.ResourceParam[Toolbox]
) -> dg.MaterializeResult[None]:
    """Messages of one window of one opted-in chat, with their senders and media references.

    Pages are committed as they arrive; a run that dies loses none and doubles none. The newest
    window of a chat is read again above what is known, and where live updates name an id.
    """
    window = parse_key(context.partition_key)
    postpone = partial(toolbox.history.postpone, window)
    with dagster_outcome(postpone), timed(toolbox, "chat_history", window.key) as timing:
        metadata = asyncio.run(_read(toolbox, window, lane_of(context)))
        timing.items = int(metadata.get("messages", 0))
    return dg.MaterializeResult(metadata=metadata)


async def _read(toolbox: Toolbox, window: Window, lane: Lane) -> _Metadata:
    chat = toolbox.chats.get(window.chat_no)
    if not toolbox.exports.is_readable(chat.chat_no):
        # The import wrote all there is.
        toolbox.history.settle(window)
        return {"messages": 0, "stopped_reason": "settled"}
    async with toolbox.telegram(lane, chat.account_id) as account:
        with toolbox.throttle(account) as throttle:
            result = await read_window(
                window, account.history, toolbox.history, in_flight=throttle.in_flight
            )
        topics = 0
        if result.stopped_reason == "done":
            topics = await read_topics(chat, account.topics, toolbox.forum_topics)
            await _plan_other_half(toolbox, account, chat)
        await _end_takeout(toolbox, account, lane)
        return {
            **result.counts.by_name,
            **account.stats.summary(HISTORY),
            "in_flight": throttle.in_flight(),
            "forum_topics": topics,
            "takeout": account.takeout.state if account.takeout else "off",
            "stopped_reason": result.stopped_reason,
        }


async def _plan_other_half(toolbox: Toolbox, account: TelegramAccount, chat: Chat) -> None:
    """Plan the supergroup that a basic group turned out to have become, or the other way round."""
    successor = toolbox.chats.get(chat.chat_no).migrated_to
    for other in toolbox.chats.unplanned():
        if other.chat_no == successor or other.migrated_to == chat.chat_no:
            await plan_windows(other, account.history, toolbox.history)


async def _end_takeout(toolbox: Toolbox, account: TelegramAccount, lane: Lane) -> None:
    memory = toolbox.takeout(account.account.account_id, lane)
    if account.takeout and memory and not memory.work_left():
        await account.takeout.finish()
