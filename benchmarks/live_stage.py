"""What the benchmarks of live updates are measured on: an installation, Telegram in a process.

Two chats: one in which something is sent now, one whose years of photos a backfill goes through
meanwhile. What is claimed is in ``live_latency``.
"""

from __future__ import annotations

import asyncio
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, LiteralString, Self

from cli.demo.photos import sample_photos
from cli.demo.run import set_up
from cli.demo.scenario import PHONE, DemoWorld
from cli.demo.stage import foreign_environment
from resources.dagster_home import child_environment, prepare_dagster_home
from resources.databases import databases
from resources.settings import Settings
from resources.store.migrate import migrate
from resources.toolbox import Toolbox
from telegram_sandbox import Sandbox, Scenario
from telegram_sandbox.process import SandboxProcess, run_in_process

LATENCY_SECONDS: Final = 0.05
CODE: Final = "12345"
_SEED: Final = 17
_WINDOW_WIDTH: Final = 10_000
_WINDOWS: Final = 60
_PHOTOS_A_WINDOW: Final = 8
_LOOK_AGAIN_SECONDS: Final = 0.005


def story() -> Scenario:
    """Tell of a family that writes now and of an attic full of photos."""
    return world().scenario


def world() -> DemoWorld:
    """Make the story, the same in every process."""
    rng = random.Random(_SEED)
    photos = [photo.data for photo in sample_photos(rng, 4)]
    scenario = Scenario(seed=_SEED)
    owner = scenario.user("Nora", phone=PHONE)
    friend = scenario.user("Ben")
    family = scenario.supergroup("Family", owner=owner, members=[friend])
    attic = scenario.supergroup("Attic", owner=owner, members=[friend])
    family.text(friend, "Hello!")
    for window in range(_WINDOWS):
        attic.skip_ids(window and _WINDOW_WIDTH)
        for number in range(_PHOTOS_A_WINDOW):
            attic.photo(friend, unique(rng.choice(photos), f"{window} {number}"))
    return DemoWorld(scenario, (family.id, attic.id))


def unique(photo: bytes, name: str) -> bytes:
    """Make another file of a photo: what follows the end of a JPEG shows nowhere."""
    return photo + name.encode()


def send(sandbox: Sandbox, chat_id: int, photo: str | None = None) -> list[float]:
    """Send a message, over there; returns its id and when that was."""
    chat = sandbox.state.chat(chat_id)
    sender = chat.messages[-1].sender
    assert sender is not None
    if photo is None:
        at = time.time()
        return [chat.text(sender, "news").id, at]
    face = next(sample_photos(random.Random(_SEED), 1)).data
    at = time.time()
    return [chat.photo(sender, unique(face, photo)).id, at]


@dataclass(frozen=True, slots=True)
class Live:
    """An installation that is logged in, its two chats allowed and planned."""

    folder: Path
    environment: Mapping[str, str]
    toolbox: Toolbox
    telegram: SandboxProcess
    family_id: int
    windows: tuple[str, ...]

    def send(self, photo: str | None = None) -> tuple[int, float]:
        """Send a message to the family; returns its id and when that was."""
        arguments: dict[str, Any] = {"chat_id": self.family_id, "photo": photo}
        message_id, at = self.telegram.call(f"{__name__}:send", **arguments)
        return int(message_id), at

    @contextmanager
    def running(self, *command: str) -> Iterator[None]:
        """Run a process of the installation for the length of the body."""
        with (self.folder / "output.log").open("ab") as output:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=dict(self.environment),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            yield
        finally:
            process.terminate()
            process.wait(60)

    def last_words(self) -> str:
        """Return the end of what its processes said."""
        return (self.folder / "output.log").read_text(encoding="utf-8")[-2_000:]


class Watch:
    """Looks all the time which messages of the family a statement selects.

    Args:
        live: The installation.
        statement: Selects message ids.

    Attributes:
        seen: When each was seen first.
    """

    def __init__(self, live: Live, statement: LiteralString) -> None:
        self.seen: dict[int, float] = {}
        self._live = live
        self._statement = statement
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def until_all(self, expected: Iterable[int], seconds: float) -> None:
        """Wait until all of them were seen, or so long."""
        wanted = set(expected)
        deadline = time.time() + seconds
        while not wanted <= self.seen.keys() and time.time() < deadline:
            time.sleep(_LOOK_AGAIN_SECONDS)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._enough.set()
        self._thread.join()

    def _look(self) -> None:
        with self._live.toolbox.database.session() as connection:
            while not self._enough.wait(_LOOK_AGAIN_SECONDS):
                for (message_id,) in connection.execute(self._statement):
                    self.seen.setdefault(message_id, time.time())


@contextmanager
def stage(**settings: str) -> Iterator[Live]:
    """Make an installation of its own; leave nothing behind."""
    with (
        tempfile.TemporaryDirectory(prefix="face-archive-bench-", ignore_cleanup_errors=True) as n,
        run_in_process(f"{__name__}:{story.__name__}", latency_seconds=LATENCY_SECONDS) as telegram,
    ):
        folder = Path(n)
        # The embedded server of a root user runs as another one.
        folder.chmod(0o755)
        own = {**foreign_environment(), **_settings(folder, telegram), **settings}
        with databases(Settings.load(None, own), owner=True) as urls:
            migrate(urls.archive)
            prepare_dagster_home(folder)
            environment = child_environment(folder, urls, own)
            with Toolbox.open(Settings.load(None, environment)) as toolbox:
                told = world()
                keys = asyncio.run(set_up(toolbox, told))
                yield Live(folder, environment, toolbox, telegram, told.chats[0], tuple(keys))


def _settings(folder: Path, telegram: SandboxProcess) -> dict[str, str]:
    (folder / "run").mkdir()
    key = folder / "run" / "telegram.pem"
    key.write_text(telegram.public_key_pem, encoding="ascii")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    return {
        "TG_API_ID": "20",
        "TG_API_HASH": "benchmark",
        "LOG_LEVEL": "WARNING",
        "FACE_ARCHIVE_DATA_DIR": str(folder),
        "FACE_ARCHIVE_TELEGRAM_SERVER": f"{telegram.host}:{telegram.port}",
        "FACE_ARCHIVE_TELEGRAM_SERVER_KEY": str(key),
        "FACE_ARCHIVE_WEBSERVER_PORT": str(port),
        "FACE_ARCHIVE_MIN_FREE_DISK_GB": "0",
    }


LISTENER: Final = (sys.executable, "-m", "sensors.listener")
UP: Final = (str(Path(sys.executable).with_name("face-archive")), "up")
