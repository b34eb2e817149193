"""`identity.churn`: who is called otherwise after all faces were grouped anew.

An archive is grouped while a tenth of its faces has not arrived yet, half of the people get a
name, the tenth arrives and everything is grouped again. Whoever keeps less than half of the faces
under the id churned, mergers included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid5

import numpy as np

from archive.identity.clustering import cluster
from archive.identity.constraints import Links
from archive.identity.metrics import Churn, bcubed, churn
from archive.identity.records import FaceSet
from archive.identity.rules import Rules
from archive.identity.stability import Newcomer, Place, succeed
from archive.ids import IdentityId
from benchmarks.claims import Measurement, claim
from benchmarks.identity_world import DEFAULT, SIBLINGS, World, WorldSpec, make_world
from resources.vision.models import look_up

SEEDS = (31, 32, 33)
LATE = 0.1
NAMED = 0.5
_IDS = UUID(int=1)

Assigned = tuple[IdentityId | None, ...]


@claim(
    "identity.churn",
    title="identities that change id when a tenth of the faces is new and all are grouped again",
    unit="% of identities",
    bar=1,
    better="lower",
    absolute=True,
)
def measure(quick: bool) -> Measurement:  # noqa: FBT001
    """Measure the worlds without and with siblings; a name that changes hands fails the claim."""
    shares, told = [], []
    for spec in (DEFAULT, SIBLINGS):
        for seed in SEEDS[: 1 if quick else None]:
            counted, names, quality = _grouped_twice(replace(spec, seed=seed))
            shares.append(float("inf") if names else 100.0 * counted.share)
            kind = "siblings" if spec.siblings else "default"
            told.append(
                f"{kind} seed {seed}: {len(counted.changed)} of {counted.of} changed, "
                f"{names} named, BCubed F {quality:.4f}"
            )
    # The worst of all worlds, not the usual one.
    return Measurement((max(shares),), (), "worst of: " + "; ".join(told))


def _grouped_twice(spec: WorldSpec) -> tuple[Churn, int, float]:
    """Return the churn, how many of it had a name, and BCubed F at the end."""
    rules = Rules.of(look_up("buffalo_l").thresholds, min_faces=3)
    world = make_world(spec)
    world = world.take(np.flatnonzero(world.quality >= rules.min_quality))
    rng = np.random.default_rng(spec.seed)
    early = rng.uniform(size=len(world)) >= LATE
    first = _settled(_faces(world, np.flatnonzero(early)), rules, frozenset())
    people = sorted({one for one in first if one is not None})
    named = frozenset(one for one in people if rng.uniform() < NAMED)
    before: list[IdentityId | None] = [None] * len(world)
    for row, identity in zip(np.flatnonzero(early).tolist(), first, strict=True):
        before[row] = identity
    everybody = FaceSet(world.face_set().faces, world.vectors, tuple(before))
    after = _settled(everybody, rules, named)
    counted = churn(before, after)
    return counted, len(counted.changed & named), bcubed(world.person.tolist(), after).f


def _faces(world: World, rows: Sequence[int] | np.ndarray) -> FaceSet:
    return world.take(np.asarray(rows, dtype=np.intp)).face_set()


def _settled(faces: FaceSet, rules: Rules, pinned: frozenset[IdentityId]) -> Assigned:
    """Group faces and carry out all that follows."""
    nobody = Links()
    groups = cluster(faces, rules, nobody).tolist()
    succession = succeed(faces, groups, rules, nobody, pinned=pinned, held=frozenset())
    return tuple(_named(place, len(faces)) for place in succession.places)


def _named(place: Place, turn: int) -> IdentityId | None:
    return (
        IdentityId(uuid5(_IDS, f"{turn} {place.number}")) if isinstance(place, Newcomer) else place
    )
