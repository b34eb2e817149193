"""What thresholds cost: rates by hand-made scores, intervals that hold what they promise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.identity.calibration import Calibration, calibrate, lacking
from archive.identity.comparisons import Comparisons, LabelledFaces
from archive.identity.rates import Interval, Rate
from tests.unit.identity.worlds import DIMS, face

PEOPLE = 20
FACES = 10


def scored(genuine: np.ndarray, impostors: np.ndarray) -> Comparisons:
    """Give comparisons with these scores, (people, faces) and (people, faces, people)."""
    people, faces = genuine.shape
    person, nth, other = np.meshgrid(*map(np.arange, (people, faces, people)), indexing="ij")
    strangers = person != other
    own = np.repeat(np.arange(people), faces)
    return Comparisons(
        scores=np.concatenate([genuine.ravel(), impostors[strangers]]).astype(np.float32),
        rows=np.concatenate([np.arange(people * faces), (person * faces + nth)[strangers]]),
        genuine=np.repeat([True, False], [genuine.size, int(strangers.sum())]),
        shown=np.concatenate([own, person[strangers]]),
        compared=np.concatenate([own, other[strangers]]),
        people=tuple(map(str, range(people))),
    )


def drawn(seed: int = 0, person_spread: float = 0.0, people: int = PEOPLE) -> Comparisons:
    """Give genuine scores around .6 and impostors around 0; people may differ as wholes."""
    rng = np.random.default_rng(seed)
    level = rng.normal(0.6, person_spread, (people, 1))
    genuine = np.round(level + rng.normal(0.0, 0.05, (people, FACES)), 5)
    return scored(genuine, np.round(rng.normal(0.0, 0.1, (people, FACES, people)), 5))


def report(
    found: Comparisons, rate: float = 0.01, in_use: float = 0.4, seed: int = 0
) -> Calibration:
    count = int(found.rows.max()) + 1
    known = LabelledFaces(
        tuple(face(n) for n in range(count)),
        np.zeros((count, DIMS), dtype=np.float32),
        tuple(str(n // FACES) for n in range(count)),
        by_hand=7,
    )
    return calibrate(found, known, rate=rate, in_use=in_use, seed=seed)


def test_the_true_accepts_of_a_rate_are_those_of_the_lowest_threshold_that_keeps_it() -> None:
    found = drawn()
    impostors = found.scores[~found.genuine]
    for point in report(found).points:
        rate = point.wanted
        assert rate is not None
        assert np.mean(impostors >= np.float32(point.threshold)) <= rate
        assert np.mean(impostors >= np.float32(point.threshold - 2e-5)) > rate
        assert point.far.share == np.mean(impostors >= np.float32(point.threshold))


def test_what_is_proposed_keeps_the_rate_for_new_people_too() -> None:
    worlds = 20
    kept = 0
    for seed in range(worlds):
        proposed = report(drawn(seed), 0.01).chosen
        assert proposed.far.wilson.high <= 0.01
        new = drawn(seed + 1000)
        accepted = new.scores[~new.genuine] >= np.float32(proposed.threshold)
        kept += int(accepted.mean() <= 0.01)
    assert kept >= 0.9 * worlds


def test_a_person_whom_everybody_resembles_makes_the_proposal_more_careful() -> None:
    rng = np.random.default_rng(1)
    impostors = np.round(rng.normal(0.0, 0.1, (PEOPLE, FACES, PEOPLE)), 5)
    alone = report(scored(np.full((PEOPLE, FACES), 0.9), impostors), 0.1).chosen
    impostors[:, :, 0] += 0.4
    beside = report(scored(np.full((PEOPLE, FACES), 0.9), impostors), 0.1).chosen
    assert alone.threshold < 0.2
    # One in twenty comparisons is with that person; a draw may hold several of the kind.
    assert beside.threshold > 0.3


def test_equal_scores_are_accepted_together_or_not_at_all() -> None:
    impostors = np.zeros((PEOPLE, FACES, PEOPLE))
    impostors[0] = 0.3
    found = scored(np.full((PEOPLE, FACES), 0.6), impostors)
    loose, strict = report(found).points
    assert strict.far.accepted == 0
    assert strict.threshold == pytest.approx(0.30001)
    assert loose.far.accepted == FACES * (PEOPLE - 1)
    assert strict.tar.share == 1.0


def test_the_threshold_in_use_is_judged_by_the_same_comparisons() -> None:
    found = drawn()
    point = report(found, in_use=0.6).in_use
    assert point.wanted is None
    assert point.tar.share == np.mean(found.scores[found.genuine] >= np.float32(0.6))
    assert point.far.accepted == 0


def test_where_both_errors_are_equal() -> None:
    found = drawn()
    assert report(found).equal_error < 0.01
    same = scored(np.full((PEOPLE, FACES), 0.5), np.full((PEOPLE, FACES, PEOPLE), 0.5))
    assert report(same).equal_error == pytest.approx(0.5)


def test_only_rates_that_the_labels_can_tell_are_reported() -> None:
    assert [point.wanted for point in report(drawn()).points] == [0.1, 0.01]


def test_what_is_missing_is_said_with_how_much_there_is() -> None:
    few = drawn(people=4)
    assert lacking(drawn(), 0.002) == []
    said = " / ".join(lacking(few, 0.0001))
    assert "5 people with two pictures each (4)" in said
    assert "38411 comparisons" in said
    assert "(120)" in said
    assert len(lacking(drawn(people=2), 0.1)) == 3


@given(of=st.integers(1, 500), data=st.data())
def test_wilsons_interval_holds_the_share_and_stays_a_rate(of: int, data: st.DataObject) -> None:
    rate = Rate(data.draw(st.integers(0, of)), of)
    interval = rate.wilson
    assert 0.0 <= interval.low <= rate.share + 1e-9
    assert rate.share - 1e-9 <= interval.high <= 1.0


def test_wilsons_interval_is_the_published_one() -> None:
    # 81 of 263: .2553 to .3662 (Newcombe, "Two-sided confidence intervals", 1998, method 3).
    interval = Rate(81, 263).wilson
    assert interval.low == pytest.approx(0.2553, abs=1e-4)
    assert interval.high == pytest.approx(0.3662, abs=1e-4)
    assert Rate(0, 0).wilson == Interval(0.0, 1.0)


def test_people_that_differ_as_wholes_make_the_interval_wider_than_comparisons_do() -> None:
    found = drawn(person_spread=0.2)
    point = report(found, in_use=0.6).in_use
    over_people = point.tar_over_people.high - point.tar_over_people.low
    wilson = point.tar.wilson.high - point.tar.wilson.low
    assert over_people > 1.5 * wilson


def test_the_interval_over_people_holds_the_truth_nearly_as_often_as_it_says() -> None:
    # A person's level is above .6 + noise in half of all people: the true rate is one half.
    worlds = 40
    holds = 0
    for seed in range(worlds):
        interval = report(drawn(seed, person_spread=0.2), in_use=0.6).in_use.tar_over_people
        holds += interval.low <= 0.5 <= interval.high
    assert holds >= 0.8 * worlds


def test_the_same_labels_and_seed_give_the_same_report() -> None:
    first, second = report(drawn(), seed=3), report(drawn(), seed=3)
    assert (first.points, first.chosen, first.slices) == (
        second.points,
        second.chosen,
        second.slices,
    )


def test_slices_together_are_the_whole() -> None:
    found = drawn()
    count = PEOPLE * FACES
    faces = tuple(
        replace(face(n), quality=(n % 10) / 10, box=(0.0, 0.0, 30.0 + n, 30.0 + n))
        for n in range(count)
    )
    known = LabelledFaces(faces, np.zeros((count, DIMS), dtype=np.float32), ("x",) * count)
    made = calibrate(found, known, rate=0.01, in_use=0.4)
    for by in ("size", "quality"):
        parts = [part for part in made.slices if part.by == by]
        assert len(parts) >= 3
        assert sum(part.tar.of for part in parts) == made.chosen.tar.of
        assert sum(part.far.of for part in parts) == made.chosen.far.of
        assert sum(part.far.accepted for part in parts) == made.chosen.far.accepted
    assert made.slices[0].name == "below 48 px"
