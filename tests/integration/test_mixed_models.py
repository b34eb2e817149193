"""Comparing vectors of two models is refused by every public function that takes vectors.

`vector_takers` finds in the source those that take several; each has to say here how it would be
given a mixture, so a new one fails until it does. A function that takes one array, or one thing
that holds one, cannot be given a mixture: joining the rows of two models is refused
(`tests/unit/test_provenance.py`), and so is every constructor below that would hold two.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import numpy as np
import pytest

from archive.faces.records import FIVE_POINTS, Box, Fingerprint, FoundFace, MediaAnalysis
from archive.faces.tracks import TrackCollapser
from archive.identity.gallery import Gallery, portrait
from archive.identity.gathering import Gathering, nearest, scores_of_pairs
from archive.identity.matching import ScoreBoard, identity_scores, nearest_exemplars, score
from archive.identity.records import FaceSet
from archive.identity.rules import Rules
from archive.identity.standing import Basis, Standing, remembered, standing
from archive.ids import ContentKey, new_face_id
from archive.migrating.ports import EmbeddedFace, Migration, MigrationId, MigrationState, Wishes
from archive.provenance import MixedModels, made_by, model_of
from archive.searching import EVERYTHING, search
from archive.why import Detection
from resources.store.database import Database
from resources.store.drawings import DrawingDesk
from resources.store.faces import add_face, write_faces
from resources.store.migrating import MigrationStore
from resources.store.people import PeopleStore
from resources.store.search import FaceSearchStore
from resources.store.searches import SearchStore, write_search
from resources.vision.thresholds import MOBILEFACENET
from tests.fixtures.shelf import Shelf
from tests.unit.identity.worlds import START, world
from tests.unit.test_identify import MODEL
from tests.unit.test_searching import Memory
from tests.unit.vector_takers import taking_several

RULES: Final = Rules.of(MOBILEFACENET, min_faces=3)
KEY: Final = ContentKey("sha256:" + "0" * 64)
ROWS: Final = np.zeros(1, dtype=np.intp)
BOX: Final = Box(10, 10, 110, 130)


def faces_of(model: str) -> FaceSet:
    faces = world([3, 2], seed=1)[0]
    return replace(faces, vectors=made_by(model, faces.vectors))


def found_by(model: str) -> FoundFace:
    vector = faces_of(model).vectors[0]
    points = np.zeros((5, 2), dtype=np.float32)
    return FoundFace(0.0, BOX, points, FIVE_POINTS, 0.9, 0.9, vector, crop=b"")


OURS, THEIRS = faces_of(MODEL.name), faces_of("another model")
OUR_FACE, THEIR_FACE = found_by(MODEL.name), found_by("another model")
PHOTO: Final = Fingerprint(bytes(32), None, 640, 480, None, 1, {})


@dataclass(frozen=True)
class Stage:
    """Where the store's functions are called; none of them gets as far as a row."""

    database: Database

    def connected(self, call: Callable[[Any], object]) -> None:
        with self.database.transaction() as connection:
            call(connection)


def our_gallery() -> Gallery:
    return Gallery([portrait(OURS)], OURS.vectors.shape[1])


def mixed_standing() -> Standing:
    return replace(standing(OURS), portraits=(portrait(THEIRS),))


def collapse(*frames: FoundFace) -> tuple[FoundFace, ...]:
    collapser = TrackCollapser(MOBILEFACENET)
    for sample, face in enumerate(frames):
        collapser.add([replace(face, frame_seconds=float(sample))])
    return collapser.finish()


MIGRATION: Final = Migration(
    MigrationId(uuid4()), "before", MODEL.name, MigrationState.EMBEDDING, Wishes(), START
)
GATHERED = Gathering.of(OURS, RULES)
DETECTED = Detection(0.0, BOX, 0.9, 0.9, face_id=new_face_id(), embedding=THEIR_FACE.embedding)
BOTH = (OUR_FACE, THEIR_FACE)

MIXTURES: Final[dict[str, Callable[[Stage], object]]] = {
    "archive.faces.records.MediaAnalysis": lambda _: MediaAnalysis(PHOTO, BOTH, {}),
    "archive.faces.tracks.TrackCollapser.add": lambda _: collapse(OUR_FACE, THEIR_FACE),
    "archive.identity.gallery.Gallery": lambda _: Gallery([portrait(OURS), portrait(THEIRS)], 64),
    "archive.identity.gallery.Gallery.put": lambda _: our_gallery().put(1, portrait(THEIRS)),
    "archive.identity.gathering.Gathering": lambda _: replace(GATHERED, faces=THEIRS.in_order()),
    "archive.identity.gathering.Gathering.scores_within": lambda _: GATHERED.scores_within(
        THEIRS.vectors, np.arange(2)
    ),
    "archive.identity.gathering.nearest": lambda _: nearest(OURS.vectors, THEIRS.vectors, 0.0, 1),
    "archive.identity.gathering.scores_of_pairs": lambda _: scores_of_pairs(
        THEIRS.vectors, our_gallery(), ROWS, ROWS
    ),
    "archive.identity.matching.ScoreBoard": lambda _: ScoreBoard(
        THEIRS.vectors, our_gallery(), RULES
    ),
    "archive.identity.matching.identity_scores": lambda _: identity_scores(
        OURS.vectors, THEIRS.vectors
    ),
    "archive.identity.matching.nearest_exemplars": lambda _: nearest_exemplars(
        THEIRS.vectors, our_gallery(), ROWS, ROWS
    ),
    "archive.identity.matching.score": lambda _: score(THEIRS.vectors, our_gallery(), RULES),
    "archive.identity.records.FaceSet.joined_by": lambda _: OURS.joined_by(THEIRS),
    "archive.identity.standing.Standing": lambda _: mixed_standing(),
    "archive.identity.standing.remembered": lambda _: remembered(portrait(OURS), THEIRS),
    "archive.searching.search": lambda _: search(
        Memory([]), THEIR_FACE.embedding, MODEL.name, limit=1
    ),
    "resources.store.drawings.DrawingDesk.add_face": lambda stage: stage.connected(
        lambda it: DrawingDesk(it).add_face(KEY, MODEL, THEIR_FACE, "crop")
    ),
    "resources.store.faces.add_face": lambda stage: stage.connected(
        lambda it: add_face(it, KEY, MODEL.name, THEIR_FACE, "crop")
    ),
    "resources.store.faces.write_faces": lambda stage: stage.connected(
        lambda it: write_faces(it, KEY, MODEL.name, [THEIR_FACE], ["crop"])
    ),
    "resources.store.migrating.MigrationStore.keep": lambda stage: MigrationStore(
        stage.database
    ).keep(MIGRATION, {new_face_id(): EmbeddedFace(THEIR_FACE.embedding)}, []),
    "resources.store.search.FaceSearchStore.nearest": lambda stage: FaceSearchStore(
        stage.database
    ).nearest(THEIR_FACE.embedding, MODEL.name, EVERYTHING, most=1),
    "resources.store.searches.SearchStore.near": lambda stage: SearchStore(stage.database).near(
        DETECTED, KEY, MODEL.name
    ),
    "resources.store.searches.write_search": lambda stage: stage.connected(
        lambda it: write_search(
            it, KEY, MODEL.name, MODEL.detector_version, MediaAnalysis(PHOTO, (THEIR_FACE,), {})
        )
    ),
}


def test_every_function_that_takes_vectors_of_several_says_how_it_refuses_a_mixture() -> None:
    assert taking_several() == MIXTURES.keys()


@pytest.mark.parametrize("name", MIXTURES)
def test_vectors_of_two_models_are_refused(name: str, database: Database) -> None:
    with pytest.raises(MixedModels, match="another model"):
        MIXTURES[name](Stage(database))


def test_the_one_vote_of_an_appearance_names_its_model() -> None:
    (voted,) = collapse(OUR_FACE, OUR_FACE)
    assert model_of(voted.embedding) == MODEL.name


def test_what_the_store_gives_names_its_model(database: Database) -> None:
    shelf = Shelf(database)
    everybody = world([3], seed=1)[0]
    shelf.fill(everybody)
    face_id = everybody.faces[0].face_id
    basis = Basis(MODEL.name, 0.0, MODEL.embedding_version)

    with PeopleStore(database).deciding() as desk:
        usable = desk.usable_faces(MODEL.name, 0.0)
        due = desk.due(basis, 10)
    (detection,) = SearchStore(database).detections(everybody.faces[0].content_key, MODEL.name)
    assert due is not None
    given = [
        usable.vectors,
        due.faces.vectors,
        FaceSearchStore(database).vector(face_id, MODEL.name),
        detection.embedding,
    ]

    assert [model_of(vectors) for vectors in given] == [MODEL.name] * len(given)


def test_every_query_that_reads_vectors_names_their_model() -> None:
    root = Path(__file__).parents[2] / "resources"
    texts = [path.read_text(encoding="utf-8") for path in root.rglob("*.py")]
    statements = [text for each in texts for text in re.findall(r'"""(.*?)"""', each, re.DOTALL)]
    compared = [
        text
        for text in statements
        if re.search(r"(FROM|JOIN) embeddings\b", text) and re.search(r"\bembedding\b", text)
    ]

    assert len(compared) > 5, "the queries are written otherwise now: find them anew"
    assert [text for text in compared if "model" not in text] == []
