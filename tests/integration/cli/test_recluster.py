"""Grouping all faces anew from the command line: what is printed, kept, applied, refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive.correcting import Act, move
from archive.identify import IdentifyOptions, identify
from archive.reclustering import propose
from cli.exits import ExitCode
from resources.proposals import ProposalFile
from resources.store.corrections import CorrectionStore
from resources.store.database import Database
from resources.store.people import PeopleStore
from tests.integration.store.test_people import Shelf
from tests.unit.identity.worlds import world
from tests.unit.test_identify import MODEL

from .conftest import Shell


@pytest.fixture
def proposed(installed: Shell, database: Database, tmp_path: Path) -> Shell:
    """A shell where two faces of #2 are #1's, and it is proposed to give them back."""
    faces, of = world([6, 5], seed=3)
    Shelf(database).fill(faces)
    people, corrections = PeopleStore(database), CorrectionStore(database)
    identify(people, MODEL, IdentifyOptions(), cause="test")
    with corrections.correcting() as desk:
        places = {
            face_id: face.identity_id
            for face_id, face in desk.faces([f.face_id for f in faces.faces]).items()
        }
        ids = [face.face_id for face in faces.faces]
        first, second = ([f for f, one in zip(ids, of, strict=True) if one == n] for n in (0, 1))
        move(desk, dict.fromkeys(second[:2], places[first[0]]), Act("Mia", "test"))
    shelf = ProposalFile(tmp_path / "data" / "proposal.json")
    shelf.keep(propose(people, corrections, MODEL, IdentifyOptions()))
    return installed


def test_where_nobody_is_nothing_is_proposed(installed: Shell) -> None:
    result = installed.run("identities", "recluster")
    assert result.exit_code == ExitCode.OK
    assert result.stdout == ""


def test_without_a_proposal_there_is_nothing_to_apply(installed: Shell) -> None:
    installed.run("identities", "recluster", "--dry-run")
    result = installed.run("identities", "recluster", "--apply", "all")
    assert result.exit_code == ExitCode.PERSON_MUST_ACT
    assert "run `face-archive identities recluster` first" in result.stderr


def test_a_part_is_applied_once_and_named_in_words(proposed: Shell) -> None:
    (row,) = proposed.rows("identities", "recluster", "--apply", "1")
    assert row["kind"] == "move"
    assert row["what"].endswith(": 2 faces")
    assert row["outcome"] == "applied"
    (again,) = proposed.rows("identities", "recluster", "--apply", "all")
    assert again["outcome"] == "applied before"
    listed = {one["faces"] for one in proposed.rows("identities", "list")}
    assert listed == {6, 5}


def test_an_outdated_part_is_left_out_and_said_to_be(proposed: Shell) -> None:
    proposed.rows("identities", "name", 1, "Ada")
    result = proposed.run("identities", "recluster", "--apply", "all")
    assert '"outcome": "outdated"' in result.stdout
    assert "run `recluster` again" in result.stderr


@pytest.mark.parametrize(
    "options",
    [["--apply", "one"], ["--apply", "1", "--dry-run"], ["--apply", "1", "--identity", "1"]],
)
def test_what_makes_no_sense_together_is_refused(installed: Shell, options: list[str]) -> None:
    assert installed.run("identities", "recluster", *options).exit_code == 2
