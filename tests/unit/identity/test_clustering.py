"""All faces grouped at once: what people said is kept, and order plays no part."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.identity.clustering import cluster, may_begin
from archive.identity.constraints import Link, LinkKind, Links
from archive.identity.records import FaceSet
from archive.ids import ContentKey, DecisionId, FaceId, IdentityId
from tests.unit.identity.worlds import RULES, around, directions, face, of_people, world

NOBODY = Links()


def groups(faces: FaceSet, labels: np.ndarray) -> set[frozenset[ContentKey]]:
    """Give who is together with whom, by the pictures that show them."""
    found: dict[int, set[ContentKey]] = {}
    for one, label in zip(faces.faces, labels.tolist(), strict=True):
        found.setdefault(label, set()).add(one.content_key)
    return {frozenset(group) for group in found.values()}


def link(faces: FaceSet, one: int, other: int, kind: LinkKind) -> Link:
    ids = faces.faces[one].face_id, faces.faces[other].face_id
    return Link.between(*ids, kind, DecisionId(UUID(int=1)))


@pytest.mark.parametrize("seed", range(5))
def test_each_person_is_a_group(seed: int) -> None:
    faces, people = world([12, 7, 4, 3, 2, 1, 1], seed)
    labels = cluster(faces, RULES, NOBODY).tolist()
    assert len(set(labels)) == 7
    assert len(set(zip(labels, people, strict=True))) == 7


def test_nobody_is_no_group() -> None:
    nothing = FaceSet((), np.empty((0, 0), dtype=np.float32), ())
    assert cluster(nothing, RULES, NOBODY).tolist() == []


def test_groups_are_numbered_by_their_earliest_face() -> None:
    faces, _ = world([3, 3, 3], seed=1)
    labels = cluster(faces, RULES, NOBODY).tolist()
    assert list(dict.fromkeys(labels)) == [0, 1, 2]


@given(seed=st.integers(0, 20), data=st.data())
def test_neither_order_nor_names_nor_old_identities_change_the_groups(
    seed: int, data: st.DataObject
) -> None:
    faces, _ = world([6, 5, 3, 1], seed, likeness=0.5)
    rows = list(range(len(faces)))
    some = data.draw(st.lists(st.sampled_from(list(combinations(rows, 2))), max_size=4))
    kinds = data.draw(st.lists(st.sampled_from(LinkKind), min_size=4, max_size=4))
    order = data.draw(st.permutations(rows))
    shift = data.draw(st.integers(1, 1 << 40))
    said = [link(faces, *two, kind) for two, kind in dict(zip(some, kinds, strict=False)).items()]
    other = faces.take(order)
    renamed = FaceSet(
        tuple(replace(f, face_id=FaceId(UUID(int=f.face_id.int ^ shift))) for f in other.faces),
        other.vectors,
        tuple(IdentityId(UUID(int=n % 3 + 1)) for n in order),
    )
    said_again = [
        Link.between(
            FaceId(UUID(int=each.face_id.int ^ shift)),
            FaceId(UUID(int=each.other_face_id.int ^ shift)),
            each.kind,
            each.decision_id,
        )
        for each in said
    ]
    before = groups(faces, cluster(faces, RULES, Links(said)))
    assert groups(renamed, cluster(renamed, RULES, Links(said_again))) == before


@given(seed=st.integers(0, 20), data=st.data())
def test_what_people_said_is_kept_and_parting_goes_before_joining(
    seed: int, data: st.DataObject
) -> None:
    faces, _ = world([5, 4, 3, 1], seed, likeness=0.6)
    poor = tuple(replace(f, quality=0.3) if n % 3 == 0 else f for n, f in enumerate(faces.faces))
    faces = FaceSet(poor, faces.vectors, faces.assigned)
    pairs = list(combinations(range(len(faces)), 2))
    said = data.draw(st.dictionaries(st.sampled_from(pairs), st.sampled_from(LinkKind), max_size=9))
    links = Links(link(faces, *two, kind) for two, kind in said.items())
    labels = cluster(faces, RULES, links).tolist()
    label_of = {f.face_id: label for f, label in zip(faces.faces, labels, strict=True)}
    for group in links.components():
        assert len({label_of[face_id] for face_id in group}) == 1
    for face_id in label_of:
        parted = links.parted_from(face_id)
        assert label_of[face_id] not in {label_of[other] for other in parted - {face_id}}


def test_two_who_are_alike_stay_two_where_photos_show_them_side_by_side() -> None:
    first, second = directions(2, np.random.default_rng(3))
    sister = 0.8 * first + 0.6 * second
    faces, people = of_people(around(first, 6, 0.8, 1), around(sister, 6, 0.8, 2))
    assert len(set(cluster(faces, RULES, NOBODY).tolist())) == 1
    boxes = [(200.0 * (n // 6), 0.0, 200.0 * (n // 6) + 110.0, 130.0) for n in range(12)]
    together = FaceSet(
        tuple(
            replace(face, content_key=faces.faces[n % 6].content_key, box=boxes[n])
            for n, face in enumerate(faces.faces)
        ),
        faces.vectors,
        faces.assigned,
    )
    labels = cluster(together, RULES, NOBODY).tolist()
    assert len(set(zip(labels, people, strict=True))) == len(set(labels)) == 2


def test_a_poor_face_joins_whom_it_clearly_is_and_makes_no_group() -> None:
    first, second = directions(2, np.random.default_rng(4))
    blurred = around(second, 3, 0.9, 7)
    known = around(first, 5, 0.7, 5)
    faces, _ = of_people(known, around(first, 1, 0.6, 6), blurred)
    poor = tuple(replace(f, quality=0.25) if n >= 5 else f for n, f in enumerate(faces.faces))
    labels = cluster(FaceSet(poor, faces.vectors, faces.assigned), RULES, NOBODY).tolist()
    assert labels == [0, 0, 0, 0, 0, 0, 1, 2, 3]


def test_copies_of_one_picture_begin_nobody() -> None:
    copies = [replace(face(n), phash=n % 2) for n in range(5)]
    others = [replace(face(n), phash=(1 << 60) - 1 << n % 2 * 3) for n in range(5, 7)]
    assert not may_begin([*copies, *others], RULES)
    assert may_begin([*copies, *others, face(8)], RULES)
    assert not may_begin([*copies, *others, face(8, quality=0.3)], RULES)
