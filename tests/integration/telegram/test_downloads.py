"""How the bytes of a file come: in parts, many in flight, resumed where they broke off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Transient
from resources.telegram.client import TelegramAccount
from resources.telegram.downloads import BLOCK_BYTES, IN_FLIGHT_BYTES, part_bytes
from telegram_sandbox.faults import Drop
from tests.integration.telegram.conftest import House
from tests.integration.telegram.shelf import MEGABYTE, Shelf, fetch, noise


@pytest.fixture
def shelf(house: House) -> Shelf:
    return Shelf(house)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


async def give_up_the_connection(account: TelegramAccount) -> None:
    """What Telethon does after its own attempts to reconnect have failed."""
    await account.media._call.client._sender._disconnect(error=ConnectionError("given up"))


@given(st.integers(1, 5_000_000_000))
def test_a_part_is_one_that_telegram_serves_and_never_crosses_a_block(size: int) -> None:
    part = part_bytes(size)

    assert 4096 <= part <= BLOCK_BYTES
    assert BLOCK_BYTES % part == 0
    assert part >= min(size, BLOCK_BYTES)
    assert part < 2 * max(size, 2049)


async def test_parts_are_in_flight_together_up_to_a_limit_of_bytes(shelf: Shelf) -> None:
    shelf.group.document(shelf.house.me, noise(8 * MEGABYTE))
    account, chat, message = await shelf.open()
    shelf.faults.delay("upload.getFile", 3600, times=None)
    download = asyncio.create_task(fetch(account, chat, message))

    await until(lambda: shelf.asked() * BLOCK_BYTES == IN_FLIGHT_BYTES)
    page = await account.history.page(chat, offset_id=0)

    assert page.messages == (message, *page.messages[1:])
    assert shelf.asked() * BLOCK_BYTES == IN_FLIGHT_BYTES
    download.cancel()


async def test_many_small_files_are_in_flight_together(shelf: Shelf) -> None:
    files = [noise(50_000 + number) for number in range(40)]
    for data in files:
        shelf.group.document(shelf.house.me, data)
    account, chat, _ = await shelf.open()
    page = await account.history.page(chat, offset_id=0, limit=len(files))
    shelf.faults.delay("upload.getFile", 3600, times=None)
    downloads = [asyncio.create_task(fetch(account, chat, each)) for each in page.messages]

    await until(lambda: shelf.asked() == 16)
    await account.history.page(chat, offset_id=0)

    assert shelf.asked() == 16
    for download in downloads:
        download.cancel()


async def test_after_a_reconnect_only_what_had_not_arrived_is_asked_for_again(
    shelf: Shelf,
) -> None:
    data = noise(8 * MEGABYTE)
    shelf.group.document(shelf.house.me, data)
    account, chat, message = await shelf.open()
    shelf.faults.drop_before("upload.getFile", first=7)

    assert await fetch(account, chat, message) == data
    assert shelf.asked() <= 8 + 4


@pytest.mark.parametrize("drop", list(Drop))
async def test_a_connection_cut_at_any_moment_of_a_part_costs_no_byte(
    shelf: Shelf, drop: Drop
) -> None:
    data = noise(6 * MEGABYTE + 5)
    shelf.group.document(shelf.house.me, data)
    account, chat, message = await shelf.open()
    shelf.faults.drop("upload.getFile", drop, first=3)

    assert await fetch(account, chat, message) == data


async def test_a_connection_that_telethon_gave_up_is_opened_again_and_the_file_goes_on(
    shelf: Shelf,
) -> None:
    data = noise(8 * MEGABYTE)
    shelf.group.document(shelf.house.me, data)
    account, chat, message = await shelf.open()
    shelf.faults.delay("upload.getFile", 3600, first=6, times=3)
    download = asyncio.create_task(fetch(account, chat, message))
    await until(lambda: shelf.asked() == 8)

    await give_up_the_connection(account)

    assert await download == data
    assert shelf.asked() <= 8 + 4
    assert (await account.history.page(chat, offset_id=0)).messages[0] == message


async def test_a_truncated_part_is_asked_for_again_at_its_offset(shelf: Shelf) -> None:
    data = noise(3 * MEGABYTE)
    shelf.group.document(shelf.house.me, data)
    account, chat, message = await shelf.open()
    shelf.faults.truncate_chunk(1000, first=2)

    assert await fetch(account, chat, message) == data
    assert shelf.asked() == 3 + 1


async def test_a_part_that_stays_truncated_fails_its_file_after_three_attempts(
    shelf: Shelf,
) -> None:
    shelf.group.document(shelf.house.me, noise(300_000))
    account, chat, message = await shelf.open()
    shelf.faults.truncate_chunk(1000, times=None)

    with pytest.raises(Transient, match="truncated download: 1000 of 300000") as failed:
        await fetch(account, chat, message)

    assert failed.value.retry_after_seconds is None
    assert shelf.asked() == 3


@pytest.mark.parametrize("premium", [False, True])
async def test_a_short_flood_in_the_middle_is_slept_and_shown(
    shelf: Shelf,
    premium: bool,  # noqa: FBT001
) -> None:
    data = noise(2 * MEGABYTE)
    shelf.group.document(shelf.house.me, data)
    account, chat, message = await shelf.open()
    shelf.faults.flood("upload.getFile", 1, first=2, premium=premium)

    assert await fetch(account, chat, message) == data
    assert shelf.house.waits == [("upload.getFile", 1)]


async def test_a_long_flood_is_no_attempt_of_a_part(shelf: Shelf) -> None:
    shelf.group.document(shelf.house.me, noise(100))
    account, chat, message = await shelf.open()
    shelf.faults.flood("upload.getFile", 900)

    with pytest.raises(Transient) as waiting:
        await fetch(account, chat, message)

    assert waiting.value.retry_after_seconds == 900
    assert shelf.asked() == 1
