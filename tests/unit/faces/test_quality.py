from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from archive.faces.geometry import ARCFACE_TEMPLATE
from archive.faces.quality import PATCH_SIZE, Quality, sharpness, why_rejected, yaw_offset
from archive.faces.quality import judge as judge_face
from archive.faces.records import FIVE_POINTS, Box, DetectedFace, ModelThresholds

FACE = DetectedFace(Box(100, 100, 212, 212), ARCFACE_TEMPLATE + 100, 0.9)
THRESHOLDS = ModelThresholds(0.4, 0.05, 0.5, 0.1, 0.4, 20, 48)


def noise(strength: float) -> NDArray[np.float32]:
    rng = np.random.default_rng(1)
    return (128 + strength * rng.standard_normal((PATCH_SIZE, PATCH_SIZE))).astype(np.float32)


def judge(face: DetectedFace, patch: NDArray[np.float32] | None = None) -> float:
    sharp = noise(25) if patch is None else patch
    return judge_face(face, FIVE_POINTS, sharp, 1000, 1000).score


def test_a_large_sharp_frontal_face_is_good() -> None:
    assert judge(FACE) > 0.8


@pytest.mark.parametrize(
    "worse",
    [
        replace(FACE, detection_score=0.55),
        replace(FACE, box=Box(100, 100, 125, 125)),
        replace(FACE, box=Box(-80, 100, 32, 212)),
        replace(FACE, landmarks=FACE.landmarks + np.array([[0, 0]] * 2 + [[45, 0]] + [[0, 0]] * 2)),
    ],
    ids=["doubtful", "small", "cut off", "turned"],
)
def test_each_fault_costs(worse: DetectedFace) -> None:
    assert judge(worse) < 0.6 * judge(FACE)


def test_a_blurred_face_is_worthless_however_sure_the_detector_is() -> None:
    flat = np.full((PATCH_SIZE, PATCH_SIZE), 90, np.float32)

    assert sharpness(flat) == 0.0
    assert judge(FACE, flat) == 0.0


def test_eyes_in_one_place_are_worthless_not_an_error() -> None:
    collapsed = replace(FACE, landmarks=np.full((5, 2), 150, np.float32))

    assert judge(collapsed) == 0.0


def test_inclining_the_head_is_not_turning_it() -> None:
    quarter = np.array([[0, -1], [1, 0]], np.float32)
    inclined = replace(FACE, landmarks=FACE.landmarks @ quarter.T)

    assert yaw_offset(inclined, FIVE_POINTS) == pytest.approx(
        yaw_offset(FACE, FIVE_POINTS), abs=1e-4
    )


PERFECT = Quality(1, 1, 1, 1, 1, 1)


@pytest.mark.parametrize(
    ("side", "quality", "reason"),
    [
        (19, PERFECT, "too_small"),
        (20, PERFECT, None),
        (100, replace(PERFECT, certain=0.1), None),
        (100, replace(PERFECT, certain=0.09), "uncertain"),
        (100, replace(PERFECT, large=0.09), "small"),
        (100, replace(PERFECT, frontal=0.09), "turned_away"),
        (100, replace(PERFECT, sharp=0.09, whole=0.5), "blurred"),
        (100, replace(PERFECT, whole=0.2, sharp=0.3), "cut_off"),
        (100, replace(PERFECT, lit=0.0), "badly_lit"),
    ],
)
def test_a_rejection_names_the_worst_fault(
    side: float, quality: Quality, reason: str | None
) -> None:
    assert why_rejected(side, quality, THRESHOLDS) == reason


def test_a_face_in_the_dark_is_worthless() -> None:
    assert judge(FACE, noise(2)) == 0.0
