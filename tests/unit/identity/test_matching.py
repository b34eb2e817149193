"""Which faces join an identity."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.identity.gallery import Gallery, Portrait
from archive.identity.matching import Match, ScoreBoard, choose, identity_scores, score
from archive.identity.records import Vectors
from tests.unit.identity.worlds import RULES, around, directions, unit


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


def drawn(members: Vectors) -> Portrait:
    """Portray an identity by all of its few faces."""
    return Portrait(unit(members.mean(axis=0)[None])[0], members)


def gallery_of(*identities: Vectors) -> Gallery:
    return Gallery([drawn(members) for members in identities], identities[0].shape[1])


def at_angles(*cosines: float) -> Vectors:
    """Vectors in a plane, at the given cosines to the first axis."""
    return np.array([[c, np.sqrt(1 - c * c)] for c in cosines], dtype=np.float32)


def people(seed: int, likeness: float = 0.6) -> tuple[Vectors, list[Vectors]]:
    """Probes around four people and between them, and up to eight faces of each person."""
    centres = directions(4, np.random.default_rng(seed))
    members = [around(c, 1 + 2 * i, likeness, seed + i) for i, c in enumerate(centres)]
    middle = unit(centres.sum(axis=0)[None])[0]
    probes = [around(c, 5, likeness, seed + 10 + i) for i, c in enumerate([*centres, middle])]
    return np.concatenate(probes), members


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_scoring_against_a_gallery_gives_every_score_that_can_decide_something(seed: int) -> None:
    probes, members = people(seed)
    found = score(probes, gallery_of(*members), RULES)
    sparse = dict(zip(zip(found.rows, found.identities, strict=True), found.values, strict=True))
    centres = np.stack([drawn(rows).centre for rows in members])
    for identity, rows in enumerate(members):
        every = identity_scores(probes, rows)
        counts = (every >= RULES.floor) & (probes @ centres[identity] >= RULES.gate)
        assert {row for row, i in sparse if i == identity} == set(np.flatnonzero(counts))
        for row in np.flatnonzero(counts):
            assert sparse[row, identity] == pytest.approx(every[row], abs=2e-5)


def test_scores_do_not_depend_on_who_else_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    probes, members = people(1)
    gallery = gallery_of(*members)
    whole = score(probes, gallery, RULES)
    monkeypatch.setattr("archive.identity.matching._BLOCK", 8)
    monkeypatch.setattr("archive.identity.matching._PAIRS", 3)
    for only in ([0, 1, 2, 3], [2]):
        some = score(probes, gallery, RULES, only)
        asked = np.isin(whole.identities, only)
        expected = sorted(
            zip(whole.rows[asked], whole.identities[asked], whole.values[asked], strict=True)
        )
        assert sorted(zip(some.rows, some.identities, some.values, strict=True)) == expected


def test_nobody_is_like_an_empty_gallery() -> None:
    probes = directions(2, np.random.default_rng(1))
    assert len(score(probes, Gallery([], probes.shape[1]), RULES).rows) == 0


def test_a_gallery_grows_and_keeps_who_is_in_it() -> None:
    vectors = directions(40, np.random.default_rng(1))
    gallery = Gallery([], vectors.shape[1])
    for number in range(40):
        gallery.put(number, drawn(vectors[number : number + 1]))
    found = score(vectors, gallery, RULES)
    assert len(gallery) == 40
    assert sorted(zip(found.rows, found.identities, strict=True)) == [(n, n) for n in range(40)]


def test_a_face_below_what_it_needs_does_not_join() -> None:
    assert choose(7, [(0, 0.49)], need=0.5, margin=0.05) is None
    assert choose(7, [(0, 0.5)], need=0.5, margin=0.05) == Match(7, 0, 0.5)


def test_a_face_between_two_identities_joins_neither() -> None:
    assert choose(7, [(0, 0.86), (1, 0.9)], need=0.4, margin=0.05) is None
    assert choose(7, [(0, 0.84), (1, 0.9)], need=0.4, margin=0.05) == Match(7, 1, 0.9)


def test_a_face_like_nobody_joins_nobody() -> None:
    assert choose(7, [], need=0.4, margin=0.05) is None


def test_an_identity_scored_anew_forgets_its_old_score() -> None:
    one = at_angles(1.0, 0.0)
    gallery = gallery_of(one[:1])
    board = ScoreBoard(at_angles(0.9), gallery, RULES)
    board.wake([0])
    assert dict(board.scores(0)) == pytest.approx({0: 0.9}, abs=1e-5)
    gallery.put(0, drawn(-one[1:]))
    board.changed([0])
    assert list(board.scores(0)) == []
    assert board.like(0) == frozenset()


def test_a_sleeper_wakes_when_somebody_like_it_begins_and_then_knows_all_its_scores() -> None:
    vectors = at_angles(1.0, 0.95, -1.0)
    gallery = gallery_of(vectors[1:2])
    board = ScoreBoard(at_angles(0.97, -0.97), gallery, RULES)
    assert board.awake() == []
    gallery.put(1, drawn(vectors[:1]))
    assert board.changed([1]) == [0]
    assert board.awake() == [0]
    assert [identity for identity, _ in board.scores(0)] == [0, 1]


def test_a_face_that_joined_is_asked_no_more() -> None:
    board = ScoreBoard(at_angles(0.9, 0.8), gallery_of(at_angles(1.0)), RULES)
    board.wake([0, 1])
    board.close([0])
    assert board.awake() == [1]
    assert board.like(0) == {1}
    assert board.wake([0]) == []
    assert board.changed([0]) == []
