import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.faces.estimating import estimated_landmarks, estimated_schema, is_estimated
from archive.faces.geometry import (
    ARCFACE_TEMPLATE,
    View,
    alignment_transform,
    crop_rectangle,
    eye_centres,
    iou,
    nose,
    similarity_transform,
    suppress_doubles,
)
from archive.faces.records import EYE_CORNERS, FIVE_POINTS, Box

coordinates = st.floats(-500, 1500, width=32)
sizes = st.floats(1, 800, width=32)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x, y = draw(coordinates), draw(coordinates)
    return Box(x, y, x + draw(sizes), y + draw(sizes))


@given(
    angle=st.floats(-math.pi, math.pi),
    scale=st.floats(0.05, 20),
    shift=st.tuples(st.floats(-2000, 2000), st.floats(-2000, 2000)),
)
def test_a_similarity_is_found_again(
    angle: float, scale: float, shift: tuple[float, float]
) -> None:
    rotation = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    seen = ARCFACE_TEMPLATE @ (scale * rotation).T + np.array(shift)

    matrix = similarity_transform(seen, ARCFACE_TEMPLATE)

    back = seen @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(back, ARCFACE_TEMPLATE, atol=1e-3)


def test_a_mirrored_face_is_not_mirrored_back() -> None:
    mirrored = ARCFACE_TEMPLATE * np.array([-1.0, 1.0])

    matrix = similarity_transform(mirrored, ARCFACE_TEMPLATE)

    assert np.linalg.det(matrix[:, :2]) > 0


def test_a_larger_input_scales_the_template() -> None:
    matrix = alignment_transform(ARCFACE_TEMPLATE, 224)

    np.testing.assert_allclose(matrix, [[2, 0, 0], [0, 2, 0]], atol=1e-4)


@pytest.mark.parametrize("points", [np.ones((5, 2)), np.full((5, 2), np.nan)])
def test_landmarks_without_extent_have_no_alignment(points: np.ndarray) -> None:
    with pytest.raises(ValueError, match="points"):
        similarity_transform(points, ARCFACE_TEMPLATE)


@given(boxes(), boxes())
def test_overlap_is_symmetric_and_a_share(first: Box, second: Box) -> None:
    overlap = iou(first, second)

    assert 0.0 <= overlap <= 1.0 + 1e-9
    assert overlap == pytest.approx(iou(second, first))
    assert iou(first, first) == pytest.approx(1.0)


@given(st.lists(boxes(), max_size=12), st.floats(0.1, 0.9))
def test_what_is_kept_does_not_overlap_and_covers_what_is_dropped(
    found: list[Box], threshold: float
) -> None:
    corners = np.array([[b.x1, b.y1, b.x2, b.y2] for b in found], np.float32).reshape(-1, 4)
    scores = np.linspace(1, 0.5, len(found), dtype=np.float32)

    kept = suppress_doubles(corners, scores, threshold)

    slack = 1e-3
    for place, i in enumerate(kept):
        assert all(iou(found[i], found[j]) <= threshold + slack for j in kept[:place])
    for i in set(range(len(found))) - set(kept.tolist()):
        assert any(iou(found[i], found[j]) >= threshold - slack for j in kept if j < i)


def test_the_same_face_of_two_scales_is_kept_once_with_its_better_score() -> None:
    corners = np.array([[10, 10, 50, 60], [11, 9, 52, 61], [200, 10, 240, 60]], np.float32)
    scores = np.array([0.7, 0.9, 0.8], np.float32)

    assert suppress_doubles(corners, scores, 0.4).tolist() == [1, 2]


@given(boxes(), st.integers(1, 4000), st.integers(1, 4000), st.floats(0, 2))
def test_a_crop_is_whole_pixels_inside_the_image(
    box: Box, width: int, height: int, margin: float
) -> None:
    crop = crop_rectangle(box, width, height, margin)

    assert 0 <= crop.x1 < crop.x2 <= width
    assert 0 <= crop.y1 < crop.y2 <= height
    assert all(value == int(value) for value in (crop.x1, crop.y1, crop.x2, crop.y2))


def test_a_crop_with_half_a_margin_is_twice_the_face() -> None:
    assert crop_rectangle(Box(100, 100, 200, 200), 1000, 1000, 0.5) == Box(50, 50, 250, 250)


def test_eye_corners_give_centres_from_left_to_right() -> None:
    corners = np.array([[86, 30], [64, 31], [12, 33], [33, 32], [49, 60]], np.float32)

    left, right = eye_centres(corners, EYE_CORNERS)

    assert left.tolist() == [22.5, 32.5]
    assert right.tolist() == [75.0, 30.5]


def test_an_unknown_schema_is_an_error() -> None:
    with pytest.raises(ValueError, match="schema"):
        eye_centres(ARCFACE_TEMPLATE, "sixty_eight")


@given(boxes(), st.integers(1, 4000), st.integers(1, 4000), st.floats(0.1, 20))
def test_what_is_brought_into_a_view_and_out_of_it_is_where_it_was(
    box: Box, width: int, height: int, factor: float
) -> None:
    view = View(crop_rectangle(box, width, height, 0.5), factor)
    points = np.array([[box.x1, box.y1], [box.x2, box.y2]], np.float32)

    assert view.out_of(view.into(points)) == pytest.approx(points, abs=0.05)


def test_estimated_landmarks_lie_as_the_schema_orders_them() -> None:
    box = Box(100, 50, 200, 190)

    for schema in (FIVE_POINTS, EYE_CORNERS):
        points = estimated_landmarks(box, schema)
        left, right = eye_centres(points, schema)
        assert 100 < left[0] < nose(points, schema)[0] < right[0] < 200
        assert 50 < left[1] == right[1] < nose(points, schema)[1] < 190
        assert is_estimated(estimated_schema(schema))
        assert not is_estimated(schema)
    with pytest.raises(ValueError, match="schema"):
        estimated_landmarks(box, "sixty_eight")
