"""Questions about faces in the store of hubs: what is open, and what the tables refuse."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import numpy as np
import pytest

from archive.errors import Permanent
from archive.ids import ChatNo, FaceId, IdentityId, MessageId, TopicId
from archive.publishing import Hub, PostMethod
from archive.publishing.doubts import REVIEW, REVIEW_TITLE, Doubt
from archive.publishing.outbox import Attempt, OutboxState, PublicationRow, TopicRow
from archive.suggestions import doubts
from resources.store.database import Database
from resources.store.topics import TopicStore
from tests.integration.publishing_rows import Rows
from tests.integration.store.test_asking import AXES, House
from tests.unit.identity.worlds import RULES, around
from tests.unit.test_identify import MODEL

MIA, BO = (IdentityId(UUID(int=number)) for number in (1, 2))
HUB_CHAT = ChatNo(99)
PLANNED = OutboxState.PLANNED


@pytest.fixture
def rows(database: Database) -> Rows:
    """Mia and Bo in a photo each, and chat 2 that may not be published."""
    rows = Rows(database)
    rows.chat(1)
    rows.chat(2, publish=False)
    rows.chat(HUB_CHAT, "People", is_hub=True)
    for number in (1, 2):
        rows.person(number)
        rows.shown(number, number)
    return rows


@pytest.fixture
def face(rows: Rows) -> FaceId:
    """Nobody's, beside Mia."""
    return FaceId(rows.face(1, None))


@pytest.fixture
def store(database: Database, rows: Rows) -> TopicStore:
    return TopicStore(database)


@pytest.fixture
def hub(store: TopicStore) -> Hub:
    return store.use(HUB_CHAT)


def is_open(store: TopicStore, face: FaceId, whose: IdentityId, *, placed: bool) -> bool:
    doubt = Doubt(face, whose, placed)
    found = store.still_asked([doubt])
    assert [each.content_key for each in found] in ([], [doubt.key])
    assert store.permission(REVIEW, [], doubt).is_visible == bool(found)
    return bool(found)


def test_a_question_names_whom_and_where(store: TopicStore, rows: Rows, face: FaceId) -> None:
    rows.run("UPDATE identities SET label = 'Mia' WHERE number = 1")
    (asked,) = store.still_asked([Doubt(face, MIA, placed=False)])
    assert asked.asked is not None
    assert (asked.asked.name, asked.asked.number) == ("Mia", 1)
    assert [(source.chat.chat_no, source.message_id) for source in asked.sources] == [(1, 1)]
    assert (asked.phash, asked.seconds) == (None, None)


def test_questions_keep_their_order(store: TopicStore, rows: Rows, face: FaceId) -> None:
    asked = [Doubt(face, whose, placed=False) for whose in (BO, MIA)]
    for order in (asked, asked[::-1]):
        assert [each.content_key for each in store.still_asked(order)] == [d.key for d in order]


def test_a_question_is_settled_where_the_face_moved(
    store: TopicStore, rows: Rows, face: FaceId
) -> None:
    assert is_open(store, face, MIA, placed=False)
    assert not is_open(store, face, MIA, placed=True)
    for whose in (MIA, BO):
        rows.run("DELETE FROM assignments WHERE face_id = %s", face)
        rows.run("INSERT INTO assignments VALUES (%s, %s, 1, 'matcher')", face, whose)
        assert not is_open(store, face, MIA, placed=False)
        assert is_open(store, face, MIA, placed=True) is (whose == MIA)
    rows.run("UPDATE assignments SET identity_id = %s, decided_by = 'person'", MIA)
    assert not is_open(store, face, MIA, placed=True)


@pytest.mark.parametrize("kind", ["must", "cannot"])
def test_what_was_said_of_the_face_and_one_of_theirs_settles_it(
    store: TopicStore, rows: Rows, face: FaceId, kind: str
) -> None:
    [(theirs,)] = rows.run("SELECT face_id FROM assignments WHERE identity_id = %s", MIA)
    one, other = sorted((face, theirs))
    rows.run("INSERT INTO constraints VALUES (%s, %s, %s, %s)", one, other, kind, uuid4())
    assert not is_open(store, face, MIA, placed=False)
    assert is_open(store, face, BO, placed=False)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE identities SET state = 'hidden'",
        "DELETE FROM faces",
        "INSERT INTO suppressed_regions SELECT face_id, content_key, 0, 0, 0, 1, 1 FROM faces",
    ],
)
def test_a_question_about_whom_or_what_may_be_seen_no_more_is_settled(
    store: TopicStore, rows: Rows, face: FaceId, statement: str
) -> None:
    assert is_open(store, face, MIA, placed=False)
    rows.run(statement)
    assert not is_open(store, face, MIA, placed=False)


def test_a_face_that_no_publishable_chat_shows_is_not_asked_about(
    store: TopicStore, rows: Rows
) -> None:
    rows.content(3)
    rows.message(3, 1, chat_no=2)
    face = FaceId(rows.face(3, None))
    assert store.still_asked([Doubt(face, MIA, placed=False)]) == ()
    rows.message(3, 9, chat_no=1, raw='{"noforwards": true}')
    assert store.still_asked([Doubt(face, MIA, placed=False)]) == ()
    rows.message(3, 10, chat_no=1)
    (asked,) = store.still_asked([Doubt(face, MIA, placed=False)])
    assert [source.message_id for source in asked.sources] == [10]


def test_what_was_posted_as_a_question_is_read_as_one(
    store: TopicStore, hub: Hub, face: FaceId
) -> None:
    doubt = Doubt(face, MIA, placed=False)
    (asked,) = store.still_asked([doubt])
    topic = TopicRow(REVIEW, 5, PLANNED, REVIEW_TITLE)
    store.begin_topic(hub.hub_no, topic)
    store.finish_topic(hub.hub_no, topic, TopicId(12))
    row = PublicationRow(uuid4(), REVIEW, doubt.key, 6, PLANNED, doubt=doubt)
    attempt = Attempt(6, "Is this Mia?", PostMethod.CROP, asked.sources[0])
    store.begin_post(hub.hub_no, row, attempt)
    (sending,) = store.projection(hub.hub_no).actual.posts
    assert (sending.doubt, sending.content_key) == (doubt, doubt.key)

    # Another question about another face of the same content is another post; the same one is not.
    other = replace(row, publication_id=uuid4(), doubt=replace(doubt, identity_id=BO))
    store.begin_post(hub.hub_no, other, replace(attempt, random_id=7))
    same = replace(row, publication_id=uuid4())
    with pytest.raises(Permanent, match="publications_once"):
        store.begin_post(hub.hub_no, same, replace(attempt, random_id=8))

    store.finish_post(row.publication_id, 6, MessageId(20), certain=True)
    store.begin_removals([row.publication_id])
    store.finish_removals([row.publication_id])
    left = [each.doubt for each in store.projection(hub.hub_no).actual.posts]
    assert left == [other.doubt]


def test_a_topic_is_somebodys_or_that_of_questions(store: TopicStore, hub: Hub) -> None:
    store.begin_topic(hub.hub_no, TopicRow(REVIEW, 5, PLANNED, REVIEW_TITLE))
    with pytest.raises(Permanent, match="person_id"):
        store.begin_topic(hub.hub_no, TopicRow(IdentityId(uuid4()), 6, PLANNED, "Nobody"))


@pytest.mark.parametrize("yes", [True, False])
def test_what_is_asked_at_the_command_line_is_open_until_it_is_answered_there(
    database: Database, *, yes: bool
) -> None:
    house, store = House(database), TopicStore(database)
    house.person(around(AXES[0], 8, 0.97, 0))
    house.faces((0.49 * AXES[0] + np.sqrt(1 - 0.49**2) * AXES[7]).astype(np.float32)[None])
    (question,) = house.asked("uncertain")
    (doubt,) = doubts(house.asking, MODEL.name, RULES)
    assert store.permission(REVIEW, [], doubt).is_visible
    decision = house.answer(question, yes=yes)
    assert not store.permission(REVIEW, [], doubt).is_visible
    house.undo(decision)
    assert store.permission(REVIEW, [], doubt).is_visible
