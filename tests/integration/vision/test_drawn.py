"""Faces made of boxes that a person drew, with real models over real pictures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import ItemRejected, Permanent
from archive.faces.engine import FaceEngine
from archive.faces.estimating import is_estimated
from archive.faces.records import Box, DetectedFace, Pixels
from resources.vision.analyst import Analyst
from resources.vision.decoding import decode_photo
from resources.vision.drawn import face_in_box
from resources.vision.factory import EngineSpec
from resources.vision.pool import AnalystPool
from resources.vision.scaling import scale_by
from resources.vision.video import VideoReader
from tests.integration.vision.pictures import counting_frames, video


@pytest.fixture(scope="module")
def engine(pack_spec: EngineSpec) -> FaceEngine:
    return pack_spec.build()


@pytest.fixture(scope="module")
def group(six_people: bytes) -> Pixels:
    return decode_photo(six_people).pixels


@pytest.fixture(scope="module")
def faces(engine: FaceEngine, group: Pixels) -> list[DetectedFace]:
    return engine.detect(group)


def looser(box: Box, by: float) -> Box:
    """What somebody draws who is not as careful as a detector."""
    x, y = by * box.width, by * box.height
    return Box(box.x1 - x, box.y1 - y, box.x2 + x, box.y2 + y)


def test_a_drawn_face_gets_the_vector_that_the_detector_would_have_given_it(
    engine: FaceEngine, group: Pixels, faces: list[DetectedFace]
) -> None:
    expected = engine.embed(group, faces)

    for face, vector in zip(faces, expected, strict=True):
        drawn = face_in_box(engine, group, looser(face.box, 0.2))
        assert float(drawn.embedding @ vector) > 0.9
        assert drawn.landmark_schema == engine.model.landmark_schema
        assert drawn.quality > 0


def test_the_box_stays_as_it_was_drawn(
    engine: FaceEngine, group: Pixels, faces: list[DetectedFace]
) -> None:
    box = looser(faces[0].box, 0.1)

    assert face_in_box(engine, group, box).box == box


def test_a_face_too_small_for_the_detector_is_seen_in_its_enlarged_surroundings(
    engine: FaceEngine, group: Pixels, faces: list[DetectedFace]
) -> None:
    small = scale_by(group, 0.09)
    boxes = [Box(*(side * 0.09 for side in corners(face.box))) for face in faces]

    found = [face_in_box(engine, small, box) for box in boxes]

    seen_in_boxes = sum(not is_estimated(face.landmark_schema) for face in found)
    assert len(engine.detect(small)) < seen_in_boxes


def corners(box: Box) -> tuple[float, float, float, float]:
    return box.x1, box.y1, box.x2, box.y2


def test_where_no_face_is_seen_the_landmarks_are_estimated_and_say_so(engine: FaceEngine) -> None:
    wall = np.full((400, 300, 3), 127, np.uint8)

    face = face_in_box(engine, wall, Box(100, 100, 200, 230))

    assert is_estimated(face.landmark_schema)
    assert (face.detection_score, face.quality) == (0.0, 0.0)
    assert float(np.linalg.norm(face.embedding)) == pytest.approx(1.0, abs=1e-5)
    assert (face.landmarks >= (100, 100)).all()
    assert (face.landmarks <= (200, 230)).all()


def test_what_lies_outside_the_picture_is_cut_off(engine: FaceEngine) -> None:
    wall = np.full((400, 300, 3), 127, np.uint8)

    assert face_in_box(engine, wall, Box(-50, 300, 80, 500)).box == Box(0, 300, 80, 400)


@pytest.mark.parametrize("box", [Box(300, 0, 400, 50), Box(10, 10, 15, 80), Box(50, 50, 10, 10)])
def test_a_box_without_a_picture_in_it_is_refused_with_the_size_there_is(
    engine: FaceEngine, box: Box
) -> None:
    with pytest.raises(Permanent, match="300 × 400"):
        face_in_box(engine, np.zeros((400, 300, 3), np.uint8), box)


@given(seconds=st.floats(0, 4.9))
def test_the_frame_nearest_to_a_time_is_taken(seconds: float) -> None:
    with VideoReader(FIFTY_FRAMES) as reader:
        frame = reader.frame_at(seconds)

    assert abs(frame.seconds - seconds) <= 0.0501
    assert round((frame.pixels.mean() - 5) / 2) == pytest.approx(frame.seconds * 10, abs=1)


FIFTY_FRAMES = video(counting_frames(50), fps=10)


def test_a_time_after_the_end_is_refused() -> None:
    with VideoReader(FIFTY_FRAMES) as reader, pytest.raises(ItemRejected, match="ends at"):
        reader.frame_at(60.0)


async def test_a_pool_draws_on_photos_and_on_videos(
    pack_spec: EngineSpec, six_people: bytes, faces: list[DetectedFace]
) -> None:
    async with AnalystPool(pack_spec, workers=1) as pool:
        photo = await pool.draw(six_people, "image", faces[0].box)
        film = await pool.draw(FIFTY_FRAMES, "video", Box(10, 10, 40, 40), seconds=2.02)

    assert photo.box == faces[0].box
    assert photo.crop.startswith(b"RIFF")
    assert film.frame_seconds == pytest.approx(2.0)


def test_an_analyst_without_a_model_draws_nothing() -> None:
    with pytest.raises(Permanent, match="no model"):
        Analyst(None).draw(b"", "image", Box(0, 0, 9, 9), 0.0)
