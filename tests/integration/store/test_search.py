"""Searching on a real PostgreSQL: what is found, within what, and by which way."""

from __future__ import annotations

from datetime import timedelta
from importlib.resources import files
from uuid import UUID, uuid4

import numpy as np
import pytest
from psycopg.types.json import Jsonb

from archive.correcting import Act, not_a_face
from archive.identify import IdentifyOptions, identify
from archive.identity.records import FaceSet
from archive.ids import ChatNo, ContentKey, FaceId
from archive.searching import EVERYTHING, FaceSearch, Within, search
from resources.store import search as store_of_search
from resources.store.corrections import CorrectionStore
from resources.store.database import Database
from resources.store.people import PeopleStore
from resources.store.search import FaceSearchStore
from resources.store.search_index import MOST_DIMS, index_name, is_indexed, make_missing_index
from tests.integration.store.test_people import Shelf
from tests.unit.identity.worlds import DIMS, START, world
from tests.unit.test_identify import MODEL

FEW = 20


@pytest.fixture
def shelf(database: Database) -> Shelf:
    return Shelf(database)


@pytest.fixture
def faces(shelf: Shelf) -> FaceSet:
    """Forty faces of four people, one an hour, in the first chat."""
    made, _ = world([10, 10, 10, 10], seed=4, likeness=0.8)
    shelf.fill(made)
    return made


@pytest.fixture
def store(database: Database) -> FaceSearchStore:
    """A store that asks the index, where there is one, for `FEW` faces already."""
    return FaceSearchStore(database, broad=FEW)


def nearest(store: FaceSearch, faces: FaceSet, row: int, within: Within = EVERYTHING) -> list[UUID]:
    found = store.nearest(faces.vectors[row], MODEL.name, within, most=5)
    return [face.face_id for face in found.faces]


def expected(faces: FaceSet, row: int, rows: range | None = None) -> list[UUID]:
    among = list(range(len(faces)) if rows is None else rows)
    order = sorted(among, key=lambda other: -float(faces.vectors[other] @ faces.vectors[row]))
    return [faces.faces[other].face_id for other in order[:5]]


def test_the_nearest_faces_come_by_the_cosine_of_full_vectors(
    faces: FaceSet, store: FaceSearchStore
) -> None:
    found = store.nearest(faces.vectors[3], MODEL.name, EVERYTHING, most=5)

    assert [face.face_id for face in found.faces] == expected(faces, 3)
    assert [face.similarity for face in found.faces] == pytest.approx(
        sorted((faces.vectors @ faces.vectors[3]).tolist(), reverse=True)[:5], abs=1e-6
    )
    assert found.exact


def test_vectors_of_two_models_never_meet(
    shelf: Shelf, faces: FaceSet, store: FaceSearchStore
) -> None:
    shelf.execute(
        "INSERT INTO models (name, kind, licence, commercial_use, dims, thresholds)"
        " VALUES ('other', 'insightface', 'none', true, %s, %s)",
        DIMS,
        Jsonb({}),
    )
    twin = faces.faces[1].face_id
    shelf.execute(
        "INSERT INTO embeddings SELECT %s, 'other', dims, embedding FROM embeddings"
        " WHERE face_id = %s",
        twin,
        faces.faces[0].face_id,
    )

    assert nearest(store, faces, 0) == expected(faces, 0)
    found = store.nearest(faces.vectors[0], "other", EVERYTHING, most=5)
    assert [(face.face_id, round(face.similarity, 5)) for face in found.faces] == [(twin, 1.0)]


@pytest.mark.parametrize("least", [1, 1_000], ids=["by the index", "by comparing"])
def test_a_search_keeps_within_a_time(
    faces: FaceSet, store: FaceSearchStore, database: Database, least: int
) -> None:
    make_missing_index(database, MODEL.name, least=least)
    since, until = START + timedelta(minutes=10), START + timedelta(minutes=35)

    within = Within(since=since, until=until)

    assert nearest(store, faces, 0, within) == expected(faces, 0, range(10, 35))


def test_a_search_keeps_within_a_chat_and_the_group_it_was(
    shelf: Shelf, faces: FaceSet, store: FaceSearchStore
) -> None:
    more, _ = world([3], seed=9, likeness=0.8)
    ids = [uuid4() for _ in more.faces]
    for number, (face_id, vector) in enumerate(zip(ids, more.vectors, strict=True), start=1000):
        shelf.photo(ContentKey(f"sha256:{number:064x}"), face_id, vector, chats=(2,))
    shelf.execute(
        "INSERT INTO chats (chat_no, chat_id, kind, id_space, account_id, title, migrated_to)"
        " VALUES (3, 3, 'supergroup', 'own', 1, 'New', NULL)"
    )

    assert set(nearest(store, faces, 0, Within(chat_no=ChatNo(2)))) == set(ids)
    assert nearest(store, faces, 0, Within(chat_no=ChatNo(3))) == []
    shelf.execute("UPDATE chats SET migrated_to = 3 WHERE chat_no = 2")
    assert set(nearest(store, faces, 0, Within(chat_no=ChatNo(3)))) == set(ids)


def test_only_what_an_allowed_chat_still_shows_is_found(
    shelf: Shelf, faces: FaceSet, store: FaceSearchStore
) -> None:
    first = faces.faces[0].face_id
    assert store.vector(first, MODEL.name) is not None
    shelf.execute("UPDATE messages SET deleted_at = now() WHERE message_id = 1")
    assert first not in nearest(store, faces, 0)
    assert store.vector(first, MODEL.name) is None

    shelf.execute("UPDATE chats SET allow_faces = false")

    assert nearest(store, faces, 0) == []


@pytest.mark.parametrize("least", [1, 1_000], ids=["by the index", "by comparing"])
def test_what_a_person_said_is_no_face_is_not_found(
    faces: FaceSet, store: FaceSearchStore, database: Database, least: int
) -> None:
    make_missing_index(database, MODEL.name, least=least)
    none = faces.faces[0].face_id
    with CorrectionStore(database).correcting() as desk:
        not_a_face(desk, [none], Act("Ada", "test"))

    assert none not in nearest(store, faces, 0)


def test_a_model_gets_its_index_once_it_has_enough_vectors(
    faces: FaceSet, database: Database
) -> None:
    assert not make_missing_index(database, MODEL.name, least=len(faces) + 1)
    assert make_missing_index(database, MODEL.name, least=len(faces))
    assert not make_missing_index(database, MODEL.name, least=len(faces))
    assert not make_missing_index(database, "nobody's", least=0)


def test_an_index_that_was_left_unfinished_is_not_asked_and_made_anew(
    shelf: Shelf, faces: FaceSet, store: FaceSearchStore, database: Database
) -> None:
    make_missing_index(database, MODEL.name, least=1)
    shelf.execute(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(%s)",
        index_name(MODEL.name),
    )
    assert store.nearest(faces.vectors[0], MODEL.name, EVERYTHING, most=5).exact

    assert make_missing_index(database, MODEL.name, least=1)

    assert not store.nearest(faces.vectors[0], MODEL.name, EVERYTHING, most=5).exact


def test_the_index_finds_what_comparing_everything_finds(
    faces: FaceSet, store: FaceSearchStore, database: Database
) -> None:
    make_missing_index(database, MODEL.name, least=1)

    for row in range(len(faces)):
        assert nearest(store, faces, row) == expected(faces, row)


def test_a_face_stored_later_is_in_the_index_at_once(
    shelf: Shelf, faces: FaceSet, store: FaceSearchStore, database: Database
) -> None:
    make_missing_index(database, MODEL.name, least=1)
    late = uuid4()

    shelf.photo(ContentKey("sha256:" + "f" * 64), late, faces.vectors[0])

    found = store.nearest(faces.vectors[0], MODEL.name, EVERYTHING, most=5)
    assert late in [face.face_id for face in found.faces]
    assert not found.exact


def test_the_statement_is_one_that_the_index_can_answer(faces: FaceSet, database: Database) -> None:
    make_missing_index(database, MODEL.name, least=1)
    values = {
        "chat_no": 1, "since": START, "until": None, "most": 5,
        "probe": faces.vectors[0],
    }  # fmt: skip
    statement = store_of_search._walking(MODEL.name, DIMS)
    with database.transaction() as connection:
        # Forty rows are sorted sooner than any index is opened.
        connection.execute("SET LOCAL enable_seqscan = off")
        connection.execute("SET LOCAL enable_sort = off")
        text = statement.as_string(connection)
        plan = connection.execute(f"EXPLAIN {text}".encode(), values).fetchall()

    assert any(index_name(MODEL.name) in str(line) for line in plan)


def test_a_narrow_search_compares_all_its_faces(
    faces: FaceSet, store: FaceSearchStore, database: Database
) -> None:
    make_missing_index(database, MODEL.name, least=1)
    narrow = Within(since=START + timedelta(minutes=len(faces) - FEW + 1))
    broad = Within(since=START + timedelta(minutes=len(faces) - FEW))

    assert store.nearest(faces.vectors[0], MODEL.name, narrow, most=5).exact
    assert not store.nearest(faces.vectors[0], MODEL.name, broad, most=5).exact


def test_where_the_index_gives_too_little_all_are_compared(
    faces: FaceSet, store: FaceSearchStore, database: Database
) -> None:
    make_missing_index(database, MODEL.name, least=1)

    found = store.nearest(faces.vectors[0], MODEL.name, EVERYTHING, most=len(faces) + 1)

    assert len(found.faces) == len(faces)
    assert found.exact


def test_vectors_too_long_for_an_index_are_compared(shelf: Shelf, database: Database) -> None:
    shelf.execute("UPDATE models SET dims = %s", MOST_DIMS + 1)

    assert not make_missing_index(database, MODEL.name, least=0)


def test_a_person_is_told_with_the_message_that_shows_the_face(
    shelf: Shelf, faces: FaceSet, store: FaceSearchStore, database: Database
) -> None:
    identify(PeopleStore(database), MODEL, IdentifyOptions(), cause="test")
    shelf.execute(
        "INSERT INTO messages (chat_no, message_id, kind, sent_at, raw)"
        " VALUES (2, 900, 'media', %s, '{}')",
        START - timedelta(days=1),
    )
    shelf.execute(
        "INSERT INTO message_media SELECT 2, 900, media_id FROM message_media WHERE message_id = 1"
    )
    first = faces.faces[0].face_id

    found = search(store, faces.vectors[0], MODEL.name, EVERYTHING, limit=4)

    assert len(found.people) == 4
    assert found.people[0].nearest == found.faces[0].face_id == first
    sighting = found.sightings[FaceId(first)]
    assert (sighting.chat_no, sighting.message_id, sighting.others) == (2, 900, 1)
    within = store.sightings([first], Within(chat_no=ChatNo(1)))[first]
    assert (within.chat_no, within.message_id, within.others) == (1, 1, 0)


def test_faces_are_named_by_the_beginning_of_their_ids(
    faces: FaceSet, store: FaceSearchStore
) -> None:
    face_id = faces.faces[4].face_id

    assert store.named(face_id.hex, most=2) == [face_id]
    assert store.named(face_id.hex[:6], most=2) == [f.face_id for f in faces.faces[:2]]
    assert store.named("ffffff", most=2) == []


def test_the_indexes_made_with_each_model_until_now_go(shelf: Shelf, faces: FaceSet) -> None:
    shelf.execute(
        "CREATE INDEX embeddings_hnsw_0123456789ab ON embeddings"
        " USING hnsw ((embedding::vector(64)) vector_cosine_ops) WHERE model = 'some-model'"
    )
    shelf.execute("DROP FUNCTION sources_within")
    migration = files("resources.store") / "migrations" / "0012_search.sql"

    with shelf.database.transaction() as connection:
        connection.execute(migration.read_bytes())

    left = shelf.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'embeddings'")
    assert left == [("embeddings_pkey",)]
    assert len(shelf.execute("SELECT * FROM embeddings")) == len(faces)


def test_a_probe_of_another_length_is_an_error_and_not_nobody(
    faces: FaceSet, store: FaceSearchStore, database: Database
) -> None:
    make_missing_index(database, MODEL.name, least=1)
    with database.transaction() as connection:
        assert is_indexed(connection, MODEL.name)

    with pytest.raises(Exception, match="dimensions"):
        store.nearest(np.ones(3, dtype=np.float32), MODEL.name, EVERYTHING, most=5)
