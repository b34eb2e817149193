"""What the made-up archives promise to those who are measured on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from archive.identity.rules import NEAR_COPY_BITS, phash_distance
from benchmarks.identity_world import DEFAULT, SIBLINGS, make_world, unit, von_mises_fisher

SMALL = replace(DEFAULT, faces=600, people=60)


def test_a_seed_gives_the_same_world_and_another_seed_another() -> None:
    one, again, other = (make_world(s) for s in (SMALL, SMALL, replace(SMALL, seed=9)))
    np.testing.assert_array_equal(one.vectors, again.vectors)
    assert one.face_set().faces == again.face_set().faces
    assert not np.array_equal(one.vectors[:50], other.vectors[:50])


def test_vectors_have_norm_one_and_every_person_a_face() -> None:
    world = make_world(SMALL)
    assert np.linalg.norm(world.vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert set(world.person.tolist()) == set(range(60))
    assert len({one.face_id for one in world.face_set().faces}) == len(world)


@pytest.mark.parametrize("cosine", [0.3, 0.6, 0.95])
def test_draws_around_a_mean_have_the_asked_cosine(cosine: float) -> None:
    rng = np.random.default_rng(1)
    means = np.repeat(unit(rng.standard_normal((1, 128))), 4000, axis=0)
    drawn = von_mises_fisher(means, np.full(4000, cosine), rng)
    assert float((drawn @ means[0]).mean()) == pytest.approx(cosine, abs=0.01)


def test_siblings_are_more_alike_than_strangers_and_less_than_one_person() -> None:
    world = make_world(replace(SIBLINGS, faces=1500, people=60))
    cosines = world.vectors @ world.vectors.T
    good = world.quality > 0.4
    clear = good[:, None] & good
    same = world.person[:, None] == world.person
    kin = (world.person[:, None] % 20 == world.person % 20) & ~same
    strangers, siblings, selves = (
        np.median(cosines[pairs & clear]) for pairs in (~same & ~kin, kin, same)
    )
    assert strangers < 0.05 < siblings - 0.2
    assert siblings < selves - 0.15
    photos, faces = np.unique(world.photo, return_counts=True)
    assert len(photos) < len(world)
    assert faces.max() == 2


def test_some_photos_are_near_copies_of_another() -> None:
    world = make_world(SMALL)
    order = np.argsort(world.event, kind="stable")
    hashes, events = world.phash[order].tolist(), world.event[order].tolist()
    near = [
        phash_distance(a, b) <= NEAR_COPY_BITS and e == f
        for a, b, e, f in zip(hashes, hashes[1:], events, events[1:], strict=False)
    ]
    assert 5 <= sum(near) <= 60
