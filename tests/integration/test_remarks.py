"""What is said in a hub, from Telegram to the log of people and back into the hub."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive.correcting import Act, merge, reject, rename
from archive.errors import Permanent
from archive.heeding import heed
from archive.ids import IdentityId
from archive.publishing import plan
from resources.store.database import Database
from telegram_sandbox import Message
from telegram_sandbox.records import FileMedia
from tests.integration.hub_talk import ONE, TWO, Talk, talk
from tests.integration.publishing_stage import Died, picture

ME = Act("somebody", "a test")


@pytest.fixture
async def room(database: Database, tmp_path: Path) -> AsyncIterator[Talk]:
    async with talk(database, tmp_path) as found:
        yield found


def name(room: Talk, identity_id: IdentityId, label: str) -> None:
    with room.toolbox.corrections.correcting() as desk:
        rename(desk, identity_id, label, ME)


def post(room: Talk, title: str, data: bytes) -> Message:
    """The message of a picture in a topic."""
    (found,) = [
        message
        for message in room.house.people.messages
        if message.topic_id == room.topic(title).id
        and isinstance(message.media, FileMedia)
        and message.media.file is not None
        and message.media.file.data == data
    ]
    return found


def shown(room: Talk, title: str) -> list[bytes]:
    return [
        message.media.file.data
        for message in room.house.people.messages
        if message.topic_id == room.topic(title).id
        and isinstance(message.media, FileMedia)
        and message.media.file is not None
    ]


async def test_a_topic_renamed_in_the_app_names_its_person_once(room: Talk) -> None:
    house, topic = room.house, room.topic("Person 1")
    house.people.edit_topic(topic, house.bob, title="Ada  \u202eLovelace ")

    assert (await room.heed()).by_name == {"decided": 1}
    assert room.labels()[1] == "Ada Lovelace"
    assert room.decisions() == [("renamed", f"telegram:{house.bob.id}")]
    [(cause,)] = house.rows.run("SELECT cause FROM identity_events WHERE kind = 'renamed'")
    assert cause.startswith("https://t.me/c/")
    assert room.kept() == [("title", None)]

    await room.publish()
    assert room.titles() == {"Ada Lovelace", "Person 2", "Mia & Ida"}
    assert "Ada Lovelace\n4 pictures" in {message.text[:23] for message in house.people.messages}
    # The title that we gave it comes back to us.
    assert (await room.heed()).by_name == {"echo": 1}
    assert (await room.heed()).by_name == {}
    assert len(room.decisions()) == 1


async def test_titles_that_we_gave_one_after_the_other_are_never_taken_for_names(
    room: Talk,
) -> None:
    for label in ("Ada", "Grace", "Ada"):
        name(room, ONE, label)
        await room.publish()

    assert (await room.heed()).by_name == {"echo": 3}
    assert room.labels()[1] == "Ada"
    assert [actor for _, actor in room.decisions()] == ["somebody"] * 3


async def test_whoever_publishes_can_rename_a_topic_by_hand_to_a_title_that_we_gave_it(
    room: Talk,
) -> None:
    name(room, ONE, "Ada")
    await room.publish()
    name(room, ONE, "Grace")
    await room.publish()
    house = room.house
    house.people.edit_topic(room.topic("Grace"), house.me, title="Ada")

    assert (await room.heed()).by_name == {"echo": 2, "decided": 1}
    await room.publish()
    assert room.labels()[1] == "Ada"
    assert "Ada" in room.titles()


async def test_a_number_for_a_title_takes_the_name_away(room: Talk) -> None:
    house = room.house
    house.people.edit_topic(room.topic("Mia & Ida"), house.bob, title="Person 3")
    assert (await room.heed()).by_name == {"decided": 1}
    assert room.labels()[3] is None


async def test_a_title_that_no_name_can_be_is_taken_back(room: Talk) -> None:
    house = room.house
    house.people.edit_topic(room.topic("Person 1"), house.bob, title="A" * 128)
    house.people.edit_topic(room.topic("Person 2"), house.bob, title="\u202e\u200f")

    assert (await room.heed()).by_name == {"refused": 2}
    await room.publish()
    assert room.titles() == {"Person 1", "Person 2", "Mia & Ida"}
    assert room.labels() == {1: None, 2: None, 3: "Mia & Ida"}


async def test_a_stranger_names_nobody_and_the_title_is_taken_back(room: Talk) -> None:
    house, topic = room.house, room.topic("Person 1")
    house.people.edit_topic(topic, room.eve, title="Mine")
    room.say(room.eve, topic, "/name Mine")
    room.say(room.eve, topic, "/merge #2")

    assert (await room.heed()).by_name == {"stranger": 3}
    assert room.toolbox.remarks.fates(room.hub.hub_no) == {"stranger": 3}
    assert room.decisions() == []
    await room.publish()
    assert "Person 1" in room.titles()
    assert room.said_in(topic) == []


async def test_who_was_an_admin_when_asked_last_is_asked_for_again_once_somebody_new_speaks(
    room: Talk,
) -> None:
    house, topic = room.house, room.topic("Person 1")
    room.say(house.bob, topic, "/name Ada")
    await room.heed()
    asked = house.asked("channels.getParticipants")
    house.people.record.members[room.eve.id].admin_rights = frozenset({"manage_topics"})
    room.say(room.eve, topic, "/name Grace")

    # Not more often than once a minute, and nothing overtakes what waits for it.
    room.say(house.bob, topic, "/name Ida")
    assert (await room.heed()).by_name == {"waiting": 2}
    assert house.asked("channels.getParticipants") == asked
    house.rows.run("UPDATE hub_admins SET read_at = read_at - interval '2 minutes'")
    assert (await room.heed()).by_name == {"decided": 2}
    assert room.labels()[1] == "Ida"


async def test_a_hub_that_does_not_name_its_admins_now_is_asked_again(room: Talk) -> None:
    house = room.house
    house.sandbox.faults.error("channels.getParticipants", "FLOOD_WAIT_300")
    room.say(house.bob, room.topic("Person 1"), "/name Ada")

    assert (await room.heed()).by_name == {"waiting": 1}
    assert (await room.heed()).by_name == {"decided": 1}


async def test_commands_name_merge_and_undo(room: Talk) -> None:
    house, topic = room.house, room.topic("Person 1")
    room.say(house.bob, topic, "/name Ada\nLovelace")
    room.say(house.me, topic, "/merge #2")
    assert (await room.heed()).by_name == {"decided": 2}
    await room.publish()
    assert room.labels()[1] == "Ada Lovelace"
    assert shown(room, "Ada Lovelace") == [picture(n) for n in (1, 2, 3, 5)]

    room.say(house.bob, topic, "/undo")
    assert (await room.heed())["decided"] == 1
    await room.publish()
    assert room.titles() == {"Ada Lovelace", "Person 2", "Mia & Ida"}
    assert len(shown(room, "Person 2")) == 2
    room.say(house.bob, topic, "/undo")
    await room.heed()
    assert room.labels()[1] is None
    room.say(house.bob, topic, "/undo")
    assert (await room.heed()).by_name == {"refused": 1}
    assert [actor for _, actor in room.decisions()] == [
        f"telegram:{who.id}" for who in (house.bob, house.me, house.bob, house.bob)
    ]


async def test_what_was_decided_elsewhere_is_not_taken_back_from_within_telegram(
    room: Talk,
) -> None:
    room.say(room.house.bob, room.topic("Person 1"), "/name Grace")
    await room.heed()
    name(room, ONE, "Ada")
    room.say(room.house.bob, room.topic("Person 1"), "/undo")
    room.say(room.house.bob, room.topic("Mia & Ida"), "/undo")

    assert (await room.heed()).by_name == {"refused": 2}
    await room.publish()
    (conflict,) = room.said_in(room.topic("Ada"))
    assert conflict.startswith("✗ /undo: later decisions are in the way: renamed by somebody")
    assert room.labels() == {1: "Ada", 2: None, 3: "Mia & Ida"}


async def test_in_a_merged_persons_topic_their_heir_is_meant(room: Talk) -> None:
    house, topic = room.house, room.topic("Person 2")
    with room.toolbox.corrections.correcting() as desk:
        merge(desk, [TWO], ONE, ME)
    await room.publish()
    room.say(house.bob, topic, "/name Ada")
    house.people.edit_topic(topic, house.bob, title="an old topic")

    assert (await room.heed()).by_name == {"decided": 1, "nothing": 1}
    assert room.labels() == {1: "Ada", 2: None, 3: "Mia & Ida"}


async def test_what_answers_a_picture_with_notme_takes_it_and_its_near_copies_away(
    room: Talk,
) -> None:
    house, topic = room.house, room.topic("Person 1")
    room.say(house.bob, topic, "/notme", reply_to=post(room, "Person 1", picture(1)))

    assert (await room.heed()).by_name == {"decided": 1}
    await room.publish()
    assert shown(room, "Person 1") == [picture(2), picture(3)]
    assert ("rejected", f"telegram:{house.bob.id}") in room.decisions()


async def test_a_name_given_in_telegram_before_a_later_one_here_does_not_come_back(
    room: Talk,
) -> None:
    house, topic = room.house, room.topic("Person 1")
    room.say(house.bob, topic, "/name Grace")
    house.rows.run("SELECT pg_sleep(1.1)")
    name(room, ONE, "Ada")

    assert (await room.heed()).by_name == {"refused": 1}
    assert room.labels()[1] == "Ada"


async def test_nothing_else_of_a_hub_is_kept(room: Talk) -> None:
    house, topic = room.house, room.topic("Person 1")
    room.say(house.bob, topic, "What a lovely day")
    room.say(house.bob, topic, "/dance")
    room.say(house.bob, topic, "later: /name Ada")
    house.people.text(house.bob, "/name Nobody")
    house.people.photo(house.bob, picture(6), caption="/name Picture", topic=topic)
    house.people.edit_topic(topic, house.bob, closed=True)

    assert (await room.heed()).by_name == {}
    assert room.kept() == []
    [(messages, updates)] = house.rows.run(
        "SELECT (SELECT count(*) FROM messages JOIN chats USING (chat_no) WHERE is_hub), "
        "(SELECT count(*) FROM inbox JOIN chats USING (chat_no) WHERE is_hub)"
    )
    assert (messages, updates) == (0, 0)


async def test_a_name_that_looks_like_a_command_commands_nothing(room: Talk) -> None:
    """The summary begins with it, in the owner's own account."""
    house = room.house
    name(room, ONE, "/merge #2")
    house.people.delete(next(m for m in house.people.messages if m.text.startswith("Person 1")))
    while (await house.publish(room.hub)).done:
        pass
    assert any(message.text.startswith("/merge #2\n") for message in house.people.messages)

    # The title, and the summary that was pinned anew.
    assert (await room.heed()).by_name == {"echo": 2}
    assert [actor for _, actor in room.decisions()] == ["somebody"]


async def test_a_decision_and_its_remark_are_settled_together_or_not_at_all(room: Talk) -> None:
    house = room.house
    room.say(house.bob, room.topic("Person 1"), "/name Ada")
    await room.hear()
    house.rows.run("ALTER TABLE hub_remarks ADD CONSTRAINT no_end CHECK (settled_at IS NULL)")
    with pytest.raises(Permanent):
        heed(room.toolbox.remarks, room.toolbox.register)
    assert (room.labels()[1], room.decisions()) == (None, [])

    house.rows.run("ALTER TABLE hub_remarks DROP CONSTRAINT no_end")
    assert heed(room.toolbox.remarks, room.toolbox.register).by_name == {"decided": 1}
    assert heed(room.toolbox.remarks, room.toolbox.register).by_name == {}


async def test_what_contradicts_a_decision_is_refused(room: Talk) -> None:
    with room.toolbox.corrections.correcting() as desk:
        members = [face.face_id for face in desk.members(TWO)]
        reject(desk, members, ONE, ME)
    room.say(room.house.bob, room.topic("Person 1"), "/merge #2")
    room.say(room.house.bob, room.topic("Person 1"), "/merge #999999999999")
    room.say(room.house.bob, room.topic("Person 1"), "/merge #1")
    room.say(room.house.bob, room.topic("Person 1"), "/notme")
    room.say(room.house.bob, room.topic("Person 1"), "/name   ")

    assert (await room.heed()).by_name == {"refused": 4, "nothing": 1}
    assert [kind for kind, _ in room.decisions()] == ["rejected"]
    await room.publish()
    topic = room.topic("Person 1")
    conflict, *others = room.said_in(topic)
    assert conflict.startswith("✗ /merge #2: this contradicts what was decided before: rejected by")
    assert others == [
        "✗ /merge #999999999999: Nobody is known as '#999999999999'. "
        "`face-archive identities list` shows all.",
        "✗ /merge #1: it is so already",
        "✗ /notme: answer the picture that does not show them",
        "✗ /name: say the name too: /name Ada Lovelace",
    ]
    # What we answer is heard as well, and means nothing.
    assert (await room.heed()).by_name == {}
    assert room.house.rows.run("SELECT count(text) FROM hub_answers") == [(0,)]


@pytest.mark.parametrize("point", ["before the call", "after the call", "after the record"])
async def test_an_answer_is_given_once_whenever_publishing_dies(room: Talk, point: str) -> None:
    topic = room.topic("Person 1")
    room.say(room.house.bob, topic, "/merge #99")
    await room.heed()
    with pytest.raises(Died):
        await room.house.publish(room.hub, dies=point)
    await room.publish()
    assert len(room.said_in(topic)) == 1


async def test_a_dry_run_tells_of_an_answer_before_it_is_given(room: Talk) -> None:
    room.say(room.house.bob, room.topic("Person 1"), "/merge <99>")
    await room.heed()
    drawn = plan(room.house.store, room.hub, now=datetime.now(UTC))

    assert drawn.lines() == [
        "answer   Person 1: ✗ /merge <99>: Nobody is known as '<99>'. "
        "`face-archive identities list` shows all."
    ]
    await room.publish()
    assert room.said_in(room.topic("Person 1")) == [
        drawn.lines()[0].removeprefix("answer   Person 1: ")
    ]
