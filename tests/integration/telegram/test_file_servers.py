"""Files in another data centre: one connection, one exported authorization, a key that is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from archive.errors import Transient
from archive.ids import AccountId
from resources.telegram.client import TelegramAccount, connect
from resources.telegram.errors import SessionLost
from resources.telegram.sessions import Lane, SessionFiles
from telegram_sandbox.faults import Upset
from tests.integration.telegram.conftest import FILE_DC, House, picture
from tests.integration.telegram.shelf import MEGABYTE, Shelf, fetch, noise

EXPORT = "auth.exportAuthorization"


@pytest.fixture
def shelf(house: House) -> Shelf:
    return Shelf(house)


@asynccontextmanager
async def a_run(house: House) -> AsyncIterator[TelegramAccount]:
    """A connection of its own, as each run has one."""
    if not house.files.accounts():
        await house.login(lanes=[Lane.BACKFILL])
    async with connect(house.config, house.files, Lane.BACKFILL) as account:
        yield account


async def fetched_in_a_run(shelf: Shelf) -> bytes:
    async with a_run(shelf.house) as account:
        return await fetch(account, *(await shelf.newest(account)))


async def test_files_of_another_data_centre_share_one_connection(shelf: Shelf) -> None:
    files = [noise(3 * MEGABYTE + number) for number in range(3)]
    for data in files:
        shelf.group.document(shelf.house.me, data, dc=FILE_DC)
    account, chat, _ = await shelf.open()
    page = await account.history.page(chat, offset_id=0, limit=3)

    fetched = await asyncio.gather(*(fetch(account, chat, each) for each in page.messages))

    assert fetched == list(reversed(files))
    assert shelf.asked(EXPORT) == shelf.asked("auth.importAuthorization") == 1


async def test_the_next_run_needs_no_export(shelf: Shelf) -> None:
    data = picture()
    shelf.group.photo(shelf.house.me, data, dc=FILE_DC)

    assert [await fetched_in_a_run(shelf) for _ in range(3)] == [data] * 3

    assert shelf.asked(EXPORT) == 1


async def test_a_key_that_its_data_centre_forgot_is_made_anew(shelf: Shelf) -> None:
    data = noise(2 * MEGABYTE)
    shelf.group.document(shelf.house.me, data, dc=FILE_DC)
    await fetched_in_a_run(shelf)
    keys = shelf.house.sandbox.keys
    for key_id in [key_id for key_id, key in keys.items() if key.dc == FILE_DC]:
        del keys[key_id]

    assert await fetched_in_a_run(shelf) == data
    assert shelf.asked(EXPORT) == 2


async def test_a_key_that_is_the_accounts_no_more_is_made_anew(shelf: Shelf) -> None:
    data = noise(2 * MEGABYTE)
    shelf.group.document(shelf.house.me, data, dc=FILE_DC)
    await fetched_in_a_run(shelf)
    for key in shelf.house.sandbox.keys.values():
        if key.dc == FILE_DC:
            key.user = None

    assert await fetched_in_a_run(shelf) == data
    assert shelf.asked(EXPORT) == 2


async def test_a_damaged_key_costs_an_export_and_nothing_else(shelf: Shelf) -> None:
    data = noise(100)
    shelf.group.document(shelf.house.me, data, dc=FILE_DC)
    await fetched_in_a_run(shelf)
    (path,) = shelf.house.sessions_folder.glob("*.key")
    path.write_text("not hex", encoding="ascii")

    assert await fetched_in_a_run(shelf) == data
    assert shelf.asked(EXPORT) == 2


async def test_a_file_that_moves_during_its_download_is_followed(shelf: Shelf) -> None:
    data = noise(8 * MEGABYTE)
    shelf.group.document(shelf.house.me, data)
    account, chat, message = await shelf.open()
    shelf.faults.upset("upload.getFile", Upset.MOVE_FILES, first=6)

    assert await fetch(account, chat, message) == data
    assert shelf.asked(EXPORT) == 1


async def test_a_file_that_never_stops_moving_is_a_failure_and_no_endless_loop(
    shelf: Shelf,
) -> None:
    shelf.group.document(shelf.house.me, noise(100))
    account, chat, message = await shelf.open()
    shelf.faults.error("upload.getFile", "FILE_MIGRATE_4", times=None)

    with pytest.raises(Transient, match="moves this file about"):
        await fetch(account, chat, message)


async def test_a_lost_connection_to_a_data_centre_is_survived(shelf: Shelf) -> None:
    data = noise(8 * MEGABYTE)
    shelf.group.document(shelf.house.me, data, dc=FILE_DC)
    account, chat, message = await shelf.open()
    shelf.faults.drop_before("upload.getFile", first=6)

    assert await fetch(account, chat, message) == data
    assert shelf.asked(EXPORT) == 1


async def test_an_answer_that_is_lost_while_a_key_is_admitted_costs_another_ticket(
    shelf: Shelf,
) -> None:
    data = noise(100)
    shelf.group.document(shelf.house.me, data, dc=FILE_DC)
    account, chat, message = await shelf.open()
    shelf.faults.drop_after("auth.importAuthorization", first=1)

    assert await fetch(account, chat, message) == data
    assert shelf.asked(EXPORT) == 2


async def test_tickets_that_never_hold_are_no_endless_loop_and_no_lost_file(shelf: Shelf) -> None:
    shelf.group.document(shelf.house.me, noise(100), dc=FILE_DC)
    account, chat, message = await shelf.open()
    shelf.faults.error("auth.importAuthorization", "AUTH_BYTES_INVALID", times=None)

    with pytest.raises(Transient, match="took none of 2"):
        await fetch(account, chat, message)


async def test_a_revoked_session_is_lost_wherever_its_files_lie(shelf: Shelf) -> None:
    shelf.group.document(shelf.house.me, noise(100), dc=FILE_DC)
    account, chat, message = await shelf.open()
    shelf.house.sandbox.revoke_sessions(shelf.house.me)

    with pytest.raises(SessionLost):
        await fetch(account, chat, message)


async def test_a_flooded_export_names_its_time(shelf: Shelf) -> None:
    shelf.group.document(shelf.house.me, noise(100), dc=FILE_DC)
    account, chat, message = await shelf.open()
    shelf.faults.flood(EXPORT, 1800)

    with pytest.raises(Transient) as waiting:
        await fetch(account, chat, message)

    assert waiting.value.retry_after_seconds == 1800


def test_keys_lie_beside_their_session_and_end_with_it(house: House) -> None:
    files, account_id = SessionFiles(house.sessions_folder), AccountId(5)
    files.save(account_id, Lane.LIVE, "session")
    files.save_file_key(account_id, Lane.LIVE, 4, b"\0key")
    files.save_file_key(account_id, Lane.BACKFILL, 4, b"other")

    modes = {path.stat().st_mode & 0o777 for path in house.sessions_folder.glob("*.key")}
    before = files.load_file_key(account_id, Lane.LIVE, 4)
    files.save(account_id, Lane.LIVE, "another session")

    assert modes == {0o600}
    assert before == b"\0key"
    assert files.load_file_key(account_id, Lane.LIVE, 4) is None
    assert files.load_file_key(account_id, Lane.BACKFILL, 4) == b"other"
    assert files.accounts() == [account_id]
