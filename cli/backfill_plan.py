"""What a backfill takes: which windows a span means, and what reading them will cost.

Asks Telegram one or two things a chat and the store for what things cost so far. Launching is
`cli.backfill`'s business, the rules are `archive.history.jumps`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from archive.chats import find_chat, parse_message_link
from archive.errors import Permanent
from archive.history.jumps import (
    Estimate,
    MediaCounters,
    Rates,
    Span,
    estimate,
    estimate_whole,
    find_ranges,
)
from archive.history.ports import ChatLost
from archive.ids import AccountId, ChatNo
from archive.records import Chat
from archive.windows import WindowRow
from cli.output import Advance

if TYPE_CHECKING:
    from resources.telegram.client import TelegramAccount
    from resources.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class ChatPart:
    """The windows of one chat that a person wants, newest first."""

    chat: Chat
    windows: Sequence[WindowRow]


def span_of(since: datetime | None, until: datetime | None, last: int | None) -> Span:
    """Read what was typed: times are UTC, and a day that ends a span belongs to it."""
    if until is not None and until.time() == datetime.min.time():
        until += timedelta(days=1)
    return Span(
        since=None if since is None else since.replace(tzinfo=UTC),
        until=None if until is None else until.replace(tzinfo=UTC),
        last=last,
    )


def linked(toolbox: Toolbox, chats: Sequence[Chat], link: str, span: Span) -> tuple[Chat, Span]:
    """Let a span begin at the message that a link names, in the link's chat.

    Raises:
        Permanent: The link names no message, or one of another chat than those named.
    """
    text, message_id = parse_message_link(link)
    chat = find_chat(toolbox.chats.list(), text)
    if chats and chat.chat_no not in {each.chat_no for each in chats}:
        raise Permanent(
            f"The link names a message of {chat.title!r}, which is not among the chats."
        )
    return chat, replace(span, from_id=message_id)


async def parts_of(
    toolbox: Toolbox, chats: Sequence[Chat], span: Span, *, unread: bool
) -> list[ChatPart]:
    """Find the windows that a span means in each chat.

    Raises:
        Transient: Telegram did not answer.
    """
    parts: list[ChatPart] = []
    for account_id, theirs in _by_account(chats).items():
        # Of what nobody is logged in for, no date can be asked.
        if span == Span() or not toolbox.exports.is_readable(theirs[0].chat_no):
            parts += [ChatPart(chat, toolbox.chats.windows(chat.chat_no)) for chat in theirs]
            continue
        from resources.telegram.sessions import Lane

        async with toolbox.telegram(Lane.LIVE, account_id) as telegram:
            for chat in theirs:
                parts.append(ChatPart(chat, await _within(toolbox, telegram, chat, span)))
    if unread:
        parts = [replace(part, windows=[*filter(_is_unread, part.windows)]) for part in parts]
    order = {chat.chat_no: number for number, chat in enumerate(chats)}
    return sorted(parts, key=lambda part: order[part.chat.chat_no])


async def estimates_of(
    toolbox: Toolbox, parts: Sequence[ChatPart]
) -> Mapping[ChatNo, Estimate | None]:
    """Estimate what reading each part will take; ``None`` for a chat that is lost, or imported.

    Raises:
        Transient: Telegram did not answer.
    """
    by_chat = {part.chat.chat_no: part for part in parts}

    def of_part(chat: Chat, messages: int, counters: MediaCounters, rates: Rates) -> Estimate:
        planned = toolbox.chats.windows(chat.chat_no)
        return estimate(by_chat[chat.chat_no].windows, planned, messages, counters, rates)

    return await _estimated(toolbox, [part.chat for part in parts], of_part)


async def costs_of(
    toolbox: Toolbox, chats: Sequence[Chat], advance: Advance = lambda done, total: None
) -> Mapping[ChatNo, Estimate | None]:
    """Estimate what reading whole chats will take, planned or not; ``None`` as above.

    Raises:
        Transient: Telegram did not answer.
    """

    def of_all(chat: Chat, messages: int, counters: MediaCounters, rates: Rates) -> Estimate:
        return estimate_whole(messages, counters, rates)

    return await _estimated(toolbox, chats, of_all, advance)


def cost_row(found: Estimate | None) -> dict[str, object]:
    """Show what reading will take; nothing is known of a chat that cannot be asked about."""
    return {
        "messages": found.messages if found else None,
        "photos": found.photos if found else None,
        "videos": found.videos if found else None,
        "minutes": round(found.minutes, 1) if found else None,
        "megabytes": round(found.megabytes, 1) if found else None,
    }


async def _estimated(
    toolbox: Toolbox,
    chats: Sequence[Chat],
    estimate_of: Callable[[Chat, int, MediaCounters, Rates], Estimate],
    advance: Advance = lambda done, total: None,
) -> Mapping[ChatNo, Estimate | None]:
    from resources.telegram.sessions import Lane

    found: dict[ChatNo, Estimate | None] = {chat.chat_no: None for chat in chats}
    readable = [chat for chat in chats if toolbox.exports.is_readable(chat.chat_no)]
    done = 0
    for account_id, theirs in _by_account(readable).items():
        rates = toolbox.costs.rates(account_id, toolbox.settings.history_requests_in_flight)
        async with toolbox.telegram(Lane.LIVE, account_id) as telegram:
            for chat in theirs:
                if counted := await _counted(toolbox, telegram, chat):
                    found[chat.chat_no] = estimate_of(chat, *counted, rates)
                advance(done := done + 1, len(readable))
    return found


async def _counted(
    toolbox: Toolbox, telegram: TelegramAccount, chat: Chat
) -> tuple[int, MediaCounters] | None:
    """Ask how many messages, photos and videos a chat holds; ``None`` of one that is lost."""
    counted = []
    for each in [chat, *toolbox.chats.predecessors(chat.chat_no)]:
        try:
            newest = await telegram.history.page(each, offset_id=0, limit=1)
            counted.append((newest.total, await telegram.history.counters(each)))
        except ChatLost:
            continue
    if not counted:
        return None
    messages = sum(total for total, _ in counted)
    return messages, sum((counters for _, counters in counted), MediaCounters(0, 0))


async def _within(
    toolbox: Toolbox, telegram: TelegramAccount, chat: Chat, span: Span
) -> list[WindowRow]:
    """Return the windows of a chat, and of the group that it was, that hold some of a span."""
    chats = [chat, *toolbox.chats.predecessors(chat.chat_no)]
    ranges = await find_ranges(chats, span, telegram.history)
    rows = toolbox.chats.windows(chat.chat_no)
    return [
        row
        for row in rows
        if row.window.chat_no in ranges and ranges[row.window.chat_no].holds(row)
    ]


def _by_account(chats: Sequence[Chat]) -> Mapping[AccountId, list[Chat]]:
    by_account: defaultdict[AccountId, list[Chat]] = defaultdict(list)
    for chat in chats:
        by_account[chat.account_id].append(chat)
    return by_account


def _is_unread(row: WindowRow) -> bool:
    return row.read_at is None or row.dirty or row.descent is not None
