"""Grouping people anew on a real PostgreSQL: proposed, applied in part, outdated, undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from archive.correcting import Act, begin, move, reject, rename, undo
from archive.errors import Permanent
from archive.identify import IdentifyOptions, identify
from archive.identity.proposals import PartKind, Proposal
from archive.identity.records import FaceSet
from archive.ids import FaceId, IdentityId
from archive.reclustering import Answer, Outcome, apply, propose
from resources.proposals import ProposalFile
from resources.store.corrections import CorrectionStore
from resources.store.database import Database
from resources.store.people import PeopleStore
from tests.integration.store.test_people import Shelf
from tests.unit.identity.worlds import world
from tests.unit.test_identify import MODEL

BY_MIA = Act("Mia", "test")


@dataclass
class Archive:
    """Three people with identities, and a fourth of whom nobody has decided yet."""

    shelf: Shelf
    people: PeopleStore
    corrections: CorrectionStore
    faces: FaceSet
    of: list[int]

    def faces_of(self, person: int) -> list[FaceId]:
        return [
            face.face_id
            for face, one in zip(self.faces.faces, self.of, strict=True)
            if one == person
        ]

    def identity_of(self, person: int) -> IdentityId:
        with self.corrections.correcting() as desk:
            held = desk.faces(self.faces_of(person)[:1]).values()
        (identity,) = {face.identity_id for face in held}
        assert identity is not None
        return identity

    def places(self) -> dict[FaceId, IdentityId | None]:
        with self.corrections.correcting() as desk:
            everyone = desk.faces([face.face_id for face in self.faces.faces])
        return {face_id: face.identity_id for face_id, face in everyone.items()}

    def propose(self, only: IdentityId | None = None) -> Proposal:
        return propose(self.people, self.corrections, MODEL, IdentifyOptions(), only=only)

    def apply(
        self, proposal: Proposal, numbers: Sequence[int] | None = None
    ) -> tuple[Proposal, list[Answer]]:
        return apply(self.corrections, proposal, numbers, actor="Mia", cause="test")

    def misplace(self, faces: Sequence[FaceId], to: IdentityId) -> None:
        with self.corrections.correcting() as desk:
            move(desk, dict.fromkeys(faces, to), BY_MIA)

    def events(self) -> object:
        return self.shelf.execute("SELECT count(*) FROM identity_events")


@pytest.fixture
def archive(database: Database) -> Archive:
    faces, of = world([8, 6, 5, 4], seed=3)
    shelf, people = Shelf(database), PeopleStore(database)
    known = [row for row, person in enumerate(of) if person != 3]
    late = [row for row, person in enumerate(of) if person == 3]
    shelf.fill(faces.take(known))
    identify(people, MODEL, IdentifyOptions(), cause="test")
    shelf.fill(faces.take(late))
    return Archive(shelf, people, CorrectionStore(database), faces, of)


def kinds(proposal: Proposal) -> list[tuple[PartKind, int]]:
    return [(part.kind, len(part.faces)) for part in proposal.parts]


def outcomes(answers: Sequence[Answer]) -> list[Outcome]:
    return [answer.outcome for answer in answers]


def test_what_was_mixed_up_is_proposed_and_put_right_part_by_part(archive: Archive) -> None:
    first, second = archive.identity_of(0), archive.identity_of(1)
    archive.misplace(archive.faces_of(1)[:2], first)
    proposal = archive.propose()
    assert kinds(proposal) == [(PartKind.MOVE, 2), (PartKind.FOUND, 4)]
    assert proposal.summary == "2 faces move, 1 new person"

    proposal, answers = archive.apply(proposal, [1])
    assert outcomes(answers) == [Outcome.APPLIED]
    places = archive.places()
    assert {places[face] for face in archive.faces_of(1)} == {second}
    assert {places[face] for face in archive.faces_of(3)} == {None}

    proposal, answers = archive.apply(proposal)
    assert outcomes(answers) == [Outcome.ALREADY, Outcome.APPLIED]
    assert len(set(archive.places().values())) == 4
    assert archive.propose().parts == ()
    assert archive.corrections.check().total == 0


def test_applying_a_proposal_twice_changes_nothing(archive: Archive) -> None:
    first, third = archive.identity_of(0), archive.identity_of(2)
    archive.misplace([*archive.faces_of(2)[:4], *archive.faces_of(1)[:2]], first)
    archive.misplace(archive.faces_of(0)[:1], third)
    proposal = archive.propose()
    kept, answers = archive.apply(proposal)
    assert set(outcomes(answers)) == {Outcome.APPLIED}
    events, places = archive.events(), archive.places()
    for again, outcome in ((kept, Outcome.ALREADY), (proposal, Outcome.OUTDATED)):
        assert set(outcomes(archive.apply(again)[1])) == {outcome}
        assert archive.events() == events
        assert archive.places() == places


def test_two_identities_of_one_person_become_the_one_that_has_a_name(archive: Archive) -> None:
    first = archive.identity_of(0)
    with archive.corrections.correcting() as desk:
        ada = begin(desk, archive.faces_of(0)[:2], MODEL.name, BY_MIA, binding=False).begun
        assert ada is not None
        rename(desk, ada, "Ada", BY_MIA)
    proposal = archive.propose()
    assert kinds(proposal) == [(PartKind.MERGE, 6), (PartKind.FOUND, 4)]
    archive.apply(proposal)
    places = archive.places()
    assert {places[face] for face in archive.faces_of(0)} == {ada}
    with archive.corrections.correcting() as desk:
        merged = desk.person(first)
    assert merged is not None
    assert merged.merged_into == ada


def test_a_part_whose_identity_was_corrected_meanwhile_is_outdated(archive: Archive) -> None:
    first = archive.identity_of(0)
    archive.misplace(archive.faces_of(1)[:2], first)
    proposal = archive.propose()
    with archive.corrections.correcting() as desk:
        rename(desk, first, "Ada", BY_MIA)
    places = archive.places()
    _, answers = archive.apply(proposal, [1])
    assert outcomes(answers) == [Outcome.OUTDATED]
    assert "corrected meanwhile" in answers[0].reason
    assert archive.places() == places


def test_a_part_whose_faces_were_assigned_meanwhile_is_outdated(archive: Archive) -> None:
    proposal = archive.propose()
    identify(archive.people, MODEL, IdentifyOptions(), cause="test")
    _, answers = archive.apply(proposal)
    assert outcomes(answers) == [Outcome.OUTDATED]
    assert answers[0].reason == "4 of its 4 faces are elsewhere by now"


def test_an_applied_part_is_undone_like_any_correction(archive: Archive) -> None:
    first = archive.identity_of(0)
    archive.misplace(archive.faces_of(1)[:2], first)
    before = archive.places()
    archive.apply(archive.propose(), [1])
    (latest,) = archive.corrections.history(limit=1)
    with archive.corrections.correcting() as desk:
        undo(desk, latest.decision.decision_id, BY_MIA)
    assert archive.places() == before


def test_nobody_is_proposed_to_be_whom_a_person_said_they_are_not(archive: Archive) -> None:
    first, face = archive.identity_of(0), archive.faces_of(0)[0]
    with archive.corrections.correcting() as desk:
        reject(desk, [face], first, BY_MIA)
    archive.apply(archive.propose())
    assert archive.places()[face] != first


def test_one_identity_alone_can_be_looked_at(archive: Archive) -> None:
    first, second = archive.identity_of(0), archive.identity_of(1)
    archive.misplace(archive.faces_of(1)[:4], first)
    proposal = archive.propose(only=first)
    assert kinds(proposal) == [(PartKind.SPLIT, 4)]
    archive.apply(proposal)
    places = archive.places()
    assert {places[face] for face in archive.faces_of(0)} == {first}
    assert len({places[face] for face in archive.faces_of(1)} - {first, second}) == 1


def test_a_kept_proposal_is_the_same_when_it_is_read_again(
    archive: Archive, tmp_path: Path
) -> None:
    archive.misplace(archive.faces_of(1)[:2], archive.identity_of(0))
    shelf = ProposalFile(tmp_path / "data" / "proposal.json")
    assert shelf.kept() is None
    proposal, _ = archive.apply(archive.propose(), [2])
    shelf.keep(proposal)
    assert shelf.kept() == proposal
    (tmp_path / "data" / "proposal.json").write_text("[]", encoding="utf-8")
    with pytest.raises(Permanent, match="recluster"):
        shelf.kept()


def test_a_part_that_is_not_there_is_named(archive: Archive) -> None:
    with pytest.raises(Permanent, match="no part 9"):
        archive.apply(archive.propose(), [9])
