"""The use case around the rules: what is written, and what is not when the store fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest

from archive.errors import Transient
from archive.faces.records import ModelRecord, ModelThresholds
from archive.identify import IdentifyOptions, PeopleStore, identify
from archive.identity.constraints import Links
from archive.identity.records import Assignment, FaceSet, NewIdentity
from archive.identity.standing import Basis, Memory, Standing, standing
from archive.ids import FaceId
from tests.unit.identity.worlds import face, world

MODEL = ModelRecord(
    name="some-model",
    kind="insightface",
    licence="none",
    commercial_use=True,
    dims=64,
    detector="d",
    recogniser="r",
    landmark_schema="eyes_nose_mouth",
    thresholds=ModelThresholds(
        accept=0.4,
        margin=0.05,
        found=0.5,
        min_quality=0.2,
        min_quality_to_found=0.4,
        min_face_pixels=20,
        min_face_pixels_to_found=48,
    ),
    sha256="0" * 64,
    detector_version="d/1",
    embedding_version="r/1",
)


@dataclass
class MemoryStore:
    """Faces in memory; what a failed body wrote is forgotten, as a transaction would."""

    faces: FaceSet
    founded: list[NewIdentity] = field(default_factory=list)
    causes: list[tuple[str, str, str]] = field(default_factory=list)
    waiting: set[FaceId] = field(default_factory=set)
    fails_on: str = ""

    @contextmanager
    def deciding(self) -> Iterator[MemoryStore]:
        before = replace(self, founded=list(self.founded), causes=list(self.causes))
        try:
            yield self
        except Transient:
            self.faces, self.founded, self.causes = before.faces, before.founded, before.causes
            raise

    def due(self, basis: Basis, limit: int) -> Standing | None:
        self._perhaps_fail("due")
        good = [i for i, f in enumerate(self.faces.faces) if f.quality >= basis.min_quality]
        usable = self.faces.take(good)
        begin = standing(usable)
        new = [f for f in begin.faces.faces if f.face_id not in self.waiting]
        return begin if new else None

    def remember(self, memory: Memory) -> None:
        self.waiting |= {one.face_id for one in memory.waiting}

    def count_waiting(self) -> int:
        return len(self.waiting)

    def links(self) -> Links:
        return Links()

    def last_number(self) -> int:
        self._perhaps_fail("last_number")
        return len(self.founded)

    def count_identities(self) -> int:
        return len(self.founded)

    def save(
        self,
        model: str,
        founded: tuple[NewIdentity, ...],
        assigned: tuple[Assignment, ...],
        *,
        actor: str,
        cause: str,
    ) -> None:
        self._perhaps_fail("save")
        joined = [*(joining for new in founded for joining in new.core), *assigned]
        identity_of = {joining.face_id: joining.identity_id for joining in joined}
        self.founded.extend(founded)
        self.causes.append((model, actor, cause))
        self.faces = FaceSet(
            self.faces.faces,
            self.faces.vectors,
            tuple(
                identity_of.get(one.face_id, old)
                for one, old in zip(self.faces.faces, self.faces.assigned, strict=True)
            ),
        )

    def _perhaps_fail(self, call: str) -> None:
        if call == self.fails_on:
            raise Transient("the database did not answer")


def store_of(*sizes: int) -> MemoryStore:
    return MemoryStore(world(sizes, seed=1, likeness=0.85)[0])


def test_the_result_counts_what_happened() -> None:
    result = identify(store_of(5, 4, 1), MODEL, IdentifyOptions(), cause="run 1")
    assert (result.probes, result.assigned, result.unassigned) == (10, 9, 1)
    assert (result.founded, result.identities) == (2, 2)
    assert (result.model, result.stopped_reason) == ("some-model", "settled")


def test_a_second_call_writes_nothing() -> None:
    store = store_of(5, 4, 1)
    identify(store, MODEL, IdentifyOptions(), cause="run 1")
    result = identify(store, MODEL, IdentifyOptions(), cause="run 2")
    assert (result.probes, result.assigned, result.founded) == (0, 0, 0)
    assert (result.unassigned, result.identities) == (1, 2)
    assert store.causes == [("some-model", "matcher", "run 1")]


def test_numbers_go_on_after_the_last_one_given() -> None:
    store = store_of(4, 4)
    store.faces, everyone = store.faces.take(range(4)), store.faces
    identify(store, MODEL, IdentifyOptions(min_faces=1), cause="run 1")
    assigned = (*store.faces.assigned, *(None,) * 4)
    store.faces = FaceSet(everyone.faces, everyone.vectors, assigned)
    identify(store, MODEL, IdentifyOptions(min_faces=1), cause="run 2")
    numbers = [new.identity.number for new in store.founded]
    assert numbers == list(range(1, len(numbers) + 1))


def test_min_faces_decides_who_founds() -> None:
    assert identify(store_of(2), MODEL, IdentifyOptions(min_faces=2), cause="").founded == 1
    assert identify(store_of(2), MODEL, IdentifyOptions(min_faces=3), cause="").founded == 0


def test_an_own_threshold_decides_who_joins() -> None:
    assert identify(store_of(4), MODEL, IdentifyOptions(accept=0.99), cause="").assigned == 0


def test_an_own_lowest_quality_leaves_poorer_faces_out() -> None:
    store = store_of(4)
    assert identify(store, MODEL, IdentifyOptions(min_quality=0.95), cause="").probes == 0


@pytest.mark.parametrize("call", ["due", "last_number", "save"])
def test_a_database_error_is_an_error_and_never_an_identity(call: str) -> None:
    store = store_of(4, 4)
    store.fails_on = call
    with pytest.raises(Transient):
        identify(store, MODEL, IdentifyOptions(min_faces=1), cause="run 1")
    assert store.founded == []
    assert set(store.faces.assigned) == {None}


def test_a_store_in_memory_is_a_people_store() -> None:
    store: PeopleStore = MemoryStore(FaceSet((face(0),), world([1], 1)[0].vectors, (None,)))
    assert identify(store, MODEL, IdentifyOptions(), cause="").unassigned == 1
