"""From a count or a link to ranges of ids, where a chat was a group before."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from archive.history.jumps import Span, find_ranges
from archive.history.ports import ChatLost
from archive.ids import ChatNo, MessageId
from archive.records import Chat, Page
from archive.windows import MAX_MESSAGE_ID
from tests.fakes.telegram import ScriptedHistory, a_message
from tests.unit.publishing_world import chat

NEW, OLD = chat(1), chat(2)


class Histories(ScriptedHistory):
    """A history a chat: three messages in the new one, five in the old one."""

    def __init__(self, *lost: Chat) -> None:
        super().__init__(())
        self._lost = lost
        self._of = {
            NEW.chat_no: ScriptedHistory(a_message(n) for n in (4, 5, 9)),
            OLD.chat_no: ScriptedHistory(a_message(n) for n in (10, 20, 30, 40, 50)),
        }

    async def page(self, chat: Chat, **asked: Any) -> Page:
        if chat in self._lost:
            raise ChatLost("the account was removed")
        return await self._of[chat.chat_no].page(chat, **asked)


def first_ids(span: Span, *lost: Chat) -> dict[ChatNo, MessageId]:
    ranges = asyncio.run(find_ranges([NEW, OLD], span, Histories(*lost)))
    assert all(each.last == MAX_MESSAGE_ID for each in ranges.values())
    return {chat_no: each.first for chat_no, each in ranges.items()}


@pytest.mark.parametrize(
    ("last", "firsts"),
    [(1, [9]), (3, [4]), (4, [1, 50]), (5, [1, 40]), (8, [1, 10]), (9, [1, 1])],
)
def test_the_newest_so_many_messages_go_on_in_the_group_that_a_chat_was(
    last: int, firsts: list[int]
) -> None:
    assert list(first_ids(Span(last=last)).values()) == firsts


def test_a_link_begins_in_the_chat_and_what_was_before_it_is_older() -> None:
    assert first_ids(Span(from_id=MessageId(5))) == {NEW.chat_no: 5}
    assert first_ids(Span(from_id=MessageId(5), last=1_000)) == {NEW.chat_no: 5}


def test_a_time_means_both() -> None:
    assert first_ids(Span(since=a_message(1).sent_at)) == {NEW.chat_no: 4, OLD.chat_no: 10}


def test_of_a_chat_that_is_lost_only_what_it_was_is_counted() -> None:
    assert first_ids(Span(last=2), NEW) == {OLD.chat_no: 40}
    assert first_ids(Span(last=2), NEW, OLD) == {}
