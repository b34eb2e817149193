"""Publishing with the real store and the real Telethon against the loopback Telegram."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from archive.errors import Permanent, Transient
from archive.publishing import Hub, HubBlocked, HubNo, plan
from archive.publishing.publish import utc_now
from resources.store.database import Database
from tests.integration.publishing_rows import key
from tests.integration.publishing_stage import Died, Stage, picture, shown, stage

SENDS = (
    "messages.sendMedia",
    "messages.forwardMessages",
    "messages.createForumTopic",
    "messages.sendMessage",
)


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(database, tmp_path) as found:
        yield found


@pytest.fixture
def hub(house: Stage) -> Hub:
    return house.hub(house.people)


def pictures(house: Stage) -> dict[str, list[bytes]]:
    """The pictures of each topic by its title."""
    return {
        title.rpartition(" ")[0]: [data for _, data in posts]
        for title, posts in shown(house.people).items()
    }


async def test_each_person_gets_a_topic_with_each_content_once_oldest_first(
    house: Stage, hub: Hub
) -> None:
    result = await house.publish(hub)
    assert pictures(house) == {
        "Mia & Ida": [picture(6)],
        "Person 1": [picture(1), picture(2), picture(3)],
        "Person 2": [picture(3), picture(5)],
    }
    assert (result.counts["topics"], result.counts["reference"], result.sent) == (3, 6, 9)
    assert (result.stopped_reason, result.remaining) == ("done", 0)


async def test_a_near_copy_is_named_in_the_caption_of_what_was_posted(
    house: Stage, hub: Hub
) -> None:
    await house.publish(hub)
    captions = [text for title, posts in shown(house.people).items() for text, _ in posts]
    assert len([text for text in captions if text.count("Family <3 · ") == 2]) == 1
    (message,) = [m for m in house.people.messages if m.text.count("\n") == 1]
    links = [entity.url for entity in message.entities]
    assert [link.rpartition("/")[2] for link in links] == ["2", "5"]


async def test_no_bytes_move_where_telegram_copies_by_reference(house: Stage, hub: Hub) -> None:
    await house.publish(hub)
    assert house.asked("upload.getFile", "upload.saveFilePart") == 0


async def test_publishing_again_sends_nothing(house: Stage, hub: Hub) -> None:
    await house.publish(hub)
    before, seen = house.asked(*SENDS), shown(house.people)
    result = await house.publish(hub)
    assert result.sent == 0
    assert house.asked(*SENDS) == before
    assert shown(house.people) == seen


async def test_a_dry_run_says_what_publishing_then_does(house: Stage, hub: Hub) -> None:
    drawn = plan(house.store, hub, now=utc_now())
    assert drawn.lines() == [
        "topic    Mia & Ida",
        "summary  Mia & Ida",
        "pin      Mia & Ida: summary",
        "post     Mia & Ida ← Family <3 · 2026-01-08",
        "topic    Person 1",
        "summary  Person 1",
        "pin      Person 1: summary",
        "post     Person 1 ← Family <3 · 2026-01-03 and 1 more",
        "post     Person 1 ← Family <3 · 2026-01-04",
        "post     Person 1 ← Family <3 · 2026-01-05",
        "topic    Person 2",
        "summary  Person 2",
        "pin      Person 2: summary",
        "post     Person 2 ← Family <3 · 2026-01-05",
        "post     Person 2 ← Family <3 · 2026-01-07",
    ]
    assert house.asked(*SENDS) == 0
    assert (await house.publish(hub)).done == len(drawn.operations)


async def test_a_budget_stops_a_run_and_the_next_one_goes_on(house: Stage, hub: Hub) -> None:
    results = [await house.publish(hub, max_operations=6) for _ in range(3)]
    assert [result.done for result in results] == [6, 6, 3]
    assert [result.stopped_reason for result in results] == ["budget", "budget", "done"]
    assert [result.remaining for result in results] == [9, 3, 0]


POINTS = ("before the call", "after the call", "after the record")


async def test_dying_at_every_point_of_every_operation_ends_in_the_same_hub(house: Stage) -> None:
    whole = house.hub(house.others)
    operations = (await house.publish(whole)).done
    hub = house.hub(house.people)
    deaths = 0
    while await dies(house, hub, POINTS[deaths % len(POINTS)]):
        deaths += 1
        posted = [post for posts in shown(house.people).values() for post in posts]
        assert len(posted) <= deaths // len(POINTS) + 1
    assert shown(house.people) == shown(house.others)
    assert (await house.publish(hub)).sent == 0
    # A summary that was sent without our knowing is edited once more.
    assert deaths >= len(POINTS) * operations


async def dies(house: Stage, hub: Hub, point: str) -> bool:
    """Publish in a process that dies at its next such point; false where none came."""
    try:
        await house.publish(hub, dies=point)
    except Died:
        return True
    return False


@pytest.mark.parametrize("method", ["messages.sendMedia", "messages.createForumTopic"])
async def test_a_lost_answer_doubles_nothing(house: Stage, hub: Hub, method: str) -> None:
    house.sandbox.faults.drop_after(method, first=2)
    try:
        await house.publish(hub)
    except Transient:
        await house.publish(hub)
    await house.publish(house.hub(house.others))
    assert shown(house.people) == shown(house.others)


async def test_a_long_wait_stops_the_run_and_loses_nothing(house: Stage, hub: Hub) -> None:
    house.sandbox.faults.error("messages.sendMedia", "FLOOD_WAIT_600", first=3)
    with pytest.raises(Transient) as waiting:
        await house.publish(hub)
    assert waiting.value.retry_after_seconds == 600
    assert waiting.value.__notes__ == ["8 of 15 operations were done before that."]
    assert (await house.publish(hub)).done == 7
    await house.publish(house.hub(house.others))
    assert shown(house.people) == shown(house.others)


async def test_where_a_reference_is_refused_the_message_is_forwarded(
    house: Stage, hub: Hub
) -> None:
    house.sandbox.faults.error("messages.sendMedia", "MEDIA_INVALID")
    result = await house.publish(hub)
    assert (result.counts["reference"], result.counts["forward"]) == (5, 1)
    await house.publish(house.hub(house.others))
    assert shown(house.people) == shown(house.others)


async def test_where_a_forward_is_refused_too_the_file_is_uploaded(house: Stage, hub: Hub) -> None:
    house.sandbox.faults.error("messages.sendMedia", "MEDIA_INVALID")
    house.sandbox.faults.error("messages.forwardMessages", "CHAT_FORWARDS_RESTRICTED")
    result = await house.publish(hub)
    assert (result.counts["reference"], result.counts["upload"]) == (5, 1)
    await house.publish(house.hub(house.others))
    assert shown(house.people) == shown(house.others)


@pytest.mark.parametrize("point", ["before the call", "after the call"])
async def test_dying_while_a_refusal_leads_to_another_way_doubles_nothing(
    house: Stage, hub: Hub, point: str
) -> None:
    house.rows.run("UPDATE media_access SET access_hash = 1")
    await house.publish(hub, max_operations=3)
    for _ in range(3):
        with pytest.raises(Died):
            await house.publish(hub, max_operations=1, dies=point)
    result = await house.publish(hub)
    assert result.counts["refused"] == 0
    await house.publish(house.hub(house.others))
    assert pictures(house)["Mia & Ida"] == [picture(6)]
    assert shown(house.people) == shown(house.others)


async def test_what_no_way_copies_is_set_aside_with_its_reason_and_tried_again_later(
    house: Stage, hub: Hub
) -> None:
    house.sandbox.faults.error("messages.sendMedia", "MEDIA_INVALID", times=None)
    house.sandbox.faults.error("messages.forwardMessages", "MESSAGE_ID_INVALID", times=None)
    result = await house.publish(hub)
    assert (result.counts["refused"], result.counts["topics"]) == (6, 3)
    rows = house.store.projection(hub.hub_no).actual.posts
    assert {row.refusal for row in rows} == {"MEDIA_INVALID"}
    house.sandbox.faults.clear()
    near_copy_in_place_of_photo_1 = await house.publish(hub)
    assert near_copy_in_place_of_photo_1.sent == 1
    assert (await house.publish(hub)).sent == 0
    assert (await house.publish(hub, now=utc_now() + timedelta(days=2))).sent == 5


async def test_a_chat_that_protects_its_content_is_never_published(house: Stage, hub: Hub) -> None:
    house.rows.run("UPDATE chats SET noforwards = true WHERE chat_no = 1")
    assert (await house.publish(hub)).sent == 0
    assert house.asked(*SENDS) == 0


async def test_a_switch_that_goes_off_takes_out_of_the_hub_what_it_had_let_in(
    house: Stage, hub: Hub
) -> None:
    await house.publish(hub, max_operations=8)
    house.rows.run("UPDATE chats SET allow_publish = false WHERE chat_no = 1")
    assert (await house.publish(hub)).sent == 0
    assert shown(house.people) == {}


async def test_what_may_have_been_sent_is_not_repeated_once_its_chat_may_not_be_published(
    house: Stage, hub: Hub
) -> None:
    await house.publish(hub, max_operations=3)
    with pytest.raises(Died):
        await house.publish(hub, max_operations=1, dies="before the call")
    house.rows.run("UPDATE chats SET allow_publish = false WHERE chat_no = 1")
    sent = house.asked("messages.sendMedia")
    await house.publish(hub)
    assert house.asked("messages.sendMedia") == sent
    assert pictures(house) == {}
    house.rows.run("UPDATE chats SET allow_publish = true WHERE chat_no = 1")
    await house.publish(hub)
    assert pictures(house)["Mia & Ida"] == [picture(6)]


async def test_a_hub_where_the_account_may_not_manage_topics_says_so_and_loses_nothing(
    house: Stage,
) -> None:
    hub = house.hub(house.guest)
    with pytest.raises(HubBlocked, match=r"'Manage topics'.*nothing is lost"):
        await house.publish(hub)
    assert house.asked(*SENDS) == 0
    assert house.store.projection(hub.hub_no).actual.posts == ()
    assert "Manage topics" in (house.store.hubs()[0].blocked_reason or "")
    member = house.guest.record.members[house.me.id]
    member.admin_rights = frozenset({"manage_topics", "delete_messages", "pin_messages"})
    assert (await house.publish(hub)).sent == 9
    assert house.store.hubs()[0].blocked_reason is None


async def test_a_hub_that_turns_public_receives_nothing_more(house: Stage, hub: Hub) -> None:
    await house.publish(hub, max_operations=4)
    house.people.record.username = "everybody"
    with pytest.raises(HubBlocked, match="public username"):
        await house.publish(hub)
    assert sum(len(posts) for posts in shown(house.people).values()) == 1


async def test_nothing_is_sent_to_a_chat_that_is_not_a_configured_hub(
    house: Stage, hub: Hub
) -> None:
    source = house.store.projection(hub.hub_no).wanted[0].contents[0].sources[0]
    with pytest.raises(Permanent, match="not a configured hub"):
        await house.publish(Hub(HubNo(1), source.chat))
    assert house.asked(*SENDS) == 0
    before = len(house.family.messages)
    await house.publish(replace(hub, chat=source.chat))
    assert len(house.family.messages) == before
    assert sum(len(posts) for posts in shown(house.people).values()) == 6


async def test_an_expired_file_reference_is_renewed_and_not_a_refusal(
    house: Stage, hub: Hub
) -> None:
    house.sandbox.expire_file_references(*house.family.messages[-6:])
    result = await house.publish(hub)
    assert result.counts["reference"] == 6


async def test_a_new_source_of_a_posted_content_posts_nothing(house: Stage, hub: Hub) -> None:
    await house.publish(hub)
    house.rows.message(1, 40, media_id="photo:40", access=None)
    ((phash,),) = house.rows.run("SELECT phash FROM blobs WHERE content_key = %s", key(1))
    house.rows.content(7, phash=phash ^ 0b111)
    house.rows.message(7, 41)
    house.rows.face(7, 1)
    assert (await house.publish(hub)).sent == 0
