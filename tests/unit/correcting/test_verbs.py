"""What each correction says, whom it refuses, and what is in the way of taking it back."""

from __future__ import annotations

import pytest

from archive.correcting import (
    Act,
    Conflict,
    HeldFace,
    Outdated,
    Person,
    assign,
    begin,
    choose_cover,
    drawn,
    hide,
    live,
    merge,
    move,
    not_a_face,
    reject,
    rename,
    show,
    split,
    undo,
)
from archive.errors import Permanent
from archive.identity.events import DecidedBy, EventKind
from archive.identity.records import IdentityState
from archive.ids import FaceId, IdentityId, new_decision_id, new_face_id, new_identity_id
from tests.fakes.corrections import MemoryCorrections
from tests.fixtures.corrections import FACES, ME, MODEL, Attempt, Stage


@pytest.fixture
def desk() -> MemoryCorrections:
    """Three people of the matcher's: faces 0–2, 3–5, 6–7; face 8 is nobody's."""
    store = MemoryCorrections({face: number / 10 for number, face in enumerate(FACES)})
    Stage(store).populate()
    return store


@pytest.fixture
def people(desk: MemoryCorrections) -> list[IdentityId]:
    return list(desk.state.beginnings)


def whose(desk: MemoryCorrections, face: int) -> IdentityId | None:
    return held(desk, face).identity_id


def held(desk: MemoryCorrections, face: int) -> HeldFace:
    return desk.faces([FACES[face]])[FACES[face]]


def known(desk: MemoryCorrections, identity_id: IdentityId) -> Person:
    person = desk.person(identity_id)
    assert person is not None
    return person


def faces(*numbers: int) -> list[FaceId]:
    return [FACES[number] for number in numbers]


def test_a_merged_persons_faces_go_over_and_the_number_leads_there(
    desk: MemoryCorrections, people: list[IdentityId]
) -> None:
    a, b, _ = people
    merge(desk, [a], b, ME)
    assert len(desk.members(b)) == 6
    assert live(desk, a).identity.identity_id == b
    assert {held(desk, n).membership.decided_by for n in range(3)} == {DecidedBy.MATCHER}  # type: ignore[union-attr]
    assert desk.links().together(FACES[2]) == set(FACES[:6])
    assert merge(desk, [a], b, ME) is None


def test_a_name_that_only_the_absorbed_one_has_goes_over(
    desk: MemoryCorrections, people: list[IdentityId]
) -> None:
    a, b, c = people
    rename(desk, a, "  Anna ", ME)
    merge(desk, [a], b, ME)
    assert known(desk, b).identity.label == "Anna"
    rename(desk, c, "Carl", ME)
    merge(desk, [b], c, ME)
    assert known(desk, c).identity.label == "Carl"


def test_who_was_said_not_to_be_somebody_is_left_behind_by_a_merge(
    desk: MemoryCorrections, people: list[IdentityId]
) -> None:
    a, b, _ = people
    reject(desk, faces(0), b, ME)
    assert whose(desk, 0) == a
    merge(desk, [a], b, ME, binding=False)
    assert whose(desk, 0) is None
    assert whose(desk, 1) == b


def test_two_persons_kept_apart_by_a_split_are_not_merged_and_the_split_is_named(
    desk: MemoryCorrections, people: list[IdentityId]
) -> None:
    a = people[0]
    apart = split(desk, a, faces(0), ME)
    assert apart.begun is not None
    with pytest.raises(Conflict, match="split by somebody") as refusal:
        merge(desk, [a], apart.begun, ME)
    assert [each.decision for each in refusal.value.decisions] == [apart]
    undo(desk, apart.decision_id, ME)
    assert whose(desk, 0) == a
    assert known(desk, apart.begun).identity.state is IdentityState.WITHDRAWN
    with pytest.raises(Permanent, match="withdrawn"):
        live(desk, apart.begun)


def test_a_split_off_person_gets_the_next_number_and_that_is_never_given_again(
    desk: MemoryCorrections, people: list[IdentityId]
) -> None:
    first = split(desk, people[0], faces(0), ME)
    undo(desk, first.decision_id, ME)
    second = split(desk, people[0], faces(0), ME)
    assert first.begun is not None
    assert second.begun is not None
    assert known(desk, first.begun).identity.number == 4
    assert known(desk, second.begun).identity.number == 5


def test_only_some_of_a_persons_own_faces_are_split_off(
    desk: MemoryCorrections, people: list[IdentityId]
) -> None:
    with pytest.raises(Permanent, match="only some"):
        split(desk, people[0], faces(0, 1, 2), ME)
    with pytest.raises(Permanent, match="only some"):
        split(desk, people[0], faces(0, 3), ME)
    with pytest.raises(Permanent, match="into itself"):
        split(desk, people[0], faces(0), ME, into=people[0])


def test_a_rejected_face_is_nobodys_and_barred_from_them(
    desk: MemoryCorrections, people: list[IdentityId]
) -> None:
    a = people[0]
    reject(desk, faces(0), a, ME)
    assert whose(desk, 0) is None
    assert desk.links().barred(FACES[0], [face.face_id for face in desk.members(a)])
    assert reject(desk, faces(0), a, ME) is None


def test_two_faces_bound_to_each_other_are_rejected_together(
    desk: MemoryCorrections, people: list[IdentityId]
) -> None:
    a = people[0]
    begun = begin(desk, faces(6, 8), MODEL, ME).begun
    assert begun is not None
    merge(desk, [begun], a, ME, binding=False)
    with pytest.raises(Conflict, match="confirmed"):
        reject(desk, faces(6), a, ME)
    reject(desk, faces(6, 8), a, ME)
    assert (whose(desk, 6), whose(desk, 8)) == (None, None)
    assert len(desk.members(a)) == 3


def test_a_confirmed_face_is_a_persons_word_and_no_proposal_moves_it(
    desk: MemoryCorrections, people: list[IdentityId]
) -> None:
    a, b, _ = people
    confirmed = assign(desk, faces(0), a, ME)
    membership = held(desk, 0).membership
    assert membership is not None
    assert (membership.decided_by, membership.similarity) == (DecidedBy.PERSON, 0.75)
    with pytest.raises(Conflict, match="confirmed") as refusal:
        move(desk, {FACES[0]: b}, ME)
    assert [each.decision.decision_id for each in refusal.value.decisions] == [
        confirmed.decision_id if confirmed else None
    ]
    assert assign(desk, faces(0), a, ME) is None


def test_what_was_said_of_a_face_is_replaced_only_when_asked(
    desk: MemoryCorrections, people: list[IdentityId]
) -> None:
    a, b, _ = people
    assign(desk, faces(0), a, ME)
    states = [desk.state.values()]
    with pytest.raises(Conflict, match="confirmed"):
        assign(desk, faces(0), b, ME)
    replaced = [assign(desk, faces(0), b, ME, instead=True)]
    states.append(desk.state.values())
    assert whose(desk, 0) == b
    with pytest.raises(Conflict, match="confirmed"):
        reject(desk, faces(0), b, ME)
    replaced.append(reject(desk, faces(0), b, ME, instead=True))
    assert whose(desk, 0) is None
    for decision, before in zip(reversed(replaced), reversed(states), strict=True):
        assert decision is not None
        undo(desk, decision.decision_id, ME)
        assert desk.state.values() == before


def test_a_face_taken_out_of_a_merge_leaves_the_others_bound(
    desk: MemoryCorrections, people: list[IdentityId]
) -> None:
    a, b, _ = people
    merge(desk, [a], b, ME)
    with pytest.raises(Conflict, match="merged"):
        assign(desk, faces(3), people[2], ME)
    reject(desk, faces(3), b, ME, instead=True)
    links = desk.links()
    assert links.together(FACES[3]) == {FACES[3]}
    assert links.together(FACES[0]) == set(faces(0, 1, 2, 4, 5))
    assert links.barred(FACES[3], faces(0))


def test_a_proposal_moves_what_nobody_decided_and_a_second_time_nothing(
    desk: MemoryCorrections, people: list[IdentityId]
) -> None:
    a, b, _ = people
    proposal = {FACES[0]: b, FACES[3]: a, FACES[6]: None, FACES[1]: a}
    decision = move(desk, proposal, ME)
    assert decision is not None
    assert decision.kind is EventKind.MOVED
    assert len(decision.writes) == 3
    assert not desk.links()
    assert move(desk, proposal, ME) is None


def test_a_hidden_person_keeps_their_faces_and_is_shown_again(
    desk: MemoryCorrections, people: list[IdentityId]
) -> None:
    hide(desk, people, ME)
    assert {known(desk, each).identity.state for each in people} == {IdentityState.HIDDEN}
    assert len(desk.members(people[0])) == 3
    assert hide(desk, people, ME) is None
    show(desk, people[:1], ME)
    assert known(desk, people[0]).identity.state is IdentityState.VISIBLE


def test_a_cover_is_one_of_the_persons_own_faces(
    desk: MemoryCorrections, people: list[IdentityId]
) -> None:
    choose_cover(desk, people[0], FACES[1], ME)
    assert known(desk, people[0]).cover == FACES[1]
    with pytest.raises(Permanent, match="not one of"):
        choose_cover(desk, people[0], FACES[5], ME)
    choose_cover(desk, people[0], None, ME)
    assert known(desk, people[0]).cover is None


def test_what_is_no_face_is_nobodys_until_a_person_says_otherwise(
    desk: MemoryCorrections, people: list[IdentityId]
) -> None:
    decision = not_a_face(desk, faces(0), ME)
    assert decision is not None
    assert (held(desk, 0).suppressed, whose(desk, 0)) == (True, None)
    with pytest.raises(Conflict, match="not_a_face"):
        move(desk, {FACES[0]: people[1]}, ME)
    assign(desk, faces(0), people[1], ME)
    assert (held(desk, 0).suppressed, whose(desk, 0)) == (False, people[1])
    with pytest.raises(Conflict, match="confirmed"):
        undo(desk, decision.decision_id, ME)


def test_undoing_a_drawn_face_makes_it_none_and_lets_no_one_keep_it(
    desk: MemoryCorrections, people: list[IdentityId]
) -> None:
    drawing = drawn(desk, FACES[8], ME)
    stage = Stage(desk, list(people))
    stage.try_(Attempt("match", (8,), 0, 0))
    assert whose(desk, 8) == people[0]
    undo(desk, drawing.decision_id, ME)
    assert (held(desk, 8).suppressed, whose(desk, 8)) == (True, None)


def test_later_decisions_are_named_and_the_matcher_gives_way(
    desk: MemoryCorrections, people: list[IdentityId]
) -> None:
    a, b, _ = people
    merged = merge(desk, [a], b, ME)
    assert merged is not None
    Stage(desk, list(people)).try_(Attempt("match", (8,), 1, 0))
    later = [rename(desk, b, "Berta", ME), assign(desk, faces(0), b, ME)]
    with pytest.raises(Conflict, match="confirmed") as refusal:
        undo(desk, merged.decision_id, ME)
    assert [each.decision for each in refusal.value.decisions] == later[1:]
    assert later[1] is not None
    undo(desk, later[1].decision_id, ME)
    undo(desk, merged.decision_id, ME)
    assert (whose(desk, 0), whose(desk, 8)) == (a, b)
    assert known(desk, b).identity.label == "Berta"


def test_faces_that_joined_a_person_who_is_taken_back_are_free_again(
    desk: MemoryCorrections, people: list[IdentityId]
) -> None:
    apart = split(desk, people[0], faces(0), ME)
    assert apart.begun is not None
    Stage(desk, [apart.begun]).try_(Attempt("match", (8,), 0, 0))
    assert whose(desk, 8) == apart.begun
    undo(desk, apart.decision_id, ME)
    assert whose(desk, 8) is None


def test_only_what_a_person_decided_is_undone_and_only_once(
    desk: MemoryCorrections, people: list[IdentityId]
) -> None:
    with pytest.raises(Permanent, match="matcher"):
        undo(desk, desk.log[0].decision_id, ME)
    with pytest.raises(Permanent, match="no such decision"):
        undo(desk, new_decision_id(), ME)
    hidden = hide(desk, people[:1], ME)
    assert hidden is not None
    undo(desk, hidden.decision_id, ME)
    with pytest.raises(Conflict, match="undone already"):
        undo(desk, hidden.decision_id, ME)


def test_who_was_corrected_meanwhile_is_looked_at_again_first(
    desk: MemoryCorrections, people: list[IdentityId]
) -> None:
    seen = {people[0]: known(desk, people[0]).version}
    act = Act("somebody", "a test", seen)
    rename(desk, people[0], "Anna", act)
    with pytest.raises(Outdated, match="Anna was corrected meanwhile"):
        merge(desk, people[:1], people[1], act)
    assert known(desk, people[0]).identity.state is IdentityState.VISIBLE


def test_who_is_not_there_is_not_corrected(
    desk: MemoryCorrections, people: list[IdentityId]
) -> None:
    with pytest.raises(Permanent, match="no such identity"):
        hide(desk, [new_identity_id()], ME)
    with pytest.raises(Permanent, match="no face"):
        assign(desk, [new_face_id()], people[0], ME)
    with pytest.raises(Permanent, match="100 characters"):
        rename(desk, people[0], "a" * 101, ME)
