"""Laws of a whole pass, over made-up worlds."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.identity.constraints import Link, LinkKind, Links
from archive.identity.deciding import decide
from archive.identity.metrics import bcubed
from archive.identity.records import FaceSet
from archive.ids import DecisionId, FaceId, IdentityId
from tests.unit.identity.worlds import (
    RULES,
    applied,
    around,
    directions,
    everyone,
    face,
    of_people,
    partition,
    world,
)

sizes = st.lists(st.integers(1, 9), min_size=1, max_size=6)
seeds = st.integers(0, 10_000)
likenesses = st.floats(0.35, 0.9)
faces_needed = st.integers(1, 4)
thorough = settings(max_examples=60, deadline=None)


def new_id() -> IdentityId:
    return IdentityId(uuid4())


def after(faces: FaceSet, min_faces: int = 3) -> FaceSet:
    return applied(faces, decide(faces, replace(RULES, min_faces=min_faces), new_id))


@thorough
@given(sizes, seeds, likenesses, faces_needed)
def test_the_order_of_faces_does_not_matter(
    sizes: list[int], seed: int, likeness: float, min_faces: int
) -> None:
    faces, _ = world(sizes, seed, likeness)
    order = np.random.default_rng(seed + 1).permutation(len(faces)).tolist()
    assert partition(after(faces.take(order), min_faces)) == partition(after(faces, min_faces))


@thorough
@given(sizes, seeds, likenesses, faces_needed)
def test_the_ids_of_faces_and_identities_do_not_matter(
    sizes: list[int], seed: int, likeness: float, min_faces: int
) -> None:
    faces, _ = world(sizes, seed, likeness)
    half = after(faces.take(range(len(faces) // 2)), min_faces)
    assigned = (*half.assigned, *(None,) * (len(faces) - len(half)))
    mapping = {identity: new_id() for identity in assigned if identity is not None}
    relabelled = FaceSet(
        tuple(replace(f, face_id=FaceId(UUID(int=2**100 - f.face_id.int))) for f in faces.faces),
        faces.vectors,
        tuple(None if identity is None else mapping[identity] for identity in assigned),
    )
    before = after(FaceSet(faces.faces, faces.vectors, assigned), min_faces)
    names_back = FaceSet(faces.faces, faces.vectors, after(relabelled, min_faces).assigned)
    assert partition(names_back) == partition(before)


@thorough
@given(sizes, seeds, likenesses, faces_needed)
def test_a_second_pass_changes_nothing(
    sizes: list[int], seed: int, likeness: float, min_faces: int
) -> None:
    once = after(world(sizes, seed, likeness)[0], min_faces)
    again = decide(once, replace(RULES, min_faces=min_faces), new_id)
    assert everyone(again) == []
    assert again.unassigned == again.probes


@thorough
@given(sizes, seeds, likenesses, faces_needed)
def test_no_face_is_decided_twice_and_every_face_is_counted(
    sizes: list[int], seed: int, likeness: float, min_faces: int
) -> None:
    faces, _ = world(sizes, seed, likeness)
    decisions = decide(faces, replace(RULES, min_faces=min_faces), new_id)
    joined = [joining.face_id for joining in everyone(decisions)]
    assert len(joined) == len(set(joined))
    assert decisions.probes == len(faces) == len(joined) + decisions.unassigned


@thorough
@given(sizes, seeds, faces_needed)
def test_an_identity_begins_with_as_many_faces_as_asked_for(
    sizes: list[int], seed: int, min_faces: int
) -> None:
    faces, _ = world(sizes, seed)
    decisions = decide(faces, replace(RULES, min_faces=min_faces), new_id)
    assert {len(founding.core) for founding in decisions.foundings} <= {min_faces}
    rows = {f.face_id: i for i, f in enumerate(faces.faces)}
    for founding in decisions.foundings:
        core = faces.vectors[[rows[joining.face_id] for joining in founding.core]]
        assert (core @ core.T).min() >= RULES.found - 1e-6


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_faces_that_come_in_batches_end_where_they_end_at_once(seed: int) -> None:
    faces, people = world([9, 7, 5, 4, 3, 1, 1], seed)
    in_order = faces.in_order()
    known = in_order.take([])
    for upto in (6, 12, 18, 24, len(faces)):
        more = in_order.take(range(len(known), upto))
        known = after(
            FaceSet(
                known.faces + more.faces,
                np.concatenate([known.vectors, more.vectors]),
                known.assigned + more.assigned,
            )
        )
    person_of = dict(zip([f.face_id for f in faces.faces], people, strict=True))
    truth = [person_of[f.face_id] for f in known.faces]
    at_once = after(in_order)
    assert bcubed(truth, known.assigned).f == pytest.approx(
        bcubed(truth, at_once.assigned).f, abs=0.02
    )


def test_an_archive_without_faces_has_no_people() -> None:
    nothing = FaceSet((), np.empty((0, 0), dtype=np.float32), ())
    assert decide(nothing, RULES, new_id).probes == 0


def test_faces_that_all_have_identities_stay_as_they_are() -> None:
    faces, _ = world([4, 4], 1)
    done = after(faces)
    assert None not in done.assigned
    assert everyone(decide(done, RULES, new_id)) == []


def test_a_face_set_whose_parts_differ_in_length_is_refused() -> None:
    with pytest.raises(ValueError, match="one vector"):
        FaceSet((face(0),), np.empty((2, 4), dtype=np.float32), (None,))


def test_rules_that_found_more_easily_than_they_accept_are_refused() -> None:
    with pytest.raises(ValueError, match="found >= accept"):
        replace(RULES, accept=0.9)


def said(faces: FaceSet, kind: LinkKind, *pairs: tuple[int, int]) -> list[Link]:
    """Link faces by their rows; every link is a decision of its own."""
    return [
        Link.between(faces.faces[a].face_id, faces.faces[b].face_id, kind, DecisionId(uuid4()))
        for a, b in pairs
    ]


def together(faces: FaceSet, one: int, other: int) -> bool:
    return faces.assigned[one] is not None and faces.assigned[one] == faces.assigned[other]


@thorough
@given(sizes, seeds, likenesses, faces_needed, st.data())
def test_what_people_said_is_never_violated(
    sizes: list[int], seed: int, likeness: float, min_faces: int, data: st.DataObject
) -> None:
    faces, _ = world(sizes, seed, likeness)
    rows = st.integers(0, len(faces) - 1)
    drawn = data.draw(st.dictionaries(st.tuples(rows, rows), st.sampled_from(LinkKind), max_size=8))
    by_pair = {
        (link.face_id, link.other_face_id): link
        for (a, b), kind in drawn.items()
        if a != b
        for link in said(faces, kind, (a, b))
    }
    links = Links(by_pair.values())
    rules = replace(RULES, min_faces=min_faces)
    once = applied(faces, decide(faces, rules, new_id, links))
    identity_of = dict(zip([f.face_id for f in once.faces], once.assigned, strict=True))
    members: dict[IdentityId, list[FaceId]] = {}
    for face_id, identity in identity_of.items():
        if identity is not None:
            members.setdefault(identity, []).append(face_id)
    for company in members.values():
        assert not any(links.barred(face_id, company) for face_id in company)
    for group in links.components():
        assert len({identity_of[face_id] for face_id in group}) == 1
    again = decide(once, rules, new_id, links)
    assert everyone(again) == []


def test_a_face_follows_the_one_it_must_be_with_however_unlike_it_is() -> None:
    faces, _ = world([5, 1], seed=1, likeness=0.9)
    alone = next(i for i, identity in enumerate(after(faces).assigned) if identity is None)
    friend = (alone + 1) % 6
    links = Links(said(faces, LinkKind.MUST, (alone, friend)))
    decided = applied(faces, decide(faces, RULES, new_id, links))
    assert together(decided, alone, friend)
    assert len(set(decided.assigned)) == 1


def test_a_face_that_was_parted_from_somebody_does_not_join_them() -> None:
    faces, _ = world([6], seed=1, likeness=0.9)
    links = Links(said(faces, LinkKind.CANNOT, (0, 1)))
    decided = applied(faces, decide(faces, RULES, new_id, links))
    assert not together(decided, 0, 1)
    assert sum(identity is None for identity in decided.assigned) == 1


def test_who_must_not_be_with_somebody_may_still_be_with_the_second_best() -> None:
    axes = directions(2, np.random.default_rng(3))
    between = 0.75 * axes[0] + 0.66 * axes[1]
    faces, _ = of_people(
        around(axes[0], 4, 0.95, 1), around(axes[1], 4, 0.95, 2), around(between, 1, 0.999, 3)
    )
    assert together(after(faces), 8, 0)
    links = Links(said(faces, LinkKind.CANNOT, (8, 0)))
    decided = applied(faces, decide(faces, RULES, new_id, links))
    assert together(decided, 8, 4)
    assert not together(decided, 8, 0)


def test_a_core_holds_nobody_who_must_be_apart() -> None:
    faces, _ = world([3], seed=1, likeness=0.95)
    links = Links(said(faces, LinkKind.CANNOT, (0, 2)))
    assert decide(faces, RULES, new_id, links).foundings == ()


def test_faces_that_must_be_together_come_along_when_one_of_them_founds() -> None:
    faces, _ = world([3, 1, 1], seed=1, likeness=0.95)
    lonely = [i for i, identity in enumerate(after(faces).assigned) if identity is None]
    founder = next(i for i in range(5) if i not in lonely)
    links = Links(said(faces, LinkKind.MUST, (founder, lonely[0]), (lonely[0], lonely[1])))
    decided = applied(faces, decide(faces, RULES, new_id, links))
    assert len(set(decided.assigned)) == 1
    assert None not in decided.assigned
