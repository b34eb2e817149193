"""Questions about ten real people, by a real model: mistakes are found and nothing else asked."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from archive.faces.records import ModelThresholds
from archive.identity.comparisons import LabelledFaces
from archive.identity.doubting import uncertain
from archive.identity.gathering import Gathering
from archive.identity.records import FaceSet
from archive.identity.rules import Rules
from archive.identity.suggesting import merges, mixed
from archive.ids import new_identity_id
from resources.labelled_folder import LabelledFolder
from resources.vision.analyst import Analyst
from resources.vision.factory import load_engine


@pytest.fixture(
    scope="module",
    params=["scrfd_mobilefacenet", pytest.param("dlib", marks=pytest.mark.slow)],
)
def known(request: pytest.FixtureRequest, shared_data: Path) -> tuple[LabelledFaces, Rules]:
    models = shared_data / "models" / "insightface"
    engine = load_engine(request.param, models, accept_noncommercial=True)
    thresholds: ModelThresholds = engine.model.thresholds
    rules = Rules.of(thresholds, min_faces=3)
    folder = LabelledFolder(shared_data / "faces" / "lfw10", Analyst(engine))
    return folder.labelled(request.param, rules.min_quality), rules


def people(labelled: LabelledFaces) -> list[str]:
    return sorted({person for person in labelled.people if person is not None})


def gathered(labelled: LabelledFaces, rules: Rules, instead: Mapping[int, str]) -> Gathering:
    """Give everybody, but the faces of some rows called something else."""
    names = [instead.get(row, person or "") for row, person in enumerate(labelled.people)]
    ids = {name: new_identity_id() for name in names}
    whose = tuple(ids[name] for name in names)
    return Gathering.of(FaceSet(labelled.faces, labelled.vectors, whose), rules)


def test_where_everybody_is_one_person_nobody_is_asked_about(
    known: tuple[LabelledFaces, Rules],
) -> None:
    everybody = gathered(*known, instead={})
    assert merges(everybody, known[1]) == []
    assert mixed(everybody, known[1]) == []


def test_a_person_in_two_pieces_is_the_only_merge_asked_about(
    known: tuple[LabelledFaces, Rules],
) -> None:
    labelled, rules = known
    for person in people(labelled):
        rows = [row for row, name in enumerate(labelled.people) if name == person]
        (question,) = merges(gathered(labelled, rules, dict.fromkeys(rows[::3], "piece")), rules)
        assert question.faces == len(rows[::3])
        assert question.uncertainty > 0.5


def test_two_people_in_one_identity_are_told_apart_face_by_face(
    known: tuple[LabelledFaces, Rules],
) -> None:
    labelled, rules = known
    names = people(labelled)
    for one, other in pairwise(names):
        rows = [row for row, name in enumerate(labelled.people) if name == other][:4]
        everybody = gathered(labelled, rules, dict.fromkeys(rows, one))
        (question,) = mixed(everybody, rules)
        assert set(question.part) == {labelled.faces[row].face_id for row in rows}


def test_a_face_that_is_somebody_elses_is_the_first_one_asked_about(
    known: tuple[LabelledFaces, Rules],
) -> None:
    labelled, rules = known
    names = people(labelled)
    for one, other in pairwise(names):
        row = labelled.people.index(other)
        first = uncertain(gathered(labelled, rules, {row: one}), rules)[0]
        assert (first.face_id, first.placed) == (labelled.faces[row].face_id, True)
