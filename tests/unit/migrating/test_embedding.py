"""Every face gets a vector or a reason, whatever happens to whoever embeds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from archive.ids import FaceId
from archive.migrating.embedding import CROP_LOST, NO_VECTOR, Embedded, embed_missing
from archive.migrating.ports import Migration, Wishes
from tests.unit.migrating.memory import BEFORE, Killed, Memory, Scripted, Shelves, face, vector_of
from tests.unit.test_identify import MODEL

numbers = st.frozensets(st.integers(1, 30))


def archive_of(faces: frozenset[int]) -> tuple[Memory, Migration]:
    store = Memory({face(n).face_id: face(n) for n in faces})
    return store, store.begin(BEFORE, MODEL, Wishes())


def embed(
    store: Memory, migration: Migration, shelves: Shelves, scripted: Scripted, batch: int
) -> Embedded:
    return asyncio.run(embed_missing(store, migration, scripted, shelves, batch=batch))


def contents(store: Memory) -> tuple[dict[FaceId, list[float]], dict[FaceId, str]]:
    return {key: vector.tolist() for key, vector in store.vectors.items()}, store.refused


def dying(at: list[int]) -> Iterator[bool]:
    """Say of each moment at which one may die whether one does."""
    for survived in at:
        yield from [False] * survived
        yield True
    while True:
        yield False


@given(
    faces=numbers,
    lost=numbers,
    spoilt=numbers,
    deaths=st.lists(st.integers(0, 6), max_size=6),
    batches=st.lists(st.integers(1, 7), min_size=7, max_size=7),
)
def test_killed_at_any_moment_and_run_again_it_comes_to_the_same(
    faces: frozenset[int],
    lost: frozenset[int],
    spoilt: frozenset[int],
    deaths: list[int],
    batches: list[int],
) -> None:
    shelves, scripted = Shelves(lost), Scripted(spoilt)
    whole, migration = archive_of(faces)
    embed(whole, migration, shelves, scripted, batch=128)

    store, migration = archive_of(faces)
    dies = dying(deaths)

    def kill() -> None:
        if next(dies):
            raise Killed

    store.kill = kill
    for batch in batches:
        with suppress(Killed):
            embed(store, migration, shelves, scripted, batch)

    assert contents(store) == contents(whole)
    embed(store, migration, shelves, scripted, batch=3)
    assert contents(store) == contents(whole)


@given(faces=numbers, later=numbers, batch=st.integers(1, 5))
def test_faces_found_meanwhile_are_embedded_too_however_old_they_look(
    faces: frozenset[int], later: frozenset[int], batch: int
) -> None:
    store, migration = archive_of(faces)
    coming = iter(sorted(later, key=lambda n: (n % 3, -n)))

    def arrive() -> None:
        for number in coming:
            store.faces[face(number).face_id] = face(number)
            return

    store.on_lacking = arrive
    assert embed(store, migration, Shelves(), Scripted(), batch).complete

    assert {face(n).face_id for n in faces} <= store.faces.keys()
    assert store.vectors.keys() == store.faces.keys()


def test_what_cannot_be_embedded_has_a_reason_and_stops_nothing() -> None:
    store, migration = archive_of(frozenset({1, 2, 3, 4}))

    scripted = Scripted(frozenset({3}), frozenset({4}), unseen=frozenset({1}))
    result = embed(store, migration, Shelves(frozenset({2})), scripted, batch=4)

    assert store.refused == {
        face(2).face_id: CROP_LOST,
        face(3).face_id: "corrupt",
        face(4).face_id: NO_VECTOR,
    }
    assert (result.done, result.estimated, result.refused.total()) == (1, 1, 3)
    assert result.complete
    np.testing.assert_array_equal(store.vectors[face(1).face_id], vector_of(1))


def test_it_stops_between_two_batches_when_its_time_is_over() -> None:
    store, migration = archive_of(frozenset(range(1, 10)))
    done: list[int] = []

    result = asyncio.run(
        embed_missing(
            store,
            migration,
            Scripted(),
            Shelves(),
            is_over=lambda: len(done) == 2,
            on_batch=done.append,
            batch=3,
        )
    )

    assert (result.done, result.complete) == (6, False)
    assert done == [3, 3]
