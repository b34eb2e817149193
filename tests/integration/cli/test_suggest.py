"""Questions at the command line: printed for a program, or answered one by one."""

from __future__ import annotations

import numpy as np
import pytest

from archive.ids import ChatNo
from resources.store.database import Database
from resources.store.topics import TopicStore
from tests.integration.cli.conftest import Shell
from tests.integration.store.test_asking import AXES, House, alike, box_of, picture
from tests.unit.identity.worlds import around
from tests.unit.test_identify import MODEL


@pytest.fixture
def house(installed: Shell, database: Database, monkeypatch: pytest.MonkeyPatch) -> House:
    """An archive of people whose vectors are those of the model in use."""
    monkeypatch.setenv("FACE_ARCHIVE_MODEL", MODEL.name)
    return House(database)


@pytest.fixture
def pieces(house: House) -> House:
    """Two people in two pieces each, and a third."""
    for axis, sizes in ((0, (6, 4)), (1, (5, 3))):
        for seed, size in enumerate(sizes):
            house.person(alike(axis, size, seed))
    house.person(alike(2, 5))
    return house


MERGES = ("identities", "suggest", "merges")


def test_questions_are_rows_with_what_an_answer_is_worth(installed: Shell, pieces: House) -> None:
    first, second = installed.rows(*MERGES)
    assert first["question"] == "Is #2 Person 2 the same person as #1 Person 1?"
    assert (first["faces"], second["faces"]) == (4, 3)
    assert first["gain"] > second["gain"]
    assert len(installed.rows(*MERGES, "--limit", "1")) == 1


def test_answers_are_decided_one_by_one(installed: Shell, pieces: House) -> None:
    said, *made = installed.rows(*MERGES, "--answer", typed="yes\nn\n")
    assert said == {"yes": 1, "no": 1, "skipped": 0, "undone": 0, "refused": 0}
    assert [row["kind"] for row in made] == ["merged", "rejected"]
    assert len(set(pieces.held().values())) == 4
    assert installed.rows(*MERGES) == []


def test_an_answer_is_taken_back_and_given_anew(installed: Shell, pieces: House) -> None:
    before = pieces.held()
    said, *made = installed.rows(*MERGES, "--answer", typed="y\nu\ns\ns\n")
    assert (said["undone"], said["skipped"], made) == (1, 2, [])
    assert pieces.held() == before
    assert len(installed.rows(*MERGES)) == 2


def test_nothing_typed_skips_and_nonsense_is_asked_again(installed: Shell, pieces: House) -> None:
    result = installed.run(*MERGES, "--answer", typed="maybe\n\nu\nq\n")
    assert result.exit_code == 0
    assert '"skipped": 1' in result.stdout
    assert "nothing to undo" in result.output
    assert len(set(pieces.held().values())) == 5


def test_an_answer_that_another_made_meaningless_is_said_and_left(
    installed: Shell, house: House
) -> None:
    for seed in range(3):
        house.person(alike(0, 4, seed))
    # Three pieces of one person are three pairs; the third is one already after two.
    said, *made = installed.rows(*MERGES, "--answer", typed="y\ny\nn\n")
    assert (said["yes"], said["refused"], len(made)) == (2, 1, 2)
    assert len(set(house.held().values())) == 1


def test_who_looks_like_two_is_named_with_the_faces_in_question(
    installed: Shell, house: House
) -> None:
    _, faces = house.person(np.concatenate([alike(0, 9), alike(1, 3)]))
    (row,) = installed.rows("identities", "suggest", "mixed")
    assert set(row["face_ids"]) == set(map(str, faces[9:]))
    assert "#1 Person 1" in row["question"]
    said, made = installed.rows("identities", "suggest", "mixed", "--answer", typed="y\n")
    assert (said["yes"], made["kind"]) == (1, "split")


def test_strangers_are_counted_hidden_as_one_and_shown_again(
    installed: Shell, house: House
) -> None:
    for axis in range(3):
        _, (face_id,) = house.person(alike(axis, 1))
        picture(house, face_id, box_of(50.0))
    house.person(alike(4, 4))
    hide = ("identities", "hide-strangers")
    assert len(installed.rows(*hide, "--dry-run")) == 3
    assert installed.run(*hide, typed="n\n").exit_code == 1
    assert len(installed.rows(*hide, "--dry-run")) == 3
    (decided,) = installed.rows(*hide, "--yes")
    assert installed.rows(*hide, "--dry-run") == []
    installed.rows("identities", "undo", decided["decision"])
    assert len(installed.rows(*hide, "--dry-run")) == 3


def test_too_few_labels_say_what_is_missing(installed: Shell, pieces: House) -> None:
    result = installed.run("calibrate")
    assert result.exit_code == 4
    assert "5 people with two pictures each (0)" in result.output
    assert "--folder" in result.output


HUB = """
INSERT INTO chats (chat_no, chat_id, kind, id_space, account_id, title, is_forum, is_hub)
VALUES (99, -1000000000099, 'supergroup', 'own', 1, 'People', true, true)
"""


def test_uncertain_faces_are_asked_about_in_the_hub_where_that_is_wanted(
    installed: Shell, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.person(around(AXES[0], 8, 0.97, 0))
    for cosine in np.linspace(0.2, 0.8, 13):
        doubtful = cosine * AXES[0] + np.sqrt(1 - cosine**2) * AXES[7]
        house.faces(doubtful.astype(np.float32)[None])
    house.shelf.execute("UPDATE chats SET allow_publish = true")
    house.shelf.execute(HUB)
    TopicStore(house.shelf.database).use(ChatNo(99))
    questions = installed.rows("identities", "suggest", "uncertain")
    assert questions
    without, _ = _asked(installed)
    assert without == []

    monkeypatch.setenv("FACE_ARCHIVE_PUBLISH_UNCERTAIN", "true")
    asked, due = _asked(installed)
    assert asked == ["ask      Person 1? ← A chat · 2026-01-01"] * len(questions)
    # Nothing new is looked for only to say how the hub stands: its topic of three operations too.
    (status,) = installed.rows("publish", "status")
    assert status["operations"] == due - len(questions) - 3


def _asked(installed: Shell) -> tuple[list[object], int]:
    """The questions of a plan, and how many operations it has."""
    *operations, total = installed.rows("publish", "plan")
    lines = [row["operation"] for row in operations]
    return [line for line in lines if str(line).startswith("ask")], int(str(total["operations"]))
