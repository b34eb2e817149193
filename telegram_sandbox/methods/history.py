"""Reading messages: history, single messages, replies.

Here belong the offset rules, which search in `searching` shares.
Source: https://core.telegram.org/api/offsets
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from telethon.tl import functions, types

from telegram_sandbox.errors import RpcRefusal
from telegram_sandbox.methods.takeout import refuse_protected
from telegram_sandbox.peers import resolve_channel, resolve_chat
from telegram_sandbox.records import Chat, History, Message
from telegram_sandbox.registry import Context, handles

PAGE_MAXIMUM = 100
PAGE_DEFAULT = 20
"""What a limit of 0 means: https://core.telegram.org/api/offsets"""


@dataclass(frozen=True, slots=True)
class Page:
    """A slice of a history, newest first."""

    messages: list[Message]
    total: int
    newer: int
    """How many messages are newer than the first of the slice."""


def slice_history(
    history: Sequence[int],
    at: Callable[[int], Message],
    *,
    offset_id: int,
    offset_date: datetime | None,
    add_offset: int,
    limit: int,
    max_id: int,
    min_id: int,
) -> Page:
    """Cuts a page out of a history.

    The page starts at the first message older than `offset_id`, moved by `add_offset` (negative:
    towards newer ones). `max_id` and `min_id` sieve the page after it was cut, so they may empty
    it although messages exist.

    Args:
        history: ids in ascending order.
        at: returns the message at an index of `history`.
        offset_id: 0 starts at the newest.
        offset_date: used where `offset_id` is 0; starts at the first message before it.
        add_offset: moves the start.
        limit: at most this many, and never more than 100; 0 means 20.
        max_id: 0, or keeps only smaller ids.
        min_id: 0, or keeps only greater ids.
    """
    total = len(history)
    older = bisect_left(history, offset_id) if offset_id > 0 else total
    if offset_id <= 0 and offset_date is not None:
        while older and at(older - 1).date >= offset_date:
            older -= 1
    start = total - older + add_offset
    stop = start + min(limit if limit > 0 else PAGE_DEFAULT, PAGE_MAXIMUM)
    cut = [at(total - 1 - index) for index in range(max(start, 0), min(max(stop, 0), total))]
    kept = [m for m in cut if (not max_id or m.id < max_id) and (not min_id or m.id > min_id)]
    return Page(kept, total, max(start, 0))


def given_date(date: datetime | None) -> bool:
    """Whether a date was given: TL writes a missing one as the epoch."""
    return date is not None and date.timestamp() > 0


def _bounds(ctx: Context, history: History) -> tuple[int, int]:
    """Returns from where to where the request sees the history: all, or a range of ids."""
    if ctx.id_range is None:
        return 0, len(history)
    lowest, highest = ctx.id_range
    return bisect_left(history.ids, lowest), bisect_right(history.ids, highest)


def _page(ctx: Context, history: History, request: Any) -> Page:
    first, last = _bounds(ctx, history)
    limit = min(request.limit if request.limit > 0 else PAGE_DEFAULT, PAGE_MAXIMUM)
    date = request.offset_date
    return slice_history(
        history.ids if ctx.id_range is None else history.ids[first:last],
        lambda index: history.at(first + index),
        offset_id=request.offset_id,
        offset_date=date if given_date(date) else None,
        add_offset=request.add_offset,
        limit=min(limit, ctx.verdict.page_limit or limit),
        max_id=request.max_id,
        min_id=request.min_id,
    )


def answer(ctx: Context, chat: Chat, page: Page) -> Any:
    """Returns a page in the constructor that Telegram uses for that kind of chat."""
    content = ctx.views.messages(page.messages)
    if chat.is_channel:
        topics = {m.topic_id: chat.topic_of(m) for m in page.messages} if chat.forum else {}
        return types.messages.ChannelMessages(
            pts=chat.pts,
            count=page.total,
            offset_id_offset=page.newer,
            topics=[ctx.views.topic(chat, topic) for topic in topics.values() if topic],
            **content,
        )
    total = page.total if chat.placeholder_count is None else chat.placeholder_count
    if total == len(page.messages):
        return types.messages.Messages(topics=[], **content)
    return types.messages.MessagesSlice(
        count=total, offset_id_offset=page.newer, topics=[], **content
    )


@handles(functions.messages.GetHistoryRequest)
def get_history(ctx: Context, request: Any) -> Any:
    """Returns a page of a chat's history."""
    chat = resolve_chat(ctx, request.peer)
    refuse_protected(ctx, chat)
    return answer(ctx, chat, _page(ctx, chat.history(ctx.account), request))


@handles(functions.messages.GetRepliesRequest)
def get_replies(ctx: Context, request: Any) -> Any:
    """Returns a page of one topic."""
    chat = resolve_channel(ctx, request.peer)
    refuse_protected(ctx, chat)
    topic = chat.topics.get(request.msg_id)
    if topic is None:
        raise RpcRefusal("MSG_ID_INVALID")
    return answer(ctx, chat, _page(ctx, topic.messages, request))


def wanted_id(given: Any) -> int:
    """Returns the id that an InputMessage names, or a plain id."""
    if isinstance(given, int):
        return given
    if isinstance(given, types.InputMessageID):
        return int(given.id)
    raise RpcRefusal("MESSAGE_ID_INVALID")


@handles(functions.messages.GetMessagesRequest)
def get_messages(ctx: Context, request: Any) -> Any:
    """Returns messages of private chats and basic groups by id."""
    histories = [
        chat.history(ctx.account) for chat in ctx.world.chats_of(ctx.account) if not chat.is_channel
    ]

    def get(message_id: int) -> Message | None:
        return next((found for each in histories if (found := each.get(message_id))), None)

    return _single(ctx, [wanted_id(each) for each in request.id], get)


@handles(functions.channels.GetMessagesRequest)
def get_channel_messages(ctx: Context, request: Any) -> Any:
    """Returns messages of a channel by id; ids without a message come back empty."""
    chat = resolve_channel(ctx, request.channel)
    refuse_protected(ctx, chat)
    found = _single(ctx, [wanted_id(each) for each in request.id], chat.history(None).get)
    channel = [ctx.views.chat(chat)]
    return types.messages.ChannelMessages(
        pts=chat.pts,
        count=len(found.messages),
        messages=found.messages,
        topics=[],
        chats=found.chats or channel,
        users=found.users,
    )


def _single(ctx: Context, ids: list[int], get: Callable[[int], Message | None]) -> Any:
    found = [(each, get(each)) for each in ids]
    content = ctx.views.messages(message for _, message in found if message)
    present = iter(content["messages"])
    content["messages"] = [
        next(present) if message else types.MessageEmpty(each, None) for each, message in found
    ]
    return types.messages.Messages(topics=[], **content)


@handles(functions.messages.ReadHistoryRequest)
def read_history(ctx: Context, request: Any) -> Any:
    """Takes note that messages were read."""
    return types.messages.AffectedMessages(ctx.account.pts, 0)


@handles(functions.channels.ReadHistoryRequest)
def read_channel_history(ctx: Context, request: Any) -> bool:
    """Takes note that messages were read."""
    resolve_channel(ctx, request.channel)
    return True
