"""Which questions about faces which hub asks, and how a plan says so."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from archive.identity.records import IdentityState
from archive.ids import FaceId, MessageId, TopicId
from archive.publishing import ALL_OTHERS, Policy
from archive.publishing.captions import caption
from archive.publishing.doubts import REVIEW, REVIEW_TITLE, Asked, Doubt
from archive.publishing.outbox import Actual, OutboxState, PublicationRow, TopicRow
from archive.publishing.planning import plan_operations
from archive.publishing.reviewing import MOST_ASKED
from archive.publishing.seating import MESSAGES_A_TOPIC, RoomLimits, seat
from archive.publishing.state import Projection, Room
from archive.publishing.visible_text import utf16_units
from archive.publishing.wanted import WantedContent, WantedTopic, topic_title
from tests.unit.publishing_world import NOW, chat, content, person, source, world
from tests.unit.test_publishing_seating import ONE, TWO, ids, numbers, rule, seen, somebody


def question(number: int, whose: WantedTopic, chat_no: int = 1) -> WantedContent:
    """Whether a face, in a photo in a chat, is somebody's."""
    identity = whose.identity
    doubt = Doubt(FaceId(UUID(int=number)), identity.identity_id, placed=False)
    asked = Asked(doubt, topic_title(identity), identity.number)
    return WantedContent(doubt.key, None, None, (source(number, chat(chat_no)),), asked)


def asking(projection: Projection, *questions: WantedContent) -> Projection:
    return replace(projection, review=questions)


def faces(projection: Projection) -> list[int]:
    """The faces that are asked about, in their order."""
    review = [topic for topic in seat(projection, Policy()).people if topic.is_review]
    return [each.asked.doubt.face_id.int for t in review for each in t.contents if each.asked]


def posted(*questions: WantedContent) -> tuple[PublicationRow, ...]:
    return tuple(
        PublicationRow(
            UUID(int=number),
            REVIEW,
            each.content_key,
            number,
            OutboxState.SENT,
            message_id=MessageId(number),
            doubt=each.asked.doubt,
        )
        for number, each in enumerate(questions, 1)
        if each.asked
    )


def with_topic(*rows: PublicationRow) -> Actual:
    topic = TopicRow(REVIEW, 9, OutboxState.SENT, REVIEW_TITLE, topic_id=TopicId(9))
    return Actual({REVIEW: topic}, rows)


def test_a_plan_asks_before_it_shows_people_but_after_those_it_links_to() -> None:
    mia, other = person(1, content(1), label="Mia"), person(2, content(2))
    drawn = plan_operations(asking(world(mia, other), question(7, mia)), now=NOW)
    assert [line for line in drawn.lines() if line.startswith(("topic", "ask"))] == [
        "topic    Mia",
        "topic    To review",
        "ask      Mia? ← Family · 2026-01-08",
        "topic    Person 2",
    ]


def test_a_hub_asks_the_most_useful_and_keeps_what_it_asked() -> None:
    mia = person(1, content(1))
    questions = [question(number, mia) for number in range(1, MOST_ASKED + 6)]
    first = asking(world(mia), *questions)
    assert faces(first) == list(range(1, MOST_ASKED + 1))
    late = questions[MOST_ASKED:]
    then = asking(world(mia, actual=with_topic(*posted(*late))), *questions)
    assert faces(then) == [*range(MOST_ASKED + 1, MOST_ASKED + 6), *range(1, MOST_ASKED - 4)]


def test_what_could_not_be_posted_keeps_nothing_else_from_being_asked() -> None:
    mia = person(1, content(1))
    questions = [question(number, mia) for number in range(1, MOST_ASKED + 2)]
    (row,) = posted(questions[0])
    refused = replace(row, state=OutboxState.PLANNED, message_id=None, refusal="no face")
    there = asking(world(mia, actual=with_topic(refused)), *questions)
    assert faces(there) == list(range(2, MOST_ASKED + 2))
    assert faces(asking(there, *questions[:3])) == [2, 3, 1]


def test_a_face_is_asked_about_once() -> None:
    mia, other = person(1, content(1)), person(2, content(2))
    both = question(7, other), question(7, mia)
    asked = asking(world(mia, other, actual=with_topic(*posted(both[1]))), *both)
    (topic,) = [each for each in seat(asked, Policy()).people if each.is_review]
    assert [each.content_key for each in topic.contents] == [both[1].content_key]


def test_without_questions_a_topic_that_is_there_stays_and_none_is_made() -> None:
    mia = person(1, content(1))
    assert not any(topic.is_review for topic in seat(asking(world(mia)), Policy()).people)
    there = asking(world(mia, actual=with_topic()))
    assert any(topic.is_review for topic in seat(there, Policy()).people)
    off = plan_operations(world(mia, actual=with_topic()), now=NOW)
    assert off.lines()[0] == "delete   To review"


def test_nobody_is_asked_about_whom_the_hub_could_not_show_or_who_is_hidden() -> None:
    mia, hidden = person(1, content(1)), person(2, content(2), state=IdentityState.HIDDEN)
    nowhere = person(3)
    asked = [question(each.identity.number, each) for each in (mia, hidden, nowhere)]
    assert faces(asking(world(mia, hidden), *asked)) == [1]


def test_each_hub_asks_about_faces_in_its_own_chats() -> None:
    rooms = [Room(ONE, rule(1)), Room(TWO, rule(2))]
    both, one = somebody(1, 1, 2), somebody(2, 1)
    questions = [question(5, both, 1), question(6, both, 2), question(7, one, 2)]
    assert faces(asking(seen(ONE, rooms, [both, one]), *questions)) == [5]
    # Of the second one chat 2 shows nobody.
    assert faces(asking(seen(TWO, rooms, [both, one]), *questions)) == [6]


def test_of_hubs_of_one_rule_the_one_with_the_persons_topic_asks() -> None:
    people = [somebody(number, 1) for number in (1, 2)]
    rooms = [Room(ONE, ALL_OTHERS, residents=ids(people[0])),
             Room(TWO, ALL_OTHERS, residents=ids(people[1]))]  # fmt: skip
    questions = [question(number, each) for number, each in enumerate(people, 1)]
    assert faces(asking(seen(ONE, rooms, people), *questions)) == [1]
    assert faces(asking(seen(TWO, rooms, people), *questions)) == [2]


def test_what_is_asked_takes_room_of_people() -> None:
    people = [somebody(number, 1) for number in (1, 2)]
    rooms = [Room(ONE, ALL_OTHERS), Room(TWO, ALL_OTHERS)]
    limits = RoomLimits(messages=2 * (MESSAGES_A_TOPIC + 1))
    assert numbers(seen(ONE, rooms, people), limits) == [1, 2]
    assert numbers(asking(seen(ONE, rooms, people)), limits) == [2]
    limits = RoomLimits(topics=2)
    assert numbers(seen(ONE, rooms, people), limits) == [1, 2]
    assert numbers(asking(seen(ONE, rooms, people)), limits) == [2]
    there = [Room(ONE, ALL_OTHERS, residents=frozenset({REVIEW})), Room(TWO, ALL_OTHERS)]
    assert numbers(asking(seen(ONE, there, people)), limits) == [2]


def test_a_question_fits_into_a_caption_whatever_everybody_is_called() -> None:
    doubt = Doubt(FaceId(UUID(int=1)), person(1).identity.identity_id, placed=True)
    asked = Asked(doubt, "W" * 128, 2**31, link="https://t.me/c/1/2")
    sources = [source(n, chat(n, "W" * 300)) for n in range(1, 30)]
    text = caption(sources, 1e7, asked)
    shown = "".join(part.rpartition(">")[2] for part in text.split("<"))
    assert utf16_units(shown) <= 1024


def test_no_question_is_called_like_another() -> None:
    face, mia = FaceId(UUID(int=1)), person(1).identity.identity_id
    keys = {
        Doubt(face, mia, placed=True).key,
        Doubt(face, mia, placed=False).key,
        Doubt(face, REVIEW, placed=False).key,
        Doubt(FaceId(REVIEW), mia, placed=False).key,
    }
    assert len(keys) == 4
