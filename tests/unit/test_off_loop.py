"""A lock that a thread takes is given back, whatever happens to who asked for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from archive.errors import Transient
from archive.off_loop import off_loop


class Door:
    """A lock whose taking can be held up."""

    def __init__(self) -> None:
        self.may_open = threading.Event()
        self.may_open.set()
        self.history: list[str] = []

    @contextmanager
    def hold(self) -> Iterator[str]:
        self.history.append("asked")
        assert self.may_open.wait(10)
        self.history.append("taken")
        try:
            yield "key"
        except Transient:
            self.history.append("heard")
            raise
        finally:
            self.history.append("given back")


async def use(door: Door, work: asyncio.Event | None = None) -> str:
    async with off_loop(door.hold()) as key:
        if work is not None:
            await work.wait()
        return key


async def begun(door: Door, step: str, work: asyncio.Event | None = None) -> asyncio.Task[str]:
    """Start to use the door, up to a step."""
    task = asyncio.create_task(use(door, work))
    async with asyncio.timeout(10):
        while step not in door.history:
            await asyncio.sleep(0)
    return task


async def test_what_is_entered_is_left() -> None:
    door = Door()
    assert await use(door) == "key"
    assert door.history == ["asked", "taken", "given back"]


async def test_who_is_cancelled_while_a_thread_takes_the_lock_gives_it_back() -> None:
    door = Door()
    door.may_open.clear()
    task = await begun(door, "asked")

    task.cancel()
    await asyncio.sleep(0)
    door.may_open.set()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert door.history == ["asked", "taken", "given back"]


async def test_who_is_cancelled_twice_while_a_thread_takes_the_lock_gives_it_back() -> None:
    door = Door()
    door.may_open.clear()
    task = await begun(door, "asked")

    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    door.may_open.set()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert door.history == ["asked", "taken", "given back"]


async def test_who_is_cancelled_inside_gives_it_back() -> None:
    door = Door()
    task = await begun(door, "taken", asyncio.Event())

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert door.history == ["asked", "taken", "given back"]


async def test_an_error_inside_passes_through_the_lock() -> None:
    door = Door()
    with pytest.raises(Transient):
        async with off_loop(door.hold()):
            raise Transient("the connection broke")
    assert door.history == ["asked", "taken", "heard", "given back"]


async def test_a_lock_that_is_refused_is_not_given_back() -> None:
    @contextmanager
    def busy() -> Iterator[None]:
        raise Transient("busy")
        yield

    with pytest.raises(Transient, match="busy"):
        async with off_loop(busy()):
            pass
