"""Searching a chat by words, media kind, sender and dates, and counting what is there.

Here belong the filters; pages are cut as those of a history.
Source: https://core.telegram.org/api/search
"""

from collections.abc import Callable
from typing import Any

from telethon.tl import functions, types

from telegram_sandbox.errors import RpcRefusal
from telegram_sandbox.media_records import FileKind, FileMedia
from telegram_sandbox.methods.history import answer, given_date, slice_history
from telegram_sandbox.methods.takeout import refuse_protected
from telegram_sandbox.peers import resolve_chat, resolve_user
from telegram_sandbox.records import Message
from telegram_sandbox.registry import Context, handles


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
    refuse_protected(ctx, chat)
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
        types.messages.SearchCounter(filter=given, count=sum(map(_filter(given), source)))
        for given in request.filters
    ]
