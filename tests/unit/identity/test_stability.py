"""Identities live on when faces are grouped anew, and a proposal says all that would change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from uuid import UUID, uuid5

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from archive.identity.constraints import Link, LinkKind, Links
from archive.identity.proposals import Part, PartKind, Proposal, compare
from archive.identity.records import FaceSet
from archive.identity.stability import Newcomer, Place, Succession, succeed
from archive.ids import DecisionId, FaceId, IdentityId
from tests.unit.identity.worlds import RULES, face

A, B, C, D = (IdentityId(UUID(int=number)) for number in (101, 102, 103, 104))
PEOPLE = [None, A, B, C, D]


@dataclass(frozen=True)
class Case:
    """Faces with whom they are assigned to, how they are grouped, and what people said."""

    faces: FaceSet
    groups: list[int]
    links: Links
    pinned: frozenset[IdentityId]
    held: frozenset[FaceId]

    def succession(self) -> Succession:
        return succeed(
            self.faces, self.groups, RULES, self.links, pinned=self.pinned, held=self.held
        )


def faces_of(assigned: Sequence[IdentityId | None]) -> FaceSet:
    faces = tuple(face(number) for number in range(len(assigned)))
    return FaceSet(faces, np.zeros((len(faces), 4), dtype=np.float32), tuple(assigned))


def case(
    assigned: Sequence[IdentityId | None],
    groups: Sequence[int],
    *,
    pinned: Sequence[IdentityId] = (),
    held: Sequence[int] = (),
    parted: Sequence[tuple[int, int]] = (),
) -> Case:
    faces = faces_of(assigned)
    ids = [one.face_id for one in faces.faces]
    decision = DecisionId(UUID(int=1))
    links = Links(
        Link.between(ids[one], ids[other], LinkKind.CANNOT, decision) for one, other in parted
    )
    return Case(faces, list(groups), links, frozenset(pinned), frozenset(ids[n] for n in held))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw any state whose links hold, and groups that keep them."""
    count = draw(st.integers(0, 14))
    assigned = draw(st.lists(st.sampled_from(PEOPLE), min_size=count, max_size=count))
    groups = draw(st.lists(st.integers(0, 4), min_size=count, max_size=count))
    faces = faces_of(assigned)
    ids = [one.face_id for one in faces.faces]
    pairs = list(combinations(range(count), 2))
    decision = DecisionId(UUID(int=1))
    said = draw(st.lists(st.sampled_from(pairs), max_size=5, unique=True)) if pairs else []
    links = []
    for one, other in said:
        alike = assigned[one] == assigned[other] and groups[one] == groups[other]
        differ = groups[one] != groups[other] and (assigned[one] != assigned[other])
        if alike or differ:
            kind = LinkKind.MUST if alike else LinkKind.CANNOT
            links.append(Link.between(ids[one], ids[other], kind, decision))
    held = draw(st.frozensets(st.sampled_from(range(count)), max_size=4)) if count else frozenset()
    pinned = draw(st.frozensets(st.sampled_from([A, B, C, D]), max_size=3))
    return Case(
        faces,
        groups,
        Links(links),
        pinned,
        frozenset(ids[row] for row in held if assigned[row] is not None),
    )


def settled(before: Case, turn: int = 0) -> Case:
    """Give the case with what was proposed carried out."""

    def named(place: Place) -> IdentityId | None:
        if isinstance(place, Newcomer):
            return IdentityId(uuid5(UUID(int=7), f"{turn} {place.number}"))
        return place

    places = tuple(named(place) for place in before.succession().places)
    faces = FaceSet(before.faces.faces, before.faces.vectors, places)
    return replace(before, faces=faces)


def kinds(parts: Sequence[Part]) -> list[tuple[PartKind, tuple[IdentityId, ...], Place, int]]:
    return [(part.kind, part.sources, part.target, len(part.faces)) for part in parts]


def parts_of(one: Case) -> tuple[Part, ...]:
    return compare(one.faces, one.succession())


def test_an_identity_lives_on_where_most_of_it_is_and_the_rest_moves_there() -> None:
    one = case([A, A, A, B, B, B, B, None], [1, 1, 1, 1, 2, 2, 2, 1])
    assert kinds(parts_of(one)) == [(PartKind.MOVE, (B,), A, 1), (PartKind.JOIN, (), A, 1)]


def test_the_smaller_of_two_in_one_group_ends_in_the_larger() -> None:
    one = case([A, A, B, B, B], [1, 1, 1, 1, 1])
    assert kinds(parts_of(one)) == [(PartKind.MERGE, (A,), B, 2)]


def test_somebody_with_a_name_ends_in_nobody_however_small() -> None:
    one = case([A, A, B, B, B, C], [1] * 6, pinned=[A])
    assert kinds(parts_of(one)) == [(PartKind.MERGE, (B,), A, 3), (PartKind.MERGE, (C,), A, 1)]


def test_two_with_names_in_one_group_stay_two() -> None:
    assert parts_of(case([A, A, B, B, B], [1] * 5, pinned=[A, B])) == ()


def test_two_whom_a_person_parted_stay_two() -> None:
    assert parts_of(case([A, A, B, B, B], [1] * 5, parted=[(0, 4)])) == ()


def test_two_who_end_in_a_third_must_not_be_parted_from_each_other() -> None:
    one = case([A, B, C, C, C], [1] * 5, parted=[(0, 1)])
    assert kinds(parts_of(one)) == [(PartKind.MERGE, (A,), C, 1)]


def test_a_second_person_within_an_identity_begins_one_if_there_is_enough_of_them() -> None:
    split = case([A] * 7, [1, 1, 1, 1, 2, 2, 2])
    assert kinds(parts_of(split)) == [(PartKind.SPLIT, (A,), None, 3)]
    assert parts_of(case([A] * 6, [1, 1, 1, 1, 2, 2])) == ()


def test_what_a_person_put_somewhere_stays_there() -> None:
    one = case([A, A, A, A, B, B], [1, 1, 1, 2, 2, 2], held=[3])
    assert parts_of(one) == ()


def test_faces_that_nobody_had_begin_somebody() -> None:
    one = case([None] * 5, [1, 1, 1, 2, 2])
    assert kinds(parts_of(one)) == [(PartKind.FOUND, (), None, 3)]


def test_a_proposal_says_in_a_line_what_it_would_change() -> None:
    one = case([A, A, B, B, B, None, None, None, None], [1, 1, 1, 1, 1, 1, 2, 2, 2])
    proposal = Proposal("made up", 9, parts_of(one), {}, {})
    assert proposal.summary == "1 merge, 1 face moves, 1 new person"
    assert [part.number for part in proposal.parts] == [1, 2, 3]
    assert Proposal("made up", 0, (), {}, {}).summary == "nothing changes"


@given(one=cases())
def test_names_stay_whose_they_are(one: Case) -> None:
    succession = one.succession()
    had = set(one.faces.assigned) & one.pinned
    assert had <= set(succession.places)
    assert not one.pinned & succession.mergers.keys()


@given(one=cases())
def test_what_a_person_decided_stays_or_goes_where_the_whole_identity_goes(one: Case) -> None:
    succession = one.succession()
    for each, old, new in zip(one.faces.faces, one.faces.assigned, succession.places, strict=True):
        if each.face_id in one.held and old is not None:
            assert new == succession.mergers.get(old, old)


@given(one=cases())
def test_parted_faces_do_not_meet(one: Case) -> None:
    place_of = {
        each.face_id: place
        for each, place in zip(one.faces.faces, one.succession().places, strict=True)
    }
    for face_id, place in place_of.items():
        assert place is None or place not in {
            place_of[other] for other in one.links.parted_from(face_id)
        }


@given(one=cases())
def test_what_was_carried_out_is_not_proposed_again(one: Case) -> None:
    without_cannots = replace(
        one, links=Links(link for link in one.links if link.kind is LinkKind.MUST)
    )
    assert parts_of(settled(without_cannots)) == ()


@given(one=cases())
def test_proposing_and_applying_comes_to_an_end(one: Case) -> None:
    # A face that leaves may have been all that parted two, who can be one afterwards.
    for turn in range(4):
        one = settled(one, turn)
    assert parts_of(one) == ()


@given(one=cases())
def test_the_parts_together_say_all_that_changes(one: Case) -> None:
    succession = one.succession()
    moved = {face_id for part in parts_of(one) for face_id in part.faces}
    changed = {
        each.face_id
        for each, old, new in zip(
            one.faces.faces, one.faces.assigned, succession.places, strict=True
        )
        if old != new
    }
    assert moved == changed
