"""What pairwise and BCubed agreement must do, whatever the faces."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import normalized_mutual_info_score

from archive.identity.metrics import Agreement, bcubed, churn, mutual_information, pairwise

Measure = Callable[..., Agreement]
Faces = list[tuple[int, int | None]]

MEASURES = [pairwise, bcubed]
labels = st.lists(
    st.tuples(st.integers(0, 4), st.one_of(st.none(), st.integers(0, 4))), max_size=30
)


def test_bcubed_of_a_worked_example() -> None:
    # Faces 1–3 of one person, 4 of another; found: {1, 2}, {3, 4}.
    # Precision (1 + 1 + 1/2 + 1/2) / 4, recall (2/3 + 2/3 + 1/3 + 1) / 4.
    agreement = bcubed("aaab", "xxyy")
    assert (agreement.precision, agreement.recall) == pytest.approx((3 / 4, 2 / 3))


def test_pairwise_of_a_worked_example() -> None:
    agreement = pairwise("aaab", "xxyy")
    assert (agreement.precision, agreement.recall) == pytest.approx((1 / 2, 1 / 3))


@pytest.mark.parametrize("measure", MEASURES)
def test_no_faces_are_a_perfect_answer(measure: Measure) -> None:
    assert measure([], []).f == 1.0


@pytest.mark.parametrize("measure", MEASURES)
def test_faces_without_identity_are_alone_and_not_together(measure: Measure) -> None:
    assert measure("aab", [None, None, None]) == measure("aab", [1, 2, 3])


@pytest.mark.parametrize("measure", MEASURES)
@given(faces=labels)
def test_the_truth_itself_is_perfect(measure: Measure, faces: Faces) -> None:
    truth = [person for person, _ in faces]
    assert measure(truth, truth).f == 1.0


@pytest.mark.parametrize("measure", MEASURES)
@given(faces=labels)
def test_what_identities_are_called_does_not_matter(measure: Measure, faces: Faces) -> None:
    truth, found = [p for p, _ in faces], [i for _, i in faces]
    renamed = [None if i is None else f"identity {-i}" for i in found]
    assert measure(truth, found) == measure(truth, renamed)


@pytest.mark.parametrize("measure", MEASURES)
@given(faces=labels)
def test_precision_one_way_is_recall_the_other_way(measure: Measure, faces: Faces) -> None:
    truth, found = [p for p, _ in faces], [(i, p) for p, i in faces]
    there, back = measure(truth, found), measure(found, truth)
    assert there.precision == pytest.approx(back.recall)
    assert there.recall == pytest.approx(back.precision)


@pytest.mark.parametrize("measure", MEASURES)
@given(faces=labels)
def test_every_share_lies_between_nothing_and_all(measure: Measure, faces: Faces) -> None:
    agreement = measure([p for p, _ in faces], [i for _, i in faces])
    assert 0.0 <= agreement.precision <= 1.0
    assert 0.0 <= agreement.recall <= 1.0
    assert 0.0 <= agreement.f <= 1.0


def test_labels_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        bcubed("aa", "x")


@given(faces=labels)
def test_mutual_information_is_what_scikit_learn_calls_so(faces: Faces) -> None:
    truth, found = [p for p, _ in faces], [i for _, i in faces]
    alone = [100 + n if i is None else i for n, i in enumerate(found)]
    ours = mutual_information(truth, found)
    # They call two partitions without any information equal or not; we say equal.
    if len({*truth}) > 1 or len({*alone}) > 1:
        assert ours == pytest.approx(normalized_mutual_info_score(truth, alone), abs=1e-9)
    else:
        assert ours == 1.0


def test_an_identity_churned_when_most_of_its_faces_are_called_otherwise() -> None:
    before = ["a", "a", "a", "b", "b", "c", None]
    after = ["a", "a", "b", "b", None, "a", "c"]
    counted = churn(before, after)
    assert counted.changed == {"c"}
    assert counted.share == pytest.approx(1 / 3)


@given(faces=labels)
def test_nobody_churns_where_nothing_changes(faces: Faces) -> None:
    found = [i for _, i in faces]
    assert churn(found, found).share == 0.0
