"""What people said of faces, closed: who must be together, who must not, and what contradicts."""

from __future__ import annotations

from itertools import combinations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.identity.constraints import Link, LinkKind, Links, pair
from archive.ids import DecisionId, FaceId

FACES = [FaceId(UUID(int=number)) for number in range(1, 9)]
PAIRS = list(combinations(FACES, 2))


def link(one: int, other: int, kind: LinkKind, decision: int = 1) -> Link:
    return Link.between(FACES[one], FACES[other], kind, DecisionId(UUID(int=decision)))


def must(one: int, other: int, decision: int = 1) -> Link:
    return link(one, other, LinkKind.MUST, decision)


def cannot(one: int, other: int, decision: int = 1) -> Link:
    return link(one, other, LinkKind.CANNOT, decision)


some_links = st.dictionaries(st.sampled_from(PAIRS), st.sampled_from(LinkKind), max_size=14).map(
    lambda said: [Link(*two, kind, DecisionId(UUID(int=1))) for two, kind in said.items()]
)


def test_a_link_names_its_faces_in_one_order_only() -> None:
    assert must(3, 1) == must(1, 3)
    with pytest.raises(ValueError, match="smaller id first"):
        Link(FACES[3], FACES[1], LinkKind.MUST, DecisionId(UUID(int=1)))
    with pytest.raises(ValueError, match="two faces"):
        must(2, 2)


def test_faces_linked_in_a_row_are_together() -> None:
    links = Links([must(4, 2), must(2, 0), must(5, 6)])
    assert links.together(FACES[4]) == {FACES[0], FACES[2], FACES[4]}
    assert links.group(FACES[4]) == FACES[0]
    assert links.together(FACES[7]) == {FACES[7]}
    assert [len(group) for group in links.components()] == [3, 2]


def test_a_face_is_barred_from_everyone_who_must_be_with_the_one_it_cannot_be_with() -> None:
    links = Links([must(0, 1), must(2, 3), cannot(1, 2)])
    assert links.barred(FACES[0], [FACES[7], FACES[3]])
    assert not links.barred(FACES[0], [FACES[1], FACES[7]])
    assert not links.barred(FACES[7], FACES[:7])
    assert links.parted_from(FACES[0]) == {FACES[2], FACES[3]}
    assert links.parted_pairs() == [(FACES[0], FACES[2])]


def test_nothing_is_read_of_the_members_for_a_face_without_links() -> None:
    def members() -> list[FaceId]:
        raise AssertionError("the members were asked for")

    def each() -> FaceId:
        return members()[0]

    links = Links([cannot(0, 1)])
    assert not links.barred(FACES[5], iter(each, None))


def test_a_contradiction_names_the_shortest_row_of_links_and_their_decisions() -> None:
    links = Links([must(0, 1, 1), must(1, 2, 2), must(2, 3, 3), must(3, 0, 4), cannot(0, 2, 5)])
    (found,) = links.contradictions()
    assert found.cannot == cannot(0, 2, 5)
    assert len(found.musts) == 2
    assert DecisionId(UUID(int=5)) in found.decisions
    assert len(found.decisions) == 3


def test_where_links_contradict_each_other_parting_goes_before_joining() -> None:
    links = Links([must(0, 1), must(1, 2), cannot(0, 2), must(5, 6), cannot(6, 7)])
    assert links.together(FACES[1]) == {FACES[1]}
    assert links.barred(FACES[0], [FACES[2]])
    assert not links.barred(FACES[0], [FACES[1]])
    assert links.barred(FACES[5], [FACES[7]])


def test_a_new_link_is_told_what_it_would_contradict() -> None:
    links = Links([must(0, 1, 1), cannot(1, 2, 2)])
    (found,) = links.against([must(0, 2, 3)])
    assert found.decisions == {DecisionId(UUID(int=number)) for number in (1, 2, 3)}
    assert links.against([must(0, 5)]) == []


def test_the_opposite_of_what_is_said_of_two_faces_contradicts_it() -> None:
    (found,) = Links([cannot(1, 2, 2)]).against([must(1, 2, 3)])
    assert found.decisions == {DecisionId(UUID(int=2)), DecisionId(UUID(int=3))}
    assert Links([must(1, 2, 2)]).against([must(1, 2, 3)]) == []


def test_what_contradicted_before_is_no_reason_against_a_new_link() -> None:
    links = Links([must(0, 1), must(1, 2), cannot(0, 2)])
    assert links.against([must(5, 6)]) == []


@given(some_links, st.randoms())
def test_the_order_of_links_plays_no_part(links: list[Link], random: object) -> None:
    shuffled = list(links)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = Links(links), Links(shuffled)
    assert one.components() == other.components()
    assert one.contradictions() == other.contradictions()
    assert one.parted_pairs() == other.parted_pairs()


@given(some_links)
def test_closing_is_what_walking_from_face_to_face_gives(given_links: list[Link]) -> None:
    links = Links(given_links)
    musts = {(m.face_id, m.other_face_id) for m in given_links if m.kind is LinkKind.MUST}
    cannots = {(c.face_id, c.other_face_id) for c in given_links if c.kind is LinkKind.CANNOT}

    def walk(start: FaceId) -> set[FaceId]:
        seen, open_ = {start}, [start]
        while open_:
            here = open_.pop()
            near = {face for face in FACES if here != face and pair(here, face) in musts}
            open_.extend(near - seen)
            seen |= near
        return seen

    inner = {two for two in cannots if two[1] in walk(two[0])}
    assert {(c.cannot.face_id, c.cannot.other_face_id) for c in links.contradictions()} == inner
    for face in FACES:
        component = walk(face)
        sound = not any(two[0] in component for two in inner)
        assert links.together(face) == (component if sound else {face})


@given(some_links)
def test_no_cannot_link_is_ever_inside_a_group(given_links: list[Link]) -> None:
    links = Links(given_links)
    for one in given_links:
        if one.kind is LinkKind.CANNOT:
            assert links.barred(one.face_id, [one.other_face_id])
            assert links.barred(one.other_face_id, [one.face_id])
    for group in links.components():
        assert not any(links.barred(face, group) for face in group)
