"""`identity.search`: who is like a face, among a million."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from archive.identity.records import Vectors
from archive.searching import EVERYTHING, search
from benchmarks.claims import PAIRS, Measurement, claim
from benchmarks.identity_store import MODEL, filled_store, number_of
from benchmarks.identity_world import MILLION, make_world
from resources.store.database import Database
from resources.store.search import FaceSearchStore
from resources.store.search_index import index_name, make_missing_index

QUICK_FACES: Final = 50_000
PROBES: Final = 500
PEER_PROBES: Final = 5
LIMIT: Final = 10
_BLOCK: Final = 100_000

_SIZES = """
SELECT pg_relation_size(to_regclass(%s)), pg_table_size('embeddings')
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one run saw.

    Attributes:
        p95: 95th percentile of our times in ms, one a round over all probes.
        recall: Share of probes whose nearest face is of the same person.
        exact_recall: The same where every face is compared.
        peer: The same search without an index, median in ms.
        detail: What it was measured on.
    """

    p95: tuple[float, ...]
    recall: float
    exact_recall: float
    peer: float
    detail: str


@claim(
    "identity.search",
    title="the nearest people and faces of a new face among a million, 95th percentile",
    unit="ms",
    bar=30,
    better="lower",
    absolute=True,
)
def measure(quick: bool) -> Measurement:  # noqa: FBT001
    """Measure the whole use case: nearest faces, nearest people, the messages that show them."""
    seen = _seen(quick)
    return Measurement(seen.p95, (), f"{seen.detail}; every face compared takes {seen.peer:.0f} ms")


@claim(
    "identity.search.recall",
    title="the nearest face found is of the same person, in the same searches",
    unit="share",
    bar=0.97,
    absolute=True,
)
def measure_recall(quick: bool) -> Measurement:  # noqa: FBT001
    """Compare with the answers of an exact comparison, which are not all of that person either."""
    seen = _seen(quick)
    return Measurement(
        (seen.recall,), (), f"{seen.detail}; every face compared finds {seen.exact_recall:.3f}"
    )


@cache
def _seen(quick: bool) -> Seen:  # noqa: FBT001
    """Fill a store, index and search it, once for both claims."""
    share = QUICK_FACES / MILLION.faces if quick else 1.0
    world = make_world(
        replace(MILLION, faces=int(MILLION.faces * share), people=int(MILLION.people * share))
    )
    rows = np.random.default_rng(5).choice(len(world), PROBES, replace=False)
    stored = np.ones(len(world), dtype=np.bool_)
    stored[rows] = False
    probes, of = world.vectors[rows], world.person[rows] + 1
    vectors, people = world.vectors[stored], world.person[stored] + 1
    exact = _share(people[_exact(probes, vectors)], of)
    with filled_store(vectors, people) as database:
        begun = time.perf_counter()
        make_missing_index(database, MODEL)
        made = time.perf_counter() - begun
        ours = [_search(FaceSearchStore(database), probes) for _ in range(PAIRS)]
        peer, _ = _search(FaceSearchStore(database, broad=None), probes[:PEER_PROBES])
        return Seen(
            tuple(float(np.percentile(times, 95)) for times, _ in ours),
            _share(people[ours[0][1]], of),
            exact,
            float(np.median(peer)),
            _detail(database, len(vectors), len(set(people.tolist())), made, ours[0][0]),
        )


def _search(
    store: FaceSearchStore, probes: Vectors
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Search for each probe; give the times in ms and the rows of the nearest faces."""
    times, nearest = [], []
    for probe in probes:
        begun = time.perf_counter()
        found = search(store, probe, MODEL, EVERYTHING, limit=LIMIT)
        times.append((time.perf_counter() - begun) * 1000)
        nearest.append(number_of(found.faces[0].face_id) - 1)
    return np.array(times), np.array(nearest, dtype=np.intp)


def _exact(probes: Vectors, vectors: Vectors) -> NDArray[np.intp]:
    """Compare everything; give the row nearest to each probe."""
    best = np.full(len(probes), -2.0, dtype=np.float32)
    rows = np.zeros(len(probes), dtype=np.intp)
    for start in range(0, len(vectors), _BLOCK):
        cosines = probes @ vectors[start : start + _BLOCK].T
        here = cosines.argmax(axis=1)
        value = cosines[np.arange(len(probes)), here]
        better = value > best
        best[better], rows[better] = value[better], start + here[better]
    return rows


def _share(found: NDArray[np.intp], right: NDArray[np.intp]) -> float:
    return float(np.mean(found == right))


def _detail(
    database: Database, faces: int, people: int, made: float, times: NDArray[np.float64]
) -> str:
    with database.transaction() as connection:
        row = connection.execute(_SIZES, (index_name(MODEL),)).fetchone()
    index, table = row or (0, 0)
    return (
        f"a generated store of {faces:,} faces of {people:,} people, 512-d, {PROBES} faces that it "
        f"does not hold; median {np.median(times):.1f} ms; the index was made in {made:.0f} s on "
        f"one core and has {index / 1e9:.2f} GB, the vectors {table / 1e9:.2f} GB"
    )
