"""Importing people into a store in memory: whatever was said there and here, the laws hold."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.correcting import assign, choose_cover, hide, merge, reject, rename, undo
from archive.errors import Permanent
from archive.faces.records import Box
from archive.identity.constraints import LinkKind
from archive.identity.events import DecidedBy
from archive.identity.records import IdentityState
from archive.ids import ContentKey, FaceId, IdentityId
from archive.known_faces import KnownFace
from archive.portability import (
    Imported,
    PortedFace,
    PortedLink,
    PortedPeople,
    PortedPerson,
    import_people,
)
from tests.fakes.corrections import MemoryCorrections
from tests.fixtures.corrections import (
    FACES,
    ME,
    MODEL,
    VERBS,
    Attempt,
    Stage,
    attempts,
    require_harmony,
)

BOX = Box(10, 10, 110, 110)
SHIFTED = Box(15, 5, 115, 105)


@dataclass
class Archive:
    """Nine faces, each on a photo of its own, and what was decided about them."""

    without: frozenset[FaceId] = frozenset()
    stage: Stage = field(init=False)

    def __post_init__(self) -> None:
        here = [face for face in FACES if face not in self.without]
        self.desk = MemoryCorrections({f: 0.1 * n for n, f in enumerate(FACES) if f in here})
        self.stage = Stage(self.desk)

    def known_faces(self, keys: Collection[ContentKey]) -> Mapping[ContentKey, Sequence[KnownFace]]:
        return {
            content_of(face): [KnownFace(face, 0.0, SHIFTED, decided=True)]
            for face in self.desk.qualities
            if content_of(face) in keys
        }

    def ported(self) -> PortedPeople:
        state = self.desk.state
        standing = {each: state.standing(each) for each in state.beginnings}
        live = [each for each, s in standing.items() if s is not None and s.state.live]
        number = {each: state.beginnings[each].number for each in live}
        faces = []
        for face in FACES:
            held = state.membership(face)
            faces.append(
                PortedFace(
                    content_of(face),
                    0.0,
                    BOX,
                    number[held.identity_id] if held else None,
                    held.similarity if held else 1.0,
                    held.decided_by if held else DecidedBy.PERSON,
                    suppressed=state.suppressed(face),
                )
            )
        return PortedPeople(
            tuple(
                PortedPerson(
                    number[each],
                    state.label(each),
                    standing[each].state,
                    FACES.index(cover) if (cover := state.cover(each)) else None,
                )
                for each in sorted(live, key=number.__getitem__)
            ),
            tuple(faces),
            tuple(
                PortedLink(FACES.index(one.face_id), FACES.index(one.other_face_id), one.kind)
                for one in state.links()
            ),
        )

    def receive(self, ported: PortedPeople, *, dry_run: bool = False) -> Imported:
        return import_people(self, self.desk, ported, MODEL, ME, dry_run=dry_run)

    def groups(self) -> dict[frozenset[FaceId], tuple[str | None, IdentityState]]:
        """Give who is together, with name and state."""
        state, found = self.desk.state, {}
        for identity_id in state.beginnings:
            members, standing = state.members(identity_id), state.standing(identity_id)
            if members and standing is not None:
                found[frozenset(members)] = (state.label(identity_id), standing.state)
        return found

    def who(self, face: FaceId) -> IdentityId | None:
        held = self.desk.state.membership(face)
        return held.identity_id if held else None


def content_of(face: FaceId) -> ContentKey:
    return ContentKey(f"sha256:{face.int:064x}")


def populated(*acts: Attempt, sizes: Sequence[int] = (3, 3, 2)) -> Archive:
    archive = Archive()
    archive.stage.populate(sizes)
    for act in acts:
        archive.stage.try_(act)
    return archive


def test_an_empty_archive_gets_the_same_people_names_numbers_and_words() -> None:
    there = populated()
    ada, bob, cem = there.stage.people
    with there.desk.correcting() as desk:
        rename(desk, ada, "Ada", ME)
        hide(desk, [cem], ME)
        choose_cover(desk, ada, FACES[1], ME)
        reject(desk, [FACES[8]], bob, ME)
        assign(desk, [FACES[2]], ada, ME)
    here = Archive()

    imported = here.receive(there.ported())

    assert here.groups() == there.groups()
    assert {b.number for b in here.desk.state.beginnings.values()} == {1, 2, 3}
    assert {(k, link.kind) for link in here.desk.links() for k in [link.face_id]} == {
        (k, link.kind) for link in there.desk.links() for k in [link.face_id]
    }
    whose = here.who(FACES[0])
    assert whose is not None
    assert here.desk.state.cover(whose) == FACES[1]
    held = here.desk.state.membership(FACES[2])
    assert held is not None
    assert held.decided_by is DecidedBy.PERSON
    assert (imported.people_begun, imported.named, imported.faces_moved) == (3, 1, 8)
    assert (imported.missing, imported.differences) == ((), ())


def test_people_whom_the_matcher_found_here_too_get_the_names() -> None:
    there, here = populated(), populated()
    with there.desk.correcting() as desk:
        rename(desk, there.stage.people[1], "Bob", ME)
    before = [here.who(face) for face in FACES]

    imported = here.receive(there.ported())

    assert [here.who(face) for face in FACES] == before
    assert here.groups() == there.groups()
    assert (imported.people_begun, imported.named, imported.faces_moved) == (0, 1, 0)


def test_people_whom_the_matcher_took_for_one_here_are_told_apart() -> None:
    there, here = populated(sizes=(3, 3)), populated(sizes=(6,))

    here.receive(there.ported())

    assert set(here.groups()) == set(there.groups())


def test_a_person_whom_the_matcher_took_for_two_here_is_one() -> None:
    there, here = populated(sizes=(6,)), populated(sizes=(2, 4))

    here.receive(there.ported())

    assert set(here.groups()) == set(there.groups())
    emptied = here.desk.person(here.stage.people[0])
    assert emptied is not None
    assert emptied.merged_into == here.stage.people[1]


def test_what_a_person_decided_here_stays_and_the_difference_is_told() -> None:
    there, here = populated(), populated()
    with there.desk.correcting() as desk:
        rename(desk, there.stage.people[0], "Ada", ME)
        assign(desk, [FACES[8]], there.stage.people[0], ME)
    with here.desk.correcting() as desk:
        rename(desk, here.stage.people[0], "Adele", ME)
        assign(desk, [FACES[8]], here.stage.people[1], ME)
    before = here.groups()

    imported = here.receive(there.ported())

    assert here.groups() == before
    assert any("'Ada' is called 'Adele' here" in each for each in imported.differences)
    assert any(str(FACES[8])[:8] in each for each in imported.differences)


def test_a_link_that_contradicts_what_was_said_here_is_left_out_and_told() -> None:
    there, here = populated(), populated()
    with there.desk.correcting() as desk:
        merge(desk, [there.stage.people[0]], there.stage.people[1], ME)
    with here.desk.correcting() as desk:
        reject(desk, [FACES[0]], here.stage.people[1], ME)

    imported = here.receive(there.ported())

    assert imported.differences
    assert here.desk.links().contradictions() == []
    assert set(here.groups()) == {
        frozenset(FACES[:3]),
        frozenset(FACES[3:6]),
        frozenset(FACES[6:8]),
    }


def test_faces_and_people_that_are_not_here_are_counted() -> None:
    there, here = populated(sizes=(3, 3)), Archive(frozenset(FACES[:4]))

    imported = here.receive(there.ported())

    assert (imported.faces, imported.faces_found) == (9, 5)
    assert imported.missing == ("Person 1",)
    assert imported.contents_missing == 4
    assert set(here.groups()) == {frozenset(FACES[4:6])}


def test_a_face_at_another_place_of_the_photo_is_not_taken_for_it() -> None:
    there, here = populated(), Archive()
    ported = there.ported()
    elsewhere = tuple(replace(face, box=Box(300, 10, 400, 110)) for face in ported.faces)

    imported = here.receive(replace(ported, faces=elsewhere))

    assert (imported.faces_found, imported.decision_id) == (0, None)


def test_a_dry_run_tells_the_same_and_writes_nothing() -> None:
    there, here = populated(), populated(sizes=(4, 4))
    before = here.desk.state.values()

    rehearsed = here.receive(there.ported(), dry_run=True)

    assert here.desk.state.values() == before
    imported = here.receive(there.ported())
    assert rehearsed == replace(imported, decision_id=None)
    assert imported.decision_id is not None


def test_what_is_no_face_there_is_none_here() -> None:
    there, here = populated(Attempt("not_a_face", (0,), 0, 0)), populated()

    here.receive(there.ported())

    assert here.desk.state.suppressed(FACES[0])
    assert here.who(FACES[0]) is None


def test_numbers_that_are_taken_here_are_not_given_again() -> None:
    there, here = populated(sizes=(3, 3)), populated(sizes=(0, 0, 0, 0, 0))

    here.receive(there.ported())

    numbers = [begun.number for begun in here.desk.state.beginnings.values()]
    assert sorted(numbers) == list(range(1, 8))


ACTS = st.lists(attempts(VERBS), max_size=8)


@given(ACTS)
def test_whatever_was_said_an_empty_archive_comes_to_the_same(acts: list[Attempt]) -> None:
    there, here = populated(*acts), Archive()

    here.receive(there.ported())

    assert here.groups() == there.groups()
    assert here.desk.links().contradictions() == []
    require_harmony(here.desk, [])


@given(ACTS, ACTS)
def test_importing_keeps_every_law_and_twice_changes_nothing(
    said_there: list[Attempt], said_here: list[Attempt]
) -> None:
    there, here = populated(*said_there), populated(*said_here, sizes=(2, 4, 1))
    ported = there.ported()
    by_person = {
        face: held
        for face in FACES
        if (held := here.desk.state.membership(face)) and held.decided_by is DecidedBy.PERSON
    }
    before = here.desk.state.values()
    try:
        first = here.receive(ported)
    except Permanent:
        assert here.desk.state.values() == before
        return

    require_harmony(here.desk, here.stage.people)
    assert {face: here.desk.state.membership(face) for face in by_person} == by_person
    once = here.desk.state.values()
    here.receive(ported)
    assert here.desk.state.values() == once
    if first.decision_id is not None and here.desk.log[-1].decision_id == first.decision_id:
        with here.desk.correcting() as desk:
            undo(desk, first.decision_id, ME)
        assert here.desk.state.values() == before


def test_a_file_whose_own_links_contradict_each_other_brings_none_of_them() -> None:
    ported = populated().ported()
    links = (
        PortedLink(0, 1, LinkKind.MUST),
        PortedLink(1, 2, LinkKind.MUST),
        PortedLink(0, 2, LinkKind.CANNOT),
    )
    here = populated()

    imported = here.receive(replace(ported, links=links))

    assert list(here.desk.links()) == []
    assert len(imported.differences) == 3


@pytest.mark.parametrize("state", [IdentityState.VISIBLE, IdentityState.HIDDEN])
def test_a_person_who_is_hidden_there_is_hidden_here_and_never_shown_again(
    state: IdentityState,
) -> None:
    there, here = populated(), populated()
    with (there if state is IdentityState.HIDDEN else here).desk.correcting() as desk:
        hide(desk, [desk.faces([FACES[0]])[FACES[0]].identity_id], ME)

    here.receive(there.ported())

    whose = here.who(FACES[0])
    assert whose is not None
    standing = here.desk.state.standing(whose)
    assert standing is not None
    assert standing.state is IdentityState.HIDDEN
