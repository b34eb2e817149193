"""When the other model is used: never before every face has its vector, nor where it is worse."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from archive.errors import Permanent
from archive.identity.comparisons import LabelledFaces
from archive.migrating.judging import Contender, Verdict, judge
from archive.migrating.ports import MigrationState, Wishes
from archive.migrating.switching import (
    Carried,
    Stop,
    Tools,
    abort,
    begin,
    carry_on,
    waits_for_owner,
)
from archive.provenance import made_by
from tests.unit.identity.worlds import RULES, START, world
from tests.unit.migrating.memory import BEFORE, Memory, Scripted, Shelves, face
from tests.unit.test_identify import MODEL

PEOPLE, FACES = 10, 8


class Labels:
    """The same named people as two models see them: each vector is spoilt by a model's noise."""

    def __init__(self, people: int = PEOPLE, **noise: float) -> None:
        self._faces, whose = world([FACES] * people, seed=3)
        self._names = tuple(map(str, whose))
        self._noise = noise

    def labelled(self, model: str, min_quality: float) -> LabelledFaces:
        rng = np.random.default_rng(5)
        vectors = self._faces.vectors
        vectors = vectors + rng.normal(0.0, self._noise.get(model, 0.0), vectors.shape)
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        named = made_by(model, vectors.astype(np.float32))
        return LabelledFaces(self._faces.faces, named, self._names, by_hand=4)


def tools(store: Memory, labels: Labels, shelves: Shelves | None = None) -> Tools:
    return Tools(
        store=store,
        labels=labels,
        embedder=Scripted(),
        crops=shelves or Shelves(),
        contenders=lambda model: Contender(model, RULES),
        make_index=lambda model: None,
        clock=lambda: START,
    )


def archive(count: int = 5) -> Memory:
    return Memory({face(n).face_id: face(n) for n in range(1, count + 1)})


def carry(store: Memory, labels: Labels, shelves: Shelves | None = None, **wishes: bool) -> Carried:
    kit = tools(store, labels, shelves)
    return asyncio.run(carry_on(kit, begin(store, MODEL, Wishes(**wishes))))


def test_a_model_that_tells_people_apart_as_well_is_used_with_a_threshold_of_its_own() -> None:
    store = archive()
    carried = carry(store, Labels(people=24))
    assert (carried.stop, carried.embedded) == (Stop.SWITCHED, 5)
    assert carried.evaluation is not None
    assert carried.evaluation.verdict is Verdict.NOT_WORSE
    assert store.model == MODEL.name
    assert store.threshold is not None
    assert (store.threshold.model, store.threshold.source) == (MODEL.name, "archive")


def test_a_worse_model_is_refused_until_its_owner_insists() -> None:
    store, labels = archive(), Labels(**{MODEL.name: 0.35})

    carried = carry(store, labels)
    assert carried.stop is Stop.WORSE
    assert carried.evaluation is not None
    assert carried.evaluation.gained is not None
    assert carried.evaluation.gained.high < 0.0
    assert store.model == BEFORE
    known = store.under_way()
    assert known is not None
    assert waits_for_owner(store, known) is Stop.WORSE

    assert carry(store, labels, force=True).stop is Stop.SWITCHED
    assert store.model == MODEL.name


def test_a_model_is_not_worse_for_being_different_and_better_is_no_obstacle() -> None:
    labels = Labels(before=0.35)
    found = judge(labels, Contender(BEFORE, RULES), Contender(MODEL.name, RULES))
    assert found.verdict is Verdict.NOT_WORSE
    assert found.gained is not None
    assert found.gained.low > 0.0
    assert found.shown()["verdict"] == "not worse"


def test_a_face_in_eighty_that_is_missed_is_no_proof_that_a_model_is_worse() -> None:
    labels = Labels(**{MODEL.name: 0.15})
    found = judge(labels, Contender(BEFORE, RULES), Contender(MODEL.name, RULES))
    assert found.before is not None
    assert found.after is not None
    assert found.gained is not None
    assert found.after.accepted < found.before.accepted
    assert found.gained.low < 0.0 <= found.gained.high
    assert found.verdict is Verdict.NOT_WORSE


def test_too_few_decisions_are_said_and_no_obstacle() -> None:
    store = archive()
    carried = carry(store, Labels(people=2, **{MODEL.name: 0.35}))
    assert carried.stop is Stop.SWITCHED
    assert carried.evaluation is not None
    assert carried.evaluation.verdict is Verdict.TOO_FEW
    assert "people with two pictures" in str(carried.evaluation.shown()["lacking"])
    assert store.threshold is None


def test_a_place_without_crops_is_no_reason_to_switch() -> None:
    store = archive(40)
    lost = frozenset(range(1, 21))

    assert carry(store, Labels(), Shelves(lost)).stop is Stop.REFUSED
    assert store.model == BEFORE
    known = store.under_way()
    assert known is not None
    assert waits_for_owner(store, known) is Stop.REFUSED

    assert carry(store, Labels()).stop is Stop.SWITCHED, "the crops are there again"


def test_a_face_that_comes_while_the_models_are_compared_is_embedded_before_the_switch() -> None:
    store = archive()
    kit = tools(store, Labels())

    def late(model: str) -> None:
        store.faces.setdefault(face(99).face_id, face(99))

    migration = begin(store, MODEL, Wishes())
    carried = asyncio.run(carry_on(replace(kit, make_index=late), migration))
    assert carried.stop is Stop.SWITCHED
    assert face(99).face_id in store.vectors


def test_only_one_model_is_gone_to_at_a_time() -> None:
    store = archive()
    begin(store, MODEL, Wishes())
    with pytest.raises(Permanent, match="on its way to"):
        begin(store, replace(MODEL, name="a third"), Wishes())


def test_there_is_nothing_to_change_where_the_model_is_in_use() -> None:
    store = archive()
    store.model = MODEL.name
    with pytest.raises(Permanent, match="in use already"):
        begin(store, MODEL, Wishes())


def test_what_was_begun_can_be_ended_and_what_ended_cannot() -> None:
    store = archive()
    begin(store, MODEL, Wishes())
    migration, _ = abort(store)
    assert migration.to_model == MODEL.name
    assert store.latest() == replace(migration, state=MigrationState.ABORTED)
    with pytest.raises(Permanent, match="no change of models"):
        abort(store)
