"""A change of models in PostgreSQL: what is stored, what waits for whom, and what is removed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from archive.calibrating import LocalThreshold
from archive.errors import Transient
from archive.faces.records import ModelRecord
from archive.identify import IdentifyOptions, identify
from archive.identity.records import FaceSet
from archive.migrating.embedding import embed_missing
from archive.migrating.expiring import expire
from archive.migrating.ports import (
    KEPT_FOR,
    EmbeddedFace,
    FaceCrop,
    Migration,
    MigrationState,
    Refusal,
    Wishes,
)
from archive.migrating.switching import abort
from resources.store.database import Database
from resources.store.holdings import HoldingStore
from resources.store.migrating import MigrationStore
from resources.store.model_in_use import ModelInUse, begin_with
from resources.store.old_vectors import OldVectors
from resources.store.people import PeopleStore
from resources.store.search_index import is_indexed, make_missing_index
from resources.store.thresholds import ThresholdStore
from tests.fixtures.shelf import Shelf
from tests.unit.identity.worlds import DIMS, START, face, world
from tests.unit.test_identify import MODEL

OTHER = replace(MODEL, name="other", sha256="1" * 64, embedding_version="other/1")
OPTIONS = IdentifyOptions(min_faces=3)
MONTHS = timedelta(days=60)


class Shelves:
    """Every crop is there."""

    def exists(self, key: str) -> bool:
        return True

    def get(self, key: str) -> bytes:
        return b"a crop"


class Scripted:
    """Gives each face a vector of its own, as another model would."""

    def __init__(self, model: ModelRecord) -> None:
        self.model = model

    async def embed(self, crop: bytes, face: FaceCrop) -> EmbeddedFace:
        rng = np.random.default_rng(face.face_id.int % (1 << 63))
        vector = rng.standard_normal(DIMS).astype(np.float32)
        return EmbeddedFace(vector / np.linalg.norm(vector))


class House:
    """An archive with people in it, found by one model."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.shelf = Shelf(database)
        self.store = MigrationStore(database)
        self.faces: FaceSet = world([4, 3, 1], seed=1)[0]
        self.shelf.fill(self.faces)
        with database.transaction() as connection:
            begin_with(connection, MODEL.name)
        identify(PeopleStore(database), MODEL, OPTIONS, cause="test")

    def begin(self, model: ModelRecord = OTHER, **wishes: bool) -> Migration:
        in_use = self.store.model_in_use()
        assert in_use is not None
        return self.store.begin(in_use, model, Wishes(**wishes))

    def embed(self, migration: Migration, batch: int = 3) -> None:
        model = OTHER if migration.to_model == OTHER.name else MODEL
        asyncio.run(embed_missing(self.store, migration, Scripted(model), Shelves(), batch=batch))

    def switch(self, migration: Migration, threshold: LocalThreshold | None = None) -> bool:
        model = OTHER if migration.to_model == OTHER.name else MODEL
        return self.store.switch(migration, model, threshold, old_vectors_for=KEPT_FOR)

    def go(self, model: ModelRecord = OTHER) -> Migration:
        migration = self.begin(model)
        self.embed(migration)
        assert self.switch(migration)
        return migration

    def new_face(self, number: int) -> None:
        one = face(number)
        vector = np.eye(DIMS, dtype=np.float32)[number % DIMS]
        self.shelf.photo(one.content_key, one.face_id, vector)

    def vectors(self) -> list[tuple[object, ...]]:
        return self.shelf.execute(
            "SELECT face_id, model, embedding::text, created_at FROM embeddings ORDER BY 1, 2"
        )

    def count(self, model: str) -> int:
        counts = {each.model: each.vectors for each in HoldingStore(self.database).by_model()}
        return counts.get(model, 0)

    def people(self) -> list[tuple[object, ...]]:
        return self.shelf.execute(
            "SELECT face_id, identity_id, label, number"
            " FROM assignments JOIN identities USING (identity_id) ORDER BY 1"
        )


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def test_after_the_switch_the_other_model_is_in_use_and_people_are_who_they_were(
    house: House,
) -> None:
    before = house.people()
    assert before

    house.go()

    assert ModelInUse(house.database).name() == OTHER.name
    assert house.people() == before
    mixture = HoldingStore(house.database).mixture(OTHER.name)
    assert mixture.faces == 0
    identify(PeopleStore(house.database), OTHER, OPTIONS, cause="test")
    assert HoldingStore(house.database).mixture(OTHER.name).portraits == 0
    latest = house.store.latest()
    assert latest is not None
    assert latest.state is MigrationState.SWITCHED
    assert latest.old_vectors_until is not None
    assert latest.ended_at is not None
    assert latest.old_vectors_until - latest.ended_at == KEPT_FOR


def test_faces_that_the_model_in_use_finds_meanwhile_keep_the_switch_from_coming(
    house: House,
) -> None:
    migration = house.begin()
    house.embed(migration)
    house.new_face(40)

    assert not house.switch(migration)
    assert ModelInUse(house.database).name() == MODEL.name
    house.embed(migration)
    assert house.switch(migration)


def test_whoever_compares_by_the_model_before_begins_anew(house: House) -> None:
    house.go()
    with pytest.raises(Transient, match=f"{OTHER.name} is in use"):
        identify(PeopleStore(house.database), MODEL, OPTIONS, cause="test")


def test_a_threshold_is_in_force_from_the_switch_on_and_not_before(house: House) -> None:
    threshold = LocalThreshold(
        OTHER.name, 0.44, 0.001, "archive", 10, 100, 5000, 0.98, 0.0005, START
    )
    migration = house.begin()
    assert not house.switch(migration, threshold)
    assert ThresholdStore(house.database).in_force(OTHER.name) is None
    house.embed(migration)
    assert house.switch(migration, threshold)
    assert ThresholdStore(house.database).in_force(OTHER.name) == threshold


def test_the_picture_of_a_refused_face_is_opened_for_the_next_pass(house: House) -> None:
    refused, other = house.faces.faces[0], house.faces.faces[1]
    for medium in house.shelf.execute("SELECT media_id FROM media"):
        for product in ("fingerprints", "thumbnails", "faces", "embeddings"):
            house.shelf.execute(
                "INSERT INTO media_products (media_id, product, state, producer)"
                " VALUES (%s, %s, 'done', 'before/1')",
                *medium,
                product,
            )
    migration = house.begin()
    house.store.keep(migration, {}, [Refusal(refused.face_id, "crop_lost")])
    house.embed(migration)
    assert house.store.counts(OTHER.name, migration).refused == 1
    assert house.switch(migration)

    def states(key: str) -> dict[object, object]:
        rows = house.shelf.execute(
            "SELECT product, state FROM media_products JOIN media USING (media_id)"
            " WHERE content_key = %s",
            key,
        )
        return dict(rows)

    assert states(refused.content_key) == {
        "fingerprints": "pending",
        "thumbnails": "done",
        "faces": "pending",
        "embeddings": "pending",
    }
    assert set(states(other.content_key).values()) == {"done"}
    assert HoldingStore(house.database).mixture(OTHER.name).faces == 1


@pytest.mark.parametrize(("done", "there_before"), [(0, 0), (3, 0), (3, 2), (8, 5), (8, 8)])
def test_begun_and_ended_everything_is_as_it_was(
    house: House, done: int, there_before: int
) -> None:
    earlier = house.begin()
    some = [each.face_id for each in house.faces.faces[:there_before]]
    there = {face_id: EmbeddedFace(np.eye(DIMS, dtype=np.float32)[0]) for face_id in some}
    house.store.keep(earlier, there, [])
    house.embed(earlier)
    assert house.switch(earlier)
    back = house.go(MODEL)
    assert back.to_model == MODEL.name
    house.shelf.execute("DELETE FROM embeddings WHERE model = %s AND face_id <> ALL(%s)",
                        OTHER.name, some)  # fmt: skip
    before, people = house.vectors(), house.people()
    remembered = house.shelf.execute("SELECT identity_id, exemplars FROM portraits ORDER BY 1")

    migration = house.begin()
    faces = house.store.lacking(OTHER.name, migration, None, done)
    vector = np.eye(DIMS, dtype=np.float32)[1]
    made = {each.face_id: EmbeddedFace(vector, is_estimated=True) for each in faces}
    house.store.keep(migration, made, [])
    assert house.store.counts(OTHER.name, migration).estimated == len(made)
    ended, removed = abort(house.store)

    assert ended.migration_id == migration.migration_id
    assert removed == len(made)
    assert house.store.counts(OTHER.name, migration).estimated == 0
    assert (house.vectors(), house.people()) == (before, people)
    assert remembered == house.shelf.execute(
        "SELECT identity_id, exemplars FROM portraits ORDER BY 1"
    )
    assert house.store.under_way() is None


def test_what_was_ended_stores_nothing_any_more(house: House) -> None:
    migration = house.begin()
    abort(house.store)
    with pytest.raises(Transient, match="ended meanwhile"):
        house.embed(migration)
    assert house.count(OTHER.name) == 0


def test_two_processes_do_not_change_the_model_at_once(house: House) -> None:
    with house.store.alone(), pytest.raises(Transient, match="another process"):
        abort(house.store)


def test_a_face_that_was_erased_while_it_was_embedded_is_left_out(house: House) -> None:
    migration = house.begin()
    gone = house.faces.faces[0].face_id
    there = house.faces.faces[1].face_id
    each = EmbeddedFace(np.eye(DIMS, dtype=np.float32)[0], is_estimated=True)
    house.shelf.execute("DELETE FROM faces WHERE face_id = %s", gone)
    house.store.keep(migration, {gone: each, there: each}, [])
    assert house.count(OTHER.name) == 1
    assert house.store.counts(OTHER.name, migration).estimated == 1


def test_the_way_back_takes_nothing_and_gives_the_same_vectors(house: House) -> None:
    before = house.vectors()
    house.go()
    migration = house.begin(MODEL)
    assert house.store.counts(MODEL.name, migration).missing == 0
    assert house.switch(migration)
    assert ModelInUse(house.database).name() == MODEL.name
    assert [row for row in house.vectors() if row[1] == MODEL.name] == before


def later() -> datetime:
    return datetime.now(UTC) + MONTHS


def test_old_vectors_go_when_their_time_is_over_and_not_before(house: House) -> None:
    old, people = house.count(MODEL.name), house.people()
    house.go()
    assert expire(OldVectors(house.database), now=datetime.now(UTC)) == 0
    make_missing_index(house.database, MODEL.name, least=1)
    assert expire(OldVectors(house.database), now=later()) == old
    with house.database.transaction() as connection:
        assert not is_indexed(connection, MODEL.name)
    assert (house.count(MODEL.name), house.count(OTHER.name)) == (0, old)
    assert house.people() == people
    assert OldVectors(house.database).outdated_models(later()) == []


def test_the_only_vector_of_a_face_stays_whoever_made_it(house: House) -> None:
    migration = house.begin()
    refused = house.faces.faces[0].face_id
    house.store.keep(migration, {}, [Refusal(refused, "crop_lost")])
    house.embed(migration)
    assert house.switch(migration)
    expire(OldVectors(house.database), now=later())
    assert house.shelf.execute("SELECT face_id FROM embeddings WHERE model = %s", MODEL.name) == [
        (refused,)
    ]


def test_vectors_that_somebody_is_going_back_to_are_not_removed(house: House) -> None:
    house.go()
    house.begin(MODEL)
    old = house.count(MODEL.name)
    assert expire(OldVectors(house.database), now=later()) == 0
    assert house.count(MODEL.name) == old


def test_the_model_in_use_is_never_outdated(house: House) -> None:
    house.go()
    house.go(MODEL)
    assert OldVectors(house.database).outdated_models(later()) == [OTHER.name]
