"""The supervisor with real processes: restart, stop, stubborn children, logs."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from cli.supervisor import Child, Supervisor


class Watch:
    """Waits for lines that children print."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self, child: str, line: str) -> None:
        self.lines.append((child, line))
        task = asyncio.ensure_future(self._notify())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def until(self, count: int) -> list[tuple[str, str]]:
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(lambda: len(self.lines) >= count), 20)
        return self.lines


def python(name: str, code: str) -> Child:
    return Child(name, [sys.executable, "-u", "-c", code], {"PATH": os.environ["PATH"]})


@pytest.fixture
def watch() -> Watch:
    return Watch()


async def test_a_child_that_dies_is_started_again(tmp_path: Path, watch: Watch) -> None:
    supervisor = Supervisor(
        [python("brief", "print('here')")], tmp_path, first_back_off_seconds=0.01, on_line=watch
    )
    stop = asyncio.Event()
    running = asyncio.create_task(supervisor.run(stop))
    lines = await watch.until(3)
    stop.set()
    await running
    assert lines[:3] == [("brief", "here")] * 3


async def test_a_stop_ends_a_child_that_ignores_sigterm(tmp_path: Path, watch: Watch) -> None:
    stubborn = (
        "import os, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(os.getpid())\nwhile True: signal.pause()"
    )
    supervisor = Supervisor(
        [python("stubborn", stubborn)], tmp_path, grace_seconds=0.2, on_line=watch
    )
    stop = asyncio.Event()
    running = asyncio.create_task(supervisor.run(stop))
    pid = int((await watch.until(1))[0][1])
    stop.set()
    await running
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_stop_ends_the_workers_of_a_child_too(tmp_path: Path, watch: Watch) -> None:
    parent = (
        "import subprocess, sys\n"
        "worker = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])\n"
        "print(worker.pid)\nworker.wait()"
    )
    supervisor = Supervisor([python("parent", parent)], tmp_path, on_line=watch)
    stop = asyncio.Event()
    running = asyncio.create_task(supervisor.run(stop))
    worker = int((await watch.until(1))[0][1])
    stop.set()
    await running
    assert not Path(f"/proc/{worker}/cmdline").exists() or not (
        Path(f"/proc/{worker}/cmdline").read_bytes()
    )


async def test_what_a_child_prints_is_kept_in_its_log(tmp_path: Path, watch: Watch) -> None:
    supervisor = Supervisor(
        [python("loud", "import signal; print('kept'); signal.pause()")], tmp_path, on_line=watch
    )
    stop = asyncio.Event()
    running = asyncio.create_task(supervisor.run(stop))
    await watch.until(1)
    stop.set()
    await running
    assert (tmp_path / "loud.log").read_text() == "kept\n"
