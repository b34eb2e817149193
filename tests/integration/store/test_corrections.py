"""Corrections in PostgreSQL: the same laws, and what only a database can break."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.correcting import (
    Act,
    Outdated,
    assign,
    begin,
    choose_cover,
    hide,
    merge,
    not_a_face,
    reject,
    rename,
    split,
    undo,
)
from archive.errors import ArchiveError, Transient
from archive.faces.records import FIVE_POINTS, Box, FoundFace
from archive.identify import IdentifyOptions, identify
from archive.identity.events import (
    Cell,
    DecidedBy,
    Decision,
    EventKind,
    Membership,
    Value,
    Write,
    face_cell,
)
from archive.identity.projection import Projection
from archive.ids import ContentKey, IdentityId, new_decision_id
from benchmarks.identity_replay import registers
from resources.store.corrections import CorrectionStore
from resources.store.database import Database
from resources.store.faces import write_faces
from resources.store.overview import OverviewStore
from resources.store.people import PeopleStore
from resources.store.searches import SearchStore
from tests.fixtures.corrections import (
    BY_PERSON,
    FACES,
    ME,
    MODEL,
    Attempt,
    Stage,
    attempts,
    require_harmony,
)
from tests.fixtures.shelf import Shelf
from tests.unit.identity.worlds import around, directions
from tests.unit.test_identify import MODEL as RECORD

EMPTY = "TRUNCATE identities, identity_events, event_payloads, assignments, constraints CASCADE"


def found(box: Box) -> FoundFace:
    return FoundFace(
        frame_seconds=0.0,
        box=box,
        landmarks=np.zeros((5, 2), dtype=np.float32),
        landmark_schema=FIVE_POINTS,
        detection_score=0.9,
        quality=0.9,
        embedding=directions(1, np.random.default_rng(9))[0],
        crop=b"",
    )


class People(Shelf):
    """The nine faces of three people, each in a photo of its own, and whose they are said to be."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.store = CorrectionStore(database)
        axes = directions(3, np.random.default_rng(0))
        vectors = np.concatenate([around(axis, 3, 0.85, seed) for seed, axis in enumerate(axes)])
        for number, (face_id, vector) in enumerate(zip(FACES, vectors, strict=True)):
            key = ContentKey(f"sha256:{number:064x}")
            self.photo(key, face_id, vector, quality=0.5 + number / 20)

    def stage(self) -> Stage:
        """Give the people as new."""
        with self.database.transaction() as connection:
            connection.execute(EMPTY)
            connection.execute("DELETE FROM suppressed_regions")
        stage = Stage(self.store)
        stage.populate()
        return stage

    def tables(self) -> dict[Cell, Value]:
        """Give the tables as registers that hold something."""
        with self.database.transaction() as connection:
            return registers(connection)

    def log(self) -> Projection:
        """Give what the rule in `archive` makes of the log."""
        history = reversed(self.store.history(limit=10_000))
        return Projection.replay(logged.decision for logged in history)


@pytest.fixture
def shelf(database: Database) -> People:
    return People(database)


@pytest.fixture
def stage(shelf: People) -> Stage:
    return shelf.stage()


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(attempts(), min_size=4, max_size=12))
def test_the_tables_are_what_the_log_comes_to_and_undoing_gives_them_back(
    shelf: People, story: list[Attempt]
) -> None:
    stage = shelf.stage()
    for attempt in story:
        before = shelf.tables()
        decision = stage.try_(attempt)
        after = shelf.tables()
        if decision is None:
            assert after == before
        elif decision.kind.by_person:
            undoing = stage.undo(decision.decision_id)
            assert shelf.tables() == before
            stage.undo(undoing)
            assert shelf.tables() == after
    assert shelf.tables() == shelf.log().values()
    assert shelf.store.check().total == 0
    with shelf.store.correcting() as desk:
        require_harmony(desk, stage.people)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(attempts(BY_PERSON), min_size=2, max_size=6))
def test_no_later_run_of_the_matcher_breaks_the_word_of_a_person(
    shelf: People, story: list[Attempt]
) -> None:
    stage, people = shelf.stage(), PeopleStore(shelf.database)
    for attempt in story:
        stage.try_(attempt)
        identify(people, RECORD, IdentifyOptions(min_faces=2), cause="a run")
        with shelf.store.correcting() as desk:
            require_harmony(desk, stage.people)
    assert shelf.store.check().total == 0


def test_a_rebuild_writes_nothing_where_tables_and_log_agree_and_everything_where_they_are_lost(
    shelf: People, stage: Stage
) -> None:
    a, b, c = stage.people
    with shelf.store.correcting() as desk:
        rename(desk, a, "Anna", ME)
        choose_cover(desk, b, FACES[3], ME)
        split(desk, b, [FACES[4]], ME)
        merge(desk, [a], b, ME)
        reject(desk, [FACES[8]], c, ME)
        not_a_face(desk, [FACES[7]], ME)
    tables = shelf.tables()
    versions = shelf.execute("SELECT identity_id, version FROM identities ORDER BY 1")
    assert shelf.store.rebuild().total == 0
    assert shelf.execute("SELECT identity_id, version FROM identities ORDER BY 1") == versions
    for lost in ("assignments", "constraints", "suppressed_regions", "identities"):
        shelf.execute(f"DELETE FROM {lost}")
    assert shelf.tables() == {}
    found = shelf.store.check()
    assert (found.identities, found.faces, found.suppressed) == (4, 7, 1)
    assert found.links > 0
    assert shelf.store.rebuild() == found
    assert shelf.tables() == tables
    assert shelf.store.check().total == 0


def test_whoever_writes_past_the_log_is_found_and_put_right(shelf: People, stage: Stage) -> None:
    shelf.execute("UPDATE identities SET label = 'Eve' WHERE number = 1")
    shelf.execute("UPDATE assignments SET decided_by = 'person' WHERE face_id = %s", FACES[0])
    shelf.execute("DELETE FROM assignments WHERE face_id = %s", FACES[1])
    found = shelf.store.check()
    assert (found.identities, found.faces, found.total) == (1, 2, 3)
    shelf.store.rebuild()
    assert shelf.store.check().total == 0
    assert shelf.execute("SELECT label FROM identities WHERE number = 1") == [(None,)]


def test_names_stand_only_in_payloads_and_go_with_them(shelf: People, stage: Stage) -> None:
    with shelf.store.correcting() as desk:
        rename(desk, stage.people[0], "Anna", ME)
    rows = shelf.execute("SELECT to_jsonb(identity_events)::text FROM identity_events")
    assert not any("Anna" in str(row) for row in rows)
    shelf.execute("DELETE FROM event_payloads WHERE payload ? 'label'")
    assert shelf.store.rebuild().identities == 1
    assert shelf.execute("SELECT label FROM identities WHERE label IS NOT NULL") == []
    assert shelf.store.history(limit=1)[0].decision.kind is EventKind.RENAMED


def test_an_erased_face_takes_its_registers_with_it(shelf: People, stage: Stage) -> None:
    a, b, _ = stage.people
    with shelf.store.correcting() as desk:
        merged = merge(desk, [a], b, ME)
        choose_cover(desk, b, FACES[5], ME)
    assert merged is not None
    shelf.execute("DELETE FROM faces WHERE face_id = %s", FACES[5])
    assert shelf.store.check().total == 0
    with shelf.store.correcting() as desk:
        undo(desk, merged.decision_id, ME)
        assert {face.face_id for face in desk.members(b)} == set(FACES[3:5])
    assert shelf.store.check().total == 0


def test_the_matcher_and_a_correction_never_decide_at_once(shelf: People, stage: Stage) -> None:
    with (
        shelf.store.correcting(),
        pytest.raises(Transient, match="deciding") as refusal,
        PeopleStore(shelf.database).deciding(),
    ):
        pass
    assert refusal.value.retry_after_seconds


def test_two_corrections_at_once_are_both_kept_or_one_is_told(shelf: People, stage: Stage) -> None:
    a, b, _ = stage.people
    with shelf.store.correcting() as desk:
        versions = {each: desk.person(each).version for each in (a, b)}  # type: ignore[union-attr]
    start = Barrier(2)

    def correct(number: int) -> object:
        act = Act(f"somebody {number}", "a test", versions)
        start.wait()
        try:
            with shelf.store.correcting() as desk:
                if number:
                    return rename(desk, a, "Anna", act)
                return merge(desk, [a], b, act)
        except ArchiveError as exc:
            return exc

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(correct, range(2)))
    told = [result for result in results if isinstance(result, ArchiveError)]
    assert len(told) == 1
    assert isinstance(told[0], Transient | Outdated)
    assert len(shelf.store.history(limit=100)) == 4
    assert shelf.store.check().total == 0


def test_a_face_erased_meanwhile_makes_a_correction_come_back(shelf: People, stage: Stage) -> None:
    write = Write(face_cell(FACES[0]), Membership(stage.people[1], 1.0, DecidedBy.PERSON))
    decision = Decision(new_decision_id(), EventKind.CONFIRMED, "me", "a test", (write,))
    shelf.execute("DELETE FROM faces WHERE face_id = %s", FACES[0])
    with shelf.store.correcting() as desk, pytest.raises(Transient, match="erased"):
        desk.append(decision)
    assert len(shelf.store.history(face_id=FACES[0])) == 1
    assert shelf.store.check().total == 0


def test_what_is_no_face_is_neither_compared_nor_counted(shelf: People, stage: Stage) -> None:
    store = PeopleStore(shelf.database)
    with shelf.store.correcting() as desk:
        decision = not_a_face(desk, [FACES[0], FACES[8]], ME)
    with store.deciding() as people:
        usable = {face.face_id for face in people.usable_faces(MODEL, 0.0).faces}
    assert usable == set(FACES[1:8])
    assert [person.faces for person in store.people()] == [2, 3, 2]
    assert OverviewStore(shelf.database).totals().faces == 7
    (detection,) = SearchStore(shelf.database).detections(ContentKey(f"sha256:{8:064x}"), MODEL)
    assert detection.reason == "a person said that it is no face"
    assert decision is not None
    stage.undo(decision.decision_id)
    with store.deciding() as people:
        assert len(people.usable_faces(MODEL, 0.0)) == 9


@pytest.mark.parametrize("erased", [False, True])
def test_what_is_no_face_is_not_found_again(shelf: People, stage: Stage, *, erased: bool) -> None:
    key = ContentKey(f"sha256:{0:064x}")
    with shelf.store.correcting() as desk:
        not_a_face(desk, [FACES[0]], ME)
    if erased:
        shelf.execute("DELETE FROM faces WHERE face_id = %s", FACES[0])
    seen = [found(Box(12, 12, 112, 130)), found(Box(300, 10, 400, 130))]
    with shelf.database.transaction() as connection:
        assert write_faces(connection, key, MODEL, seen, ["crop", "crop"]) == 1
    shown = shelf.execute(
        "SELECT x1 FROM faces WHERE content_key = %s AND NOT EXISTS ("
        " SELECT FROM suppressed_regions WHERE suppressed_regions.face_id = faces.face_id)",
        key,
    )
    assert shown == [(300.0,)]
    assert shelf.store.check().total == 0


def test_what_persons_said_is_told_to_the_matcher(shelf: People, stage: Stage) -> None:
    with shelf.store.correcting() as desk:
        reject(desk, [FACES[0]], stage.people[0], ME)
    with PeopleStore(shelf.database).deciding() as people:
        assert people.links().barred(FACES[0], [FACES[2]])


def test_history_is_of_a_person_or_a_face_and_says_what_does_not_hold(
    shelf: People, stage: Stage
) -> None:
    a, b, c = stage.people
    with shelf.store.correcting() as desk:
        hidden = hide(desk, [c], ME)
        assigned = assign(desk, [FACES[0]], b, ME)
    assert hidden is not None
    assert assigned is not None
    stage.undo(hidden.decision_id)
    of_c = shelf.store.history(identity_id=c)
    kinds = [(each.decision.kind, each.undone_by is not None) for each in of_c]
    assert kinds == [
        (EventKind.UNDONE, False),
        (EventKind.HIDDEN, True),
        (EventKind.ASSIGNED, False),
    ]
    assert of_c[2].decision.begun == c
    (left, found) = shelf.store.history(identity_id=a)
    assert left.decision.decision_id == assigned.decision_id
    assert [write.left for write in left.decision.writes] == [a]
    assert found.decision.kind is EventKind.ASSIGNED
    of_face = shelf.store.history(face_id=FACES[0])
    assert [each.decision.kind for each in of_face] == [EventKind.CONFIRMED, EventKind.ASSIGNED]
    assert len(shelf.store.history(limit=2)) == 2


def test_contradictions_that_came_from_elsewhere_are_listed(shelf: People, stage: Stage) -> None:
    one, other = UUID(int=101), UUID(int=102)
    for kind, first, second, decision in (
        ("must", 0, 1, one),
        ("must", 1, 2, one),
        ("cannot", 0, 2, other),
    ):
        shelf.execute(
            "INSERT INTO constraints (face_id, other_face_id, kind, decision_id)"
            " VALUES (%s, %s, %s, %s)",
            *(FACES[first], FACES[second], kind, decision),
        )
    (found,) = shelf.store.conflicts()
    assert found.decisions == {one, other}


def test_a_version_grows_with_corrections_and_not_with_the_matcher(
    shelf: People, stage: Stage
) -> None:
    b = stage.people[1]

    def versions() -> list[tuple[object, ...]]:
        return shelf.execute("SELECT version FROM identities ORDER BY number")

    before = versions()
    stage.try_(Attempt("match", (8,), 0, 0))
    assert versions() == before
    with shelf.store.correcting() as desk:
        assign(desk, [FACES[0]], b, ME)
    assert versions() == [(2,), (2,), (1,)]


def test_the_log_cannot_be_rewritten(shelf: People, stage: Stage) -> None:
    for change in ("UPDATE identity_events SET actor = 'x'", "DELETE FROM identity_events"):
        with pytest.raises(ArchiveError, match="append-only"):
            shelf.execute(change)


def test_begun_people_are_numbered_on(shelf: People, stage: Stage) -> None:
    with shelf.store.correcting() as desk:
        decision = begin(desk, [FACES[8]], MODEL, ME)
        assert decision.begun is not None
        person = desk.person(IdentityId(decision.begun))
    assert person is not None
    assert (person.identity.number, person.model) == (4, MODEL)
