"""Blocking context managers, entered and left off the event loop: locks, above all.

Only that they are left again, whatever happens to who waits for them. Single calls go through
``asyncio.to_thread``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from typing import Any, TypeVar

T = TypeVar("T")


@asynccontextmanager
async def off_loop(manager: AbstractContextManager[T]) -> AsyncIterator[T]:
    """Enter and leave a context manager in threads.

    A thread cannot be cancelled: it takes its lock when nobody waits for it any more. So who is
    cancelled meanwhile waits for the thread and leaves at once, however often they are cancelled.
    """
    entering = asyncio.ensure_future(asyncio.to_thread(manager.__enter__))
    try:
        value = await asyncio.shield(entering)
    except asyncio.CancelledError:
        await _settled(entering)
        if entering.exception() is None:
            leave = asyncio.to_thread(manager.__exit__, None, None, None)
            await _settled(asyncio.ensure_future(leave))
        raise
    try:
        yield value
    except BaseException as exc:
        leaving = asyncio.to_thread(manager.__exit__, type(exc), exc, exc.__traceback__)
        if not await asyncio.shield(leaving):
            raise
    else:
        await asyncio.shield(asyncio.to_thread(manager.__exit__, None, None, None))


async def _settled(work: asyncio.Future[Any]) -> None:
    while not work.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([work])
