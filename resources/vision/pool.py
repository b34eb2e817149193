"""Workers that analyse while the event loop stays free.

Threads for engines whose runtime lets go of Python's lock, processes for those that keep it: the
recipe says which. Processes, too, for work of which no item may end more than a worker. They are
spawned: forking a program with threads, ours always, copies locks that nobody will release.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import queue
import signal
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

from archive.errors import ArchiveError
from archive.faces.errors import WorkerDied
from archive.faces.records import Box, FoundFace, MediaAnalysis, ModelRecord, PictureKind
from archive.media_pass.ports import Ranges
from resources.vision.analyst import Analyst, AnalystLimits
from resources.vision.isolated import analyse_isolated
from resources.vision.ranges import RangedFile, readable
from resources.vision.workers import EngineRecipe, die_with_parent

T = TypeVar("T")


class AnalystPool:
    """A bounded number of analysts, each with an engine of its own.

    Use as an async context manager; entering loads the engines, so that a missing model is told
    before any work is taken. Calls wait for a free worker. After a `WorkerDied` the pool goes on
    with new workers.
    """

    def __init__(
        self,
        recipe: EngineRecipe | None,
        *,
        workers: int,
        limits: AnalystLimits | None = None,
        in_processes: bool = False,
    ) -> None:
        """Plan the pool; nothing is loaded yet.

        Args:
            recipe: What each worker loads; None makes a pool that only fingerprints.
            workers: 1 or more; usually the number of cores.
            limits: For every analyst.
            in_processes: Even where threads would do, so that no item ends more than its worker.

        Raises:
            ValueError: `workers` is below 1.
        """
        if workers < 1:
            raise ValueError("workers must be 1 or more")
        self._recipe = recipe
        self._workers = workers
        self._limits = limits or AnalystLimits()
        self._in_processes = in_processes or (recipe is not None and recipe.holds_gil)
        self._analysts: queue.SimpleQueue[Analyst] = queue.SimpleQueue()
        self._executor: Executor | None = None
        self._model: ModelRecord | None = None
        # The next item is at hand when a worker becomes free, and no more bytes than that are
        # copied into queues: one for all threads, one for each process, which is farther away
        # (a quarter more small crops a second, `models.migrate`).
        self._slots = asyncio.Semaphore(2 * workers + 1 if self._in_processes else workers + 1)

    @property
    def model(self) -> ModelRecord | None:
        """What the workers run; None before entering and for a pool that only fingerprints."""
        return self._model

    async def __aenter__(self) -> Self:
        """Start the workers and load their engines.

        Raises:
            Permanent: The engine cannot be loaded.
        """
        self._executor = self._new_executor()
        try:
            if self._in_processes:
                self._model = await self._run(_worker_model)
            else:
                self._model = await self._run(self._load_analysts)
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Drop what waits, finish what runs, stop the workers."""
        await self._close()

    async def analyse(
        self,
        data: bytes | Ranges,
        kind: PictureKind,
        *,
        faces: bool = True,
        thumbnails: bool = False,
    ) -> MediaAnalysis:
        """Analyse one content; see `Analyst.analyse`.

        Raises:
            ItemRejected: It cannot be decoded.
            WorkerDied: A worker process ended while this item was in flight.
            ArchiveError: What the source of a file read in ranges raised.
        """
        async with readable(data) as file:
            return await self.with_analyst(_Analyse(file, kind, faces, thumbnails))

    async def draw(
        self, data: bytes | Ranges, kind: PictureKind, box: Box, *, seconds: float = 0.0
    ) -> FoundFace:
        """Make a face of a box that a person drew; see `Analyst.draw`.

        Raises:
            ItemRejected: The content cannot be decoded.
            Permanent: The box shows too little of the picture.
            WorkerDied: A worker process ended over it.
            ArchiveError: What the source of a file read in ranges raised.
        """
        async with readable(data) as file:
            return await self.with_analyst(_Draw(file, kind, box, seconds))

    async def analyse_alone(
        self,
        data: bytes | Ranges,
        kind: PictureKind,
        *,
        faces: bool = True,
        thumbnails: bool = False,
        memory_limit_mb: int = 2048,
        timeout_seconds: float = 900.0,
    ) -> MediaAnalysis:
        """Analyse one content in a child process of its own; see `analyse_isolated`.

        Raises:
            ItemRejected: It cannot be decoded.
            ChildDied: The child ended without an answer, or took too long.
            ArchiveError: What the source of a file read in ranges raised.
        """
        async with self._slots, readable(data) as file:
            work = partial(
                analyse_isolated,
                self._recipe,
                file,
                kind,
                faces=faces,
                thumbnails=thumbnails,
                limits=self._limits,
                memory_limit_mb=memory_limit_mb,
                timeout_seconds=timeout_seconds,
            )
            return await asyncio.to_thread(work)

    async def with_analyst(self, task: Callable[[Analyst], T]) -> T:
        """Let the next free worker do something with its analyst.

        Args:
            task: Picklable, and so is its answer: workers may be processes.

        Raises:
            WorkerDied: A worker process ended while this was in flight.
        """
        async with self._slots:
            if self._in_processes:
                return await self._run(_in_worker, task)
            return await self._run(self._in_thread, task)

    async def _run(self, work: Callable[..., T], *args: object) -> T:
        executor = self._executor
        if executor is None:
            raise RuntimeError("the pool is not open")
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(executor, partial(work, *args))
        except BrokenProcessPool as exc:
            # Everybody who was in flight gets here; the first one replaces the workers.
            if self._executor is executor:
                self._executor = self._new_executor()
                executor.shutdown(wait=False, cancel_futures=True)
            raise WorkerDied("a worker process of the face engine died") from exc

    def _new_executor(self) -> Executor:
        if not self._in_processes:
            return ThreadPoolExecutor(self._workers, thread_name_prefix="analyst")
        return ProcessPoolExecutor(
            self._workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=partial(_start_worker, self._recipe, self._limits),
        )

    def _load_analysts(self) -> ModelRecord | None:
        """Load one engine a thread; sessions shared by threads would wait for each other."""
        model = None
        for _ in range(self._workers):
            engine = self._recipe.build() if self._recipe is not None else None
            model = engine.model if engine is not None else None
            self._analysts.put(Analyst(engine, self._limits))
        return model

    def _in_thread(self, task: Callable[[Analyst], T]) -> T:
        analyst = self._analysts.get()  # never waits: there are as many as threads
        try:
            return task(analyst)
        finally:
            self._analysts.put(analyst)

    async def _close(self) -> None:
        executor, self._executor = self._executor, None
        if executor is not None:
            await asyncio.to_thread(executor.shutdown, wait=True, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Analyse:
    """A call of `Analyst.analyse` that can travel to a process."""

    data: bytes | RangedFile
    kind: PictureKind
    faces: bool
    thumbnails: bool

    def __call__(self, analyst: Analyst) -> MediaAnalysis:
        return analyst.analyse(self.data, self.kind, faces=self.faces, thumbnails=self.thumbnails)


@dataclass(frozen=True, slots=True)
class _Draw:
    """A call of `Analyst.draw` that can travel to a process."""

    data: bytes | RangedFile
    kind: PictureKind
    box: Box
    seconds: float

    def __call__(self, analyst: Analyst) -> FoundFace:
        return analyst.draw(self.data, self.kind, self.box, self.seconds)


class _Worker:
    """The state of this process if it is a worker; an initializer can leave it nowhere else."""

    analyst: Analyst | None = None
    model: ModelRecord | None = None
    error: ArchiveError | None = None


def _start_worker(recipe: EngineRecipe | None, limits: AnalystLimits) -> None:
    die_with_parent()
    # Ctrl-C reaches all processes of a terminal: the parent ends its workers, in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        engine = recipe.build() if recipe is not None else None
    except ArchiveError as exc:
        # Raised here it would break the pool and lose its text; the first task raises it instead.
        _Worker.error = exc
        return
    _Worker.analyst = Analyst(engine, limits)
    _Worker.model = engine.model if engine is not None else None


def _in_worker(task: Callable[[Analyst], T]) -> T:
    if _Worker.error is not None:
        raise _Worker.error
    if _Worker.analyst is None:
        raise RuntimeError("not a worker process")
    return task(_Worker.analyst)


def _worker_model() -> ModelRecord | None:
    if _Worker.error is not None:
        raise _Worker.error
    return _Worker.model
