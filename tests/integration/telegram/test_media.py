from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from archive.errors import ItemRejected, Transient
from archive.records import MediaAccess, MediaKind
from telegram_sandbox.faults import Upset
from tests.integration.telegram.conftest import House, picture
from tests.integration.telegram.shelf import Shelf, fetch, noise


@pytest.fixture
def shelf(house: House) -> Shelf:
    return Shelf(house)


async def test_a_photo_arrives_byte_for_byte(shelf: Shelf) -> None:
    data = picture(1200, 900)
    shelf.group.photo(shelf.house.me, data)
    assert await fetch(*await shelf.open()) == data


@pytest.mark.parametrize("size", [1, 4096, 512 * 1024, 512 * 1024 + 1, 3 * 1024 * 1024 + 77])
async def test_a_document_of_any_size_arrives_byte_for_byte(shelf: Shelf, size: int) -> None:
    data = noise(size)
    shelf.group.document(shelf.house.me, data)
    assert await fetch(*await shelf.open()) == data


async def test_a_small_file_costs_one_request(shelf: Shelf) -> None:
    shelf.group.document(shelf.house.me, noise(200_000))
    await fetch(*await shelf.open())
    assert shelf.house.asked("upload.getFile") == 1


async def test_many_files_at_once_arrive_each_whole(shelf: Shelf) -> None:
    files = [noise(700_000 + number) for number in range(8)]
    for data in files:
        shelf.group.document(shelf.house.me, data)
    account, chat, _ = await shelf.open()
    page = await account.history.page(chat, offset_id=0, limit=len(files))
    fetched = await asyncio.gather(*(fetch(account, chat, each) for each in page.messages))
    assert fetched == list(reversed(files))


@pytest.mark.parametrize("make", ["photo", "document"])
async def test_an_expired_reference_is_renewed_by_reading_the_message_once(
    shelf: Shelf, make: str
) -> None:
    data = picture() if make == "photo" else noise(3 * 1024 * 1024)
    getattr(shelf.group, make)(shelf.house.me, data)
    account, chat, message = await shelf.open()
    shelf.house.sandbox.expire_file_references()
    assert message.media is not None
    assert message.access is not None
    fetched = await account.media.fetch(chat, message.message_id, message.media, message.access)
    assert fetched.data == data
    assert fetched.access.file_reference != message.access.file_reference
    assert shelf.house.asked("channels.getMessages") == 1


async def test_a_file_without_a_key_is_fetched_after_reading_its_message_once(
    shelf: Shelf,
) -> None:
    data = noise(3 * 1024 * 1024)
    shelf.group.document(shelf.house.me, data)
    account, chat, message = await shelf.open()
    assert message.media is not None
    no_key = MediaAccess(message.media.media_id, 0, b"")
    fetched = await account.media.fetch(chat, message.message_id, message.media, no_key)
    assert fetched.data == data
    assert fetched.access == message.access
    assert shelf.house.asked("channels.getMessages") == 1
    assert shelf.asked() == 3


async def test_a_reference_that_expires_in_the_middle_goes_on_at_the_same_offset(
    shelf: Shelf,
) -> None:
    data = noise(3 * 1024 * 1024)
    shelf.group.document(shelf.house.me, data)
    account, chat, message = await shelf.open()
    shelf.house.sandbox.faults.error("upload.getFile", "FILE_REFERENCE_EXPIRED", first=3)
    assert await fetch(account, chat, message) == data
    assert shelf.house.asked("upload.getFile") == 3 + 1


async def test_references_that_keep_expiring_during_a_long_download_are_renewed_each_time(
    shelf: Shelf,
) -> None:
    data = noise(12 * 1024 * 1024)
    shelf.group.document(shelf.house.me, data)
    account, chat, message = await shelf.open()
    for number in (3, 9):
        expire = Upset.EXPIRE_REFERENCES
        shelf.house.sandbox.faults.upset("upload.getFile", expire, first=number)
    assert await fetch(account, chat, message) == data


async def test_a_reference_that_stays_refused_is_no_endless_loop(shelf: Shelf) -> None:
    shelf.group.document(shelf.house.me, noise(100))
    account, chat, message = await shelf.open()
    shelf.house.sandbox.faults.error("upload.getFile", "FILE_REFERENCE_EXPIRED", times=None)
    with pytest.raises(Transient, match="fresh file reference"):
        await fetch(account, chat, message)


async def test_a_truncated_file_is_a_failure_and_never_a_file(shelf: Shelf) -> None:
    sent = shelf.group.document(shelf.house.me, noise(1_000_000))
    account, chat, message = await shelf.open()
    sent.media.file.data = sent.media.file.data[:-1]  # type: ignore[union-attr]
    with pytest.raises(Transient, match="truncated download"):
        await fetch(account, chat, message)


async def test_a_file_whose_message_is_gone_is_rejected(shelf: Shelf) -> None:
    sent = shelf.group.document(shelf.house.me, noise(100))
    account, chat, message = await shelf.open()
    shelf.house.sandbox.expire_file_references()
    shelf.group.delete(sent)
    with pytest.raises(ItemRejected, match="gone"):
        await fetch(account, chat, message)


@pytest.mark.parametrize(
    ("kind", "reason"), [(MediaKind.VIEW_ONCE, "view_once"), (MediaKind.PAID, "type")]
)
async def test_what_is_not_meant_to_be_kept_is_never_asked_for(
    shelf: Shelf, kind: MediaKind, reason: str
) -> None:
    shelf.group.document(shelf.house.me, noise(100))
    account, chat, message = await shelf.open()
    assert message.media is not None
    assert message.access is not None
    file = replace(message.media, kind=kind)
    with pytest.raises(ItemRejected) as rejected:
        await account.media.fetch(chat, message.message_id, file, message.access)
    assert rejected.value.reason == reason
    assert shelf.house.asked("upload.getFile") == 0


async def test_a_file_that_telegram_refuses_is_rejected_and_no_other(shelf: Shelf) -> None:
    shelf.group.photo(shelf.house.me, picture())
    account, chat, message = await shelf.open()
    shelf.house.sandbox.faults.error("upload.getFile", "LOCATION_INVALID")
    with pytest.raises(ItemRejected, match="refused: LOCATION_INVALID"):
        await fetch(account, chat, message)
    assert await fetch(account, chat, message)


async def test_parts_of_a_file_arrive_each_by_itself(shelf: Shelf) -> None:
    data = noise(1_000_000)
    shelf.group.document(shelf.house.me, data)
    account, chat, message = await shelf.open()
    assert message.media is not None
    assert message.access is not None
    shelf.house.sandbox.expire_file_references()

    file = account.media.ranged(chat, message.message_id, message.media, message.access)
    places = [(0, 131_072), (5 * 131_072, 131_072), (7 * 131_072, 1_000_000 - 7 * 131_072)]
    parts = [await file.read(*place) for place in places]

    assert parts == [data[offset : offset + size] for offset, size in places]
    assert file.size_bytes == len(data)
    assert file.access.file_reference != message.access.file_reference
    # One of them was refused for its old reference.
    assert shelf.house.asked("upload.getFile") == 3 + 1
