"""Jumps: from a date, a count or a link to the range of message ids that it means.

One or two requests a chat instead of a scan, and an estimate of what reading it will cost.
Reading it is ``reading``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil
from typing import Final, Protocol

from archive.history.pages import PAGE
from archive.history.ports import ChatLost, HistorySource
from archive.ids import ChatNo, MessageId
from archive.records import Chat
from archive.windows import MAX_MESSAGE_ID, OWN_WIDTH, PLACEHOLDER_COUNT, WindowRow

MEGABYTE: Final = 1_000_000

_BEYOND: Final = MessageId(MAX_MESSAGE_ID + 1)


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a chat that a person wants.

    Attributes:
        since: Messages sent at this moment or later.
        until: Messages sent before this moment.
        last: The newest so many messages.
        from_id: This message and newer ones.
    """

    since: datetime | None = None
    until: datetime | None = None
    last: int | None = None
    from_id: MessageId | None = None


@dataclass(frozen=True, slots=True)
class IdRange:
    """The ids that a span means, both ends included; empty where the first is the larger."""

    first: MessageId
    last: MessageId

    def holds(self, row: WindowRow) -> bool:
        """Whether some of the ids lie in a window and may exist."""
        # Of an open window only what exists.
        newest = min(row.window.last_id, row.known_top)
        return self.first <= newest and row.window.first_id <= self.last


@dataclass(frozen=True, slots=True)
class MediaCounters:
    """How many photos and videos a whole chat holds, as Telegram counts them."""

    photos: int
    videos: int

    def __add__(self, other: MediaCounters) -> MediaCounters:
        """Count two chats together."""
        return MediaCounters(self.photos + other.photos, self.videos + other.videos)


@dataclass(frozen=True, slots=True)
class Rates:
    """What reading has cost so far, or is thought to cost.

    Attributes:
        seconds_per_page: Of history.
        media_per_second: Fetched and looked at.
        photo_bytes: Of an average one.
        video_bytes: Of an average one.
    """

    seconds_per_page: float
    media_per_second: float
    photo_bytes: float
    video_bytes: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """What reading some windows of a chat will take, as far as can be told before."""

    windows: int
    messages: int
    photos: int
    videos: int
    minutes: float
    megabytes: float


class CountingSource(Protocol):
    """Whoever can ask Telegram how many media a chat holds."""

    async def counters(self, chat: Chat) -> MediaCounters:
        """Count the photos and videos of a whole chat."""
        ...


async def find_ranges(
    chats: Sequence[Chat], span: Span, source: HistorySource
) -> Mapping[ChatNo, IdRange]:
    """Find the ids that a span means: one request for each of its bounds in each chat.

    A link begins in the newest chat, and what was before that is older. A count goes on where
    the newest chat has no more messages.

    Args:
        chats: A chat and before it the groups that it was, the newest first.
        span: What a person wants.
        source: The connection of the account that reads them.

    Returns:
        A range for each chat that may hold some of it; none for one that is lost.

    Raises:
        Transient: Telegram did not answer.
    """
    ranges: dict[ChatNo, IdRange] = {}
    for chat in chats:
        try:
            ranges[chat.chat_no], lacking = await _find_range(chat, span, source)
        except ChatLost:
            continue
        if span.from_id is not None or lacking == 0:
            break
        span = replace(span, last=lacking)
    return ranges


async def _find_range(chat: Chat, span: Span, source: HistorySource) -> tuple[IdRange, int | None]:
    """Find the ids in one chat, and how many of the newest so many messages it lacks."""
    first, last, lacking = MessageId(span.from_id or 1), MAX_MESSAGE_ID, None
    if span.since is not None:
        # The oldest one from then on, not the id after the one before: ids have gaps.
        page = await source.page(chat, offset_id=0, offset_date=span.since, add_offset=-1, limit=1)
        from_then = [m.message_id for m in page.messages if m.sent_at >= span.since]
        first = max(first, min(from_then, default=_BEYOND))
    if span.last is not None:
        page = await source.page(chat, offset_id=0, add_offset=span.last - 1, limit=1)
        first = max([first, *(message.message_id for message in page.messages)])
        lacking = 0 if page.messages else max(0, span.last - page.total)
    if span.until is not None:
        last = await _newest_before(chat, span.until, source)
    return IdRange(first, last), lacking


async def _newest_before(chat: Chat, moment: datetime, source: HistorySource) -> MessageId:
    page = await source.page(chat, offset_id=0, offset_date=moment, limit=1)
    return max((message.message_id for message in page.messages), default=MessageId(0))


def estimate(
    chosen: Sequence[WindowRow],
    planned: Sequence[WindowRow],
    messages: int,
    counters: MediaCounters,
    rates: Rates,
) -> Estimate:
    """Estimate what some of a chat's windows will take.

    Telegram counts whole chats only: a part is taken to hold its share.

    Args:
        chosen: The windows to read.
        planned: All windows of the chat.
        messages: How many the whole chat holds, as Telegram claims.
        counters: Its photos and videos.
        rates: What reading costs.
    """
    if messages >= PLACEHOLDER_COUNT:
        messages = OWN_WIDTH * len(planned)
    whole = sum(map(_ids_in, planned))
    share = sum(map(_ids_in, chosen)) / whole if whole else 0.0
    photos, videos = round(counters.photos * share), round(counters.videos * share)
    return _estimate(len(chosen), round(messages * share), MediaCounters(photos, videos), rates)


def estimate_whole(messages: int, counters: MediaCounters, rates: Rates) -> Estimate:
    """Estimate what all of a chat will take that has no windows yet.

    Args:
        messages: How many it holds, as Telegram claims; a placeholder says nothing, and what it
            holds besides media is then left out.
        counters: Its photos and videos.
        rates: What reading costs.
    """
    if messages >= PLACEHOLDER_COUNT:
        messages = counters.photos + counters.videos
    return _estimate(0, messages, counters, rates)


def _estimate(windows: int, messages: int, counters: MediaCounters, rates: Rates) -> Estimate:
    seconds = ceil(messages / PAGE) * rates.seconds_per_page
    seconds += (counters.photos + counters.videos) / rates.media_per_second
    size = counters.photos * rates.photo_bytes + counters.videos * rates.video_bytes
    return Estimate(
        windows, messages, counters.photos, counters.videos, seconds / 60, size / MEGABYTE
    )


def _ids_in(row: WindowRow) -> int:
    """Count the ids of a window that can exist."""
    return max(0, min(row.window.last_id, row.known_top) - row.window.first_id + 1)
