"""Topics and texts of a hub, written and read back, over a real connection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from archive.ids import MessageId, TopicId
from archive.publishing import MessageStuck, PostMethod, TopicGone
from resources.telegram.hub import TelethonHub
from telegram_sandbox import Message
from tests.integration.telegram.conftest import House, picture
from tests.integration.telegram.test_hub import CAPTION, Hall, hall, topic

__all__ = ["hall"]

SUMMARY = '<b>Mia &amp; Ida</b>\nThis is <a href="https://t.me/c/1/2">Ida 🎂</a> now.'
GONE = MessageId(4711)


def hub(hall: Hall) -> TelethonHub:
    return hall.account.hub


def inside(hall: Hall, topic_id: TopicId) -> list[Message]:
    return [each for each in hall.state.messages if each.topic_id == topic_id and not each.action]


async def say(hall: Hall, topic_id: TopicId, random_id: int = 20) -> MessageId:
    return await hub(hall).say(hall.hub, topic_id, SUMMARY, random_id=random_id)


async def test_a_text_is_said_once_whatever_becomes_of_its_answer(hall: Hall) -> None:
    made = await topic(hall)
    hall.house.sandbox.faults.drop_after("messages.sendMessage")
    first = await say(hall, made)
    assert await say(hall, made) == first
    (message,) = inside(hall, made)
    assert (message.id, message.text) == (first, "Mia & Ida\nThis is Ida 🎂 now.")
    assert [getattr(entity, "url", None) for entity in message.entities] == [
        None,
        "https://t.me/c/1/2",
    ]


async def test_a_text_into_general_names_no_topic(hall: Hall) -> None:
    sent = await say(hall, TopicId(1))
    assert hall.state.message(sent).topic_id is None


async def test_a_topic_is_deleted_with_all_in_it_part_by_part_and_a_second_time_is_no_error(
    hall: Hall,
) -> None:
    made = await topic(hall)
    for number in range(7):
        await say(hall, made, 20 + number)
    kept = await say(hall, TopicId(1), 40)
    hall.house.sandbox.world.topic_deletion_limit = 3
    for _ in range(2):
        await hub(hall).delete_topic(hall.hub, made)
    assert hall.house.sandbox.state.requests["messages.deleteTopicHistory"] == 4
    assert [each.title for each in hall.state.topics] == ["General"]
    assert [each.id for each in hall.state.messages if not each.action] == [kept]


CALLS: dict[str, Callable[[Hall, TopicId], Awaitable[object]]] = {
    "say": say,
    "close": lambda hall, made: hub(hall).edit_topic(hall.hub, made, closed=True),
    "post": lambda hall, made: _post(hall, made),
}


async def _post(hall: Hall, made: TopicId) -> MessageId:
    return await hub(hall).send(hall.hub, made, await hall.post(PostMethod.REFERENCE))


@pytest.mark.parametrize("call", CALLS)
async def test_a_topic_that_was_deleted_is_said_to_be_gone(hall: Hall, call: str) -> None:
    made = await topic(hall)
    await hub(hall).delete_topic(hall.hub, made)
    with pytest.raises(TopicGone):
        await CALLS[call](hall, made)


async def test_a_text_is_edited_and_editing_it_again_is_no_error(hall: Hall) -> None:
    sent = await say(hall, await topic(hall))
    for _ in range(2):
        await hub(hall).edit(hall.hub, sent, CAPTION)
    assert hall.state.message(sent).text == "Seen in Family & friends"


async def test_a_text_is_pinned_and_pinning_it_again_is_no_error(hall: Hall) -> None:
    sent = await say(hall, await topic(hall))
    for _ in range(2):
        await hub(hall).pin(hall.hub, sent)
    assert hall.state.message(sent).pinned


async def test_what_is_gone_can_be_neither_edited_nor_pinned(hall: Hall) -> None:
    for change in (hub(hall).edit(hall.hub, GONE, CAPTION), hub(hall).pin(hall.hub, GONE)):
        with pytest.raises(MessageStuck):
            await change


async def test_messages_are_deleted_together_and_those_that_are_gone_passed_over(
    hall: Hall,
) -> None:
    made = await topic(hall)
    sent = [await say(hall, made, 20 + number) for number in range(3)]
    await hub(hall).delete_messages(hall.hub, [sent[0], GONE, sent[2]])
    assert [each.id for each in inside(hall, made)] == [sent[1]]


async def test_what_was_written_is_read_back_as_it_was_written(hall: Hall) -> None:
    made = await topic(hall)
    said = await say(hall, made)
    await hub(hall).pin(hall.hub, said)
    posted = await _post(hall, made)
    (summary, post) = await hub(hall).messages(hall.hub, [said, posted, GONE])
    assert summary.shown == hub(hall).as_shown(SUMMARY)
    assert post.shown == hub(hall).as_shown(CAPTION)
    assert (summary.topic_id, post.topic_id) == (made, made)
    assert [(each.pinned, each.media_id is not None) for each in (summary, post)] == [
        (True, False),
        (False, True),
    ]
    assert summary.is_ours


async def test_another_text_or_another_link_is_shown_differently(hall: Hall) -> None:
    shown = hub(hall).as_shown(SUMMARY)
    assert shown != hub(hall).as_shown(SUMMARY.replace("Ida", "Eva"))
    assert shown != hub(hall).as_shown(SUMMARY.replace("/2", "/3"))
    assert shown == hub(hall).as_shown(SUMMARY.replace("<b>", "").replace("</b>", ""))


async def test_pages_go_down_the_hub_and_tell_whose_each_message_is(
    hall: Hall, house: House
) -> None:
    made = await topic(hall)
    place = next(each for each in hall.state.topics if each.id == made)
    for number in range(120):
        hall.state.text(house.me, str(number), topic=place)
    other = hall.state.photo(house.scenario.user("Eve"), picture(), topic=place)
    first = await hub(hall).page(hall.hub, offset_id=MessageId(0))
    second = await hub(hall).page(hall.hub, offset_id=first[-1].message_id)
    assert len(first) == 100
    assert [each.message_id for each in first] == sorted(
        (each.message_id for each in first), reverse=True
    )
    assert first[-1].message_id > second[0].message_id
    assert (first[0].message_id, first[0].is_ours) == (other.id, False)
    assert first[1].is_ours
    assert second[-1].is_service


async def test_topics_are_asked_for_by_name_and_deleted_ones_are_left_out(hall: Hall) -> None:
    made = [await topic(hall, f"Person {number}", number) for number in range(5, 8)]
    await hub(hall).edit_topic(hall.hub, made[1], closed=True)
    await hub(hall).delete_topic(hall.hub, made[0])
    found = await hub(hall).topics_named(hall.hub, [*made, TopicId(4711)])
    assert [(each.topic_id, each.title, each.is_closed) for each in found] == [
        (made[1], "Person 6", True),
        (made[2], "Person 7", False),
    ]
