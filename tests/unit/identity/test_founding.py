"""How a person begins."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import numpy as np
import pytest

from archive.identity.deciding import decide
from archive.identity.records import Decisions, FaceSet, FaceVector
from archive.identity.rules import NEAR_COPY_BITS, Rules, same_picture
from archive.ids import ContentKey, IdentityId
from tests.unit.identity.worlds import RULES, applied, around, directions, face, of_people, unit

AXES = directions(8, np.random.default_rng(0))


def decided(faces: list[FaceVector], vectors: np.ndarray, rules: Rules = RULES) -> Decisions:
    return decide(FaceSet(tuple(faces), vectors, (None,) * len(faces)), rules, new_id)


def new_id() -> IdentityId:
    return IdentityId(uuid4())


def someone(count: int) -> np.ndarray:
    return around(AXES[0], count, 0.8, seed=5)


def test_three_similar_faces_of_three_photos_found_a_person() -> None:
    assert len(decided([face(n) for n in range(3)], someone(3)).foundings) == 1


def test_two_do_not_when_three_are_asked_for() -> None:
    decisions = decided([face(n) for n in range(2)], someone(2))
    assert decisions.foundings == ()
    assert decisions.unassigned == 2


def test_a_chain_of_likeness_is_not_enough() -> None:
    # 45 degrees apart: neighbours at cosine 0.71, the ends at 0.
    chain = np.array([[1, 0], [0.7071, 0.7071], [0, 1]], dtype=np.float32)
    assert decided([face(n) for n in range(3)], unit(chain)).foundings == ()


def test_near_copies_of_one_picture_count_once() -> None:
    near = (1 << NEAR_COPY_BITS) - 1
    faces = [face(0, phash=0), face(1, phash=near), face(2, phash=-1)]
    assert decided(faces, someone(3)).foundings == ()
    assert len(decided(faces, someone(3), replace(RULES, min_faces=2)).foundings) == 1


def test_a_near_copy_joins_the_person_that_others_found() -> None:
    faces = [face(0, phash=0), face(1, phash=1), face(2, phash=-1), face(3, phash=0xFFFF_FFFF)]
    decisions = decided(faces, someone(4))
    assert len(decisions.foundings) == 1
    assert decisions.unassigned == 0


@pytest.mark.parametrize("bits", [NEAR_COPY_BITS, NEAR_COPY_BITS + 1])
def test_pictures_are_near_copies_up_to_a_number_of_bits(bits: int) -> None:
    negative = (1 << bits) - 1 - (1 << 63)
    assert same_picture(face(0, phash=-(1 << 63)), face(1, phash=negative)) is (
        bits <= NEAR_COPY_BITS
    )


def test_pictures_without_a_hash_are_no_near_copies() -> None:
    assert not same_picture(face(0), face(1))


def test_the_frames_of_one_video_are_one_picture() -> None:
    video = ContentKey("sha256:" + "f" * 64)
    frames = [face(n, content_key=video, frame_seconds=float(n)) for n in range(3)]
    assert decided(frames, someone(3), replace(RULES, min_faces=2)).foundings == ()


def test_a_video_and_a_photo_are_two_pictures() -> None:
    video = ContentKey("sha256:" + "f" * 64)
    frames = [face(n, content_key=video, frame_seconds=float(n)) for n in range(3)]
    decisions = decided([*frames, face(9)], someone(4), replace(RULES, min_faces=2))
    assert len(decisions.foundings) == 1
    assert decisions.unassigned == 0


@pytest.mark.parametrize("poor", [{"quality": 0.3}, {"box": (0.0, 0.0, 40.0, 60.0)}])
def test_poor_or_small_faces_found_nobody_but_join(poor: dict[str, object]) -> None:
    faces = [face(0), face(1), face(2, **poor)]
    assert decided(faces, someone(3)).foundings == ()
    decisions = decided([*faces, face(3)], someone(4))
    assert len(decisions.foundings) == 1
    assert len(decisions.assignments) == 1


def test_with_one_face_to_found_every_stranger_is_a_person() -> None:
    decisions = decided([face(n) for n in range(8)], AXES, replace(RULES, min_faces=1))
    assert len(decisions.foundings) == 8


def test_with_one_face_to_found_the_photos_of_one_person_are_still_one() -> None:
    decisions = decided([face(n) for n in range(6)], someone(6), replace(RULES, min_faces=1))
    assert len(decisions.foundings) == 1
    assert decisions.unassigned == 0


def test_cores_of_more_than_three_are_found_past_faces_that_do_not_fit() -> None:
    # A stranger like one member but not the others must not hide the core.
    group = around(AXES[0], 5, 0.7, seed=1)
    decoy = unit(group[:1] + AXES[1:2])
    faces = [face(n) for n in range(6)]
    decisions = decided(faces, np.concatenate([group, decoy]), replace(RULES, min_faces=5))
    assert [len(founding.core) for founding in decisions.foundings] == [5]


def test_a_burst_of_somebody_known_founds_no_second_person() -> None:
    known = applied(of_people(someone(4))[0], decided([face(n) for n in range(4)], someone(4)))
    burst = around(unit(AXES[:1] * 2 + AXES[1:2])[0], 4, 0.95, seed=3)
    everyone = FaceSet(
        (*known.faces, *(face(n) for n in range(10, 14))),
        np.concatenate([known.vectors, burst]),
        (*known.assigned, *(None,) * 4),
    )
    decisions = decide(everyone, RULES, new_id)
    assert decisions.foundings == ()
    assert len(decisions.assignments) == 4


def test_siblings_who_come_together_found_a_person_each() -> None:
    # At cosine 0.55 between their means, faces of one reach the other's threshold of 0.4.
    sister = unit(0.55 * AXES[:1] + np.sqrt(1 - 0.55**2) * AXES[1:2])[0]
    faces, _ = of_people(around(AXES[0], 5, 0.8, seed=1), around(sister, 5, 0.8, seed=2))
    assert len(decide(faces, RULES, new_id).foundings) == 2


def test_people_are_numbered_in_the_order_of_their_first_photo() -> None:
    tight, loose = around(AXES[1], 3, 0.95, seed=1), around(AXES[0], 3, 0.7, seed=2)
    faces, _ = of_people(loose, tight)
    first, second = decide(faces, RULES, new_id).foundings
    assert first.core[0].face_id == face(0).face_id
    assert second.core[0].face_id == face(3).face_id
