"""A Telegram of a few lines: history with the server's own idea of offsets, from a list.

Passes the same contract test as the real adapter (`tests/contract/test_history_source.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat

from archive.history.ports import Arrival
from archive.ids import MediaId, MessageId, UserId
from archive.records import (
    Chat,
    MediaAccess,
    MediaFile,
    MediaKind,
    Message,
    MessageKind,
    Page,
    PeerInfo,
    User,
)

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def a_message(
    message_id: int,
    text: str = "",
    *,
    photo: int | None = None,
    edited_after_seconds: int | None = None,
) -> Message:
    """Make a message that says its own number, perhaps with a photo."""
    sent_at = EPOCH + timedelta(seconds=message_id)
    file = access = None
    if photo is not None:
        media_id = MediaId(f"photo:{photo}")
        file = MediaFile(media_id, MediaKind.PHOTO, "image/jpeg", size_bytes=1000, variant="y")
        access = MediaAccess(media_id, access_hash=photo * 7, file_reference=b"reference")
    text = text or f"message {message_id}"
    return Message(
        MessageId(message_id),
        MessageKind.TEXT if photo is None else MessageKind.MEDIA,
        sent_at,
        sender_id=UserId(500 + message_id % 3),
        edited_at=None
        if edited_after_seconds is None
        else sent_at + timedelta(seconds=edited_after_seconds),
        text=text,
        media=file,
        access=access,
        raw=f'{{"id":{message_id}}}',
    )


def arrival_of(page: Page) -> Arrival:
    """Give a page as it comes."""
    return Arrival(tuple(message.message_id for message in page.messages), lambda: page)


class ScriptedHistory:
    """A chat's history as the server would slice it.

    Args:
        messages: The chat's content.
        page_lengths: At most so many messages in each answer, one after another: the server
            may cut a page short wherever it likes. Afterwards pages are full.
        total: What the server claims the chat holds; by default the truth.
        chats: Chats that every answer speaks of.
        before_answer: Called with the number of the request, from 1; may change the content or
            raise.
    """

    def __init__(
        self,
        messages: Iterable[Message],
        *,
        page_lengths: Iterable[int] = (),
        total: int | None = None,
        chats: Sequence[PeerInfo] = (),
        before_answer: Callable[[int], None] | None = None,
    ) -> None:
        self.content = {message.message_id: message for message in messages}
        self.requests: list[tuple[int, int, int]] = []
        self.named: list[tuple[int, ...]] = []
        self.before_answer = before_answer
        self._page_lengths = chain(page_lengths, repeat(100))
        self._total = total
        self._chats = tuple(chats)

    async def page(
        self,
        chat: Chat,
        *,
        offset_id: int,
        offset_date: datetime | None = None,
        add_offset: int = 0,
        limit: int = 100,
    ) -> Page:
        """Slice the history like ``messages.getHistory``."""
        self.requests.append((offset_id, add_offset, limit))
        if self.before_answer is not None:
            self.before_answer(len(self.requests) + len(self.named))
        newest_first = sorted(self.content, reverse=True)
        at = sum(offset_id > 0 and one >= offset_id for one in newest_first) + add_offset
        if offset_id == 0 and offset_date is not None:
            at += sum(self.content[one].sent_at >= offset_date for one in newest_first)
        length = min(limit, next(self._page_lengths))
        return self._answer(newest_first[max(at, 0) : max(at + length, 0)])

    async def below(self, chat: Chat, message_id: MessageId) -> Arrival:
        """Give the page below an id."""
        return arrival_of(await self.page(chat, offset_id=message_id))

    async def messages(self, chat: Chat, ids: Sequence[MessageId]) -> Page:
        """Answer what exists of the messages named."""
        self.named.append(tuple(ids))
        if self.before_answer is not None:
            self.before_answer(len(self.requests) + len(self.named))
        return self._answer([one for one in ids if one in self.content])

    def put(self, *messages: Message) -> None:
        """Send or edit messages."""
        self.content.update({message.message_id: message for message in messages})

    def remove(self, *ids: int) -> None:
        """Delete messages."""
        for message_id in ids:
            del self.content[MessageId(message_id)]

    def _answer(self, ids: Sequence[MessageId]) -> Page:
        messages = tuple(self.content[one] for one in ids)
        users = tuple(
            User(UserId(sender), f"Person {sender}", None, None)
            for sender in sorted({m.sender_id for m in messages if m.sender_id is not None})
        )
        total = len(self.content) if self._total is None else self._total
        return Page(messages, users, self._chats, total)
