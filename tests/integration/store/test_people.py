"""People on a real PostgreSQL: what counts as a face, what is written, and one at a time."""

from __future__ import annotations

from datetime import UTC, timedelta
from uuid import uuid4

import numpy as np
import psycopg
import pytest

from archive.errors import Permanent, Transient
from archive.identify import IdentifyOptions, IdentifyResult, identify
from archive.identify import PeopleStore as Port
from archive.ids import ContentKey, IdentityId, new_identity_id
from resources.store.database import Database
from resources.store.locks import named_lock
from resources.store.people import PeopleStore
from tests.fixtures.shelf import Shelf
from tests.unit.identity.worlds import START, around, directions, world
from tests.unit.test_identify import MODEL


@pytest.fixture
def shelf(database: Database) -> Shelf:
    return Shelf(database)


@pytest.fixture
def people(database: Database) -> PeopleStore:
    return PeopleStore(database)


def run(store: Port, min_faces: int = 3) -> IdentifyResult:
    return identify(store, MODEL, IdentifyOptions(min_faces=min_faces), cause="run 1")


def test_faces_come_back_as_they_were_stored(shelf: Shelf, people: PeopleStore) -> None:
    faces, _ = world([3, 2], seed=1)
    shelf.fill(faces)
    with people.deciding() as desk:
        stored = desk.usable_faces(MODEL.name, 0.2).in_order()
    expected = faces.in_order()
    assert [one.place for one in stored.faces] == [one.place for one in expected.faces]
    assert [one.face_id for one in stored.faces] == [one.face_id for one in expected.faces]
    np.testing.assert_array_equal(stored.vectors, expected.vectors)
    assert stored.vectors.dtype == np.float32


def test_people_are_found_named_by_number_and_summed_up(shelf: Shelf, people: PeopleStore) -> None:
    shelf.fill(world([5, 4, 1], seed=1, likeness=0.85)[0])
    assert run(people).founded == 2
    summaries = people.people()
    assert [person.identity.title for person in summaries] == ["Person 1", "Person 2"]
    assert sorted(person.faces for person in summaries) == [4, 5]
    assert all(person.contents == person.faces for person in summaries)
    assert all(START <= p.first_seen < p.last_seen for p in summaries)
    assert all(p.last_seen <= START + timedelta(minutes=10) for p in summaries)


def test_every_decision_is_an_event_of_the_run_that_made_it(
    shelf: Shelf, people: PeopleStore
) -> None:
    shelf.fill(world([5], seed=1, likeness=0.85)[0])
    run(people)
    events = shelf.execute(
        "SELECT kind, actor, cause, count(*) FROM identity_events GROUP BY 1, 2, 3 ORDER BY 1"
    )
    assert events == [("assigned", "matcher", "run 1", 5), ("found", "matcher", "run 1", 1)]
    replayed = shelf.execute(
        "SELECT face_id, identity_id, similarity FROM identity_events WHERE kind = 'assigned'"
        " EXCEPT SELECT face_id, identity_id, similarity FROM assignments"
    )
    assert replayed == []
    payloads = shelf.execute(
        "SELECT payload FROM identity_events JOIN event_payloads USING (payload_id)"
    )
    assert payloads == [({"number": 1, "model": MODEL.name},)]


def test_running_again_writes_nothing(shelf: Shelf, people: PeopleStore) -> None:
    shelf.fill(world([5, 4, 1], seed=1, likeness=0.85)[0])
    run(people)
    count = "SELECT count(*) FROM identity_events"
    before = shelf.execute(count)
    assert run(people).assigned == 0
    assert shelf.execute(count) == before


def test_faces_of_a_chat_that_allows_none_are_neither_compared_nor_shown(
    shelf: Shelf, people: PeopleStore
) -> None:
    shelf.fill(world([4], seed=1, likeness=0.85)[0])
    run(people)
    shelf.execute("UPDATE chats SET allow_faces = false WHERE chat_no = 1")
    assert people.people() == []
    assert run(people).probes == 0
    with people.deciding() as desk:
        assert len(desk.usable_faces(MODEL.name, 0.0)) == 0
    assert shelf.execute("SELECT count(*) FROM assignments") == [(4,)]


def test_a_content_counts_while_one_of_its_chats_allows_it(
    shelf: Shelf, people: PeopleStore
) -> None:
    shelf.fill(world([4], seed=1, likeness=0.85)[0], chats=(1, 2))
    shelf.execute("UPDATE chats SET allow_faces = false WHERE chat_no = 1")
    assert run(people).assigned == 4
    assert people.people()[0].faces == 4


def test_faces_below_the_lowest_quality_are_left_out(shelf: Shelf, people: PeopleStore) -> None:
    content = ContentKey("sha256:" + "a" * 64)
    vector = directions(1, np.random.default_rng(1))[0]
    shelf.photo(content, uuid4(), vector, quality=0.15)
    assert run(people, min_faces=1).probes == 0


def test_a_hidden_person_still_draws_faces_but_is_not_listed(
    shelf: Shelf, people: PeopleStore
) -> None:
    axis = directions(1, np.random.default_rng(1))[0]
    vectors = around(axis, 4, 0.85, seed=1)
    contents = [ContentKey(f"sha256:{n:064x}") for n in range(4)]
    for content, vector in list(zip(contents, vectors, strict=True))[:3]:
        shelf.photo(content, uuid4(), vector)
    run(people)
    shelf.execute("UPDATE identities SET state = 'hidden'")
    shelf.photo(contents[3], uuid4(), vectors[3])
    assert run(people).assigned == 1
    assert people.people() == []


def test_numbers_are_never_given_twice(shelf: Shelf, people: PeopleStore) -> None:
    shelf.execute(
        "INSERT INTO identities (identity_id, number, model, state) VALUES (%s, 7, %s, 'erased')",
        uuid4(),
        MODEL.name,
    )
    shelf.fill(world([3], seed=1, likeness=0.85)[0])
    run(people)
    assert [person.identity.number for person in people.people()] == [8]


def test_while_one_run_decides_another_is_told_to_come_back(
    shelf: Shelf, people: PeopleStore
) -> None:
    shelf.fill(world([3], seed=1, likeness=0.85)[0])
    with people.deciding(), pytest.raises(Transient, match="another run") as refusal:
        run(people)
    assert refusal.value.retry_after_seconds
    assert run(people).founded == 1


def test_the_lock_is_the_named_one_that_others_can_take(
    database: Database, people: PeopleStore
) -> None:
    with (
        named_lock(database, "identify"),
        pytest.raises(Transient, match="another run"),
        people.deciding(),
    ):
        pass


def test_a_face_erased_meanwhile_makes_the_run_come_back(shelf: Shelf, people: PeopleStore) -> None:
    faces, _ = world([3], seed=1, likeness=0.85)
    shelf.fill(faces)

    def erase_then_draw() -> IdentityId:
        shelf.execute("DELETE FROM faces WHERE face_id = %s", faces.faces[0].face_id)
        return new_identity_id()

    with pytest.raises(Transient, match="erased"):
        identify(people, MODEL, IdentifyOptions(), cause="", draw_id=erase_then_draw)
    assert shelf.execute("SELECT count(*) FROM identities") == [(0,)]


def test_a_database_that_breaks_off_founds_nobody(
    shelf: Shelf, people: PeopleStore, database_url: str
) -> None:
    shelf.fill(world([3, 3], seed=1, likeness=0.85)[0])

    def break_then_draw() -> IdentityId:
        with psycopg.connect(database_url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        return new_identity_id()

    with pytest.raises(Transient):
        identify(people, MODEL, IdentifyOptions(), cause="", draw_id=break_then_draw)
    assert shelf.execute("SELECT count(*) FROM identities") == [(0,)]
    assert shelf.execute("SELECT count(*) FROM assignments") == [(0,)]


def test_a_vector_of_the_wrong_length_is_refused(shelf: Shelf) -> None:
    content = ContentKey("sha256:" + "a" * 64)
    with pytest.raises(Permanent):
        shelf.photo(content, uuid4(), np.ones(3, dtype=np.float32) / np.sqrt(3.0))


def test_times_carry_their_zone(shelf: Shelf, people: PeopleStore) -> None:
    shelf.fill(world([3], seed=1, likeness=0.85)[0])
    run(people)
    assert people.people()[0].first_seen.tzinfo == UTC
