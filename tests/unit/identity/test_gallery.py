"""What is remembered of an identity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.identity.gallery import EXEMPLARS, LOOKS, portrait
from archive.identity.records import FaceSet, FaceVector, Vectors
from tests.unit.identity.worlds import around, directions, face, unit

AXES = directions(3, np.random.default_rng(1))


def faces_of(vectors: Vectors, *faces: FaceVector) -> FaceSet:
    given_ = faces or tuple(face(number) for number in range(len(vectors)))
    return FaceSet(given_, vectors, (None,) * len(vectors))


def test_somebody_of_one_face_is_that_face() -> None:
    one = portrait(faces_of(AXES[:1]))
    np.testing.assert_allclose(one.centre, AXES[0], atol=1e-6)
    np.testing.assert_array_equal(one.exemplars, AXES[:1])
    assert one.rows == (0,)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(0, 1000))
def test_the_order_of_faces_does_not_matter(count: int, seed: int) -> None:
    members = faces_of(around(AXES[0], count, 0.6, seed))
    order = np.random.default_rng(seed).permutation(count).tolist()
    one, other = portrait(members), portrait(members.take(order).in_order())
    np.testing.assert_array_equal(one.centre, other.centre)
    np.testing.assert_array_equal(one.exemplars, other.exemplars)
    assert len(one.rows) == min(count, EXEMPLARS)


def test_copies_of_a_picture_weigh_as_one() -> None:
    vectors = unit(np.stack([AXES[0], *[AXES[1]] * 9]))
    same_content = [face(1, box=(n, 0, n + 50, 60)) for n in range(9)]
    near_copies = [face(1 + n, phash=0b1111 ^ (1 << n)) for n in range(9)]
    middle = unit(AXES[:1] + AXES[1:2])[0]
    for copies in (same_content, near_copies):
        one = portrait(faces_of(vectors, face(0), *copies))
        np.testing.assert_allclose(one.centre, middle, atol=1e-6)
        assert len(one.exemplars) == 2


def test_of_a_video_the_best_frame_stands() -> None:
    frames = [face(0, frame_seconds=float(n), quality=0.5 + n / 10) for n in range(3)]
    assert portrait(faces_of(AXES, *frames)).rows == (2,)


def test_every_look_has_its_exemplar_and_the_good_faces_are_taken() -> None:
    looks = [around(axis, 12, 0.9, seed) for seed, axis in enumerate(AXES)]
    rows = [face(n, quality=0.9 if n % 12 < 6 else 0.3) for n in range(36)]
    one = portrait(faces_of(np.concatenate(looks), *rows))
    assert {row // 12 for row in one.rows} == {0, 1, 2}
    assert all(rows[row].quality == 0.9 for row in one.rows)


def test_somebody_of_very_many_faces_is_remembered_by_the_best() -> None:
    vectors = np.concatenate([around(AXES[0], LOOKS, 0.8, 1), around(AXES[1], 50, 0.8, 2)])
    rows = [face(n, quality=0.9 if n < LOOKS else 0.5) for n in range(len(vectors))]
    one = portrait(faces_of(vectors, *rows))
    assert float(one.centre @ AXES[0]) > 0.99
    assert max(one.rows) < LOOKS


def test_faces_that_cancel_out_are_remembered_by_the_best() -> None:
    vectors = np.concatenate([AXES[:1], -AXES[:1]])
    one = portrait(faces_of(vectors, face(0), replace(face(1), quality=0.95)))
    np.testing.assert_array_equal(one.centre, -AXES[0])
    assert np.linalg.norm(one.centre) == pytest.approx(1.0)
