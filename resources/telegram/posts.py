"""What a post is made of on the wire: media by reference, uploaded files, answers read back.

The requests themselves, and which refusal lets another way of copying follow, are in ``hub``.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from telethon.tl import functions, types

from archive.errors import Permanent
from archive.ids import MessageId
from archive.records import MediaAccess, MediaFile, MediaKind
from resources.telegram.calling import Caller

PART_BYTES = 512 * 1024
BIG_FILE_BYTES = 10 * 1024 * 1024
"""From here on ``upload.saveBigFilePart`` takes the parts (Telegram's documented limit)."""

_FILE_ID_BITS = 63


def media_by_reference(file: MediaFile, access: MediaAccess) -> Any:
    """Return the media that makes Telegram copy a file it has."""
    scheme, _, number = file.media_id.partition(":")
    if scheme == "photo":
        photo = types.InputPhoto(int(number), access.access_hash, access.file_reference)
        return types.InputMediaPhoto(photo)
    document = types.InputDocument(int(number), access.access_hash, access.file_reference)
    return types.InputMediaDocument(document)


async def upload(
    call: Caller, data: bytes, *, file: MediaFile | None, file_name: str | None
) -> Any:
    """Send the bytes of a file and return the media that shows it.

    Args:
        call: The connection.
        data: The whole file.
        file: What it was when it was found; ``None`` shows it as a photo.
        file_name: The name to give it; one is made up otherwise.
    """
    name = file_name or _name_of(file)
    handle = await _save_parts(call, data, name)
    if file is None or file.kind is MediaKind.PHOTO:
        return types.InputMediaUploadedPhoto(handle)
    return types.InputMediaUploadedDocument(
        handle,
        mime_type=file.mime_type or "application/octet-stream",
        attributes=_attributes(file, name),
        nosound_video=file.kind is MediaKind.GIF or None,
    )


async def _save_parts(call: Caller, data: bytes, name: str) -> Any:
    file_id = secrets.randbits(_FILE_ID_BITS)
    parts = [data[start : start + PART_BYTES] for start in range(0, len(data), PART_BYTES)]
    if not parts:
        raise Permanent("An empty file cannot be posted.")
    for number, part in enumerate(parts):
        if len(data) > BIG_FILE_BYTES:
            await call(functions.upload.SaveBigFilePartRequest(file_id, number, len(parts), part))
        else:
            await call(functions.upload.SaveFilePartRequest(file_id, number, part))
    if len(data) > BIG_FILE_BYTES:
        return types.InputFileBig(file_id, len(parts), name)
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return types.InputFile(file_id, len(parts), name, digest)


def _attributes(file: MediaFile, name: str) -> list[Any]:
    attributes: list[Any] = [types.DocumentAttributeFilename(name)]
    if file.width and file.height:
        if file.kind is MediaKind.IMAGE_DOCUMENT:
            attributes.append(types.DocumentAttributeImageSize(file.width, file.height))
        else:
            attributes.append(_video_attribute(file, file.width, file.height))
    if file.kind is MediaKind.GIF:
        attributes.append(types.DocumentAttributeAnimated())
    return attributes


def _video_attribute(file: MediaFile, width: int, height: int) -> Any:
    return types.DocumentAttributeVideo(
        duration=file.duration_seconds or 0.0,
        w=width,
        h=height,
        round_message=file.kind is MediaKind.ROUND_VIDEO or None,
        supports_streaming=True,
    )


def _name_of(file: MediaFile | None) -> str:
    """Name a file by its kind only: the original's name may name a person."""
    if file is None or file.kind is MediaKind.PHOTO:
        return "photo.jpg"
    suffix = PurePath(file.file_name or "").suffix
    return f"{file.kind}{suffix}" if suffix else str(file.kind)


def message_ids_of(answer: Any, random_ids: Sequence[int]) -> list[MessageId]:
    """Return the ids of the messages that a request made of several, in the order asked for.

    Raises:
        Permanent: The answer leaves one out.
    """
    made = {
        update.random_id: MessageId(update.id)
        for update in getattr(answer, "updates", ())
        if isinstance(update, types.UpdateMessageID)
    }
    if not made.keys() >= set(random_ids):
        raise Permanent("Telegram accepted an album without saying which messages it became.")
    return [made[random_id] for random_id in random_ids]


def message_id_of(answer: Any, random_id: int) -> MessageId:
    """Return the id of the message that a request made, or made the first time it was sent.

    Raises:
        Permanent: The answer names none.
    """
    if isinstance(answer, types.UpdateShortSentMessage):
        return MessageId(answer.id)
    updates = getattr(answer, "updates", ())
    for update in updates:
        if isinstance(update, types.UpdateMessageID) and update.random_id == random_id:
            return MessageId(update.id)
    for update in updates:
        if isinstance(update, types.UpdateNewChannelMessage | types.UpdateNewMessage):
            return MessageId(update.message.id)
    raise Permanent("Telegram accepted a post without saying which message it became.")
