"""A photo that is sent while everything runs becomes a face and a post, without a command."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, cast

import dagster as dg
import psutil
import pytest

from archive.ids import ContentKey, content_key
from cli.demo.photos import sample_photos
from cli.demo.run import set_up
from cli.demo.scenario import PHONE, DemoWorld
from sensors.inbox import inbox_sensor
from sensors.remarks import remarks_sensor
from telegram_sandbox import ChatHandle, Scenario, ThreadedSandbox, User, run_in_thread
from tests.fixtures.dumps import failed_products
from tests.fixtures.hubs import Hub, hub_of, read_hub, rename_topic
from tests.fixtures.installation import Install, Installation
from tests.fixtures.kills import Request, killing_at
from tests.fixtures.running import Home, family_of, home, is_alive
from tests.fixtures.waiting import until

PERSON = 2
PHOTOS = 5

# From the start of `up`, or from a photo, to its post: two sensors' intervals and two runs.
_LONGEST_WAY_SECONDS = 240.0


@dataclass(frozen=True, slots=True)
class Story:
    """A chat with photos of one person, and one more to be sent.

    Attributes:
        sent: Contents that are in the chat from the start.
    """

    world: DemoWorld
    chat: ChatHandle
    owner: User
    sent: frozenset[ContentKey]
    next_photo: bytes

    def send(self, telegram: ThreadedSandbox) -> ContentKey:
        """Send the photo that was kept back, while Telegram runs."""
        telegram.post(self.chat, lambda chat: chat.photo(self.owner, self.next_photo))
        return content_of(self.next_photo)


@pytest.fixture
def story() -> Story:
    samples = sample_photos(random.Random(4), PHOTOS)
    *first, last = [photo.data for photo in samples if photo.person == PERSON]
    scenario = Scenario(seed=4)
    owner = scenario.user("Nora", phone=PHONE)
    chat = scenario.supergroup("Family", owner=owner)
    for data in first:
        chat.photo(owner, data)
    sent = frozenset(map(content_of, first))
    return Story(DemoWorld(scenario, (chat.id,)), chat, owner, sent, last)


def heard_chats(installation: Installation) -> int:
    with installation.toolbox.database.transaction() as connection:
        row = connection.execute("SELECT count(*) FROM heard_chats").fetchone()
    return int(row[0]) if row else 0


def content_of(data: bytes) -> ContentKey:
    return content_key(sha256(data).digest())


def contents(hub: Hub) -> dict[str, set[str]]:
    return {title: {post.content_key for post in posts} for title, posts in hub.items()}


# Each part by itself: the real listener, the sensor called as the daemon would


@contextmanager
def listener(installation: Installation) -> Iterator[None]:
    """Run the listener of an installation; given once it listens."""
    environment = {**installation.environment, "LOG_LEVEL": "INFO"}
    with subprocess.Popen(
        [sys.executable, "-m", "sensors.listener"],
        cwd=environment["FACE_ARCHIVE_DATA_DIR"],
        env=environment,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        assert any(b"listening" in line for line in process.stderr)
        yield
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_what_the_listener_hears_becomes_a_post_in_its_persons_topic_and_a_name(
    story: Story, install: Install
) -> None:
    with install(story.world) as installation:
        installation.materialize(installation.set_up())
        assert contents(hub_of(installation)) == {"Person 1": story.sent}
        toolbox, hub_id = installation.toolbox, installation.hub_id

        with listener(installation):
            until(lambda: heard_chats(installation) == 2, "the chat and the hub to be heard")
            new = story.send(installation.telegram)
            installation.telegram.call(lambda sandbox: rename_topic(sandbox, hub_id, "Ada"))
            until(lambda: toolbox.inbox.waiting(1), "the update in the inbox")
            until(lambda: toolbox.remarks.waiting(1), "the new title beside it")
        context = dg.build_sensor_context(
            instance=installation.instance, resources={"toolbox": toolbox}
        )
        asked = cast(Any, inbox_sensor)(context)
        heeded = cast(Any, remarks_sensor)(context)
        assert heeded.skip_message == "Heeded: 1 decided."
        installation.materialize([run.partition_key for run in asked.run_requests])

        assert contents(hub_of(installation)) == {"Ada": story.sent | {new}}
        assert not toolbox.inbox.waiting(1)


# All of it together: `face-archive up`


@pytest.fixture
def prepared(story: Story) -> Iterator[tuple[Home, int]]:
    """An installation whose chat is allowed and that nothing was read of, and its hub's id."""
    with (
        run_in_thread(story.world.scenario) as telegram,
        home(story.world, telegram, LOG_LEVEL="INFO") as prepared,
    ):
        with prepared.toolbox() as toolbox:
            asyncio.run(set_up(toolbox, story.world))
            (hub,) = toolbox.hubs()
        assert prepared.postmaster() is None
        yield prepared, hub.chat.chat_id


@contextmanager
def running(prepared: Home) -> Iterator[psutil.Process]:
    """Run `up` while the body does; whatever happens, nothing of it is left."""
    process = prepared.start("up")
    everybody = psutil.Process(process.pid)
    try:
        until(lambda: prepared.child("listener"), "the start of the listener", seconds=90)
        yield everybody
    finally:
        left = family_of(everybody) if is_alive(everybody) else []
        if process.poll() is None:
            process.terminate()
            process.wait(60)
        for orphan in filter(is_alive, left):
            orphan.kill()


def stop(prepared: Home, everything: psutil.Process) -> int:
    """Send SIGTERM as a service manager would; gives the exit code once nobody is left."""
    family = family_of(everything)
    database = prepared.postmaster()
    assert database is not None
    assert len(family) >= 5
    everything.terminate()
    code = everything.wait(60)
    until(lambda: not any(map(is_alive, [*family, database])), "the end of every process")
    return int(code or 0)


def restarted(prepared: Home, name: str, before: psutil.Process) -> bool:
    now = prepared.child(name)
    return now is not None and now.pid != before.pid and is_alive(now)


def test_up_restarts_a_child_that_was_killed_and_stops_all_of_them_cleanly(
    prepared: tuple[Home, int],
) -> None:
    here, _ = prepared
    with running(here) as everything:
        until(lambda: here.said("listener", "listening"), "the listener", seconds=60)
        killed = here.child("listener")
        assert killed is not None
        killed.kill()
        until(lambda: restarted(here, "listener", killed), "another listener", seconds=60)
        until(lambda: here.said("listener", "listening") == 2, "it to listen", seconds=60)

        processes = [row for row in here.rows("status", "--json") if row["row"] == "process"]
        assert {str(row["name"]): row["alive"] for row in processes} == dict.fromkeys(
            ("code-server", "webserver", "daemon", "listener"), True
        )
        assert stop(here, everything) == 0
    assert here.postmaster() is None
    assert here.child("listener") is None


def workers(prepared: Home, everything: psutil.Process) -> list[psutil.Process]:
    """Give the processes that talk to Telegram now, the listener left out."""
    port, listening = prepared.telegram.port, prepared.child("listener")
    return [
        process
        for process in family_of(everything)
        if process != listening
        and port in {getattr(each.raddr, "port", None) for each in process.net_connections("tcp")}
    ]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_while_up_runs_a_photo_becomes_a_post_without_a_command(
    story: Story, prepared: tuple[Home, int]
) -> None:
    here, hub_id = prepared

    def shows(expected: frozenset[ContentKey]) -> bool:
        return contents(read_hub(here.telegram, hub_id)) == {"Person 1": expected}

    with running(here) as everything:
        until(lambda: shows(story.sent), "the backfill", seconds=_LONGEST_WAY_SECONDS)
        new = story.send(here.telegram)
        until(lambda: shows(story.sent | {new}), "the post", seconds=_LONGEST_WAY_SECONDS)
        assert stop(here, everything) == 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_run_that_dagster_started_recovers_by_itself_when_its_worker_is_killed(
    story: Story, prepared: tuple[Home, int]
) -> None:
    here, hub_id = prepared
    killed: list[psutil.Process] = []

    with running(here) as everything:

        def kill_workers() -> None:
            killed.extend(workers(here, everything))
            for worker in killed:
                worker.kill()

        with killing_at(Request("upload.getFile", 2), here.telegram, kill_workers):
            until(lambda: killed, "a run to kill", seconds=_LONGEST_WAY_SECONDS)
        until(
            lambda: contents(read_hub(here.telegram, hub_id)) == {"Person 1": story.sent},
            "the posts",
            seconds=2 * _LONGEST_WAY_SECONDS,
        )
        assert stop(here, everything) == 0
    with here.toolbox() as toolbox:
        assert failed_products(toolbox.database) == 0
