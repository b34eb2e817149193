"""Questions, labels and strangers on a real PostgreSQL, and what answers leave behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import uuid4

import numpy as np
import pytest

from archive.correcting import Act, CorrectionDesk, assign, hide, reject, rename, undo
from archive.errors import Permanent
from archive.identity.comparisons import compare
from archive.identity.events import Decision
from archive.identity.records import Assignment, FaceSet, Identity, NewIdentity, Vectors
from archive.identity.strangers import SMALL
from archive.ids import FaceId, IdentityId, new_identity_id
from archive.suggestions import Question, Queue, answer, questions, strangers
from resources.store.asking import AskingStore
from resources.store.corrections import CorrectionStore
from resources.store.database import Database
from resources.store.people import PeopleStore
from tests.fixtures.shelf import Shelf
from tests.unit.identity.worlds import RULES, around, directions, face
from tests.unit.test_identify import MODEL

ACT = Act("Mia", "a test")
AXES = directions(8, np.random.default_rng(1))


class House:
    """An archive with people in it, put there as if by the matcher."""

    def __init__(self, database: Database) -> None:
        self.shelf = Shelf(database)
        self.asking = AskingStore(database)
        self.corrections = CorrectionStore(database)
        self._faces = 0
        self._people = 0

    def faces(self, vectors: Vectors) -> list[FaceId]:
        """Store a photo for each vector."""
        made = tuple(face(self._faces + n) for n in range(len(vectors)))
        self._faces += len(vectors)
        self.shelf.fill(FaceSet(made, vectors, (None,) * len(made)))
        return [one.face_id for one in made]

    def person(self, vectors: Vectors) -> tuple[IdentityId, list[FaceId]]:
        """Store an identity of these faces."""
        faces, identity = self.faces(vectors), new_identity_id()
        self._people += 1
        core = tuple(Assignment(face_id, identity, 0.8) for face_id in faces)
        new = NewIdentity(Identity(identity, self._people), core)
        with PeopleStore(self.shelf.database).deciding() as desk:
            desk.save(MODEL.name, (new,), (), actor="matcher", cause="a test")
        return identity, faces

    def named_people(self, count: int, faces: int) -> None:
        """Store people who do not resemble each other, and name them."""
        for number, axis in enumerate(directions(count, np.random.default_rng(2))):
            identity, _ = self.person(around(axis, faces, 0.6, number))
            self.name(identity, f"Ida {number}")

    def name(self, identity: IdentityId, label: str) -> None:
        """Name somebody."""
        self.correct(lambda desk: rename(desk, identity, label, ACT))

    def asked(self, queue: Queue) -> Sequence[Question]:
        return questions(self.asking, MODEL.name, RULES, queue)

    def answer(self, question: Question, *, yes: bool) -> Decision:
        return self.correct(lambda desk: answer(desk, question, ACT, yes=yes))

    def correct(self, correction: Callable[[CorrectionDesk], Decision | None]) -> Decision:
        """Do what a person decides."""
        with self.corrections.correcting() as desk:
            decision = correction(desk)
        assert decision is not None
        return decision

    def undo(self, decision: Decision) -> None:
        self.correct(lambda desk: undo(desk, decision.decision_id, ACT))

    def held(self) -> dict[FaceId, IdentityId]:
        rows = self.shelf.execute("SELECT face_id, identity_id FROM assignments")
        return dict(rows)  # type: ignore[arg-type]


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def alike(axis: int, count: int, seed: int = 0) -> Vectors:
    return around(AXES[axis], count, 0.8, seed)


def test_a_yes_merges_and_an_undo_asks_again(house: House) -> None:
    whole, _ = house.person(alike(0, 6))
    piece, _ = house.person(alike(0, 4, 1))
    house.person(alike(1, 5))
    (question,) = house.asked("merges")
    before = house.held()
    decision = house.answer(question, yes=True)
    assert set(house.held().values()) & {whole, piece} == {whole}
    assert house.asked("merges") == []
    house.undo(decision)
    assert house.held() == before
    assert house.asked("merges") == [question]


def test_a_no_to_a_merge_is_never_asked_again_until_it_is_taken_back(house: House) -> None:
    house.person(alike(0, 6))
    house.person(alike(0, 4, 1))
    (question,) = house.asked("merges")
    before = house.held()
    decision = house.answer(question, yes=False)
    assert house.held() == before
    assert house.asked("merges") == []
    with pytest.raises(Permanent, match="rejected by Mia"), house.corrections.correcting() as desk:
        answer(desk, question, ACT, yes=True)
    house.undo(decision)
    assert house.asked("merges") == [question]


def test_who_looks_like_two_is_split_by_a_yes_and_left_in_peace_by_a_no(house: House) -> None:
    _, faces = house.person(np.concatenate([alike(0, 9), alike(1, 3)]))
    (question,) = house.asked("mixed")
    split = house.answer(question, yes=True)
    held = house.held()
    assert len({held[each] for each in faces[9:]}) == 1
    assert held[faces[9]] != held[faces[0]]
    assert house.asked("mixed") == []
    house.undo(split)
    assert house.asked("mixed") == [question]
    house.answer(question, yes=False)
    assert house.asked("mixed") == []
    assert len(set(house.held().values())) == 1


@pytest.mark.parametrize("yes", [True, False])
def test_a_doubtful_face_is_put_where_the_answer_says(house: House, *, yes: bool) -> None:
    whose, _ = house.person(around(AXES[0], 8, 0.97, 0))
    doubtful = (0.49 * AXES[0] + np.sqrt(1 - 0.49**2) * AXES[7]).astype(np.float32)
    (face_id,) = house.faces(doubtful[None])
    (question,) = house.asked("uncertain")
    decision = house.answer(question, yes=yes)
    assert house.held().get(face_id) == (whose if yes else None)
    assert house.asked("uncertain") == []
    house.undo(decision)
    assert house.asked("uncertain") == [question]


def test_hidden_people_are_not_asked_about(house: House) -> None:
    house.person(alike(0, 6))
    piece, _ = house.person(alike(0, 4, 1))
    house.correct(lambda desk: hide(desk, [piece], ACT))
    assert house.asked("merges") == []


def picture(house: House, face_id: FaceId, box: tuple[float, ...], beside: float = 0.0) -> None:
    """Say where a face is in a picture of 1000 pixels, and how large somebody before it is."""
    house.shelf.execute(
        "UPDATE faces SET x1 = %s, y1 = %s, x2 = %s, y2 = %s WHERE face_id = %s", *box, face_id
    )
    house.shelf.execute("UPDATE blobs SET width = 1000, height = 1000")
    if beside:
        house.shelf.execute(
            "INSERT INTO faces (face_id, content_key, x1, y1, x2, y2, landmarks, landmark_schema,"
            " detection_score, quality, model, crop_key)"
            " SELECT %s, content_key, 500, 0, 500 + %s, %s, '{}', 'none', 0.9, 0.9, model, 'crop'"
            " FROM faces WHERE face_id = %s",
            uuid4(), beside, beside, face_id,
        )  # fmt: skip


def box_of(side: float) -> tuple[float, float, float, float]:
    return 0.0, 0.0, side, side


def test_strangers_are_rarely_seen_and_never_the_one_a_photo_is_of(house: House) -> None:
    seen = {name: house.person(alike(n, 1)) for n, name in enumerate(["small", "behind", "main"])}
    often, often_faces = house.person(alike(4, 3))
    picture(house, seen["small"][1][0], box_of(1000 * SMALL - 1))
    picture(house, seen["behind"][1][0], box_of(200.0), beside=300.0)
    picture(house, seen["main"][1][0], box_of(200.0), beside=250.0)
    for each in often_faces:
        picture(house, each, box_of(50.0))
    hidden = [seen["small"][0], seen["behind"][0]]
    assert strangers(house.asking, most=2) == hidden
    assert strangers(house.asking, most=3) == [*hidden, often]


def test_nobody_is_a_stranger_whom_somebody_named_or_decided_about(house: House) -> None:
    named, faces = house.person(alike(0, 1))
    decided, decided_faces = house.person(alike(1, 1))
    for each in (*faces, *decided_faces):
        picture(house, each, box_of(50.0))
    assert strangers(house.asking, most=2) == [named, decided]
    house.name(named, "Ida")
    house.correct(lambda desk: assign(desk, decided_faces, decided, ACT))
    assert strangers(house.asking, most=2) == []


def test_all_strangers_are_hidden_and_shown_again_as_one(house: House) -> None:
    people = [house.person(alike(n, 1)) for n in range(4)]
    for _, (face_id,) in people:
        picture(house, face_id, box_of(50.0))
    decision = house.correct(lambda desk: hide(desk, strangers(house.asking, most=2), ACT))
    states = "SELECT DISTINCT state FROM identities"
    assert house.shelf.execute(states) == [("hidden",)]
    assert strangers(house.asking, most=2) == []
    house.undo(decision)
    assert house.shelf.execute(states) == [("visible",)]


def test_labels_are_names_confirmations_and_rejections(house: House) -> None:
    ann, _ = house.person(alike(0, 4))
    also_ann, _ = house.person(alike(0, 2, 1))
    unnamed, unnamed_faces = house.person(alike(1, 3))
    stranger = house.faces(alike(2, 1))
    house.name(ann, "Ann")
    house.name(also_ann, "ann ")
    house.correct(lambda desk: assign(desk, unnamed_faces[:2], unnamed, ACT))
    house.correct(lambda desk: reject(desk, stranger, ann, ACT))
    labelled = house.asking.labelled(MODEL.name, 0.2)
    assert sorted(map(str, labelled.people)).count("ann") == 6
    assert len([person for person in labelled.people if person not in {"ann", None}]) == 2
    assert labelled.by_hand == 3
    ((row, person),) = labelled.rejections
    assert (labelled.faces[row].face_id, person) == (stranger[0], "ann")
    found = compare(labelled, RULES)
    assert len(found.people) == 2
    assert int((found.rows == row).sum()) == 1


def test_without_anybody_there_is_nothing_to_ask_and_no_label(house: House) -> None:
    assert [house.asked(queue) for queue in ("merges", "mixed", "uncertain")] == [[], [], []]
    assert house.asking.labelled(MODEL.name, 0.2).people == ()
    assert strangers(house.asking, most=9) == []
