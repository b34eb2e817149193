"""The matcher's memory on a real PostgreSQL: only what changed is read, and nothing is missed."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

import numpy as np
import pytest

from archive.identify import IdentifyOptions, IdentifyResult, identify
from archive.identity.deciding import decide
from archive.identity.metrics import bcubed
from archive.identity.records import FaceSet
from archive.ids import ContentKey, FaceId, IdentityId, new_identity_id
from resources.store.database import Database
from resources.store.people import PeopleStore
from tests.fixtures.shelf import Shelf
from tests.unit.identity.worlds import START, around, directions, world
from tests.unit.test_identify import MODEL

AXES = directions(4, np.random.default_rng(5))


class Archive(Shelf):
    """A shelf with the matcher that works on it."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.people = PeopleStore(database)
        self._photos = 0

    def photos(self, axis: int, count: int, likeness: float = 0.9, quality: float = 0.9) -> None:
        """Store `count` photos of the person around one axis."""
        for vector in around(AXES[axis], count, likeness, seed=100 * axis + self._photos):
            self._photos += 1
            content = ContentKey(f"sha256:{self._photos:064x}")
            self.photo(content, UUID(int=self._photos), vector, START, quality=quality)

    def identify(self, min_faces: int = 3, accept: float | None = None) -> IdentifyResult:
        options = IdentifyOptions(min_faces=min_faces, accept=accept)
        return identify(self.people, MODEL, options, cause="run")

    def assigned(self) -> dict[FaceId, IdentityId]:
        rows = self.execute("SELECT face_id, identity_id FROM assignments")
        return {FaceId(UUID(str(f))): IdentityId(UUID(str(i))) for f, i in rows}

    def is_settled(self) -> bool:
        events = "SELECT max(event_id) FROM identity_events"
        before = self.execute(events)
        result = self.identify()
        return result.probes == 0 and self.execute(events) == before


@pytest.fixture
def archive(database: Database) -> Archive:
    return Archive(database)


def test_a_second_run_compares_nothing(archive: Archive) -> None:
    archive.photos(0, 4)
    archive.photos(1, 1)
    assert archive.identify().probes == 5
    result = archive.identify()
    assert (result.probes, result.unassigned, result.identities) == (0, 1, 1)


def test_one_new_face_of_a_known_person_wakes_nobody_else(archive: Archive) -> None:
    archive.photos(0, 5)
    archive.photos(1, 2)
    archive.identify()
    archive.photos(0, 1)
    result = archive.identify()
    assert (result.probes, result.assigned) == (1, 1)
    assert len(set(archive.assigned().values())) == 1


def test_a_face_that_waited_founds_with_the_ones_that_come(archive: Archive) -> None:
    archive.photos(0, 1)
    assert archive.identify().founded == 0
    archive.photos(0, 1)
    assert archive.identify().founded == 0
    archive.photos(0, 1)
    assert archive.identify().founded == 1
    assert len(archive.assigned()) == 3


def test_a_face_that_waited_joins_when_somebody_like_it_begins(archive: Archive) -> None:
    archive.photos(0, 1, quality=0.3)
    archive.identify()
    archive.photos(0, 3)
    assert archive.identify().assigned == 4


def test_a_face_that_was_between_two_people_joins_when_one_of_them_is_gone(
    archive: Archive,
) -> None:
    archive.photos(0, 4, likeness=0.98)
    archive.photos(1, 4, likeness=0.98)
    archive.identify()
    between = (AXES[0] + AXES[1]) / np.sqrt(2)
    archive.photo(ContentKey("sha256:" + "f" * 64), uuid4(), between, START)
    assert archive.identify().unassigned == 1
    archive.execute(
        "DELETE FROM faces WHERE face_id IN (SELECT face_id FROM assignments WHERE identity_id ="
        " (SELECT identity_id FROM identities WHERE number = 1))"
    )
    result = archive.identify()
    assert (result.probes, result.assigned, result.unassigned) == (1, 1, 0)
    assert archive.is_settled()


def test_the_vector_of_an_erased_face_is_forgotten_with_it(archive: Archive) -> None:
    archive.photos(0, 4)
    archive.identify()
    assert archive.execute("SELECT count(*) FROM portraits") == [(1,)]
    archive.execute("DELETE FROM faces WHERE face_id = %s", UUID(int=1))
    assert archive.execute("SELECT count(*) FROM portraits") == [(0,)]
    archive.identify()
    assert archive.execute("SELECT cardinality(exemplars) FROM portraits") == [(3,)]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE assignments SET identity_id = identity_id WHERE face_id = %s",
        "DELETE FROM assignments WHERE face_id = %s",
        "UPDATE embeddings SET embedding = embedding WHERE face_id = %s",
        "DELETE FROM embeddings WHERE face_id = %s",
        "UPDATE identities SET state = 'hidden' WHERE %s IS NOT NULL",
        "UPDATE chats SET allow_faces = false WHERE %s IS NOT NULL",
    ],
)
def test_whatever_changes_a_person_makes_the_portrait_anew(archive: Archive, change: str) -> None:
    archive.photos(0, 4)
    archive.photos(1, 4)
    archive.identify()
    archive.execute(change, UUID(int=1))
    first = archive.execute("SELECT 1 FROM portraits JOIN identities USING (identity_id)"
                            " WHERE number = 1")  # fmt: skip
    assert first == []
    archive.identify()
    assert archive.execute("SELECT count(*) FROM portraits") == [(2,)]
    assert archive.is_settled()


def test_faces_of_a_chat_switched_off_draw_nobody(archive: Archive) -> None:
    archive.photos(0, 4)
    archive.identify()
    archive.execute("UPDATE chats SET allow_faces = false WHERE chat_no = 1")
    content = ContentKey("sha256:" + "f" * 64)
    archive.photo(content, uuid4(), around(AXES[0], 1, 0.9, 7)[0], START, chats=(2,))
    assert archive.identify().assigned == 0
    archive.execute("UPDATE chats SET allow_faces = true WHERE chat_no = 1")
    assert archive.identify().assigned == 1


def test_other_rules_decide_about_everybody_again(archive: Archive) -> None:
    archive.photos(0, 4, likeness=0.6)
    assert archive.identify(accept=0.97).assigned == 0
    assert archive.identify(accept=0.97).probes == 0
    assert archive.identify(min_faces=2).assigned == 4


def test_a_link_makes_its_faces_due_again(archive: Archive) -> None:
    archive.photos(0, 3)
    archive.photos(1, 1)
    archive.identify()
    archive.execute(
        "INSERT INTO constraints (face_id, other_face_id, kind, decision_id)"
        " VALUES (%s, %s, 'must', %s)",
        UUID(int=1),
        UUID(int=4),
        uuid4(),
    )
    assert archive.identify().assigned == 1
    assert len(set(archive.assigned().values())) == 1
    assert archive.is_settled()


def test_a_parted_face_stays_apart_in_every_later_run(archive: Archive) -> None:
    archive.photos(0, 5)
    archive.identify()
    archive.execute("DELETE FROM assignments WHERE face_id = %s", UUID(int=1))
    archive.execute(
        "INSERT INTO constraints (face_id, other_face_id, kind, decision_id)"
        " VALUES (%s, %s, 'cannot', %s)",
        UUID(int=1),
        UUID(int=2),
        uuid4(),
    )
    assert archive.identify().unassigned == 1
    archive.photos(0, 2)
    assert archive.identify().assigned == 2
    assert FaceId(UUID(int=1)) not in archive.assigned()


@pytest.mark.parametrize("parts", [1, 4, 25])
def test_faces_that_come_in_parts_end_where_all_at_once_end(
    archive: Archive, parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.identify.NEW_FACES_A_PASS", 7)
    faces, people = world([9, 7, 5, 4, 3, 2, 1], seed=4, likeness=0.7)
    order = sorted(range(len(faces)), key=lambda row: faces.faces[row].place)
    for rows in np.array_split(np.asarray(order), parts):
        archive.fill(faces.take(rows.tolist()))
        archive.identify()
        assert archive.is_settled()
    assigned = archive.assigned()
    found = [assigned.get(face.face_id) for face in faces.faces]
    assert bcubed(people, found).f == pytest.approx(bcubed(people, _at_once(faces)).f, abs=0.02)


def _at_once(faces: FaceSet) -> Sequence[IdentityId | None]:
    rules = IdentifyOptions().rules(MODEL.thresholds)
    decisions = decide(faces, rules, new_identity_id)
    joined = {j.face_id: j.identity_id for f in decisions.foundings for j in f.core}
    joined |= {j.face_id: j.identity_id for j in decisions.assignments}
    return [joined.get(face.face_id) for face in faces.faces]
