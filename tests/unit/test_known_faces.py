"""A face keeps its id through analyses, one known face for one found face."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from archive.faces.records import FIVE_POINTS, Box, FoundFace
from archive.ids import new_face_id
from archive.known_faces import KnownFace, NoFace, attach

boxes = st.builds(
    lambda x, y, side: Box(x, y, x + side, y + side),
    st.integers(0, 100),
    st.integers(0, 100),
    st.integers(5, 60),
)


def found(box: Box, seconds: float = 0.0) -> FoundFace:
    return FoundFace(
        frame_seconds=seconds,
        box=box,
        landmarks=np.zeros((5, 2), dtype=np.float32),
        landmark_schema=FIVE_POINTS,
        detection_score=0.9,
        quality=0.9,
        embedding=np.ones(1, dtype=np.float32),
        crop=b"",
    )


def known(box: Box, seconds: float = 0.0, *, decided: bool = False) -> KnownFace:
    return KnownFace(new_face_id(), seconds, box, decided)


def test_a_shifted_box_is_the_same_face() -> None:
    face = known(Box(0, 0, 100, 100))

    assert attach([face], [found(Box(10, 5, 108, 104))]).kept == (face.face_id,)


def test_half_a_face_away_is_another_face() -> None:
    face = known(Box(0, 0, 100, 100))

    result = attach([face], [found(Box(60, 0, 160, 100))])

    assert result.kept == (None,)
    assert result.gone == (face.face_id,)


def test_the_same_place_at_another_time_is_another_face() -> None:
    face = known(Box(0, 0, 100, 100), seconds=3.0)

    assert attach([face], [found(Box(0, 0, 100, 100), seconds=4.0)]).kept == (None,)


def test_a_decided_face_stays_when_a_detector_misses_it() -> None:
    assert attach([known(Box(0, 0, 10, 10), decided=True)], []).gone == ()


@given(st.lists(boxes, max_size=6), st.lists(boxes, max_size=6))
def test_no_known_face_is_given_twice(old: list[Box], new: list[Box]) -> None:
    faces = [known(box) for box in old]

    result = attach(faces, [found(box) for box in new])

    kept = [face_id for face_id in result.kept if face_id is not None]
    assert len(kept) == len(set(kept))
    assert sorted([*kept, *result.gone]) == sorted(face.face_id for face in faces)


@given(st.lists(boxes, max_size=6, unique=True))
def test_the_same_analysis_again_keeps_every_face_where_it_is(old: list[Box]) -> None:
    faces = [known(box) for box in old]

    result = attach(faces, [found(box) for box in old])

    assert result.kept == tuple(face.face_id for face in faces)
    assert result.gone == ()


def test_no_new_face_is_made_where_a_person_said_that_there_is_none() -> None:
    nothing = NoFace(3.0, Box(0, 0, 100, 100))
    again = found(Box(5, 5, 100, 100), seconds=3.0)
    later = found(Box(5, 5, 100, 100), seconds=4.0)
    beside = found(Box(80, 0, 180, 100), seconds=3.0)

    assert attach([], [again, later, beside], [nothing]).left_out == {0}


def test_a_face_that_was_there_before_is_none_only_if_it_was_called_so_itself() -> None:
    face = known(Box(0, 0, 100, 100))

    result = attach([face], [found(Box(0, 0, 100, 100))], [NoFace(0.0, Box(10, 0, 110, 100))])

    assert result.kept == (face.face_id,)
    assert not result.left_out
