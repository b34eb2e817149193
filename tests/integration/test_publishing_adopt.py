"""After a restored backup the hub is taken back, not made again: real store, real Telethon."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from telethon.tl import types

from archive.errors import Permanent
from archive.ids import MessageId
from archive.publishing import Hub, Pace, adopt, no_pace, remove_strays
from archive.publishing.recognising import LostTopic, Recognised
from resources.store.database import Database
from tests.integration.publishing_stage import Stage, picture, seen, stage
from tests.integration.test_publishing_read_back import contents, look, ours, topic


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(database, tmp_path) as found:
        yield found


@pytest.fixture
async def hub(house: Stage) -> Hub:
    hub = house.hub(house.people)
    await house.publish(hub)
    return hub


def forget(house: Stage) -> None:
    """Restore a backup of before anything was published."""
    house.rows.run("DELETE FROM publications")
    house.rows.run("DELETE FROM topic_summaries")
    house.rows.run("DELETE FROM topics")


async def adopted(house: Stage, hub: Hub, *, dry_run: bool = False) -> Recognised:
    return await adopt(house.store, house.account.hub, hub, dry_run=dry_run)


async def remove(house: Stage, hub: Hub, found: Recognised, pace: Pace = no_pace) -> int:
    gateway = house.account.hub
    return await remove_strays(house.store, gateway, gateway, hub, found.strays, pace=pace)


async def nobodys(house: Stage, hub: Hub) -> Recognised:
    """Let the topic "Mia & Ida" be nobody's."""
    forget(house)
    house.rows.run("UPDATE identities SET label = 'Zoe' WHERE number = 3")
    found = await adopted(house, hub)
    assert [str(each) for each in found.strays] == ["remove topic Mia & Ida"]
    return found


async def test_a_hub_of_which_nothing_is_known_is_taken_back_whole_and_nothing_is_sent(
    house: Stage, hub: Hub
) -> None:
    before = seen(house.people)
    sends = ("messages.sendMedia", "messages.sendMultiMedia", "messages.createForumTopic")
    asked = house.asked(*sends)
    forget(house)
    found = await adopted(house, hub)
    assert (len(found.lost), found.strays) == (3 + 3 + 6, ())

    while (await house.publish(hub)).done:
        pass
    assert house.asked(*sends) == asked
    assert seen(house.people) == before
    assert (await look(house, hub)).counts.by_name == {}
    assert (await adopted(house, hub)) == Recognised()


async def test_a_dry_run_says_it_and_records_nothing(house: Stage, hub: Hub) -> None:
    forget(house)
    found = await adopted(house, hub, dry_run=True)
    assert "adopt  topic Person 1" in {str(each) for each in found.lost}
    assert house.rows.run("SELECT count(*) FROM topics") == [(0,)]
    assert await adopted(house, hub) == found


async def test_posts_made_after_the_backup_are_taken_back_into_topics_that_are_known(
    house: Stage, hub: Hub
) -> None:
    before = seen(house.people)
    house.rows.run("DELETE FROM publications WHERE message_id %% 2 = 0")
    house.rows.run("DELETE FROM topic_summaries")
    await adopted(house, hub)
    while (await house.publish(hub)).done:
        pass
    assert seen(house.people) == before


async def test_what_was_uploaded_is_told_by_its_link(house: Stage, hub: Hub) -> None:
    before = contents(house.people)
    forget(house)
    post = ours(house, "Mia & Ida")[1]
    other = house.people.photo(house.me, picture(6))
    house.people.edit(post, media=other.media)
    house.people.delete(other)
    found = await adopted(house, hub)
    assert (len(found.lost), found.strays) == (12, ())
    while (await house.publish(hub)).done:
        pass
    assert contents(house.people) == before


async def test_a_number_that_is_somebody_elses_now_is_not_theirs(house: Stage, hub: Hub) -> None:
    forget(house)
    for before, after in ((1, 99), (2, 1), (99, 2)):
        house.rows.run("UPDATE identities SET number = %s WHERE number = %s", after, before)
    found = await adopted(house, hub)
    # One picture shows both, which is not enough.
    assert {str(each) for each in found.lost if "topic" in str(each)} == {"adopt  topic Mia & Ida"}
    assert {str(each) for each in found.strays} == {
        "remove topic Person 1",
        "remove topic Person 2",
    }

    assert await remove(house, hub, found) == 2
    while (await house.publish(hub)).done:
        pass
    shown = {title: len(inside) for title, inside in contents(house.people).items()}
    assert sorted(shown.values()) == [2, 3, 4]
    assert (await adopted(house, hub)) == Recognised()


async def test_the_rest_of_ours_goes_and_what_others_and_we_wrote_by_hand_stays(
    house: Stage, hub: Hub
) -> None:
    forget(house)
    house.rows.run("UPDATE identities SET label = 'Zoe' WHERE number = 1")
    house.rows.run("UPDATE identities SET label = NULL WHERE number = 3")
    chatter = house.people.topic(house.me, "Chatter")
    said = [
        house.people.text(house.bob, "lovely", topic=topic(house, "Person 1")),
        house.people.text(house.me, "by hand", topic=topic(house, "Person 1")),
        house.people.photo(house.me, picture(4), topic=topic(house, "Person 1")),
        house.people.text(house.me, "hello", topic=chatter),
        house.people.text(house.bob, ours(house, "Person 2")[0].text, topic=chatter),
    ]
    pasted = types.MessageEntityTextUrl(5, 4, ours(house, "Person 2")[1].entities[0].url)
    house.people.edit(said[2], text="look here", entities=(pasted,))
    found = await adopted(house, hub)
    # Both are called otherwise now; in one of them somebody speaks.
    assert {str(each) for each in found.strays} == {
        "remove topic Mia & Ida",
        *(f"remove message {each.id} in Person 1" for each in ours(house, "Person 1")[1:4]),
    }
    assert await remove(house, hub, found) == len(found.strays)
    there = {each.id for each in house.people.messages}
    assert {each.id for each in said} <= there
    assert {"Person 1", "Chatter"} <= {each.title for each in house.people.topics}
    assert "Mia & Ida" not in {each.title for each in house.people.topics}


async def test_a_topic_in_which_somebody_spoke_at_the_last_moment_stays(
    house: Stage, hub: Hub
) -> None:
    found = await nobodys(house, hub)

    async def meanwhile() -> None:
        house.people.text(house.bob, "lovely", topic=topic(house, "Mia & Ida"))

    assert await remove(house, hub, found, meanwhile) == 0
    assert "Mia & Ida" in {each.title for each in house.people.topics}
    # Its picture goes alone, then.
    assert await remove(house, hub, await adopted(house, hub)) == 1
    assert [each.text for each in ours(house, "Mia & Ida")][1:] == ["lovely"]


async def test_a_topic_in_which_we_pinned_something_by_hand_stays(house: Stage, hub: Hub) -> None:
    await nobodys(house, hub)
    house.people.text(house.me, "our rules", topic=topic(house, "Mia & Ida"), pinned=True)
    assert await remove(house, hub, await adopted(house, hub)) == 1
    assert [each.text for each in ours(house, "Mia & Ida")][1:] == ["our rules"]


async def test_only_what_was_agreed_on_is_deleted_and_only_in_a_hub(house: Stage, hub: Hub) -> None:
    found = await nobodys(house, hub)
    assert await remove(house, hub, Recognised()) == 0
    house.rows.run("UPDATE identities SET label = 'Mia & Ida' WHERE number = 3")
    # By now it can be told.
    assert await remove(house, hub, found) == 0
    assert "Mia & Ida" in {each.title for each in house.people.topics}
    house.rows.run("UPDATE chats SET is_hub = false")
    with pytest.raises(Permanent):
        await remove(house, hub, found)


async def test_what_somebody_else_made_to_look_like_ours_is_left_alone(
    house: Stage, hub: Hub
) -> None:
    post = ours(house, "Person 2")[1]
    copy = house.people.photo(house.bob, picture(5), topic=topic(house, "Person 1"))
    house.people.edit(copy, text=post.text, entities=post.entities)
    house.people.topic(house.bob, "Person 7")
    assert await adopted(house, hub) == Recognised()
    assert MessageId(copy.id) in {each.id for each in house.people.messages}


async def test_a_topic_that_we_opened_by_hand_and_called_like_somebody_is_not_theirs(
    house: Stage, hub: Hub
) -> None:
    forget(house)
    real = topic(house, "Mia & Ida")
    real.title = "Zoe"
    house.rows.run("UPDATE identities SET label = 'Zoe' WHERE number = 3")
    for named in (real.title, "Eve"):
        talk = house.people.topic(house.me, named)
        house.people.text(house.bob, "about them", topic=talk)
    house.rows.run("UPDATE identities SET label = 'Eve' WHERE number = 1")
    found = await adopted(house, hub)
    topics = {each.topic.topic_id for each in found.lost if isinstance(each, LostTopic)}
    assert topics == {real.id, topic(house, "Person 2").id}


async def test_a_topic_that_was_closed_is_opened_again(house: Stage, hub: Hub) -> None:
    before = seen(house.people)
    forget(house)
    topic(house, "Person 2").closed = True
    await adopted(house, hub)
    while (await house.publish(hub)).done:
        pass
    assert seen(house.people) == before


async def test_a_picture_that_we_sent_by_hand_is_no_post(house: Stage, hub: Hub) -> None:
    forget(house)
    post = ours(house, "Mia & Ida")[1]
    house.people.edit(post, text="look!", entities=())
    found = await adopted(house, hub)
    assert not [each for each in found.lost if str(each).endswith(f"message {post.id}")]
    assert found.strays == ()


async def test_what_may_have_been_sent_is_left_to_publishing(house: Stage, hub: Hub) -> None:
    house.rows.run(
        "UPDATE publications SET state = 'sending', message_id = NULL WHERE identity_id = %s",
        UUID(int=2),
    )
    house.rows.run("DELETE FROM publications WHERE identity_id = %s", UUID(int=1))
    house.rows.run("DELETE FROM topic_summaries WHERE identity_id = %s", UUID(int=1))
    house.rows.run(
        "UPDATE topics SET state = 'sending', topic_id = NULL WHERE identity_id = %s", UUID(int=1)
    )
    before = seen(house.people)
    assert await adopted(house, hub) == Recognised()
    assert seen(house.people) == before
