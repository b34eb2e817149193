"""Questions about faces in a hub: the real store, the real Telethon and the loopback Telegram."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from archive.correcting import Act, assign, hide, not_a_face, rename
from archive.correcting.answering import whose
from archive.identity.events import Decision
from archive.ids import FaceId
from archive.publishing import ReadBackOptions, plan, read_back
from archive.publishing.doubts import EXPLANATION, REVIEW_TITLE, Doubt
from archive.publishing.operations import PostContent
from resources.store.database import Database
from telegram_sandbox import Message
from tests.integration.hub_talk import ONE, TWO, Talk, talk
from tests.integration.publishing_rows import key
from tests.integration.publishing_stage import Died, Stage, picture, seen

ME = Act("somebody", "a test")
POINTS = ("before the call", "after the call", "after the record")


def face_picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40), "red").save(buffer, "WEBP")
    return buffer.getvalue()


@dataclass
class Review:
    """A hub in which it is asked about a face of nobody in Mia's photo, and one of Person 2."""

    room: Talk
    stranger: FaceId
    placed: FaceId
    doubts: tuple[Doubt, ...] | None

    @property
    def house(self) -> Stage:
        return self.room.house

    async def publish(self, **more: Any) -> int:
        faces = self.room.toolbox.faces
        options = {"doubts": self.doubts, "faces": faces} | more
        return (await self.house.publish(self.room.hub, **options)).done

    async def settle(self) -> None:
        """Publish, and see that nothing is left to do then."""
        await self.publish()
        assert await self.publish() == 0

    def decide(self, decide: Callable[..., Decision | None], *arguments: Any, **more: Any) -> None:
        with self.room.toolbox.corrections.correcting() as desk:
            assert decide(desk, *arguments, ME, **more) is not None

    def asked(self) -> list[Message]:
        """What is asked, in its order."""
        if REVIEW_TITLE not in self.room.titles():
            return []
        topic = self.room.topic(REVIEW_TITLE)
        messages = self.house.people.messages
        return [each for each in messages if each.topic_id == topic.id and each.media is not None]

    def questions(self) -> list[str]:
        return [message.text.split("\n")[0] for message in self.asked()]

    def say(self, text: str, to: Message | None = None, *, who: Any = None) -> None:
        topic = self.room.topic(REVIEW_TITLE)
        options = {} if to is None else {"reply_to": to}
        self.room.say(who or self.house.bob, topic, text, **options)

    async def answered(self) -> list[str]:
        """Give what we answered in the topic, once that is published."""
        await self.settle()
        return self.room.said_in(self.room.topic(REVIEW_TITLE))

    def pictures(self, title: str) -> list[bytes]:
        (posts,) = [
            [data for _, data, _ in messages if data is not None]
            for name, messages in seen(self.house.people).items()
            if name.startswith(title)
        ]
        return posts

    def of_face(self, face_id: FaceId) -> list[tuple[Any, ...]]:
        return self.house.rows.run(
            "SELECT identity_id, decided_by FROM assignments WHERE face_id = %s", face_id
        )


@pytest.fixture
async def review(database: Database, tmp_path: Path) -> AsyncIterator[Review]:
    async with talk(database, tmp_path) as room:
        rows = room.house.rows
        stranger = FaceId(rows.face(6, None))
        [(placed,)] = rows.run(
            "SELECT face_id FROM assignments JOIN faces USING (face_id) "
            "WHERE identity_id = %s AND content_key = %s",
            TWO,
            key(5),
        )
        crop_key = room.toolbox.blobs.put(face_picture())
        rows.run("UPDATE faces SET crop_key = %s", crop_key)
        doubts = Doubt(stranger, ONE, placed=False), Doubt(FaceId(placed), TWO, placed=True)
        yield Review(room, stranger, FaceId(placed), doubts)


async def test_an_answer_in_the_hub_puts_a_face_where_it_belongs_and_can_be_taken_back(
    review: Review,
) -> None:
    await review.settle()
    assert review.questions() == [
        "Is this Person 1 (#1)? Answer /yes or /no.",
        "Is this Person 2 (#2)? Answer /yes or /no.",
    ]
    first = review.asked()[0]
    topic = review.room.topic("Person 1")
    links = [entity.url for entity in first.entities]
    assert links[0].endswith(f"/{topic.id}")
    assert [link.rpartition("/")[2] for link in links[1:]] == ["7"]
    assert first.media.file.data not in {picture(number) for number in range(1, 7)}
    assert review.house.asked("upload.getFile") == 0

    review.say("/yes", first)
    assert (await review.room.heed()).by_name == {"decided": 1}
    assert review.of_face(review.stranger) == [(ONE, "person")]
    assert review.room.decisions() == [("confirmed", f"telegram:{review.house.bob.id}")]
    await review.settle()
    assert review.questions() == ["Is this Person 2 (#2)? Answer /yes or /no."]
    assert picture(6) in review.pictures("Person 1")

    review.say("/undo")
    assert (await review.room.heed()).by_name == {"decided": 1}
    await review.settle()
    assert review.of_face(review.stranger) == []
    assert picture(6) not in review.pictures("Person 1")
    assert "Is this Person 1 (#1)? Answer /yes or /no." in review.questions()
    review.say("/undo")
    assert (await review.room.heed()).by_name == {"refused": 1}


async def test_a_face_that_was_denied_leaves_its_topic_and_is_asked_about_no_more(
    review: Review,
) -> None:
    await review.settle()
    for message in review.asked():
        review.say("/no", message)
    assert (await review.room.heed()).by_name == {"decided": 2}
    await review.settle()
    assert review.questions() == []
    assert picture(5) not in review.pictures("Person 2")
    assert REVIEW_TITLE in review.room.titles()


async def test_what_a_stranger_answers_is_only_counted(review: Review) -> None:
    await review.settle()
    review.say("/yes", review.asked()[0], who=review.room.eve)
    assert (await review.room.heed()).by_name == {"stranger": 1}
    assert review.room.decisions() == []
    await review.settle()
    assert len(review.questions()) == 2


async def test_an_answer_to_what_was_settled_elsewhere_is_answered_with_why(
    review: Review,
) -> None:
    await review.settle()
    stranger, placed = review.asked()
    review.decide(assign, [review.stranger], TWO)
    review.decide(whose, review.placed, TWO, yes=True)
    review.say("/yes", stranger)
    review.say("/yes", placed)
    review.say("/no", placed)
    assert (await review.room.heed()).by_name == {"refused": 2, "nothing": 1}
    assert review.of_face(review.stranger) == [(TWO, "person")]
    taken, so_already, confirmed = await review.answered()
    assert taken.startswith("✗ /yes: ")
    assert "somebody" in taken
    assert so_already == "✗ /yes: it is so already"
    assert "somebody" in confirmed
    assert review.questions() == []


async def test_an_answer_about_a_face_that_is_none_or_is_gone_says_so(review: Review) -> None:
    await review.settle()
    stranger, placed = review.asked()
    review.decide(not_a_face, [review.stranger])
    review.house.rows.run("DELETE FROM faces WHERE face_id = %s", review.placed)
    review.say("/yes", stranger)
    review.say("/no", placed)
    assert (await review.room.heed()).by_name == {"refused": 2}
    assert await review.answered() == [
        "✗ /yes: somebody said since that it is no face",
        "✗ /no: the face was deleted since",
    ]


async def test_only_answers_to_questions_and_only_there_are_answers(review: Review) -> None:
    await review.settle()
    review.say("/yes")
    review.say("/name Ada", review.asked()[0])
    review.room.say(review.house.bob, review.room.topic("Person 1"), "/yes")
    assert (await review.room.heed()).by_name == {"refused": 3}
    assert review.room.labels()[1] is None
    assert review.room.decisions() == []


async def test_a_question_follows_whom_it_is_about_and_leaves_when_they_are_hidden(
    review: Review,
) -> None:
    await review.settle()
    asked = [message.id for message in review.asked()]
    review.decide(rename, ONE, "Ada")
    await review.settle()
    assert review.questions()[0] == "Is this Ada (#1)? Answer /yes or /no."
    assert [message.id for message in review.asked()] == asked
    review.decide(hide, [ONE])
    await review.settle()
    assert review.questions() == ["Is this Person 2 (#2)? Answer /yes or /no."]


async def test_a_question_stays_while_others_seem_worth_more_and_without_looking_for_any(
    review: Review,
) -> None:
    await review.settle()
    asked = [message.id for message in review.asked()]
    review.doubts = (Doubt(review.stranger, TWO, placed=False),)
    assert await review.publish() == 0
    review.doubts = ()
    assert await review.publish() == 0
    assert [message.id for message in review.asked()] == asked


async def test_switched_off_nothing_of_it_stays(review: Review) -> None:
    before = seen(review.house.people)
    await review.settle()
    assert seen(review.house.people) != before
    review.doubts = None
    assert plan(
        review.house.store, review.room.hub, now=datetime.now(UTC), doubts=None
    ).lines() == ["delete   To review"]
    await review.settle()
    assert seen(review.house.people) == before


async def test_nothing_is_left_of_a_question_about_a_face_that_was_erased(review: Review) -> None:
    await review.settle()
    review.decide(rename, ONE, "Ada")
    await review.settle()
    rows = review.house.rows
    rows.run("UPDATE chats SET allow_faces = false, allow_publish = false WHERE chat_no = 1")
    while review.room.toolbox.deletions.erase_some().contents:
        pass
    await review.settle()
    assert review.questions() == []
    said = rows.run("SELECT caption FROM publications WHERE face_id IS NOT NULL")
    assert said == [("",), ("",)]
    assert not any("Ada" in message.text for message in review.house.people.messages)


@pytest.mark.parametrize("switch", ["allow_publish = false", "noforwards = true"])
async def test_what_may_not_be_shown_is_not_asked_about(review: Review, switch: str) -> None:
    review.house.rows.run(f"UPDATE chats SET {switch} WHERE chat_no = 1")
    await review.settle()
    assert REVIEW_TITLE not in review.room.titles()


async def test_what_is_forbidden_after_planning_is_not_asked(review: Review) -> None:
    def forbid(operation: object) -> None:
        if isinstance(operation, PostContent):
            review.house.rows.run("UPDATE identities SET state = 'hidden' WHERE number = 2")

    await review.publish(on_operation=forbid)
    assert review.questions() == ["Is this Person 1 (#1)? Answer /yes or /no."]


async def test_a_question_that_somebody_deleted_or_changed_by_hand_is_put_right(
    review: Review,
) -> None:
    await review.settle()
    handle, before = review.house.people, seen(review.house.people)
    one, other = review.asked()
    handle.delete(one)
    handle.edit(other, text="Is it?", entities=())
    review.room.topic(REVIEW_TITLE).title = "Mine"
    house, options = review.house, ReadBackOptions()
    remarks = house.remarks
    await read_back(house.store, house.account.hub, review.room.hub, options, remarks=remarks)
    await review.settle()
    after = seen(review.house.people)
    assert {title: sorted(said, key=repr) for title, said in after.items()} == {
        title: sorted(said, key=repr) for title, said in before.items()
    }


async def test_dying_at_every_operation_with_questions_ends_in_the_same_hub(
    review: Review,
) -> None:
    house = review.house
    await house.publish(
        house.hub(house.others), faces=review.room.toolbox.faces, doubts=review.doubts
    )
    house.store.use(review.room.hub.chat.chat_no)
    assert await dying_everywhere(review) >= 5
    assert seen(house.people) == seen(house.others)
    review.doubts = None
    assert await dying_everywhere(review) == 1
    assert REVIEW_TITLE not in review.room.titles()


async def dying_everywhere(review: Review) -> int:
    """Publish, dying at each point of each operation in turn; returns how many those were."""
    deaths = 0
    while True:
        try:
            await review.publish(dies=POINTS[deaths % len(POINTS)])
        except Died:
            deaths += 1
            assert len(set(review.questions())) == len(review.questions())
        else:
            return deaths // len(POINTS)


async def test_the_topic_keeps_its_title(review: Review) -> None:
    await review.settle()
    review.house.people.edit_topic(review.room.topic(REVIEW_TITLE), review.house.bob, title="Mine")
    assert (await review.room.heed()).by_name == {"nothing": 1}
    await review.settle()
    assert REVIEW_TITLE in review.room.titles()


async def test_the_topic_says_what_it_is_for(review: Review) -> None:
    await review.settle()
    topic = review.room.topic(REVIEW_TITLE)
    (said,) = [
        message
        for message in review.house.people.messages
        if message.topic_id == topic.id and message.pinned
    ]
    assert said.text == EXPLANATION.replace("<b>", "").replace("</b>", "")
