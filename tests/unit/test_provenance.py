"""Vectors keep their model's name wherever they go, and those of two never meet."""

import pickle
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.provenance import MixedModels, made_by, model_of, one_model

OURS = made_by("ours", np.eye(3, dtype=np.float32))
THEIRS = made_by("theirs", np.eye(3, dtype=np.float32))
PLAIN = np.eye(3, dtype=np.float32)


@pytest.mark.parametrize(
    "meet",
    [
        lambda a, b: a @ b.T,
        lambda a, b: a[0] @ b[0],
        lambda a, b: a - b,
        lambda a, b: np.matmul(a[None], b[None]),
        lambda a, b: np.dot(a, b),
        lambda a, b: np.inner(a, b),
        lambda a, b: np.einsum("ij,kj", a, b),
        lambda a, b: np.concatenate([a, b]),
        lambda a, b: np.vstack((a, b)),
        lambda a, b: np.stack([*a, *b]),
        lambda a, b: np.add(a, PLAIN, out=b),
    ],
)
def test_whatever_brings_two_models_together_is_refused(
    meet: Callable[[object, object], object],
) -> None:
    with pytest.raises(MixedModels, match=r"'ours'.*'theirs'"):
        meet(OURS.copy(), THEIRS.copy())
    meet(OURS.copy(), OURS.copy())


@pytest.mark.parametrize(
    "part",
    [
        lambda a: a[1:],
        lambda a: a[[2, 0]],
        lambda a: a[a.any(axis=1)],
        lambda a: a[0],
        lambda a: a.T,
        lambda a: a.copy(),
        lambda a: a.astype(np.float64),
        lambda a: np.vstack([a, PLAIN]),
        lambda a: np.split(a, [1])[0],
        lambda a: pickle.loads(pickle.dumps(a)),
    ],
)
def test_a_part_or_a_copy_is_still_of_its_model(part: Callable[[object], object]) -> None:
    assert model_of(part(OURS)) == "ours"


def test_what_comes_of_arithmetic_is_a_plain_array() -> None:
    for result in (OURS @ OURS.T, OURS.mean(axis=0), np.round(OURS, 2), np.linalg.norm(OURS)):
        assert model_of(result) == ""


def test_arithmetic_in_place_keeps_the_array_and_its_name() -> None:
    mine = OURS.copy()
    mine /= np.float32(2)
    assert (model_of(mine), float(mine[0, 0])) == ("ours", 0.5)


@given(st.lists(st.sampled_from([OURS, THEIRS, PLAIN]), max_size=6))
def test_several_are_of_one_model_or_refused(several: list[np.ndarray]) -> None:
    names = {model_of(each) for each in several} - {""}
    if len(names) > 1:
        with pytest.raises(MixedModels):
            one_model(*several)
    else:
        assert one_model(*several) == "".join(names)
