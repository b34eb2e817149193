"""Downloading and uploading."""

from typing import Any

import pytest
from telethon import errors, functions, types

from telegram_sandbox import Sandbox

from .story import JPEG, MP4, Connect, Story, refused


async def document(client: Any, story: Story) -> Any:
    record = story.family.document(story.tom, MP4, file_name="v.mp4")
    return await client.get_messages("family_demo", ids=record.id)


def location(file: Any, *, letter: str = "") -> Any:
    return types.InputDocumentFileLocation(file.id, file.access_hash, file.file_reference, letter)


async def test_a_file_comes_back_byte_for_byte_in_parts(client: Any, story: Story) -> None:
    message = await document(client, story)

    pieces = [piece async for piece in client.iter_download(message, request_size=65536)]

    assert b"".join(pieces) == MP4
    assert len(pieces) > 10


async def test_a_photo_has_a_thumbnail_and_its_largest_size(client: Any, story: Story) -> None:
    record = story.family.photo(story.tom, JPEG, thumbnail=b"small")
    message = await client.get_messages("family_demo", ids=record.id)

    assert await client.download_media(message, bytes) == JPEG
    assert await client.download_media(message, bytes, thumb="m") == b"small"


@pytest.mark.parametrize(
    ("offset", "limit", "error"),
    [
        (1, 4096, "OFFSET_INVALID"),
        (0, 5000, "LIMIT_INVALID"),
        (0, 2 * 1024 * 1024, "LIMIT_INVALID"),
        (0, 12288, "LIMIT_INVALID"),
        (1024 * 1024 - 4096, 8192, "LIMIT_INVALID"),
    ],
)
async def test_the_limits_of_a_piece_are_checked(
    client: Any, story: Story, offset: int, limit: int, error: str
) -> None:
    file = (await document(client, story)).document

    with refused(error):
        await client(functions.upload.GetFileRequest(location(file), offset, limit))


async def test_an_expired_reference_is_refused_and_a_refetched_one_holds(
    client: Any, story: Story, sandbox: Sandbox
) -> None:
    message = await document(client, story)
    sandbox.expire_file_references(story.family.message(message.id))

    with pytest.raises(errors.FileReferenceExpiredError):
        await client(functions.upload.GetFileRequest(location(message.document), 0, 4096))

    fresh = await client.get_messages("family_demo", ids=message.id)
    piece = await client(functions.upload.GetFileRequest(location(fresh.document), 0, 4096))
    assert piece.bytes == MP4[:4096]


async def test_another_account_cannot_use_the_access_hash(
    connect: Connect, client: Any, story: Story
) -> None:
    message = await document(client, story)
    ben = await connect(story.ben)

    with pytest.raises(errors.FileIdInvalidError):
        await ben(functions.upload.GetFileRequest(location(message.document), 0, 4096))


async def test_an_upload_comes_back_byte_for_byte(client: Any) -> None:
    file = await client.upload_file(MP4, part_size_kb=512)
    sent = await client.send_file("family_demo", file, caption="mine", force_document=True)

    assert await client.download_media(sent, bytes) == MP4


async def test_the_same_bytes_are_two_files_but_a_forward_is_the_same(
    client: Any, story: Story
) -> None:
    one = await client.send_file("family_demo", MP4)
    two = await client.send_file("family_demo", MP4)
    forward = await client.forward_messages("me", one)

    assert one.document.id != two.document.id
    assert forward.document.id == one.document.id


async def test_an_upload_with_a_missing_part_is_refused(client: Any, story: Story) -> None:
    await client(functions.upload.SaveFilePartRequest(77, 0, bytes(1024)))
    media = types.InputMediaUploadedDocument(
        types.InputFile(77, 2, "x", ""), "application/octet-stream", []
    )

    with pytest.raises(errors.RPCError, match="1 of the file is missing"):
        await client(functions.messages.SendMediaRequest("family_demo", media, "", random_id=1))
