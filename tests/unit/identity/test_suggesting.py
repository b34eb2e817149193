"""Questions about people: the right ones, the most useful first, and none that was answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.identity.constraints import Link, LinkKind, Links
from archive.identity.doubting import FaceQuestion, uncertain
from archive.identity.gathering import Gathering
from archive.identity.records import FaceSet, Vectors
from archive.identity.suggesting import merges, mixed, one_person
from archive.ids import FaceId, new_decision_id, new_identity_id
from benchmarks.identity_world import WorldSpec, make_world
from tests.unit.identity.worlds import DIMS, RULES, around, directions, face, unit

AXES = directions(8, np.random.default_rng(1))
IDS = [new_identity_id() for _ in range(8)]


def assigned(
    *groups: tuple[Vectors, int | None], links: Sequence[Link] = (), by_hand: Sequence[int] = ()
) -> Gathering:
    """Give one photo a vector; each group is of the identity of that number, or nobody's."""
    faces = tuple(face(n) for n in range(sum(len(vectors) for vectors, _ in groups)))
    whose = tuple(None if who is None else IDS[who] for vectors, who in groups for _ in vectors)
    return gathered(
        FaceSet(faces, np.concatenate([vectors for vectors, _ in groups]), whose),
        links=links,
        by_hand=by_hand,
    )


def gathered(faces: FaceSet, links: Sequence[Link] = (), by_hand: Sequence[int] = ()) -> Gathering:
    decided = [face_id(n) for n in by_hand]
    return Gathering.of(faces, RULES, by_hand=decided, links=Links(links))


def face_id(number: int) -> FaceId:
    return face(number).face_id


def link(one: int, other: int, kind: LinkKind) -> Link:
    return Link.between(face_id(one), face_id(other), kind, new_decision_id())


def towards(cosine: float, axis: int = 0, away: int = 7) -> Vectors:
    """Give a vector of this cosine to a person's axis."""
    return unit((cosine * AXES[axis] + np.sqrt(1.0 - cosine**2) * AXES[away])[None])


def alike(axis: int, count: int, seed: int = 0, likeness: float = 0.8) -> Vectors:
    return around(AXES[axis], count, likeness, seed)


def test_a_person_in_two_pieces_is_asked_about_and_others_are_not() -> None:
    everybody = assigned((alike(0, 6), 0), (alike(0, 4, 1), 1), (alike(1, 5), 2))
    (question,) = merges(everybody, RULES)
    assert (question.larger, question.smaller, question.faces) == (IDS[0], IDS[1], 4)
    assert question.uncertainty > 0.9
    assert question.gain == pytest.approx(4 * question.uncertainty)


def test_the_merge_that_puts_most_faces_right_comes_first() -> None:
    everybody = assigned(
        (alike(0, 6), 0), (alike(0, 3, 1), 1), (alike(1, 20), 2), (alike(1, 15, 1), 3)
    )
    assert [question.faces for question in merges(everybody, RULES)] == [15, 3]


def test_nobody_is_asked_again_who_said_that_two_are_not_one() -> None:
    groups = (alike(0, 6), 0), (alike(0, 4, 1), 1)
    assert merges(assigned(*groups, links=[link(0, 7, LinkKind.CANNOT)]), RULES) == []


def test_a_word_about_one_face_holds_for_all_that_must_be_with_it() -> None:
    groups = (alike(0, 6), 0), (alike(0, 4, 1), 1), (alike(0, 1, 2), None)
    links = [link(10, 2, LinkKind.CANNOT), link(10, 8, LinkKind.MUST)]
    assert merges(assigned(*groups, links=links), RULES) == []


def test_two_who_stand_side_by_side_are_less_likely_one() -> None:
    ones, others = alike(0, 4, 0, 0.5), alike(0, 4, 1, 0.5)
    faces = [face(n) for n in range(8)]
    apart = FaceSet(tuple(faces), np.concatenate([ones, others]), (IDS[0],) * 4 + (IDS[1],) * 4)
    beside = [replace(faces[4 + n], content_key=faces[n].content_key) for n in range(4)]
    together = replace(apart, faces=(*faces[:4], *beside))
    (question,) = merges(gathered(apart), RULES)
    assert merges(gathered(together), RULES) == []
    assert question.uncertainty > 0.5


def test_an_identity_of_two_people_falls_into_them() -> None:
    everybody = assigned(
        (np.concatenate([alike(0, 9), alike(1, 3)]), 0), (alike(2, 10, likeness=0.55), 1)
    )
    (question,) = mixed(everybody, RULES)
    assert question.identity == IDS[0]
    assert set(question.part) == {face_id(n) for n in (9, 10, 11)}
    assert set(question.rest) <= {face_id(n) for n in range(9)}
    assert question.uncertainty > 0.9


def test_one_odd_face_or_one_odd_photo_is_no_second_person() -> None:
    odd = assigned((np.concatenate([alike(0, 9), alike(1, 1)]), 0))
    assert mixed(odd, RULES) == []
    vectors = np.concatenate([alike(0, 9), alike(1, 2)])
    faces = [face(n) for n in range(11)]
    faces[10] = replace(faces[10], content_key=faces[9].content_key)
    assert mixed(gathered(FaceSet(tuple(faces), vectors, (IDS[0],) * 11)), RULES) == []


def test_who_was_said_to_be_one_person_is_not_asked_about_again() -> None:
    group = np.concatenate([alike(0, 9), alike(1, 3)]), 0
    assert mixed(assigned(group, links=[link(2, 10, LinkKind.MUST)]), RULES) == []
    assert mixed(assigned(group, links=[link(2, 3, LinkKind.MUST)]), RULES) != []


def test_a_face_just_below_what_it_needs_is_asked_about() -> None:
    everybody = assigned((alike(0, 8, likeness=0.97), 0), (towards(0.49), None))
    (question,) = uncertain(everybody, RULES)
    assert (question.face_id, question.identity, question.placed) == (face_id(8), IDS[0], False)
    assert question.rival is None
    assert question.score < RULES.need(face(8))
    assert 0.1 < question.uncertainty <= 0.5


def test_a_face_that_was_placed_wrongly_is_asked_about() -> None:
    everybody = assigned((np.concatenate([alike(0, 8), towards(0.3)]), 0))
    (question,) = uncertain(everybody, RULES)
    assert (question.face_id, question.placed) == (face_id(8), True)
    assert question.uncertainty > 0.9


def test_a_face_between_two_people_is_asked_about_and_names_both() -> None:
    between = unit((AXES[0] + 0.97 * AXES[1])[None])
    groups = (alike(0, 6, 0, 0.97), 0), (alike(1, 6, 0, 0.97), 1), (between, None)
    (question,) = uncertain(assigned(*groups), RULES)
    assert {question.identity, question.rival} == {IDS[0], IDS[1]}
    assert question.score > RULES.need(face(12))


def test_what_a_person_placed_and_what_was_answered_is_not_asked() -> None:
    wrong = np.concatenate([alike(0, 8), towards(0.3)]), 0
    assert uncertain(assigned(wrong, by_hand=[8]), RULES) == []
    near = (alike(0, 8, likeness=0.97), 0), (towards(0.49), None)
    assert uncertain(assigned(*near, links=[link(8, 3, LinkKind.CANNOT)]), RULES) == []
    assert uncertain(assigned(*near, links=[link(8, 3, LinkKind.MUST)]), RULES) == []


def test_faces_that_would_follow_an_answer_are_one_question() -> None:
    burst = np.concatenate([towards(0.49), towards(0.488), towards(0.486)])
    alone = towards(0.49, away=6)
    found = uncertain(
        assigned((alike(0, 8, likeness=0.97), 0), (burst, None), (alone, None)), RULES
    )
    assert [question.faces for question in found] == [3, 1]
    assert [gain(question) for question in found] == sorted(map(gain, found), reverse=True)


def gain(question: FaceQuestion) -> float:
    return question.gain


def test_whose_a_face_is_between_two_that_may_be_one_is_no_question() -> None:
    everybody = assigned((alike(0, 6), 0), (alike(0, 6, 1), 1))
    assert len(merges(everybody, RULES)) == 1
    assert uncertain(everybody, RULES) == []


def test_nothing_is_asked_where_there_is_nobody() -> None:
    nobody = FaceSet((), np.empty((0, DIMS), dtype=np.float32), ())
    for queue in (merges, mixed, uncertain):
        assert queue(gathered(nobody), RULES) == []
        assert queue(assigned((alike(0, 3), None)), RULES) == []


def test_the_order_of_faces_plays_no_part() -> None:
    groups = (alike(0, 6), 0), (alike(0, 4, 1), 1), (np.concatenate([alike(1, 7), alike(2, 3)]), 2)
    whole = assigned(*groups).faces
    order = np.random.default_rng(3).permutation(len(whole)).tolist()
    for queue in (merges, mixed, uncertain):
        asked = queue(gathered(whole.take(order)), RULES)
        assert asked == queue(gathered(whole), RULES)


@given(st.floats(-1.0, 1.0), st.floats(-1.0, 1.0))
def test_more_evidence_makes_one_person_likelier(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0.0 <= one_person(low, RULES) <= one_person(high, RULES) <= 1.0
    assert one_person(RULES.margin, RULES) == pytest.approx(0.88, abs=0.01)


def test_where_evidence_is_evenly_split_nobody_knows() -> None:
    assert float(one_person(0.0, RULES)) == 0.5
    assert float(one_person(0.001, replace(RULES, margin=0.0))) > 0.99


def test_in_a_made_up_archive_every_mistake_is_asked_about_before_anything_else() -> None:
    world = make_world(WorldSpec(faces=1_500, people=60, seed=4))
    whole = world.face_set()
    sizes = np.bincount(world.person)
    largest = np.argsort(-sizes, kind="stable")[2:14].tolist()
    wrong = world.person.copy()
    for new, person in enumerate(largest[:4], start=len(sizes)):
        wrong[np.flatnonzero(world.person == person)[::3]] = new
    for one, other in zip(largest[4:8], largest[8:12], strict=True):
        wrong[world.person == other] = one
    ids = [new_identity_id() for _ in range(len(sizes) + 4)]
    everybody = gathered(replace(whole, assigned=tuple(ids[person] for person in wrong)))
    asked = merges(everybody, RULES)[:4]
    assert {frozenset((q.larger, q.smaller)) for q in asked} == {
        frozenset((ids[person], ids[new]))
        for new, person in enumerate(largest[:4], start=len(sizes))
    }
    assert {q.identity for q in mixed(everybody, RULES)[:4]} == {ids[one] for one in largest[4:8]}
