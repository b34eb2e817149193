"""Child processes that belong together: started in order, restarted when they die, stopped as one.

Knows nothing of what its children do. A library was looked for: honcho ends everything when
one child ends, circus opens an unauthenticated control port.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from logging.handlers import RotatingFileHandler
from pathlib import Path

import structlog

_log = structlog.get_logger(__name__)

_LOG_BYTES = 10 * 1024 * 1024
_LOG_FILES = 5
# A child that lived this long was healthy: its next death starts the back-off anew.
_HEALTHY_SECONDS = 60.0
_LONGEST_BACK_OFF_SECONDS = 60.0
# A line longer than this is cut in two rather than kept in memory without bound.
_LINE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Child:
    """One process to keep alive.

    Attributes:
        command: Program and arguments; no shell.
        environment: The child's whole environment.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Supervisor:
    """Keeps children alive until told to stop.

    Args:
        children: Started in this order, stopped together.
        log_folder: Receives ``<name>.log`` of each child, rotated at 10 MB, five kept.
        grace_seconds: Time between SIGTERM and SIGKILL when stopping.
        first_back_off_seconds: Pause before the first restart; it doubles up to a minute.
        on_line: Called with each child's name and each line it prints.
        on_change: Called with the process id of every child, ``None`` for one that is down,
            whenever one starts or dies.
    """

    children: Sequence[Child]
    log_folder: Path
    grace_seconds: float = 20.0
    first_back_off_seconds: float = 1.0
    on_line: Callable[[str, str], None] | None = None
    on_change: Callable[[Mapping[str, int | None]], None] | None = None
    _pids: dict[str, int | None] = field(default_factory=dict, init=False, repr=False)

    async def run(self, stop: asyncio.Event) -> None:
        """Start every child and keep each alive until ``stop`` is set; then stop all."""
        self.log_folder.mkdir(parents=True, exist_ok=True)
        async with asyncio.TaskGroup() as group:
            keepers = [group.create_task(self._keep(child)) for child in self.children]
            await stop.wait()
            for keeper in keepers:
                keeper.cancel()

    async def _keep(self, child: Child) -> None:
        clock = asyncio.get_running_loop().time
        back_off = self.first_back_off_seconds
        while True:
            started = clock()
            code = await self._run_once(child)
            if clock() - started >= _HEALTHY_SECONDS:
                back_off = self.first_back_off_seconds
            _log.warning("child_died", child=child.name, code=code, restart_in_seconds=back_off)
            await asyncio.sleep(back_off)
            back_off = min(back_off * 2, _LONGEST_BACK_OFF_SECONDS)

    async def _run_once(self, child: Child) -> int:
        process = await asyncio.create_subprocess_exec(
            *child.command,
            env=dict(child.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=_LINE_BYTES,
            # A group of its own: Ctrl-C reaches us alone, and a stop reaches its workers too.
            start_new_session=True,
        )
        _log.info("child_started", child=child.name, pid=process.pid)
        self._now(child, process.pid)
        try:
            await self._copy_output(child, process)
            return await process.wait()
        finally:
            self._now(child, None)
            await asyncio.shield(self._end(process))

    def _now(self, child: Child, pid: int | None) -> None:
        self._pids[child.name] = pid
        if self.on_change:
            self.on_change(self._pids)

    async def _copy_output(self, child: Child, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # asked for as a pipe above
        with contextlib.closing(
            RotatingFileHandler(
                self.log_folder / f"{child.name}.log",
                maxBytes=_LOG_BYTES,
                backupCount=_LOG_FILES,
                encoding="utf-8",
            )
        ) as log:
            while line := await _read_line(process.stdout):
                text = line.decode(errors="replace").rstrip("\n")
                log.emit(logging.makeLogRecord({"msg": text}))
                if self.on_line:
                    self.on_line(child.name, text)

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        """End a child and its group; a child that already died leaves at most its group."""
        _signal_group(process.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), self.grace_seconds)
        except TimeoutError:
            _signal_group(process.pid, signal.SIGKILL)
            await process.wait()


async def _read_line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readuntil(b"\n")
    except asyncio.IncompleteReadError as exc:
        return exc.partial
    except asyncio.LimitOverrunError as exc:
        return await stream.readexactly(exc.consumed)


def _signal_group(group: int, signal_number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal_number)
