"""Searching over a store in memory: who is told, in which order, and what is said of no one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import pytest

from archive.errors import Permanent
from archive.faces.records import Box, Embedding
from archive.identity.records import Identity
from archive.ids import ContentKey, FaceId, IdentityId
from archive.searching import (
    EVERYTHING,
    LOOKED_AT,
    LikeFace,
    Nearest,
    Sighting,
    Within,
    find_face,
    search,
    vector_of,
)

PROBE: Embedding = np.array([1, 0], dtype=np.float32)


def like(number: int, similarity: float, person: int | None = None) -> LikeFace:
    identity = None if person is None else Identity(IdentityId(UUID(int=person)), person)
    return LikeFace(
        FaceId(UUID(int=number)),
        similarity,
        ContentKey(f"sha256:{number:064x}"),
        0.0,
        Box(0, 0, 50, 50),
        identity,
    )


@dataclass
class Memory:
    """A store of faces whose likeness to the one probe is given."""

    faces: list[LikeFace]

    def nearest(
        self,
        probe: Embedding,
        model: str,
        within: Within,
        *,
        most: int,
    ) -> Nearest:
        ranked = sorted(self.faces, key=lambda face: -face.similarity)
        return Nearest(tuple(ranked[:most]), exact=True)

    def named(self, prefix: str, *, most: int) -> list[FaceId]:
        return [face.face_id for face in self.faces if face.face_id.hex.startswith(prefix)][:most]

    def vector(self, face_id: FaceId, model: str) -> Embedding | None:
        return None

    def sightings(self, face_ids: Collection[FaceId], within: Within) -> dict[FaceId, Sighting]:
        return {}


def test_people_come_by_their_nearest_face_and_each_once() -> None:
    store = Memory([like(1, 0.9, 7), like(2, 0.8, 8), like(3, 0.95, 8), like(4, 0.85)])

    found = search(store, PROBE, "m", limit=10)

    assert [(p.identity.number, p.similarity) for p in found.people] == [(8, 0.95), (7, 0.9)]
    assert [face.similarity for face in found.faces] == [0.95, 0.9, 0.85, 0.8]


def test_people_are_told_whose_faces_are_beyond_those_told() -> None:
    crowd = [like(number, 0.9, 1) for number in range(10, 10 + LOOKED_AT - 2)]
    store = Memory([*crowd, like(1, 0.5, 2), like(2, 0.4, 3)])

    found = search(store, PROBE, "m", limit=3)

    assert [person.identity.number for person in found.people] == [1, 2, 3]
    assert len(found.faces) == 3


def test_the_face_that_is_asked_about_is_not_told() -> None:
    store = Memory([like(1, 1.0, 1), like(2, 0.8, 1), like(3, 0.7)])

    found = search(store, PROBE, "m", limit=2, itself=FaceId(UUID(int=1)))

    assert [face.face_id.int for face in found.faces] == [2, 3]
    assert [(p.nearest.int, p.similarity) for p in found.people] == [(2, 0.8)]


def test_an_archive_without_people_still_tells_faces() -> None:
    found = search(Memory([like(1, 0.3)]), PROBE, "m", limit=5)

    assert (found.people, len(found.faces)) == ((), 1)


@pytest.mark.parametrize("text", ["abcdef", "ABCDEF-0", " abcdef00 "])
def test_a_face_is_named_by_the_beginning_of_its_id(text: str) -> None:
    face_id = FaceId(UUID(hex="abcdef00" + "0" * 24))
    store = Memory([like(face_id.int, 1.0), like(5, 1.0)])

    assert find_face(store, text) == face_id


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("abcde", "first six digits"),
        ("holiday.jpg", "no file and no face"),
        ("000000", "more digits"),
        ("ffffff", "has no face"),
    ],
)
def test_what_names_no_single_face_is_refused_with_the_way_out(text: str, said: str) -> None:
    with pytest.raises(Permanent, match=said):
        find_face(Memory([like(1, 1.0), like(2, 1.0)]), text)


def test_a_face_that_the_model_never_saw_cannot_be_searched_for() -> None:
    with pytest.raises(Permanent, match="embedded"):
        vector_of(Memory([]), FaceId(UUID(int=1)), "m")


def test_everything_is_everything() -> None:
    assert EVERYTHING.is_everything
