"""Whenever a pass dies, the next one brings about the same rows as if nothing had happened."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.errors import Permanent, Transient
from archive.ids import MediaId
from archive.media_pass.records import Commit, Result
from resources.blobs import BlobStore
from resources.store.database import Database
from resources.store.media import MediaStore
from tests.fakes.media import OPTIONS, World

ROOT = Path(__file__).parents[2]

# Two of equal bytes, one that is rejected, two with several faces.
FILES = [
    b"faces=1 seed=1",
    b"faces=2 seed=2",
    b"faces=2 seed=2",
    b"broken seed=3",
    b"faces=0 seed=4",
    b"faces=3 seed=5",
    b"faces=1 seed=6",
]


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    world = World(database, tmp_path / "blobs")
    send_all(world)
    return world


def send_all(world: World) -> None:
    for number, data in enumerate(FILES, start=1):
        world.send(number, data)


@pytest.mark.parametrize("moment", ["fetch", "analyse", "put", "commit", "committed"])
async def test_a_killed_process_leaves_the_same_rows_after_the_next_run(
    world: World, database_url: str, moment: str
) -> None:
    await world.pass_over()
    expected = world.results()
    world.populate()
    send_all(world)

    for _ in range(2):
        script = [sys.executable, "-m", __name__, database_url, str(world.folder), moment]
        killed = subprocess.run(script, cwd=ROOT, check=False, timeout=60)
        assert killed.returncode == -signal.SIGKILL
    await until_free(world)

    assert world.results() == expected


async def test_what_was_in_flight_at_a_kill_is_done_alone_and_the_rest_is_not(
    world: World, database_url: str
) -> None:
    for number in range(8, 21):
        world.send(number, b"faces=1 seed=%d" % number)
    script = [sys.executable, "-m", __name__, database_url, str(world.folder), "analyse"]
    subprocess.run(script, cwd=ROOT, check=False, timeout=60)

    await until_free(world)

    # The newest are first; a crew of this size had so many of them in its hands.
    crew = OPTIONS.download_concurrency + OPTIONS.workers
    assert len(world.vision.alone) == crew
    assert len(world.vision.analysed) == 20 - crew


async def until_free(world: World) -> None:
    """Run a pass; the server may need a moment to notice that the holder of the lock is dead."""
    while True:
        try:
            result = await world.pass_over()
        except Transient as busy:
            assert busy.retry_after_seconds  # noqa: PT017 - any other one is a failure
            continue
        assert result.complete
        return


class Killed(Permanent):
    """Stands for a kill -9 inside the test's own process."""


class MortalStore(MediaStore):
    """Dies at its n-th answer or before its n-th question, and then can do nothing any more."""

    def __init__(self, database: Database, calls: int) -> None:
        super().__init__(database)
        self.calls = calls

    def claim(self, *args: Any, **kwargs: Any) -> Any:
        return self._mortal(super().claim, *args, **kwargs)

    def commit(self, *args: Any, **kwargs: Any) -> Any:
        return self._mortal(super().commit, *args, **kwargs)

    def set_back(self, *args: Any, **kwargs: Any) -> Any:
        return self._mortal(super().set_back, *args, **kwargs)

    def release(self, lease_owner: str) -> None:
        if self.calls > 0:
            super().release(lease_owner)

    def _mortal(self, call: Any, *args: Any, **kwargs: Any) -> Any:
        self.calls -= 1
        if self.calls == 0:
            raise Killed("before")
        answer = call(*args, **kwargs)
        self.calls -= 1
        if self.calls <= 0:
            raise Killed("after")
        return answer


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    deaths=st.lists(st.integers(1, 16), max_size=4),
    order=st.permutations(range(1, len(FILES) + 1)),
    width=st.integers(1, 4),
)
def test_any_order_and_any_deaths_end_in_the_same_rows(
    world: World, deaths: list[int], order: list[int], width: int
) -> None:
    options = replace(OPTIONS, download_concurrency=width, workers=1)
    world.populate()
    for position, number in enumerate(order, start=1):
        world.send(position, FILES[number - 1], media=number)
    asyncio.run(world.pass_over(options=options))
    expected = world.results()
    world.populate()
    send_all(world)

    for calls in deaths:
        world.store = MortalStore(world.database, calls)
        try:
            asyncio.run(world.pass_over(options=options))
        except Killed:
            continue
    world.store = MediaStore(world.database)
    result = asyncio.run(world.pass_over(options=options))

    assert result.complete
    assert world.results() == expected


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def last_words() -> bytes:
    die()
    return b""


class FinalStore(MediaStore):
    """Kills the process before or after its second commit."""

    moment = ""
    commits = 0

    def commit(self, chat_no: Any, lease_owner: str, result: Result) -> Commit:
        self.commits += 1
        if self.moment == "commit" and self.commits >= 2:
            die()
        stored = super().commit(chat_no, lease_owner, result)
        if self.moment == "committed" and self.commits >= 2:
            die()
        return stored


class FinalCrops(BlobStore):
    """Kills the process after its second crop."""

    puts = 0

    def put(self, data: bytes) -> str:
        key = super().put(data)
        self.puts += 1
        if self.puts >= 2:
            die()
        return key


def run_until_killed(database_url: str, folder: str, moment: str) -> None:
    with Database(database_url) as database:
        world = World(database, Path(folder), populate=False)
        world.files.update(
            {MediaId(f"document:{number}"): data for number, data in enumerate(FILES, start=1)}
            | {MediaId(f"document:{n}"): b"faces=1 seed=%d" % n for n in range(8, 21)}
        )
        if moment == "fetch":
            for data_of in list(world.files):
                world.source.script[data_of] = last_words
        if moment == "analyse":
            world.vision.before = lambda data: die()
        if moment == "put":
            world.crops = FinalCrops(world.folder)
        store = FinalStore(database)
        store.moment = moment
        world.store = store
        narrow = replace(OPTIONS, download_concurrency=1, workers=1)
        asyncio.run(world.pass_over(options=OPTIONS if moment == "analyse" else narrow))


if __name__ == "__main__":
    run_until_killed(*sys.argv[1:])
