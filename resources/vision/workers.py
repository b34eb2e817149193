"""What the pool and the isolated child share: a recipe for an engine, and the care of children."""

from __future__ import annotations

import multiprocessing
import os
import threading
from multiprocessing.connection import wait
from typing import Protocol

from archive.faces.engine import FaceEngine


class EngineRecipe(Protocol):
    """How a worker gets its engine. Picklable; `EngineSpec` is one."""

    @property
    def holds_gil(self) -> bool:
        """Whether workers must be processes."""
        ...

    def build(self) -> FaceEngine:
        """Load the engine in the worker.

        Raises:
            Permanent: It cannot be loaded.
        """
        ...


def die_with_parent() -> None:
    """End this child when its parent is gone.

    A parent killed with SIGKILL closes nothing down: pool workers hold both ends of their queue,
    would wait for work for ever, and keep their memory. Call it first thing in a child.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="watch-parent", daemon=True).start()
