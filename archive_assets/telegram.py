"""The history of chats: one window of message ids a partition."""

import asyncio
from functools import partial

import dagster as dg

from archive.history import HistoryResult, read_window
from archive.windows import Window, parse_key
from archive_assets.lanes import lane_of
from archive_assets.outcomes import dagster_outcome, timed
from archive_assets.partitions import chat_window, one_window_a_run
from resources.telegram.sessions import Lane
from resources.toolbox import Toolbox


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
        result = asyncio.run(_read(toolbox, window, lane_of(context)))
        timing.items = result.counts["messages"]
    return dg.MaterializeResult(
        metadata={**result.counts.by_name, "stopped_reason": result.stopped_reason}
    )


async def _read(toolbox: Toolbox, window: Window, lane: Lane) -> HistoryResult:
    chat = toolbox.chats.get(window.chat_no)
    async with toolbox.telegram(lane, chat.account_id) as account:
        return await read_window(window, account.history, toolbox.history)
