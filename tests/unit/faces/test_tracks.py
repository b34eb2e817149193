from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from archive.faces.records import FIVE_POINTS, Box, FoundFace, ModelThresholds
from archive.faces.tracks import TrackCollapser

DIMS = 32
THRESHOLDS = ModelThresholds(0.4, 0.05, 0.5, 0.1, 0.4, 20, 48)
ANNA, BERTA = np.eye(DIMS, dtype=np.float32)[:2]


def face(
    who: np.ndarray, seconds: float, *, quality: float = 0.5, left: float = 0.0, noise: int = 9
) -> FoundFace:
    """A face whose cosine to `who` is about 0.8; `noise` picks the direction of the rest."""
    vector = who + 0.75 * np.eye(DIMS, dtype=np.float32)[noise]
    return FoundFace(
        frame_seconds=seconds,
        box=Box(left, 0, left + 80, 100),
        landmarks=np.zeros((5, 2), np.float32),
        landmark_schema=FIVE_POINTS,
        detection_score=0.8,
        quality=quality,
        embedding=(vector / np.linalg.norm(vector)).astype(np.float32),
        crop=b"",
    )


def collapse(
    frames: Sequence[Sequence[FoundFace]], thresholds: ModelThresholds
) -> tuple[FoundFace, ...]:
    collapser = TrackCollapser(thresholds)
    for faces in frames:
        collapser.add(faces)
    return collapser.finish()


def test_repeats_of_a_face_become_its_best_frame() -> None:
    frames = [[face(ANNA, t, quality=q)] for t, q in ((0, 0.3), (1, 0.8), (2, 0.6))]

    (best,) = collapse(frames, THRESHOLDS)

    assert (best.frame_seconds, best.quality, best.track) == (1, 0.8, 0)


def test_an_appearance_knows_from_when_to_when_it_was_seen() -> None:
    frames = [[], [face(ANNA, 1)], [face(ANNA, 2, quality=0.9)], [], [face(ANNA, 4, left=300)]]

    (anna,) = collapse(frames, THRESHOLDS)

    assert (anna.first_seconds, anna.frame_seconds, anna.last_seconds) == (1, 2, 4)


def test_an_appearance_votes_once_with_its_best_frames() -> None:
    blurred = [[face(ANNA, t, quality=0.1, noise=8)] for t in range(20)]
    sharp = [[face(ANNA, 20 + t, quality=0.9 - t / 100, noise=10 + t)] for t in range(5)]

    (anna,) = collapse([*blurred, *sharp], THRESHOLDS)

    assert float(anna.embedding @ ANNA) > 0.94  # each alone 0.8
    assert float(anna.embedding[8]) == 0
    assert abs(float(np.linalg.norm(anna.embedding)) - 1) < 1e-6


def test_two_people_stay_two_even_where_they_swap_places() -> None:
    frames = [
        [face(ANNA, 0, left=0), face(BERTA, 0, left=200)],
        [face(BERTA, 1, left=0, noise=8), face(ANNA, 1, left=200, noise=8)],
    ]

    tracks = collapse(frames, THRESHOLDS)

    assert [round(float(found.embedding @ ANNA), 1) for found in tracks] == [0.9, 0.0]


def test_who_leaves_and_comes_back_is_one_appearance() -> None:
    frames = [[face(ANNA, 0)], [], [face(BERTA, 2)], [], [face(ANNA, 4, left=300, noise=7)]]

    assert len(collapse(frames, THRESHOLDS)) == 2


def test_two_alike_heads_in_one_frame_are_two() -> None:
    frames = [[face(ANNA, 0), face(ANNA, 0, left=300)]]

    assert len(collapse(frames, THRESHOLDS)) == 2


def test_a_turning_head_is_followed_by_its_place() -> None:
    turned = face(ANNA, 1)
    vector = 0.25 * face(ANNA, 0).embedding + 0.97 * np.eye(DIMS, dtype=np.float32)[20]
    turned = FoundFace(
        1.0, turned.box, turned.landmarks, FIVE_POINTS, 0.8, 0.2, vector.astype(np.float32), b""
    )

    assert len(collapse([[face(ANNA, 0)], [turned]], THRESHOLDS)) == 1
    assert len(collapse([[face(ANNA, 0)], [], [turned]], THRESHOLDS)) == 2


def test_the_same_place_ten_seconds_later_may_be_another_shot() -> None:
    vector = 0.25 * face(ANNA, 0).embedding + 0.97 * np.eye(DIMS, dtype=np.float32)[20]
    turned = replace(face(ANNA, 1), embedding=vector.astype(np.float32))

    assert len(collapse([[face(ANNA, 0)], [turned]], THRESHOLDS)) == 1
    assert len(collapse([[face(ANNA, 0)], [replace(turned, frame_seconds=10)]], THRESHOLDS)) == 2


def test_tracks_are_numbered_by_first_sight_and_the_same_every_time() -> None:
    frames = [[face(BERTA, 0)], [face(BERTA, 1), face(ANNA, 1, left=200)]]

    first, second = collapse(frames, THRESHOLDS), collapse(frames, THRESHOLDS)

    assert [found.track for found in first] == [0, 1]
    assert [f.frame_seconds for f in first] == [f.frame_seconds for f in second]
    assert float(first[0].embedding @ BERTA) > 0.7


def test_a_video_without_faces_has_no_appearances() -> None:
    assert collapse([[], []], THRESHOLDS) == ()
