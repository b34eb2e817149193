"""How a model's thresholds and the owner's wishes become one set of rules."""

from __future__ import annotations

import pytest

from archive.faces.records import ModelThresholds
from archive.identity.records import Identity
from archive.identity.rules import Rules, phash_distance
from archive.ids import new_identity_id
from tests.unit.identity.worlds import RULES, face

MODEL = ModelThresholds(
    accept=0.38,
    margin=0.05,
    found=0.45,
    min_quality=0.1,
    min_quality_to_found=0.4,
    min_face_pixels=20,
    min_face_pixels_to_found=48,
)


def test_without_wishes_the_model_decides() -> None:
    rules = Rules.of(MODEL, min_faces=3)
    assert (rules.accept, rules.found, rules.min_quality) == (0.38, 0.45, 0.1)


def test_an_own_threshold_replaces_the_model_s_and_lifts_founding_with_it() -> None:
    rules = Rules.of(MODEL, min_faces=3, accept=0.6)
    assert (rules.accept, rules.found) == (0.6, pytest.approx(0.67))
    assert Rules.of(MODEL, min_faces=3, accept=0.98).found == 1.0


def test_a_lower_threshold_leaves_founding_where_it_was() -> None:
    assert Rules.of(MODEL, min_faces=3, accept=0.2).found == 0.45


def test_an_own_lowest_quality_holds_for_founding_too() -> None:
    rules = Rules.of(MODEL, min_faces=3, min_quality=0.7)
    assert (rules.min_quality, rules.min_quality_to_found) == (0.7, 0.7)


def test_size_is_the_shorter_side() -> None:
    assert face(0, box=(0.0, 0.0, 30.0, 90.0)).pixels == 30.0
    assert not RULES.may_found(face(0, box=(0.0, 0.0, 30.0, 90.0)))


def test_a_clear_face_needs_more_than_one_that_cannot_show_its_likeness() -> None:
    needs = [RULES.need(face(0, quality=q)) for q in (0.2, 0.4, 0.6, 0.75, 1.0)]
    assert needs == sorted(needs)
    assert needs[1] == 0.4
    assert needs[-2] == 0.5
    assert 0.4 < needs[2] < 0.5


@pytest.mark.parametrize("accept", [0.1, 0.4, 0.92, 1.0])
def test_no_face_needs_less_than_accept_nor_more_than_founding(accept: float) -> None:
    rules = Rules.of(MODEL, min_faces=3, accept=accept)
    needs = [rules.need(face(0, quality=quality / 10)) for quality in range(11)]
    assert all(rules.accept <= need <= rules.found <= rules.sure <= 1.0 for need in needs)
    assert rules.gate <= rules.floor <= rules.accept


def test_no_faces_at_all_cannot_found_anybody() -> None:
    with pytest.raises(ValueError, match="min_faces"):
        Rules.of(MODEL, min_faces=0)


@pytest.mark.parametrize(("first", "second", "bits"), [(0, 0, 0), (0, -1, 64), (-1, 1, 63)])
def test_hashes_are_compared_as_64_bits_whatever_their_sign(
    first: int, second: int, bits: int
) -> None:
    assert phash_distance(first, second) == bits


def test_an_identity_is_called_by_its_number_until_it_has_a_name() -> None:
    assert Identity(new_identity_id(), 7).title == "Person 7"
    assert Identity(new_identity_id(), 7, label="Grandma").title == "Grandma"
