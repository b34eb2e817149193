"""What is said in a hub while nobody listens is met by reading it back, and has its effect once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from archive.errors import Transient
from archive.heeding import heed
from archive.publishing import ReadBackOptions, ReadBackResult, read_back
from archive.records import Counts
from resources.store.database import Database
from tests.integration.hub_talk import Talk, talk
from tests.integration.publishing_stage import picture
from tests.integration.test_remarks import name, post, shown


@pytest.fixture
async def room(database: Database, tmp_path: Path) -> AsyncIterator[Talk]:
    async with talk(database, tmp_path) as found:
        yield found


async def look(room: Talk, options: ReadBackOptions | None = None) -> ReadBackResult:
    house = room.house
    return await read_back(
        house.store,
        house.account.hub,
        room.hub,
        options or ReadBackOptions(),
        remarks=house.remarks,
    )


def settle(room: Talk) -> Counts:
    return heed(room.toolbox.remarks, room.toolbox.register)


async def test_a_topic_renamed_while_nobody_listened_names_its_person_once(room: Talk) -> None:
    house = room.house
    house.people.edit_topic(room.topic("Person 1"), house.bob, title="Ada  \u202eLovelace ")

    assert (await look(room)).counts.by_name == {"renamed": 1}
    # Nothing is put back before it is known whether it is a name.
    assert (await house.publish(room.hub)).done == 0
    assert settle(room).by_name == {"decided": 1}
    await room.publish()
    assert room.titles() == {"Ada Lovelace", "Person 2", "Mia & Ida"}

    # The listener comes late, and hears it as well, with the title that we gave.
    assert (await room.heed()).by_name == {"echo": 1}
    assert (await look(room)).counts.by_name == {}
    assert settle(room).by_name == {}
    assert room.decisions() == [("renamed", f"telegram:{house.bob.id}")]


async def test_what_the_listener_heard_is_not_heard_again(room: Talk) -> None:
    house = room.house
    house.people.edit_topic(room.topic("Person 1"), house.bob, title="Ada")
    room.say(house.bob, room.topic("Person 2"), "/name Grace")
    await room.hear()

    # Not judged yet, and no news to the look.
    assert (await look(room)).counts.by_name == {"renamed": 1, "foreign_messages": 1}
    assert (await house.publish(room.hub)).done == 0
    assert settle(room).by_name == {"decided": 2}
    assert (await look(room)).counts["unheard_commands"] == 0
    assert settle(room).by_name == {}
    assert room.labels() == {1: "Ada", 2: "Grace", 3: "Mia & Ida"}


async def test_a_strangers_title_is_put_back_once_it_was_judged(room: Talk) -> None:
    room.house.people.edit_topic(room.topic("Person 1"), room.eve, title="Mine")

    await look(room)
    assert settle(room).by_name == {"stranger": 1}
    await room.publish()
    assert room.titles() == {"Person 1", "Person 2", "Mia & Ida"}
    assert room.labels()[1] is None


async def test_titles_that_we_gave_while_nobody_listened_are_no_names(room: Talk) -> None:
    for label in ("Ada", "Grace", "Ada"):
        name(
            room,
            room.house.rows.run("SELECT identity_id FROM identities WHERE number = 1")[0][0],
            label,
        )
        await room.publish()

    assert (await look(room)).counts.by_name == {}
    assert settle(room).by_name == {"echo": 3}
    assert [actor for _, actor in room.decisions()] == ["somebody"] * 3


async def test_a_title_without_an_author_is_put_back(room: Talk) -> None:
    room.topic("Person 2").title = "Zoe"

    assert (await look(room)).counts.by_name == {"renamed": 1}
    await room.publish()
    assert "Person 2" in room.titles()


async def test_commands_that_nobody_heard_are_heeded_in_their_order(room: Talk) -> None:
    house, topic = room.house, room.topic("Person 1")
    room.say(house.bob, topic, "/notme", reply_to=post(room, "Person 1", picture(1)))
    room.say(house.bob, topic, "/name Grace")
    room.say(house.bob, topic, "/merge #2")
    room.say(house.bob, topic, "/undo")
    room.say(room.eve, topic, "/name Eve")

    assert (await look(room)).counts["unheard_commands"] == 5
    assert settle(room).by_name == {"decided": 4, "stranger": 1}
    await room.publish()
    assert room.labels()[1] == "Grace"
    assert shown(room, "Grace") == [picture(2), picture(3)]
    # The titles that followed are heard, and no command again.
    assert set((await room.heed()).by_name) <= {"echo"}
    assert (await look(room)).drifted == 0


async def test_a_dry_look_tells_of_them_and_keeps_nothing(room: Talk) -> None:
    house = room.house
    room.say(house.bob, room.topic("Person 1"), "/name Ada")
    house.people.edit_topic(room.topic("Person 2"), house.bob, title="Grace")

    found = (await look(room, ReadBackOptions(dry_run=True))).counts
    assert (found["unheard_commands"], found["renamed"]) == (1, 1)
    assert room.kept() == []


async def test_what_was_edited_or_said_long_ago_commands_nothing(room: Talk) -> None:
    house, topic = room.house, room.topic("Person 1")
    room.house.people.edit(room.say(house.bob, topic, "hello"), text="/name Ada")
    old = room.say(house.bob, topic, "/name Grace")
    old.date -= timedelta(days=29)
    young = room.say(house.bob, topic, "/name Ida")
    young.date -= timedelta(days=27)

    await look(room)
    assert room.kept() == [("command", "/name Ida")]


async def test_what_is_met_after_something_later_was_done_is_refused(room: Talk) -> None:
    house, topic = room.house, room.topic("Person 1")
    missed = room.say(house.bob, topic, "/name Ada")
    room.say(house.bob, topic, "/name Grace")
    await room.hear()
    house.rows.run("DELETE FROM hub_remarks WHERE message_id = %s", missed.id)
    assert settle(room).by_name == {"decided": 1}

    await look(room)
    assert settle(room).by_name == {"refused": 1}
    await room.publish()
    assert room.labels()[1] == "Grace"
    assert room.said_in(room.topic("Grace")) == [
        "✗ /name Ada: something said later was done already, say it again if this one holds"
    ]


async def test_what_was_said_about_another_picture_overtakes_nothing(room: Talk) -> None:
    house, topic = room.house, room.topic("Person 1")
    first, second = (post(room, "Person 1", picture(number)) for number in (1, 2))
    missed = room.say(house.bob, topic, "/notme", reply_to=first)
    room.say(house.bob, topic, "/notme", reply_to=second)
    await room.hear()
    house.rows.run("DELETE FROM hub_remarks WHERE message_id = %s", missed.id)
    settle(room)

    await look(room)
    assert settle(room).by_name == {"decided": 1}
    await room.publish()
    assert shown(room, "Person 1") == [picture(3)]


async def test_a_number_that_was_nobodys_when_it_was_said_merges_nobody(room: Talk) -> None:
    house = room.house
    said = room.say(house.bob, room.topic("Person 1"), "/merge #2")
    said.date -= timedelta(days=1)

    await look(room)
    assert settle(room).by_name == {"refused": 1}
    assert room.decisions() == []


async def test_a_look_that_goes_on_below_learns_first_who_gave_a_title(room: Talk) -> None:
    house = room.house
    for number in range(120):
        house.people.text(house.bob, f"{number}", topic=room.topic("Mia & Ida"))
    assert (await look(room, ReadBackOptions(1))).stopped_reason == "budget"
    house.people.edit_topic(room.topic("Person 1"), house.bob, title="Ada")

    assert (await look(room, ReadBackOptions(2))).counts["renamed"] == 1
    assert settle(room).by_name == {"decided": 1}
    assert room.labels()[1] == "Ada"


async def test_what_was_met_before_a_flood_is_kept(room: Talk) -> None:
    house = room.house
    for number in range(120):
        house.people.text(house.bob, f"{number}", topic=room.topic("Mia & Ida"))
    room.say(house.bob, room.topic("Person 1"), "/name Ada")
    house.sandbox.faults.flood("messages.getHistory", 3600, first=2)

    with pytest.raises(Transient):
        await look(room, ReadBackOptions(400))
    assert settle(room).by_name == {"decided": 1}
