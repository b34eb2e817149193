"""kill -9 at any moment of a backfill costs time and nothing else."""

from __future__ import annotations

import io
import random
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from dagster import DagsterRunStatus, RunsFilter
from PIL import Image

from cli.demo.photos import sample_photos, sample_video
from cli.demo.scenario import PHONE, DemoWorld
from telegram_sandbox import Scenario
from tests.fixtures.dumps import Dump, differences, dump, failed_products
from tests.fixtures.hubs import Hub, hub_of
from tests.fixtures.installation import Install, Installation
from tests.fixtures.kills import Moment, Request, RowWritten, Worker

pytestmark = pytest.mark.timeout(600)

SEED = 9
WORKER = Path(__file__).with_name("backfill_process.py")
PHOTOS_A_PERSON = 5
WINDOW_WIDTH = 10_000
SENDS = ("messages.sendMedia", "messages.forwardMessages", "messages.createForumTopic")

# Few in flight: what was in hand at a kill is done again one by one, each in a child of its own.
SETTINGS = {"FACE_ARCHIVE_DOWNLOAD_CONCURRENCY": "1", "FACE_ARCHIVE_MEDIA_WORKERS": "1"}


@dataclass(frozen=True, slots=True)
class Result:
    """All that a backfill comes to."""

    rows: Dump
    hub: Hub


@dataclass(frozen=True, slots=True)
class Material:
    """Files to send; made once, because no encoder gives the same video twice."""

    photos: tuple[bytes, ...]
    video: bytes


@pytest.fixture(scope="module")
def material() -> Material:
    rng = random.Random(SEED)
    photos = [_half(photo.data) for photo in sample_photos(rng, PHOTOS_A_PERSON)]
    return Material(tuple(rng.sample(photos, len(photos))), sample_video(rng))


def _half(data: bytes) -> bytes:
    """Shrink a photo: there is nothing to see here that needs its pixels."""
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(data)) as photo:
        photo.reduce(2).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def build_world(material: Material) -> DemoWorld:
    """Build two chats of three windows: thirty photos, a video, some forwards; always the same."""
    rng = random.Random(SEED)
    scenario = Scenario(seed=SEED)
    owner = scenario.user("Nora", phone=PHONE)
    friend = scenario.user("Ben")
    family = scenario.supergroup("Family", owner=owner, members=[friend])
    club = scenario.supergroup("Club", owner=owner, members=[friend], forum=True)
    regatta = club.topic(friend, "Regatta")
    sent = []
    for window in range(2):
        family.skip_ids(window and WINDOW_WIDTH)
        family.text(friend, "More of them:")
        sent += [
            family.photo(rng.choice([owner, friend]), data) for data in material.photos[window::3]
        ]
    for data in material.photos[2::3]:
        club.photo(friend, data, topic=regatta)
    club.video(owner, material.video, duration=6, width=480, height=360)
    for original in rng.sample(sent, 4):
        club.forward(owner, original, topic=regatta)
    return DemoWorld(scenario, (family.id, club.id))


def ten_moments(rng: random.Random) -> list[Moment]:
    """Draw moments of every stage; those of a stage that comes later are drawn to come later."""
    reading: list[Moment] = [
        Request("messages.getHistory", 1),
        RowWritten("messages", rng.randint(1, 6)),
        Request("upload.getFile", rng.randint(1, 5), has_effect=rng.random() < 0.5),
        RowWritten("media_products", rng.randint(1, 9)),
        RowWritten(rng.choice(["faces", "embeddings"]), rng.randint(1, 4)),
    ]
    deciding: list[Moment] = [RowWritten(rng.choice(["identities", "assignments"]), 3)]
    publishing: list[Moment] = [
        Request("messages.createForumTopic", rng.randint(1, 2), has_effect=rng.random() < 0.5),
        Request("messages.sendMedia", rng.randint(1, 6)),
        Request("messages.sendMedia", rng.randint(1, 6), has_effect=False),
        RowWritten("publications", rng.randint(1, 9)),
    ]
    for stage in (reading, publishing):
        rng.shuffle(stage)
    return reading + deciding + publishing


def worker(installation: Installation, keys: list[str]) -> Worker:
    return Worker([sys.executable, str(WORKER), *keys], installation)


def result_of(installation: Installation) -> Result:
    return Result(dump(installation.toolbox.database), hub_of(installation))


@pytest.fixture(scope="module")
def uninterrupted(install: Install, material: Material) -> Result:
    with install(build_world(material), **SETTINGS) as installation:
        assert worker(installation, installation.set_up()).run() == 0
        return result_of(installation)


@pytest.fixture(scope="module")
def killed(install: Install, material: Material) -> Iterator[tuple[Installation, list[str]]]:
    """An installation whose backfill was killed ten times, and then came to its end."""
    with install(build_world(material), **SETTINGS) as installation:
        keys = installation.set_up()
        for moment in ten_moments(random.Random(SEED)):
            code = worker(installation, keys).run_until(moment)
            assert code == -signal.SIGKILL, f"{moment} did not come"
        assert worker(installation, keys).run() == 0
        yield installation, keys


def test_a_backfill_killed_ten_times_ends_with_the_same_rows_and_the_same_hub(
    killed: tuple[Installation, list[str]], uninterrupted: Result
) -> None:
    installation, _ = killed
    result = result_of(installation)
    assert differences(result.rows, uninterrupted.rows) == {}
    assert result.hub == uninterrupted.hub
    assert len(result.hub) >= 5


def test_nothing_failed_because_its_process_was_killed(
    killed: tuple[Installation, list[str]],
) -> None:
    assert failed_products(killed[0].toolbox.database) == 0


def test_every_face_has_its_crop(killed: tuple[Installation, list[str]]) -> None:
    toolbox = killed[0].toolbox
    with toolbox.database.transaction() as connection:
        keys = [key for (key,) in connection.execute("SELECT crop_key FROM faces")]
    assert len(keys) >= 30
    assert all(toolbox.blobs.exists(key) for key in keys)


def test_the_runs_that_were_killed_are_over_and_failed(
    killed: tuple[Installation, list[str]],
) -> None:
    instance = killed[0].instance
    over = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE]
    runs = instance.get_runs()
    assert {run.status for run in runs} == set(over)
    assert instance.get_runs_count(RunsFilter(statuses=[DagsterRunStatus.FAILURE])) == 10


def test_a_second_publishing_sends_nothing(killed: tuple[Installation, list[str]]) -> None:
    installation, keys = killed
    before = result_of(installation)
    sent = installation.requests(*SENDS)
    assert worker(installation, keys).run() == 0
    assert installation.requests(*SENDS) == sent
    assert result_of(installation) == before
