"""`face-archive catch-up --once`: what cron starts instead of all that runs all the time."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterRunStatus

from cli.demo.photos import sample_photos
from cli.demo.scenario import PHONE, DemoWorld
from cli.exits import ExitCode
from cli.up import only_one
from resources.telegram.sessions import Lane
from telegram_sandbox import ChatHandle, Scenario
from tests.fixtures.commands import face_archive, rows
from tests.fixtures.hubs import hub_of, rename_topic
from tests.fixtures.installation import Install, Installation
from tests.fixtures.kills import Worker

PERSON = 3
COMMAND = [str(Path(sys.executable).with_name("face-archive")), "catch-up", "--once"]


class Family:
    """A chat of one person's photos; some are there, some are sent later."""

    def __init__(self) -> None:
        samples = sample_photos(random.Random(8), 5)
        self.photos = [photo.data for photo in samples if photo.person == PERSON]
        scenario = Scenario(seed=8)
        self.owner = scenario.user("Nora", phone=PHONE)
        self.chat: ChatHandle = scenario.supergroup("Family", owner=self.owner)
        self.world = DemoWorld(scenario, (self.chat.id,))
        for _ in range(3):
            self.chat.photo(self.owner, self.photos.pop())

    def send(self, installation: Installation) -> None:
        photo = self.photos.pop()
        installation.telegram.post(self.chat, lambda chat: chat.photo(self.owner, photo))


@pytest.fixture
def family() -> Family:
    return Family()


@pytest.fixture
def installation(install: Install, family: Family) -> Iterator[Installation]:
    with install(family.world, FACE_ARCHIVE_MIN_FACES="2") as made:
        made.set_up()
        yield made


def posts(installation: Installation) -> list[int]:
    return [len(each) for each in hub_of(installation).values()]


def test_each_time_it_brings_what_is_new_up_to_the_posts(
    installation: Installation, family: Family
) -> None:
    first = face_archive(installation.environment, "catch-up", "--once")
    assert first.exit_code == ExitCode.OK, first.output
    assert posts(installation) == [3]

    edited, *_ = family.chat.messages[1:]
    family.send(installation)
    installation.telegram.post(family.chat, lambda chat: chat.edit(edited, text="a caption"))
    hub_id = installation.hub_id
    installation.telegram.call(lambda sandbox: rename_topic(sandbox, hub_id, "Ada"))
    second = face_archive(installation.environment, "catch-up", "--once")
    assert second.exit_code == ExitCode.OK, second.output
    assert posts(installation) == [4]
    assert list(hub_of(installation)) == ["Ada"]
    with installation.toolbox.database.transaction() as connection:
        texts = connection.execute(
            "SELECT text FROM messages WHERE message_id = %s", (edited.id,)
        ).fetchall()
    assert texts == [("a caption",)]

    (idle,) = rows(face_archive(installation.environment, "catch-up", "--once"))
    assert idle == {"accounts": 1, "windows": 0, "items": 0, "failed": 0, "left": 0}


def test_what_it_brought_is_in_the_warehouse_once_that_is_built(
    installation: Installation,
) -> None:
    environment = installation.environment
    assert face_archive(environment, "catch-up", "--once").exit_code == ExitCode.OK
    assert face_archive(environment, "stats", "top").exit_code == ExitCode.PERSON_MUST_ACT

    built = face_archive(environment, "warehouse")

    assert built.exit_code == ExitCode.OK, built.output
    (nora,) = rows(face_archive(environment, "stats", "top"))
    assert nora["photos_and_videos"] == 3


def test_it_stops_at_a_number_of_items_and_goes_on_the_next_time(
    installation: Installation, family: Family
) -> None:
    family.chat.skip_ids(10_000)
    family.send(installation)

    limited = face_archive(installation.environment, "catch-up", "--once", "--max-items", 1)
    assert limited.exit_code == ExitCode.TRY_LATER
    (row,) = rows(limited)
    assert (row["windows"], row["left"]) == (1, 1)

    rest = face_archive(installation.environment, "catch-up", "--once")
    assert rest.exit_code == ExitCode.OK, rest.output
    assert posts(installation) == [4]


def test_beside_up_or_another_one_it_leaves_everything_alone(installation: Installation) -> None:
    folder = installation.toolbox.settings.data_dir / "run"
    with only_one(folder):
        assert Worker(COMMAND, installation).run() == ExitCode.TRY_LATER
    assert installation.instance.get_runs_count() == 0


def test_a_window_that_telegram_refuses_fails_and_the_people_come_all_the_same(
    installation: Installation,
) -> None:
    installation.telegram.call(
        lambda sandbox: sandbox.faults.error("messages.getHistory", "MSG_ID_INVALID")
    )
    result = face_archive(installation.environment, "catch-up", "--once")
    assert result.exit_code == ExitCode.FAILED
    statuses = [run.status for run in installation.instance.get_runs()]
    assert sorted(statuses, key=str) == [DagsterRunStatus.FAILURE, DagsterRunStatus.SUCCESS]


def test_a_flood_is_for_the_next_time(install: Install, family: Family) -> None:
    with install(family.world, FACE_ARCHIVE_FLOOD_SLEEP_LIMIT_SECONDS="0") as installation:
        installation.set_up()
        installation.telegram.call(
            lambda sandbox: sandbox.faults.error("messages.getHistory", "FLOOD_WAIT_600")
        )
        result = face_archive(installation.environment, "catch-up", "--once")
    assert result.exit_code == ExitCode.TRY_LATER


def test_an_account_that_is_logged_out_needs_a_person(installation: Installation) -> None:
    (account_id,) = installation.toolbox.sessions.accounts()
    for lane in Lane:
        installation.toolbox.sessions.remove(account_id, lane)
    result = face_archive(installation.environment, "catch-up", "--once")
    assert result.exit_code == ExitCode.PERSON_MUST_ACT
    assert "face-archive login" in result.output


def test_without_once_it_says_what_runs_all_the_time(installation: Installation) -> None:
    result = face_archive(installation.environment, "catch-up")
    assert result.exit_code == ExitCode.USAGE
    assert "--once" in result.output
