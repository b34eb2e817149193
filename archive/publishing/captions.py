"""The caption of a post: where the content comes from, as Telegram's HTML.

Pure text. Which sources may be named is decided by whoever calls; here each one that is given
is named or counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from html import escape

from archive.chats import message_link
from archive.publishing.doubts import Asked
from archive.publishing.visible_text import shortened
from archive.publishing.wanted import Source
from archive.records import Chat

MAX_LINKS = 10
# Below a question, whose name and link are as long as two of them.
MAX_LINKS_ASKED = 6
# https://limits.tginfo.me/en: a caption holds 1 024 UTF-16 units after parsing. Ten titles of
# 80, their dates and separators, the moment and the last line together stay below 1 000.
MAX_UNITS = 1024
TITLE_UNITS = 80
# Of these, what a forum and its topic share.
FORUM_UNITS = 40
TOPIC_UNITS = 37
# https://core.telegram.org/api/links#message-links: where a video begins to play.
_MOMENT = re.compile(r'\?t=[0-9]+">')
# Every line of a source ends in its date, so no chat's name can look like these.
_NO_SOURCE = re.compile(r"▶ [0-9:]+|and [0-9]+ more")


def caption(
    sources: Iterable[Source], seconds: float | None = None, asked: Asked | None = None
) -> str:
    """Name the sources, oldest first, each with a link where its chat has links.

    Args:
        sources: In any order; a message is named once.
        seconds: In a video, when the person appears; Telegram makes ``01:05`` a link to it.
        asked: A question about what is seen there, which comes first.

    Returns:
        HTML that parses to at most 1 024 UTF-16 units, whatever the chats are called.
    """
    ordered = oldest_first(sources)
    lines = [] if asked is None else [asked.heading]
    lines += [] if seconds is None else [f"▶ {moment(seconds)}"]
    most = MAX_LINKS if asked is None else MAX_LINKS_ASKED
    lines += [_line(source, seconds) for source in ordered[:most]]
    if len(ordered) > most:
        lines.append(f"and {len(ordered) - most} more")
    return "\n".join(lines)


def names_only(caption_html: str, sources: Iterable[Source]) -> bool:
    """Whether a caption made earlier names nothing but these sources.

    A caption that was stored with a send is repeated as it was, unless a chat in it may no
    longer be named.
    """
    allowed = {_line(source) for source in sources}
    lines = _MOMENT.sub('">', caption_html).split("\n")
    return all(line in allowed or _NO_SOURCE.fullmatch(line) for line in lines)


def oldest_first(sources: Iterable[Source]) -> list[Source]:
    """Order by date, then by the names of chat and message; each message once."""
    once = {(source.chat.chat_no, source.message_id): source for source in sources}
    return sorted(once.values(), key=order_of)


def order_of(source: Source) -> tuple[float, int, int]:
    """What sources are sorted by; total, so that a caption is the same each time."""
    return source.sent_at.timestamp(), source.chat.chat_no, source.message_id


def moment(seconds: float) -> str:
    """Write a time in a video as ``mm:ss``, or ``h:mm:ss`` past the hour."""
    minutes, second = divmod(int(max(0.0, seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute:02}:{second:02}"


def place(source: Source) -> str:
    """Name a source for a person: the chat, the topic of a forum, and the day (UTC)."""
    title = _title(source.chat.title, source.topic_title or "")
    return f"{title} · {source.sent_at.date().isoformat()}"


def chat_name(chat: Chat) -> str:
    """Name a chat for a person, whatever it is called."""
    return _title(chat.title, "")


# There are few chats beside what is in them.
@lru_cache(maxsize=4096)
def _title(chat_title: str, topic_title: str) -> str:
    topic = shortened(topic_title, TOPIC_UNITS)
    title = shortened(chat_title, FORUM_UNITS if topic else TITLE_UNITS) or "a chat without a name"
    return f"{title} › {topic}" if topic else title


def _line(source: Source, seconds: float | None = None) -> str:
    """Name a source, with a link to it, and into a video to the moment."""
    text = escape(place(source))
    link = message_link(source.chat, source.message_id, source.topic_id)
    if link is None:
        return text
    moment_ = "" if seconds is None else f"?t={int(max(0.0, seconds))}"
    return f'<a href="{escape(link)}{moment_}">{text}</a>'
