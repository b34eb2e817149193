"""Reading messages: history, search, single messages, replies.

Here belong the offset rules, which all of them share.
Source: https://core.telegram.org/api/offsets
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from telethon.tl import functions, types

from telegram_sandbox.errors import RpcRefusal
from telegram_sandbox.peers import resolve_channel, resolve_chat, resolve_user
from telegram_sandbox.records import Chat, FileKind, FileMedia, History, Message
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


def _page(ctx: Context, history: History, request: Any) -> Page:
    limit = request.limit if ctx.page_limit is None else min(request.limit, ctx.page_limit)
    date = request.offset_date
    return slice_history(
        history.ids,
        history.at,
        offset_id=request.offset_id,
        offset_date=date if given_date(date) else None,
        add_offset=request.add_offset,
        limit=limit,
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
    return answer(ctx, chat, _page(ctx, chat.history(ctx.account), request))


@handles(functions.messages.GetRepliesRequest)
def get_replies(ctx: Context, request: Any) -> Any:
    """Returns a page of one topic."""
    chat = resolve_channel(ctx, request.peer)
    topic = chat.topics.get(request.msg_id)
    if topic is None:
        raise RpcRefusal("MSG_ID_INVALID")
    return answer(ctx, chat, _page(ctx, topic.messages, request))


def _is_photo(message: Message) -> bool:
    media = message.media
    return isinstance(media, FileMedia) and media.kind is FileKind.PHOTO


def _document_with(message: Message, wanted: type | None, unwanted: tuple[type, ...] = ()) -> bool:
    media = message.media
    if not isinstance(media, FileMedia) or media.kind is not FileKind.DOCUMENT:
        return False
    attributes = media.file.attributes if media.file else ()
    if any(isinstance(each, unwanted) for each in attributes):
        return False
    return wanted is None or any(isinstance(each, wanted) for each in attributes)


def _is_video(message: Message) -> bool:
    media = message.media
    round_video = (
        isinstance(media, FileMedia)
        and media.file is not None
        and any(getattr(each, "round_message", None) for each in media.file.attributes)
    )
    unwanted = (types.DocumentAttributeAnimated, types.DocumentAttributeSticker)
    return _document_with(message, types.DocumentAttributeVideo, unwanted) and not round_video


def _is_round(message: Message) -> bool:
    return _document_with(message, types.DocumentAttributeVideo) and any(
        getattr(each, "round_message", None)
        for each in message.media.file.attributes  # type: ignore[union-attr]
    )


def _is_plain_document(message: Message) -> bool:
    unwanted = (
        types.DocumentAttributeVideo,
        types.DocumentAttributeAudio,
        types.DocumentAttributeSticker,
        types.DocumentAttributeAnimated,
    )
    return _document_with(message, None, unwanted)


_FILTERS: dict[type, Callable[[Message], bool]] = {
    types.InputMessagesFilterEmpty: lambda message: True,
    types.InputMessagesFilterPhotos: _is_photo,
    types.InputMessagesFilterVideo: _is_video,
    types.InputMessagesFilterPhotoVideo: lambda message: _is_photo(message) or _is_video(message),
    types.InputMessagesFilterDocument: _is_plain_document,
    types.InputMessagesFilterGif: lambda message: _document_with(
        message, types.DocumentAttributeAnimated
    ),
    types.InputMessagesFilterRoundVideo: _is_round,
    types.InputMessagesFilterPinned: lambda message: message.pinned,
}


def _filter(given: Any) -> Callable[[Message], bool]:
    if type(given) not in _FILTERS:
        raise RpcRefusal("INPUT_FILTER_INVALID")
    return _FILTERS[type(given)]


@handles(functions.messages.SearchRequest)
def search(ctx: Context, request: Any) -> Any:
    """Returns a page of the messages that match words, media kind, sender, topic and dates."""
    chat = resolve_chat(ctx, request.peer)
    keep = _filter(request.filter)
    sender = resolve_user(ctx, request.from_id) if request.from_id else None
    topic = chat.topics.get(request.top_msg_id) if request.top_msg_id else None
    source = topic.messages if topic else chat.history(ctx.account)
    found = [
        m
        for m in source
        if keep(m)
        and m.action is None
        and (sender is None or m.sender is sender)
        and request.q.lower() in m.text.lower()
        and (not given_date(request.min_date) or m.date > request.min_date)
        and (not given_date(request.max_date) or m.date < request.max_date)
    ]
    page = slice_history(
        [m.id for m in found],
        found.__getitem__,
        offset_id=request.offset_id,
        offset_date=None,
        add_offset=request.add_offset,
        limit=request.limit,
        max_id=request.max_id,
        min_id=request.min_id,
    )
    return answer(ctx, chat, page)


@handles(functions.messages.GetSearchCountersRequest)
def get_search_counters(ctx: Context, request: Any) -> list[Any]:
    """Counts the messages of each media kind."""
    chat = resolve_chat(ctx, request.peer)
    topic = chat.topics.get(request.top_msg_id) if request.top_msg_id else None
    source = topic.messages if topic else chat.history(ctx.account)
    return [
        types.messages.SearchCounter(
            filter=given, count=sum(1 for message in source if _filter(given)(message))
        )
        for given in request.filters
    ]


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
