"""Which faces join an identity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.identity.matching import ScoreBoard, identity_scores
from archive.identity.records import Vectors
from tests.unit.identity.worlds import RULES, around, directions, unit

NOBODY_BESIDE = np.arange(1000)


def test_the_score_for_one_face_is_the_cosine() -> None:
    probes = directions(5, np.random.default_rng(1))
    member = unit(probes[:1] + probes[1:2])
    assert identity_scores(probes, member) == pytest.approx((probes @ member.T)[:, 0], abs=1e-5)


def test_the_score_is_half_the_nearest_three_and_half_the_mean_vector() -> None:
    rng = np.random.default_rng(2)
    probe, members = unit(rng.standard_normal((1, 8))), unit(rng.standard_normal((5, 8)))
    nearest = np.sort(members @ probe[0])[-3:].mean()
    centre = members.mean(axis=0) / np.linalg.norm(members.mean(axis=0))
    expected = (nearest + centre @ probe[0]) / 2
    assert identity_scores(probe, members)[0] == pytest.approx(expected, abs=1e-5)


def test_members_that_cancel_out_are_scored_by_the_nearest_alone() -> None:
    axis = directions(1, np.random.default_rng(3))
    assert identity_scores(axis, np.concatenate([axis, -axis]))[0] == pytest.approx(0.0)


def test_many_members_are_scored_in_blocks_with_the_same_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(4)
    probes, members = unit(rng.standard_normal((50, 16))), unit(rng.standard_normal((7, 16)))
    whole = identity_scores(probes, members)
    monkeypatch.setattr("archive.identity.matching._BLOCK", 21)
    assert identity_scores(probes, members) == pytest.approx(whole, abs=2e-5)


def at_angles(*cosines: float) -> Vectors:
    """Vectors in a plane, at the given cosines to the first axis."""
    return np.array([[c, np.sqrt(1 - c * c)] for c in cosines], dtype=np.float32)


def board_of(vectors: Vectors, open_rows: list[int], frames: list[int] | None = None) -> ScoreBoard:
    numbers = np.arange(len(vectors)) if frames is None else np.asarray(frames)
    return ScoreBoard(vectors, numbers, open_rows, RULES)


def test_a_face_below_the_threshold_does_not_join() -> None:
    board = board_of(at_angles(1.0, 0.39, 0.41), [1, 2])
    board.score(0, [0])
    assert [match.row for match in board.matches()] == [2]


def test_a_face_between_two_identities_joins_neither() -> None:
    # The probe lies at 0.90 and at 0.88, nearer than the margin of 0.05 tells apart.
    vectors = np.array([[1, 0], [0.9, 0.4359], [0.58, 0.8146]], dtype=np.float32)
    board = board_of(unit(vectors), [1])
    board.score(0, [0])
    board.score(1, [2])
    assert board.matches() == []


def test_an_identity_scored_anew_forgets_its_old_score() -> None:
    board = board_of(at_angles(1.0, 0.9, -1.0), [1])
    board.score(0, [0])
    board.score(0, [2])
    assert board.matches() == []
    assert board.best(1) == -1.0


def test_a_face_that_joined_is_offered_no_more() -> None:
    board = board_of(at_angles(1.0, 0.9), [1])
    board.score(0, [0])
    board.close([1])
    assert board.matches() == []


def test_of_two_faces_in_one_frame_only_the_better_joins_at_once() -> None:
    board = board_of(at_angles(1.0, 0.6, 0.65), [1, 2], frames=[0, 1, 1])
    board.score(0, [0])
    assert [(match.row, match.identity) for match in board.matches()] == [(2, 0)]


@pytest.mark.parametrize(("cosine", "joins"), [(0.65, False), (0.75, True)])
def test_a_second_face_in_a_frame_joins_only_when_half_way_to_certain(
    cosine: float, *, joins: bool
) -> None:
    # A mirror shows somebody twice, a sister standing beside does not: (1 + 0.4) / 2 = 0.7.
    board = board_of(at_angles(1.0, cosine), [1], frames=[0, 0])
    board.score(0, [0])
    assert bool(board.matches()) is joins


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), margin=st.floats(0.0, 0.3), likeness=st.floats(0.3, 0.8))
def test_threshold_and_margin_hold_for_every_face_that_joins(
    seed: int, margin: float, likeness: float
) -> None:
    rng = np.random.default_rng(seed)
    centres = directions(4, rng)
    members = [around(unit(centre[None] + centres[:1])[0], 3, 0.6, seed) for centre in centres]
    probes = around(unit(centres.sum(axis=0)[None])[0], 30, likeness, seed + 1)
    vectors = np.concatenate([*members, probes])
    board = ScoreBoard(
        vectors, NOBODY_BESIDE[: len(vectors)], range(12, 42), replace(RULES, margin=margin)
    )
    for identity in range(4):
        board.score(identity, range(identity * 3, identity * 3 + 3))
    every_score = np.stack([identity_scores(probes, rows) for rows in members])
    for match in board.matches():
        best, second = np.sort(every_score[:, match.row - 12])[::-1][:2]
        assert every_score[match.identity, match.row - 12] == best
        assert best >= RULES.accept - 1e-6
        assert best - second >= margin - 1e-6
