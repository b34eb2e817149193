"""What every face engine promises, against all of them."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from archive.faces.engine import FaceEngine
from archive.faces.geometry import eye_centres, iou, nose
from archive.provenance import model_of
from resources.vision.decoding import decode_photo
from resources.vision.factory import EngineSpec


@pytest.fixture(scope="module", params=["scrfd_mobilefacenet", "dlib"])
def engine(request: pytest.FixtureRequest) -> FaceEngine:
    if request.param == "dlib":
        return EngineSpec("dlib").build()
    shared: Path = request.getfixturevalue("shared_data")
    spec = EngineSpec(request.param, shared / "models" / "insightface", accept_noncommercial=True)
    return spec.build()


@pytest.fixture(scope="module")
def six_people() -> NDArray[np.uint8]:
    spec = importlib.util.find_spec("insightface")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "data" / "images" / "t1.jpg"
    return decode_photo(path.read_bytes()).pixels


def test_all_six_people_are_found_each_once(
    engine: FaceEngine, six_people: NDArray[np.uint8]
) -> None:
    faces = engine.detect(six_people)

    assert len(faces) == 6
    scores = [face.detection_score for face in faces]
    assert scores == sorted(scores, reverse=True)
    assert all(0.0 <= score <= 1.0 for score in scores)
    assert all(iou(a.box, b.box) < 0.4 for a in faces for b in faces if a is not b)


def test_landmarks_lie_in_the_face_and_follow_the_named_schema(
    engine: FaceEngine, six_people: NDArray[np.uint8]
) -> None:
    for face in engine.detect(six_people):
        assert face.landmarks.shape == (5, 2)
        assert face.landmarks.dtype == np.float32
        left, right = eye_centres(face.landmarks, engine.model.landmark_schema)
        assert face.box.x1 < left[0] < right[0] < face.box.x2
        assert nose(face.landmarks, engine.model.landmark_schema)[1] > max(left[1], right[1])


def test_embeddings_have_unit_norm_and_the_model_s_dims(
    engine: FaceEngine, six_people: NDArray[np.uint8]
) -> None:
    vectors = engine.embed(six_people, engine.detect(six_people))

    assert model_of(vectors) == model_of(vectors[0]) == engine.model.name

    assert vectors.shape == (6, engine.model.dims)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_the_same_picture_gives_the_same_answer(
    engine: FaceEngine, six_people: NDArray[np.uint8]
) -> None:
    first, second = engine.detect(six_people), engine.detect(six_people.copy())

    assert [face.box for face in first] == [face.box for face in second]
    np.testing.assert_array_equal(engine.embed(six_people, first), engine.embed(six_people, second))


def test_one_face_alone_has_the_vector_that_it_has_among_others(
    engine: FaceEngine, six_people: NDArray[np.uint8]
) -> None:
    faces = engine.detect(six_people)

    together = engine.embed(six_people, faces)
    alone = engine.embed(six_people, faces[2:3])

    assert float(alone[0] @ together[2]) > 0.9999


def test_six_people_are_too_unlike_to_found_one(
    engine: FaceEngine, six_people: NDArray[np.uint8]
) -> None:
    vectors = engine.embed(six_people, engine.detect(six_people))

    likeness = vectors @ vectors.T - np.eye(6)

    assert likeness.max() < engine.model.thresholds.found


@pytest.mark.parametrize("shape", [(240, 320, 3), (1, 1, 3), (3, 900, 3), (2000, 40, 3)])
def test_a_blank_picture_has_no_faces(engine: FaceEngine, shape: tuple[int, int, int]) -> None:
    blank = np.full(shape, 200, np.uint8)

    assert engine.detect(blank) == []
    assert engine.embed(blank, []).shape == (0, engine.model.dims)


def test_pictures_that_are_views_are_taken_too(
    engine: FaceEngine, six_people: NDArray[np.uint8]
) -> None:
    mirrored = six_people[:, ::-1]

    assert len(engine.embed(mirrored, engine.detect(mirrored))) >= 5


def test_the_record_names_what_made_the_vectors(engine: FaceEngine) -> None:
    model = engine.model

    assert model.name in model.detector_version
    assert model.name in model.embedding_version
    assert len(model.sha256) == 64
    assert model.thresholds.accept < model.thresholds.found
