"""Whatever is said of people and chats afterwards, the hub follows: real store, real Telethon."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID

import pytest

from archive.correcting import (
    Act,
    CorrectionDesk,
    hide,
    merge,
    not_a_face,
    reject,
    show,
    split,
)
from archive.identity.events import Decision
from archive.ids import FaceId, IdentityId
from archive.publishing import Hub, Policy
from resources.store.corrections import CorrectionStore
from resources.store.database import Database
from tests.integration.publishing_rows import key
from tests.integration.publishing_stage import Died, Stage, picture, seen, stage

ME = Act("somebody", "a test")
ONE, TWO, MIA = (IdentityId(UUID(int=number)) for number in (1, 2, 3))


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(database, tmp_path) as found:
        yield found


@pytest.fixture
async def hub(house: Stage) -> Hub:
    hub = house.hub(house.people)
    await house.publish(hub)
    return hub


def correct(house: Stage, act: Callable[[CorrectionDesk], Decision | None]) -> Decision:
    with CorrectionStore(house.rows.database).correcting() as desk:
        decision = act(desk)
    assert decision is not None
    return decision


def titles(house: Stage) -> set[str]:
    return {topic.title for topic in house.people.topics if topic.id != 1}


def topic(house: Stage, title: str) -> list[tuple[str, bytes | None, bool]]:
    (found,) = [
        messages for each, messages in seen(house.people).items() if each.startswith(f"{title} ")
    ]
    return found


def shown(house: Stage, title: str) -> list[bytes]:
    return [data for _, data, _ in topic(house, title) if data is not None]


def is_closed(house: Stage, title: str) -> bool:
    return next(each.closed for each in house.people.topics if each.title == title)


async def settled(house: Stage, hub: Hub) -> None:
    """Publish, and see that nothing is left to do then."""
    await house.publish(hub)
    assert (await house.publish(hub)).done == 0


async def test_the_summary_says_who_and_what_and_is_pinned(house: Stage, hub: Hub) -> None:
    text, _, pinned = topic(house, "Person 1")[0]
    assert pinned
    assert text.split("\n") == [
        "Person 1",
        "4 pictures · 2026-01-03 – 2026-01-06",
        "Family <3",
        "Person 1 of the archive",
    ]


async def test_the_summary_links_to_the_persons_page_where_there_is_one(
    house: Stage, hub: Hub
) -> None:
    posted = house.asked("messages.sendMedia", "messages.forwardMessages")
    house.policy = Policy(review_url="https://faces.example/a&b")
    await settled(house, hub)
    (link,) = [
        entity.url
        for message in house.people.messages
        for entity in message.entities
        if message.text.endswith("\nPerson 1 of the archive") and hasattr(entity, "url")
    ]
    assert link == f"https://faces.example/a&b/people/{ONE}"
    assert house.asked("messages.sendMedia", "messages.forwardMessages") == posted

    house.policy = Policy()
    await settled(house, hub)
    assert topic(house, "Person 1")[0][0].endswith("\nPerson 1 of the archive")


async def test_a_merged_person_goes_over_and_their_topic_says_where_to(
    house: Stage, hub: Hub
) -> None:
    correct(house, lambda desk: merge(desk, [TWO], ONE, ME))
    await settled(house, hub)
    assert shown(house, "Person 1") == [picture(1), picture(2), picture(3), picture(5)]
    assert [text for text, _, _ in topic(house, "Person 2")] == ["This is Person 1 now."]
    assert is_closed(house, "Person 2")
    (link,) = [
        entity.url
        for message in house.people.messages
        if message.text == "This is Person 1 now."
        for entity in message.entities
    ]
    goal = next(each for each in house.people.topics if each.title == "Person 1")
    assert link.endswith(f"/{goal.id}")

    house.rows.run("UPDATE identities SET state = 'visible', merged_into = NULL WHERE number = 2")
    theirs = [UUID(int=face) for face in (5, 6)]
    house.rows.run("UPDATE assignments SET identity_id = %s WHERE face_id = ANY(%s)", TWO, theirs)
    await settled(house, hub)
    assert shown(house, "Person 1") == [picture(1), picture(2), picture(3)]
    # What moves comes before what is only missing.
    assert shown(house, "Person 2") == [picture(5), picture(3)]
    assert not is_closed(house, "Person 2")


async def test_who_is_split_off_gets_a_topic_and_the_pictures_move(house: Stage, hub: Hub) -> None:
    face = FaceId(UUID(int=2))
    correct(house, lambda desk: split(desk, ONE, [face], ME))
    await settled(house, hub)
    assert shown(house, "Person 1") == [picture(1), picture(3)]
    assert shown(house, "Person 4") == [picture(2)]


async def test_a_rejected_picture_leaves_the_topic(house: Stage, hub: Hub) -> None:
    correct(house, lambda desk: reject(desk, [FaceId(UUID(int=3))], ONE, ME))
    await settled(house, hub)
    assert shown(house, "Person 1") == [picture(1), picture(2)]
    assert shown(house, "Person 2") == [picture(3), picture(5)]


async def test_what_is_no_face_leaves_the_topic(house: Stage, hub: Hub) -> None:
    correct(house, lambda desk: not_a_face(desk, [FaceId(UUID(int=2))], ME))
    await settled(house, hub)
    assert shown(house, "Person 1") == [picture(1), picture(3)]


async def test_a_new_name_is_the_topics_and_the_summarys(house: Stage, hub: Hub) -> None:
    house.rows.run("UPDATE identities SET label = 'Ada & Eve' WHERE number = 1")
    await settled(house, hub)
    assert titles(house) == {"Ada & Eve", "Person 2", "Mia & Ida"}
    assert topic(house, "Ada & Eve")[0][0].startswith("Ada & Eve\n")
    assert len(shown(house, "Ada & Eve")) == 3


async def test_who_is_hidden_has_a_closed_topic_until_shown_again(house: Stage, hub: Hub) -> None:
    correct(house, lambda desk: hide(desk, [TWO], ME))
    await settled(house, hub)
    assert is_closed(house, "Person 2")
    house.rows.face(6, 2)
    await settled(house, hub)
    assert shown(house, "Person 2") == [picture(3), picture(5)]
    correct(house, lambda desk: show(desk, [TWO], ME))
    await settled(house, hub)
    assert not is_closed(house, "Person 2")
    assert shown(house, "Person 2") == [picture(3), picture(5), picture(6)]


async def test_of_an_erased_person_nothing_is_left(house: Stage, hub: Hub) -> None:
    house.rows.run("DELETE FROM assignments WHERE identity_id = %s", TWO)
    house.rows.run("UPDATE identities SET state = 'erased' WHERE identity_id = %s", TWO)
    await settled(house, hub)
    assert titles(house) == {"Person 1", "Mia & Ida"}


async def test_erased_faces_take_their_posts_along(house: Stage, hub: Hub) -> None:
    house.rows.run("DELETE FROM faces WHERE content_key = %s", key(3))
    await settled(house, hub)
    assert shown(house, "Person 1") == [picture(1), picture(2)]
    assert shown(house, "Person 2") == [picture(5)]


@pytest.mark.parametrize("on_deletion", ["hide", "erase", "keep"])
async def test_a_deleted_message_takes_its_post_along_unless_the_chat_keeps_it(
    house: Stage, hub: Hub, on_deletion: str
) -> None:
    house.rows.run("UPDATE chats SET on_deletion = %s WHERE chat_no = 1", on_deletion)
    house.rows.run(
        "UPDATE messages SET deleted_at = now() FROM message_media JOIN media USING (media_id) "
        "WHERE messages.chat_no = message_media.chat_no "
        "AND messages.message_id = message_media.message_id AND content_key = %s",
        key(5),
    )
    await settled(house, hub)
    stays = [picture(5)] if on_deletion == "keep" else []
    assert shown(house, "Person 2") == [picture(3), *stays]


@pytest.mark.parametrize("change", ["allow_publish = false", "noforwards = true"])
async def test_a_chat_that_may_be_published_no_more_is_named_nowhere(
    house: Stage, hub: Hub, change: str
) -> None:
    house.rows.chat(2, "Club")
    house.rows.message(5, 50, chat_no=2, media_id="photo:50", access=None)
    await settled(house, hub)
    assert "Club" in "".join(text for text, _, _ in topic(house, "Person 2"))
    house.rows.run(f"UPDATE chats SET {change} WHERE chat_no = 1")
    await settled(house, hub)
    everything = "".join(text for each in seen(house.people).values() for text, _, _ in each)
    assert titles(house) == {"Person 2"}
    assert "Family" not in everything
    assert shown(house, "Person 2") == [picture(5)]


async def test_too_few_pictures_for_the_setting_take_the_topic_away(house: Stage, hub: Hub) -> None:
    house.policy = Policy(min_faces_to_publish=3)
    await settled(house, hub)
    assert titles(house) == {"Person 1"}


async def test_near_copies_are_posted_where_the_setting_says_so(house: Stage, hub: Hub) -> None:
    house.policy = Policy(post_near_copies=True)
    await settled(house, hub)
    expected = [picture(1), picture(2), picture(3), picture(4)]
    assert shown(house, "Person 1") == expected


async def test_a_topic_or_a_post_that_was_deleted_by_hand_is_made_anew_once_it_is_touched(
    house: Stage, hub: Hub
) -> None:
    by_title = {each.title: each for each in house.people.topics}
    chat, gone = house.people.record, by_title["Person 2"]
    first = by_title["Person 1"].id
    lost = next(m for m in house.people.messages if m.media and m.topic_id == first)
    theirs = [each for each in house.people.messages if each.topic_id == gone.id]
    house.people.delete(lost, *theirs)
    del chat.topics[gone.id]
    chat.deleted_topics.add(gone.id)
    # All captions and summaries name the chat.
    house.rows.run("UPDATE chats SET title = 'Kin' WHERE chat_no = 1")
    for _ in range(2):
        # First what is not there is noticed, post by post, and then the topic.
        await house.publish(hub)
    await settled(house, hub)
    assert sorted(shown(house, "Person 1")) == sorted([picture(1), picture(2), picture(3)])
    assert shown(house, "Person 2") == [picture(3), picture(5)]


async def dying_everywhere(house: Stage, hub: Hub) -> int:
    """Do what is to be done one operation a life, each tried to death at three points."""
    operations = 0
    while True:
        for point in ("before the call", "after the call", "after the record"):
            try:
                result = await house.publish(hub, dies=point)
            except Died:
                for each in seen(house.people).values():
                    posts = [data for _, data, _ in each if data is not None]
                    assert len(posts) == len(set(posts)), "a picture twice in one topic"
            else:
                assert result.done == 0
                return operations
        operations += 1


async def test_dying_at_every_operation_of_making_and_correcting_ends_in_the_same_hub(
    house: Stage,
) -> None:
    for number in range(4, 13):
        house.rows.person(number)
        house.rows.face(1 + number % 6, number)
        house.rows.face(1 + (number + 2) % 6, number)
    whole = house.hub(house.others)
    made = (await house.publish(whole)).done
    hub = house.hub(house.people)
    assert await dying_everywhere(house, hub) >= 60
    assert made >= 60
    assert seen(house.people) == seen(house.others)

    several = [IdentityId(UUID(int=number)) for number in range(4, 13)]
    correct(house, lambda desk: merge(desk, [several[0], several[1]], ONE, ME))
    correct(house, lambda desk: split(desk, several[2], [FaceId(UUID(int=12))], ME))
    house.rows.run("UPDATE identities SET label = 'Zoe' WHERE number = 7")
    correct(house, lambda desk: hide(desk, [several[4]], ME))
    correct(house, lambda desk: reject(desk, [FaceId(UUID(int=16))], several[5], ME))
    correct(house, lambda desk: not_a_face(desk, [FaceId(UUID(int=3))], ME))
    house.rows.run("DELETE FROM faces WHERE content_key = %s", key(6))
    corrected = (await house.publish(whole)).done
    assert await dying_everywhere(house, hub) >= corrected >= 15
    assert seen(house.people) == seen(house.others)
