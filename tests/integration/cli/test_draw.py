"""Drawing faces from the command line: fetched from a loopback Telegram, with a real engine."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from PIL import Image

from cli.demo.photos import sample_photos
from cli.demo.scenario import PHONE, DemoWorld
from cli.exits import ExitCode
from telegram_sandbox import Scenario
from tests.fixtures.commands import face_archive, rows
from tests.fixtures.installation import Install, Installation, install
from tests.integration.vision.pictures import counting_frames, video

__all__ = ["install"]

GROUP, FILM, PORTRAIT = 2, 3, 4
"""Messages: six people, each too small to be found; a film of nobody; one person."""

FACE = "146,68,168,98"
"""Somebody in the group, in its pixels."""


def tiny_group() -> bytes:
    photo = Image.open(io.BytesIO((files("insightface") / "data/images/t1.jpg").read_bytes()))
    buffer = io.BytesIO()
    photo.resize((photo.width // 5, photo.height // 5)).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def archive(install: Install) -> Iterator[Installation]:
    """An archive with one person, and two contents in which nobody was found."""
    scenario = Scenario(seed=6)
    owner = scenario.user("Nora", phone=PHONE, username="nora_lindqvist")
    chat = scenario.supergroup("Family", owner=owner, username="family_demo")
    sent = [
        chat.photo(owner, tiny_group()),
        chat.video(owner, video(counting_frames(50, 160, 120), fps=10)),
        chat.photo(owner, next(sample_photos(random.Random(1), 1)).data),
    ]
    assert [message.id for message in sent] == [GROUP, FILM, PORTRAIT]
    with install(DemoWorld(scenario, (chat.id,)), FACE_ARCHIVE_MIN_FACES="1") as installation:
        installation.materialize(installation.set_up())
        yield installation


def link(message_id: int) -> str:
    return f"https://t.me/family_demo/{message_id}"


def do(archive: Installation, *arguments: object) -> list[dict[str, Any]]:
    result = face_archive(archive.environment, *arguments)
    assert result.exit_code == ExitCode.OK, result.output
    return rows(result)


def seen(archive: Installation, message_id: int) -> list[dict[str, Any]]:
    """The faces of a message that were kept."""
    return [row for row in do(archive, "why", link(message_id)) if row["face"]]


def test_a_face_that_no_detector_found_is_drawn_given_to_somebody_and_taken_back(
    archive: Installation,
) -> None:
    assert seen(archive, GROUP) == []

    drawn, by_hand, given = do(archive, "identities", "draw", link(GROUP), FACE, "--as", "Person 1")

    assert (drawn["landmarks"], drawn["person"]) == ("seen", "#1 Person 1")
    assert drawn["box"] == [146, 68, 168, 98]
    assert [by_hand["kind"], given["kind"]] == ["face_drawn", "confirmed"]
    (shown,) = seen(archive, GROUP)
    assert (shown["face"], shown["person"]) == (drawn["face"], "Person 1")
    assert archive.toolbox.blobs.exists(crop_of(archive, drawn["face_id"]))

    again = face_archive(archive.environment, "identities", "draw", link(GROUP), FACE)
    assert again.exit_code == ExitCode.PERSON_MUST_ACT
    assert drawn["face_id"] in again.stderr

    do(archive, *given["undo"].split()[1:])
    do(archive, *by_hand["undo"].split()[1:])
    shown_now = do(archive, "identities", "show", 1)
    assert drawn["face"] not in [row.get("face") for row in shown_now]
    assert do(archive, "identities", "rebuild", "--check")[0]["total"] == 0


def crop_of(archive: Installation, face_id: str) -> str:
    with archive.toolbox.database.transaction() as connection:
        row = connection.execute("SELECT crop_key FROM faces WHERE face_id = %s", (face_id,))
        (key,) = row.fetchone() or ("",)
    return str(key)


def test_a_box_on_a_film_is_drawn_at_its_time_and_says_that_its_landmarks_are_estimated(
    archive: Installation,
) -> None:
    result = face_archive(
        archive.environment, "identities", "draw", link(FILM), "20,20,90,110", "--at", "2.04"
    )

    drawn = json.loads(result.stdout.splitlines()[0])
    assert (drawn["seconds"], drawn["landmarks"], drawn["quality"]) == (2.0, "estimated", 0.0)
    assert "No detector sees a face there" in result.stderr
    (shown,) = seen(archive, FILM)
    assert (shown["frame_seconds"], shown["person"]) == (2.0, None)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((link(GROUP), "1,2,3"), ExitCode.USAGE, "four numbers"),
        ((link(GROUP), "400,10,500,90"), ExitCode.PERSON_MUST_ACT, "256 × 177 pixels"),
        ((link(GROUP), FACE, "--as", "Nobody"), ExitCode.PERSON_MUST_ACT, "Nobody is known as"),
        ((link(99), FACE), ExitCode.PERSON_MUST_ACT, "no picture of"),
        (("sha256:" + "0" * 64, FACE), ExitCode.PERSON_MUST_ACT, "no chat that allows faces"),
        ((link(FILM), FACE, "--at", "60"), ExitCode.FAILED, "ends at"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_way_out(
    archive: Installation, arguments: tuple[object, ...], code: ExitCode, said: str
) -> None:
    before = seen(archive, GROUP)

    result = face_archive(archive.environment, "identities", "draw", *arguments)

    assert (result.exit_code, said in result.stderr) == (code, True), result.stderr
    assert seen(archive, GROUP) == before
