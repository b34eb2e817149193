"""Correcting people from the command line: what each verb does, says, and how it is undone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from archive.identify import IdentifyOptions, identify
from cli.exits import ExitCode
from resources.store.database import Database
from resources.store.people import PeopleStore
from tests.fakes.media import MODEL, World

from .conftest import Shell

Row = dict[str, Any]


@dataclass
class Family:
    """Three people with three faces each, numbered 1 to 3, and a shell to correct them."""

    shell: Shell
    world: World

    def rows(self, *args: object, typed: str = "") -> list[Row]:
        return self.shell.rows("identities", *args, typed=typed)

    def do(self, *args: object, typed: str = "") -> Row:
        """Make one correction; its undo is printed for people as it is for programs."""
        result = self.shell.run("identities", *args, typed=typed)
        assert result.exit_code == ExitCode.OK, result.output
        row: Row = json.loads(result.stdout.splitlines()[-1])
        assert row["undo"] in result.stderr
        assert row["undo"] == f"face-archive identities undo {row['decision']}"
        return row

    def refused(self, *args: object, typed: str = "") -> str:
        result = self.shell.run("identities", *args, typed=typed)
        assert result.exit_code == ExitCode.PERSON_MUST_ACT, result.output
        return result.stderr

    def undo(self, row: Row) -> Row:
        return self.do(*row["undo"].split()[2:])

    def people(self) -> dict[int, tuple[str, int]]:
        """Number → name and faces, of the people who are listed."""
        return {row["number"]: (row["name"], row["faces"]) for row in self.rows("list")}

    def faces(self, number: int) -> list[str]:
        rows = self.rows("show", number)
        return [row["face"] for row in rows if "face" in row]

    def state(self) -> dict[str, list[Row]]:
        """Everything that a correction may change, versions apart."""
        return {
            "identities": self.world.run(
                "SELECT identity_id, label, state, merged_into, cover_face_id FROM identities"
                " ORDER BY number"
            ),
            "assignments": self.world.run(
                "SELECT face_id, identity_id, similarity, decided_by FROM assignments"
                " ORDER BY face_id"
            ),
            "links": self.world.run(
                "SELECT face_id, other_face_id, kind FROM constraints"
                " ORDER BY face_id, other_face_id"
            ),
            "suppressed": self.world.run("SELECT face_id FROM suppressed_regions ORDER BY face_id"),
        }


@pytest.fixture
async def family(
    installed: Shell, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Family:
    monkeypatch.setenv("FACE_ARCHIVE_MODEL", MODEL.name)
    world = World(database, tmp_path / "data" / "blobs")
    world.run("UPDATE chats SET added_at = now(), chat_id = -1000000000042")
    # A seed gives one vector, and these three are far from each other.
    for person, seed in enumerate((1, 4, 5), start=1):
        for picture in (1, 2, 3):
            world.send(10 * person + picture, b"faces=1 seed=%d n=%d" % (seed, picture))
    await world.pass_over()
    # Near copies count once, and equal vectors do not make pictures equal.
    world.run("UPDATE blobs SET phash = NULL")
    identify(PeopleStore(database), MODEL, IdentifyOptions(min_faces=3), cause="test")
    return Family(installed, world)


def name_somebody(family: Family) -> Row:
    return family.do("name", 1, "Ada Lovelace")


def hide_two(family: Family) -> Row:
    return family.do("hide", 2, "#3")


def merge_two(family: Family) -> Row:
    return family.do("merge", 1, 2)


def split_one(family: Family) -> Row:
    return family.do("split", 1, family.faces(1)[0])


def reject_one(family: Family) -> Row:
    return family.do("reject", 1, family.faces(1)[0])


def confirm_all(family: Family) -> Row:
    return family.do("confirm", 1, *family.faces(1))


def choose_a_cover(family: Family) -> Row:
    return family.do("cover", 1, family.faces(1)[1])


def say_that_one_is_none(family: Family) -> Row:
    return family.do("not-a-face", family.faces(1)[0])


def begin_somebody(family: Family) -> Row:
    return family.do("begin", family.faces(1)[0])


EVERY_VERB = [
    name_somebody,
    hide_two,
    merge_two,
    split_one,
    reject_one,
    confirm_all,
    choose_a_cover,
    say_that_one_is_none,
    begin_somebody,
]


@pytest.mark.parametrize("correct", EVERY_VERB, ids=lambda each: each.__name__)
def test_every_correction_changes_something_and_its_undo_brings_everything_back(
    family: Family, correct: Callable[[Family], Row]
) -> None:
    before = family.state()

    made = correct(family)

    after = family.state()
    assert after != before
    undone = family.undo(made)
    left = family.state()
    # A number that was given stays spent.
    left["identities"] = [row for row in left["identities"] if row["state"] != "withdrawn"]
    assert left == before
    family.undo(undone)
    assert family.state() == after
    assert family.rows("rebuild", "--check")[0]["total"] == 0


def test_people_are_listed_with_what_an_allowed_chat_shows(family: Family) -> None:
    assert family.people() == {1: ("Person 1", 3), 2: ("Person 2", 3), 3: ("Person 3", 3)}

    family.world.run("UPDATE messages SET deleted_at = now() WHERE message_id < 20")

    assert sorted(faces for _, faces in family.people().values()) == [3, 3]
    (gone,) = {1, 2, 3} - family.people().keys()
    assert family.faces(gone) == []
    family.world.run("UPDATE chats SET allow_faces = false")
    assert family.people() == {}


def test_a_person_is_shown_with_each_face_and_where_it_is_seen(family: Family) -> None:
    person, *faces = family.rows("show", "Person 2")

    assert (person["number"], person["faces"], person["contents"]) == (2, 3, 3)
    messages = sorted(face["message_id"] for face in faces)
    assert messages in ([11, 12, 13], [21, 22, 23], [31, 32, 33])
    assert {face["link"] for face in faces} == {f"https://t.me/c/42/{n}" for n in messages}
    assert {face["decided_by"] for face in faces} == {"matcher"}


def test_a_name_is_shown_and_names_from_then_on(family: Family) -> None:
    family.do("name", 2, "  Ada ")

    assert family.people()[2] == ("Ada", 3)
    assert family.rows("show", "ada")[0]["number"] == 2
    assert [row["number"] for row in family.rows("list", "--unnamed")] == [1, 3]
    family.do("name", "Ada", "--remove")
    assert family.people()[2] == ("Person 2", 3)


def test_the_number_of_a_merged_person_leads_to_who_took_their_faces(family: Family) -> None:
    merged = family.do("merge", 1, 3)

    assert "#3 Person 3 is merged into #1 Person 1" in merged["what"]
    assert family.people() == {1: ("Person 1", 6), 2: ("Person 2", 3)}
    assert family.rows("show", "#3")[0]["number"] == 1


def test_a_split_begins_somebody_new_or_goes_to_somebody(family: Family) -> None:
    one, other, _ = family.faces(1)

    family.do("split", 1, one)
    family.do("split", 1, other, "--to", "Person 2")

    assert family.people() == {
        1: ("Person 1", 1), 2: ("Person 2", 4), 3: ("Person 3", 3), 4: ("Person 4", 1),
    }  # fmt: skip


def test_what_a_merge_would_move_is_said_without_moving_it(family: Family) -> None:
    before = family.state()

    (would,) = family.rows("merge", 1, 2, 3, "--dry-run")
    (split,) = family.rows("split", 1, family.faces(1)[0], "--dry-run")

    assert "3 faces: #2 Person 2 → #1 Person 1" in would["what"]
    assert "1 face: #1 Person 1 → a new person" in split["what"]
    assert would["undo"] is None
    assert family.state() == before


def test_a_large_merge_asks_first(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.deciding.ASK_FROM", 3)
    before = family.state()

    refused = family.shell.run("identities", "merge", 1, 2, typed="n\n")

    assert refused.exit_code == ExitCode.FAILED
    assert "3 faces: #2 Person 2 → #1 Person 1" in refused.stderr
    assert family.state() == before
    family.do("merge", 1, 2, typed="y\n")
    family.do("merge", 1, 3, "--yes")
    assert family.people() == {1: ("Person 1", 9)}


def test_a_rejected_face_leaves_and_does_not_come_back_without_saying_so(family: Family) -> None:
    face = family.faces(1)[0]

    rejected = family.do("reject", 1, face)

    assert face not in family.faces(1)
    assert rejected["decision"] in family.refused("confirm", 1, face)
    family.do("confirm", 1, face, "--instead")
    assert face in family.faces(1)


def test_a_correction_that_contradicts_another_names_it_and_can_replace_it(
    family: Family,
) -> None:
    face = family.faces(1)[0]
    confirmed = family.do("confirm", 1, face)

    assert confirmed["decision"] in family.refused("reject", 1, face)
    family.do("reject", 1, face, "--instead")

    assert len(family.faces(1)) == 2


def test_a_hidden_person_is_listed_only_when_asked_for(family: Family) -> None:
    family.do("hide", 2)

    assert set(family.people()) == {1, 3}
    assert [row["number"] for row in family.rows("list", "--hidden")] == [1, 2, 3]
    family.do("show-again", 2)
    assert set(family.people()) == {1, 2, 3}


def test_a_cover_is_chosen_and_left_to_the_archive_again(family: Family) -> None:
    face = family.faces(1)[2]

    family.do("cover", 1, face)
    assert family.rows("show", 1)[0]["cover"] == face
    family.do("cover", 1, "--automatic")
    assert family.rows("show", 1)[0]["cover"] is None


def test_somebody_begins_with_a_name(family: Family) -> None:
    face = family.faces(1)[0]

    begun, named = family.rows("begin", face, "--name", "Ida")

    assert family.people()[4] == ("Ida", 1)
    assert family.faces(4) == [face]
    family.do("undo", named["decision"])
    family.do("undo", begun["decision"])
    assert family.people()[1] == ("Person 1", 3)


def test_what_is_so_already_is_no_decision(family: Family) -> None:
    family.do("name", 1, "Ada")

    result = family.shell.run("identities", "name", 1, "Ada")

    assert (result.exit_code, result.stdout) == (ExitCode.OK, "")
    assert "Nothing changes" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", 99), "Nobody is known as '99'"),
        (("show", "Grace"), "identities list"),
        (("name", "", "Ada"), "Nobody is known"),
        (("confirm", 1, "abc"), "first six digits"),
        (("confirm", 1, "ffffffffffff"), "has no face"),
        (("cover", 1, "holiday.jpg"), "no face"),
        (("undo", "3fa94c"), "is no decision"),
        (("undo", "5b1f3a0e-7c1d-4f0a-9a52-0d1f6f5b8f11"), "no such decision"),
    ],
)
def test_a_wrong_reference_is_refused_with_the_way_out(
    family: Family, arguments: tuple[object, ...], said: str
) -> None:
    assert said in family.refused(*arguments)


@pytest.mark.parametrize("arguments", [("name", 1), ("name", 1, "Ada", "--remove"), ("cover", 1)])
def test_neither_and_both_of_a_value_and_its_removal_are_wrong_usage(
    family: Family, arguments: tuple[object, ...]
) -> None:
    assert family.shell.run("identities", *arguments).exit_code == ExitCode.USAGE


def test_a_name_that_two_people_have_is_refused_with_both(family: Family) -> None:
    family.do("name", 1, "Ada")
    family.do("name", 3, "ada")

    said = family.refused("show", "Ada")

    assert "means 2 people" in said
    assert "#1 Ada (3 faces), #3 ada (3 faces)" in said


def test_a_part_of_a_name_is_no_name_but_says_who_may_be_meant(family: Family) -> None:
    family.do("name", 2, "Ada Lovelace")

    assert "Did you mean #2 Ada Lovelace" in family.refused("hide", "lovel")


def test_faces_that_begin_alike_are_named(family: Family) -> None:
    ids = [row["face_id"] for row in family.world.run("SELECT face_id FROM faces LIMIT 2")]
    alike = [f"abcdef{n}0-0000-4000-8000-000000000000" for n in range(2)]
    for old, new in zip(ids, alike, strict=True):
        family.world.run(
            "INSERT INTO faces SELECT %s, content_key, 7, x1, y1, x2, y2, landmarks,"
            " landmark_schema, detection_score, quality, track, model, crop_key FROM faces"
            " WHERE face_id = %s",
            new,
            old,
        )

    said = family.refused("not-a-face", "abcdef")

    assert all(each in said for each in alike)


def test_a_later_correction_in_the_way_of_an_undo_is_named(family: Family) -> None:
    first = family.do("name", 1, "Ada")
    second = family.do("name", 1, "Grace")

    said = family.refused("undo", first["decision"])

    assert second["decision"] in said
    family.undo(second)
    family.undo(first)
    assert family.people()[1] == ("Person 1", 3)


def test_nothing_is_decided_about_a_person_whom_somebody_else_corrected_meanwhile(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.deciding.ASK_FROM", 1)

    def answer_late(*_: object, **__: object) -> bool:
        family.world.run("UPDATE identities SET version = version + 1 WHERE number = 2")
        return True

    monkeypatch.setattr("cli.deciding.typer.confirm", answer_late)

    said = family.refused("merge", 1, 2)

    assert "Person 2 was corrected meanwhile: look again" in said
    assert family.people()[2] == ("Person 2", 3)


def test_history_tells_who_did_what_and_what_was_taken_back(family: Family) -> None:
    named = family.do("name", 1, "Ada")
    undone = family.undo(named)

    latest, earlier, *others = family.rows("history", 1)

    assert (latest["kind"], latest["undoes"]) == ("undone", named["decision"])
    assert (earlier["what"], earlier["undone_by"]) == (
        "#1 Person 1 is called 'Ada'",
        undone["decision"],
    )
    assert {other["by"] for other in others} == {"matcher"}
    assert len(family.rows("history", "--limit", 1)) == 1
    assert [row["kind"] for row in family.rows("history", "--face", family.faces(2)[0])] == [
        "assigned"
    ]


def test_tables_that_differ_from_the_log_are_found_and_put_right(family: Family) -> None:
    family.world.run("UPDATE identities SET label = 'nobody said so' WHERE number = 2")

    checked = family.shell.run("identities", "rebuild", "--check")

    assert checked.exit_code == ExitCode.FAILED
    assert json.loads(checked.stdout)["identities"] == 1
    assert family.rows("rebuild", "--dry-run")[0]["total"] == 1
    assert family.rows("rebuild")[0]["total"] == 1
    assert family.rows("rebuild", "--check")[0]["total"] == 0
    assert family.people()[2] == ("Person 2", 3)


def test_contradictions_that_came_in_all_the_same_are_listed_with_who_said_what(
    family: Family,
) -> None:
    assert family.rows("conflicts") == []
    confirmed = family.do("confirm", 1, family.faces(1)[0])
    (one,) = family.world.run(
        "SELECT face_id, other_face_id FROM constraints ORDER BY face_id LIMIT 1"
    )
    family.world.run(
        "INSERT INTO faces SELECT 'abcdef00-0000-4000-8000-000000000000', content_key, 7, x1, y1,"
        " x2, y2, landmarks, landmark_schema, detection_score, quality, track, model, crop_key"
        " FROM faces WHERE face_id = %s",
        one["face_id"],
    )
    family.world.run(
        "INSERT INTO constraints (face_id, other_face_id, kind, decision_id)"
        " SELECT least(face_id, 'abcdef00-0000-4000-8000-000000000000'),"
        " greatest(face_id, 'abcdef00-0000-4000-8000-000000000000'), kind,"
        " gen_random_uuid() FROM (VALUES (%s::uuid, 'must'), (%s::uuid, 'cannot'))"
        " AS said (face_id, kind)",
        one["face_id"],
        one["other_face_id"],
    )

    (found,) = family.rows("conflicts")

    assert confirmed["decision"] in found["together_by"]
    assert len(found["apart"]) == 2
