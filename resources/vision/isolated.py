"""One content in a child process of its own, with a limit on memory and time.

For items that were in flight when a run died: whatever a file does to a decoder or a runtime
written in C, only this child dies of it, and then we know which file it was.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

from archive.faces.errors import ChildDied
from archive.faces.records import MediaAnalysis, PictureKind
from resources.vision.analyst import Analyst, AnalystLimits
from resources.vision.ranges import RangedFile
from resources.vision.workers import EngineRecipe, die_with_parent

_OUT_OF_MEMORY: Final = 77  # exit status by which the child tells that it hit its limit


def analyse_isolated(
    recipe: EngineRecipe | None,
    data: bytes | RangedFile,
    kind: PictureKind,
    *,
    faces: bool = True,
    thumbnails: bool = False,
    limits: AnalystLimits | None = None,
    memory_limit_mb: int = 2048,
    timeout_seconds: float = 900.0,
) -> MediaAnalysis:
    """Analyse one content in a fresh child process; blocks until it is done.

    Args:
        recipe: What the child loads; None makes it fingerprint only.
        faces: Find and embed its faces; the child loads nothing otherwise.
        thumbnails: Make small pictures of it.
        data: The whole file, or where it is read in ranges.
        kind: What it is.
        limits: For its analyst.
        memory_limit_mb: Address space the child may add to what it maps once its engine is
            loaded. (Libraries reserve gigabytes that they never touch, so an absolute limit would
            say more about them than about the file.) Enforced on Linux.
        timeout_seconds: After this the child is killed.

    Raises:
        ItemRejected: The file cannot be decoded: an answer, the child is well.
        ChildDied: The child ended without an answer, ran out of memory, or took too long.
        Permanent: The engine cannot be loaded.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(
        target=_child,
        args=(theirs, recipe if faces else None, data, kind, thumbnails, limits, memory_limit_mb),
        name="analyse-alone",
        daemon=True,
    )
    with ours:
        child.start()
        theirs.close()  # the child has its own end; with ours open its death would not be seen
        try:
            return _answer(child, ours, timeout_seconds)
        finally:
            child.kill()
            child.join()
            child.close()


def _answer(child: BaseProcess, pipe: Connection, timeout_seconds: float) -> MediaAnalysis:
    if not wait([pipe], timeout_seconds):
        raise ChildDied(f"took more than {timeout_seconds:g} s and was killed")
    try:
        answer = pipe.recv()
    except EOFError as exc:
        child.join()
        raise ChildDied(_how_it_ended(child.exitcode)) from exc
    if isinstance(answer, BaseException):
        raise answer
    if not isinstance(answer, MediaAnalysis):
        raise TypeError(f"the child answered with {type(answer).__name__}")
    return answer


def _how_it_ended(exit_code: int | None) -> str:
    if exit_code == _OUT_OF_MEMORY:
        return "needs more memory than its limit"
    if exit_code is not None and exit_code < 0:
        return f"died of signal {-exit_code}"
    return f"ended with status {exit_code}"


def _child(
    pipe: Connection,
    recipe: EngineRecipe | None,
    data: bytes | RangedFile,
    kind: PictureKind,
    thumbnails: bool,  # noqa: FBT001
    limits: AnalystLimits | None,
    memory_limit_mb: int,
) -> None:
    die_with_parent()
    answer: MediaAnalysis | Exception
    try:
        analyst = Analyst(recipe.build() if recipe is not None else None, limits)
        _limit_memory(memory_limit_mb)
        answer = analyst.analyse(data, kind, faces=recipe is not None, thumbnails=thumbnails)
    except Exception as exc:  # the parent raises it again
        if _is_out_of_memory(exc):
            os._exit(_OUT_OF_MEMORY)
        answer = exc
    pipe.send(answer)


def _limit_memory(megabytes: int) -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        mapped_pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = mapped_pages * resource.getpagesize() + megabytes * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _is_out_of_memory(exc: Exception) -> bool:
    """Tell memory errors of C++ libraries, which come as their own classes with such texts."""
    text = str(exc).lower()
    return isinstance(exc, MemoryError) or "bad alloc" in text or "insufficient memory" in text
