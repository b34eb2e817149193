"""`identity.match`: a face against a million stored faces of 20 000 people, exactly.

The stored faces are in the gallery as the matcher keeps them; a few thousand others are matched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from time import perf_counter
from typing import Final

import numpy as np

from archive.identity.gallery import Gallery, portrait
from archive.identity.matching import Match, Scores, choose, nearest_exemplars, score
from archive.identity.records import FaceVector, Vectors
from archive.identity.rules import Rules
from benchmarks.claims import PAIRS, Measurement, claim
from benchmarks.identity_world import MILLION, World, make_world
from resources.vision.models import look_up

PROBES: Final = 4_000
SINGLES: Final = 300


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A gallery, and faces to match that are not in it.

    Attributes:
        people: The person of each identity, by number.
        truth: The person of each probe.
    """

    gallery: Gallery
    people: Sequence[int]
    probes: Vectors
    faces: Sequence[FaceVector]
    truth: Sequence[int]
    rules: Rules
    stored: int


@claim(
    "identity.match",
    title="faces matched in bulk, 1 million stored faces of 20 000 people",
    unit="faces/s",
    bar=2_000,
    absolute=True,
)
def measure(quick: bool) -> Measurement:  # noqa: FBT001
    """Match all probes at once, the decision included."""
    stage = _stage(quick)
    rates = tuple(len(stage.probes) / _seconds(stage) for _ in range(PAIRS))
    return Measurement(rates, (), _detail(stage))


@claim(
    "identity.match.exhaustive",
    title="the same, against comparing every exemplar of everybody",
    unit="faces/s",
    bar=1.0,
)
def measure_peer(quick: bool) -> Measurement:  # noqa: FBT001
    """Compare with the same rule without centres first, on some of the probes."""
    stage = _stage(quick)
    some = _part(stage, 0, 1_000)
    ours, peer = [], []
    for _ in range(PAIRS):
        ours.append(len(some.probes) / _seconds(some))
        began = perf_counter()
        _exhaustive(some)
        peer.append(len(some.probes) / (perf_counter() - began))
    return Measurement(tuple(ours), tuple(peer), _detail(stage))


@claim(
    "identity.match.single",
    title="one face at a time, 95th percentile",
    unit="ms",
    bar=10,
    better="lower",
    absolute=True,
)
def measure_single(quick: bool) -> Measurement:  # noqa: FBT001
    """Match probes one by one."""
    stage = _stage(quick)
    seconds = []
    for row in range(SINGLES):
        seconds.append(_seconds(_part(stage, row, row + 1)))
    return Measurement((float(np.percentile(seconds, 95)) * 1000.0,), (), _detail(stage))


@claim(
    "identity.match.exact",
    title="decisions equal to those of comparing every exemplar of everybody",
    unit="share",
    bar=0.999,
    absolute=True,
)
def measure_exact(quick: bool) -> Measurement:  # noqa: FBT001
    """Decide about each probe both ways."""
    stage = _stage(quick)
    ours = _decide(stage, score(stage.probes, stage.gallery, stage.rules))
    every = _decide(stage, _exhaustive(stage))
    equal = [one == other for one, other in zip(_named(ours), _named(every), strict=True)]
    joined = [(m, person) for m, person in zip(ours, stage.truth, strict=True) if m is not None]
    right = sum(stage.people[match.identity] == person for match, person in joined)
    return Measurement(
        (float(np.mean(equal)),),
        (),
        f"{_detail(stage)}; {len(joined) / len(ours):.3f} of the probes join somebody, "
        f"{right / len(joined):.4f} of these the right person",
    )


def _seconds(stage: Stage) -> float:
    began = perf_counter()
    _decide(stage, score(stage.probes, stage.gallery, stage.rules))
    return perf_counter() - began


def _decide(stage: Stage, found: Scores) -> list[Match | None]:
    """Let each face choose by its scores, as a pass does."""
    by_row: dict[int, list[tuple[int, float]]] = {}
    entries = (found.rows.tolist(), found.identities.tolist(), found.values.tolist())
    for row, identity, value in zip(*entries, strict=True):
        by_row.setdefault(row, []).append((identity, value))
    return [
        choose(row, by_row.get(row, ()), stage.rules.need(face), stage.rules.margin)
        for row, face in enumerate(stage.faces)
    ]


def _named(matches: Sequence[Match | None]) -> list[int | None]:
    return [None if match is None else match.identity for match in matches]


def _exhaustive(stage: Stage) -> Scores:
    """Score all probes for everybody by all exemplars, leaving out only what is too low to join."""
    gallery, parts = stage.gallery, []
    count = len(gallery)
    flat = gallery.exemplars[:count].reshape(count * gallery.exemplars.shape[1], -1)
    for start in range(0, len(stage.probes), 100):
        block = stage.probes[start : start + 100]
        centre = block @ gallery.centres[:count].T
        near = (block @ flat.T).reshape(len(block), count, -1)
        # The three nearest may reach the floor only where the nearest does.
        could = (near.max(axis=2) + centre) / 2.0 >= stage.rules.floor - 1e-4
        rows, identities = np.nonzero(could)
        top = nearest_exemplars(stage.probes, gallery, rows + start, identities)
        values = np.round((top + np.round(centre[rows, identities], 5)) / 2.0, 5)
        good = values >= np.float32(stage.rules.floor)
        parts.append(Scores(rows[good] + start, identities[good], values[good]))
    return Scores(
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.identities for part in parts]),
        np.concatenate([part.values for part in parts]),
    )


@cache
def _stage(quick: bool) -> Stage:  # noqa: FBT001
    spec = replace(MILLION, faces=100_000, people=2_000) if quick else MILLION
    world = make_world(spec)
    rules = Rules.of(look_up("buffalo_l").thresholds, min_faces=3)
    rng = np.random.default_rng(1)
    usable = np.flatnonzero(world.quality >= rules.min_quality)
    probes = rng.choice(usable, PROBES, replace=False)
    stored = np.setdiff1d(usable, probes)
    people, gallery = _portrayed(world, stored, spec.dims)
    chosen = world.take(probes)
    return Stage(
        gallery=gallery,
        people=people,
        probes=chosen.vectors,
        faces=chosen.face_set().faces,
        truth=chosen.person.tolist(),
        rules=rules,
        stored=len(stored),
    )


def _portrayed(world: World, stored: np.ndarray, dims: int) -> tuple[list[int], Gallery]:
    """Portray everybody by the faces that are stored, a person's at a time."""
    order = stored[np.argsort(world.person[stored], kind="stable")]
    people, begins = np.unique(world.person[order], return_index=True)
    gallery = Gallery([], dims)
    for number, rows in enumerate(np.split(order, begins[1:])):
        gallery.put(number, portrait(world.take(rows).face_set()))
    return people.tolist(), gallery


def _part(stage: Stage, first: int, end: int) -> Stage:
    return replace(
        stage,
        probes=stage.probes[first:end],
        faces=stage.faces[first:end],
        truth=stage.truth[first:end],
    )


def _detail(stage: Stage) -> str:
    gib = (stage.gallery.centres.nbytes + stage.gallery.exemplars.nbytes) / 2**30
    return (
        f"generated, 512-d: {stage.stored} stored faces of {len(stage.gallery)} people, "
        f"{len(stage.probes)} others matched; a gallery of {gib:.2f} GiB"
    )
