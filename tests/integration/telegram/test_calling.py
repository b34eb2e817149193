from __future__ import annotations

import asyncio

import pytest

from archive.errors import Transient
from resources.telegram.calling import Caller
from resources.telegram.stats import RequestStats
from tests.integration.telegram.conftest import House


async def test_a_short_flood_is_slept_and_shown(house: House) -> None:
    account = await house.open()
    house.sandbox.faults.error("messages.getDialogs", "FLOOD_WAIT_1")
    assert await account.peers.dialogs() == []
    assert house.waits == [("messages.getDialogs", 1.0)]
    assert (account.stats.floods, account.stats.waited_seconds) == (1, 1.0)


async def test_a_long_flood_ends_with_the_time_to_come_back(house: House) -> None:
    account = await house.open()
    house.sandbox.faults.error("messages.getDialogs", "FLOOD_WAIT_3600")
    with pytest.raises(Transient, match=r"wait 3600 s before messages\.getDialogs") as flood:
        await account.peers.dialogs()
    assert flood.value.retry_after_seconds == 3600
    assert house.waits == []
    assert account.stats.floods == 1


async def test_the_waits_of_one_request_add_up_to_the_limit(house: House) -> None:
    account = await house.open()
    house.sandbox.faults.error("messages.getDialogs", "FLOOD_PREMIUM_WAIT_1", times=None)
    with pytest.raises(Transient):
        await account.peers.dialogs()
    assert [seconds for _, seconds in house.waits] == [1.0, 1.0]


async def test_a_request_is_sent_again_after_a_lost_connection(house: House) -> None:
    account = await house.open()
    house.sandbox.faults.drop_after("messages.getDialogs")
    assert await account.peers.dialogs() == []


async def test_requests_and_latencies_are_counted(house: House) -> None:
    account = await house.open()
    await account.peers.dialogs()
    assert account.stats.requests["messages.getDialogs"] == 1
    latency = account.stats.latency_seconds(0.95)
    assert latency is not None
    assert 0 < latency < 10


def caller(timeout_seconds: float = 10.0) -> Caller:
    return Caller(
        None, RequestStats(), flood_sleep_limit_seconds=0, request_timeout_seconds=timeout_seconds
    )


async def test_an_answer_that_never_comes_counts_as_lost() -> None:
    with pytest.raises(Transient, match="did not answer in time"):
        await caller(0.01).run("never", asyncio.Event().wait)


async def test_a_connection_that_telethon_gives_up_is_no_cancellation() -> None:
    answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    answer.cancel()
    with pytest.raises(Transient, match="connection to Telegram failed"):
        await caller().run("lost", lambda: answer)


async def test_a_cancelled_request_stays_cancelled() -> None:
    begun = asyncio.Event()

    async def forever() -> None:
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(caller().run("forever", forever))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_defect_of_ours_comes_out_as_it_is() -> None:
    async def broken() -> None:
        raise KeyError("ours")

    with pytest.raises(KeyError):
        await caller().run("broken", broken)
