"""How the processes that do the analysing end when they should not.

Both are of the three kinds of `archive.errors`, told apart because the answers differ: after a
worker's death the items in flight are done again one by one, and only the death of the child that
had one item to itself speaks against that item.
"""

from __future__ import annotations

from archive.errors import Permanent, Transient


class WorkerDied(Transient):
    """A worker process of the pool ended in the middle; which item did it is not known."""


class ChildDied(Permanent):
    """The child process that had this one item to itself ended without an answer."""
