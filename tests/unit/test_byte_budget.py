"""Bytes in flight never pass the limit, nobody starves, and nobody waits for ever."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from archive.byte_budget import ByteBudget

LIMIT = 100


@given(st.lists(st.tuples(st.integers(0, 150), st.integers(0, 3)), max_size=20))
def test_the_limit_holds_for_any_sizes_and_everyone_gets_through(
    holders: list[tuple[int, int]],
) -> None:
    peaks: list[tuple[int, int]] = []

    async def hold(budget: ByteBudget, size: int, turns: int) -> None:
        async with budget.hold(size):
            peaks.append((budget.held_bytes, size))
            for _ in range(turns):
                await asyncio.sleep(0)

    async def all_of_them() -> int:
        budget = ByteBudget(LIMIT)
        await asyncio.gather(*(hold(budget, size, turns) for size, turns in holders))
        return budget.held_bytes

    assert asyncio.run(all_of_them()) == 0
    assert len(peaks) == len(holders)
    assert all(held <= max(LIMIT, size) or size == 0 for held, size in peaks)


async def test_one_larger_than_the_limit_passes_alone() -> None:
    budget = ByteBudget(LIMIT)
    async with budget.hold(1):
        large = asyncio.create_task(enter(budget, 10 * LIMIT))
        await asyncio.sleep(0)
        assert not large.done()

    assert await large == 10 * LIMIT


async def test_a_small_one_does_not_overtake_a_large_one_for_ever() -> None:
    budget = ByteBudget(LIMIT)
    order: list[int] = []

    async def note(size: int) -> None:
        async with budget.hold(size):
            order.append(size)

    async with budget.hold(60):
        waiting = [asyncio.create_task(note(size)) for size in (90, 10)]
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)

    assert order == [90, 10]


async def test_whoever_is_cancelled_while_waiting_takes_nothing_along() -> None:
    budget = ByteBudget(LIMIT)
    async with budget.hold(LIMIT):
        waiting = asyncio.create_task(enter(budget, 50))
        behind = asyncio.create_task(enter(budget, 60))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)

    assert await behind == 60
    assert budget.held_bytes == 0


async def test_whoever_is_cancelled_at_the_door_gives_its_bytes_back() -> None:
    budget = ByteBudget(LIMIT)
    async with budget.hold(LIMIT):
        waiting = asyncio.create_task(enter(budget, 50))
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    assert budget.held_bytes == 0


async def enter(budget: ByteBudget, size: int) -> int:
    async with budget.hold(size):
        return budget.held_bytes
