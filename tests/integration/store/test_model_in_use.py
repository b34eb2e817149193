"""Which model an archive uses: one row, who may store by it, and who waits for whom."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import Connection

from archive.errors import Transient
from archive.identify import IdentifyOptions, identify
from resources.store.database import Database
from resources.store.embedded import EmbeddedPostgres
from resources.store.migrate import migrate
from resources.store.model_in_use import ModelInUse, begin_with, hold, require_in_use, switch
from resources.store.people import PeopleStore
from tests.fixtures.releases import release_before
from tests.fixtures.shelf import Shelf
from tests.unit.identity.worlds import DIMS, world
from tests.unit.test_identify import MODEL

BEFORE = 24
OTHER = "another"

TWO_MODELS = """
INSERT INTO models (name, kind, licence, commercial_use, dims, thresholds)
VALUES ('younger', 'dlib', 'none', true, 2, '{}'), ('older', 'dlib', 'none', true, 2, '{}');
INSERT INTO blobs (content_key, size_bytes) VALUES ('tgdoc:1:1', 1);
INSERT INTO faces (face_id, content_key, x1, y1, x2, y2, landmarks, landmark_schema,
                   detection_score, quality, model, crop_key)
SELECT ('00000000-0000-0000-0000-00000000000' || i)::uuid, 'tgdoc:1:1', i, 0, i + 1, 1, '{}',
       'none', 1, 1, 'older', 'crop'
FROM generate_series(1, 3) AS i;
INSERT INTO embeddings (face_id, model, dims, embedding, created_at)
SELECT face_id, 'older', 2, '[1,0]', timestamptz '2026-01-01' FROM faces;
INSERT INTO embeddings (face_id, model, dims, embedding, created_at)
SELECT face_id, 'younger', 2, '[1,0]', timestamptz '2026-02-02' FROM faces WHERE x1 = 1;
"""


@pytest.fixture
def shelf(database: Database) -> Shelf:
    """An archive of a few people whom the matcher knows, with a second model recorded."""
    shelf = Shelf(database)
    shelf.fill(world([4, 3, 1], seed=1)[0])
    shelf.execute(
        "INSERT INTO models (name, kind, licence, commercial_use, dims, thresholds)"
        " VALUES (%s, 'dlib', 'none', true, %s, '{}')",
        OTHER,
        DIMS,
    )
    options = IdentifyOptions(min_faces=3)
    identify(PeopleStore(database), MODEL, options, cause="test")
    return shelf


def remembered(shelf: Shelf) -> list[tuple[object, ...]]:
    return shelf.execute(
        "SELECT (SELECT count(*) FROM portraits), (SELECT count(*) FROM waiting_faces)"
    )


def embed(shelf: Shelf, model: str) -> None:
    """Write a vector of every face, as the embedding of another model does."""
    shelf.execute(
        "INSERT INTO embeddings (face_id, model, dims, embedding)"
        " SELECT DISTINCT ON (face_id) face_id, %s, dims, embedding FROM embeddings"
        " ON CONFLICT (face_id, model) DO UPDATE SET embedding = EXCLUDED.embedding",
        model,
    )


def use(database: Database, model: str) -> None:
    with database.transaction() as connection:
        switch(connection, model)


@contextmanager
def impatient(connection: Connection) -> Iterator[None]:
    """Expect the body to wait for somebody else, and do not wait with it."""
    connection.execute("SET LOCAL lock_timeout = '1ms'")
    with pytest.raises(psycopg.errors.LockNotAvailable), connection.transaction():
        yield


def test_an_archive_of_the_release_before_uses_the_model_of_its_newest_vectors(
    postgres: EmbeddedPostgres,
) -> None:
    with release_before(postgres, BEFORE, TWO_MODELS) as url:
        migrate(url)
        with Database(url) as database:
            assert ModelInUse(database).name() == "younger"


def test_an_empty_archive_of_the_release_before_uses_none(postgres: EmbeddedPostgres) -> None:
    with release_before(postgres, BEFORE) as url:
        migrate(url)
        with Database(url) as database:
            assert ModelInUse(database).name() is None


def test_the_first_vectors_decide_and_whoever_comes_second_is_sent_away(shelf: Shelf) -> None:
    with shelf.database.transaction() as connection:
        require_in_use(connection, OTHER)
        begin_with(connection, MODEL.name)
        require_in_use(connection, MODEL.name)
    with shelf.database.transaction() as connection:
        begin_with(connection, OTHER)
        told = f"{MODEL.name} is in use, this worked with {OTHER}"
        with pytest.raises(Transient, match=told):
            require_in_use(connection, OTHER)
    assert ModelInUse(shelf.database).name() == MODEL.name


def test_a_change_waits_for_whoever_stores_and_whoever_stores_for_a_change(shelf: Shelf) -> None:
    use(shelf.database, MODEL.name)
    with shelf.database.transaction() as storing:
        require_in_use(storing, MODEL.name)
        with shelf.database.transaction() as beside:
            require_in_use(beside, MODEL.name)
        with shelf.database.transaction() as changing, impatient(changing):
            switch(changing, OTHER)
    with shelf.database.transaction() as changing:
        assert hold(changing) == MODEL.name
        with shelf.database.transaction() as storing, impatient(storing):
            require_in_use(storing, MODEL.name)


def test_a_change_tells_since_when(shelf: Shelf) -> None:
    use(shelf.database, MODEL.name)
    asked = "SELECT model, since FROM model_in_use"
    [before] = shelf.execute(asked)
    use(shelf.database, OTHER)
    [after] = shelf.execute(asked)
    assert (before[0], after[0]) == (MODEL.name, OTHER)
    assert str(after[1]) > str(before[1])


def test_vectors_of_another_model_come_and_go_beside_what_is_remembered(shelf: Shelf) -> None:
    use(shelf.database, MODEL.name)
    identify(PeopleStore(shelf.database), MODEL, IdentifyOptions(min_faces=3), cause="test")
    known = remembered(shelf)
    assert known == [(2, 1)]

    embed(shelf, OTHER)
    assert remembered(shelf) == known
    embed(shelf, OTHER)
    assert remembered(shelf) == known
    shelf.execute("DELETE FROM embeddings WHERE model = %s", OTHER)
    assert remembered(shelf) == known

    embed(shelf, MODEL.name)
    assert remembered(shelf) == [(0, 0)]


def test_what_was_remembered_of_a_model_is_not_believed_after_another_was_in_use(
    shelf: Shelf,
) -> None:
    use(shelf.database, MODEL.name)
    store, options = PeopleStore(shelf.database), IdentifyOptions(min_faces=3)
    identify(store, MODEL, options, cause="test")
    use(shelf.database, OTHER)
    # Nobody forgets for this: it is not the model in use.
    shelf.execute("DELETE FROM embeddings WHERE face_id = (SELECT exemplars[1] FROM portraits"
                  " ORDER BY identity_id LIMIT 1)")  # fmt: skip
    use(shelf.database, MODEL.name)
    assert identify(store, MODEL, options, cause="test").identities == 2
    [(exemplars,)] = shelf.execute("SELECT sum(cardinality(exemplars)) FROM portraits")
    assert exemplars == 6
