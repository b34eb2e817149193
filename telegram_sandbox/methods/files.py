"""Files: downloading, uploading, and naming a file that exists.

Here belong the limits on parts and the checks of access hashes and file references.
Source: https://core.telegram.org/api/files
"""

import struct
from hashlib import md5
from typing import Any, Final

from telethon.tl import functions, types

from telegram_sandbox.errors import RpcRefusal
from telegram_sandbox.media_records import FileKind, StoredFile
from telegram_sandbox.media_views import full_size_letter
from telegram_sandbox.registry import Context, handles

BLOCK_BYTES: Final = 1024 * 1024
COARSE_BYTES: Final = 4096
PRECISE_BYTES: Final = 1024
PART_MAXIMUM: Final = 512 * 1024
PARTS_MAXIMUM: Final = 4000
_REFERENCE: Final = struct.Struct("<qqI")

_FILE_TYPES: Final = {
    "image/jpeg": types.storage.FileJpeg,
    "image/png": types.storage.FilePng,
    "image/webp": types.storage.FileWebp,
    "image/gif": types.storage.FileGif,
    "video/mp4": types.storage.FileMp4,
    "audio/mpeg": types.storage.FileMp3,
}


def named_file(ctx: Context, given: Any, kind: FileKind) -> tuple[StoredFile, int]:
    """Returns the file that a client names, and the id of the chat it found it in.

    Raises:
        RpcRefusal: FILE_ID_INVALID for a wrong id or access hash, FILE_REFERENCE_… for a
            reference that is missing, made up, or out of date.
    """
    file = ctx.world.files.get(given.id)
    if file is None or file.kind is not kind:
        raise RpcRefusal("FILE_ID_INVALID")
    if given.access_hash != ctx.world.access_hash(ctx.account, "file", file.id):
        raise RpcRefusal("FILE_ID_INVALID")
    if not given.file_reference:
        raise RpcRefusal("FILE_REFERENCE_EMPTY")
    body, seal = given.file_reference[: _REFERENCE.size], given.file_reference[_REFERENCE.size :]
    if seal != ctx.world.digest("reference", ctx.account.id, body.hex()):
        raise RpcRefusal("FILE_REFERENCE_INVALID")
    file_id, origin, epoch = _REFERENCE.unpack(body)
    if file_id != file.id:
        raise RpcRefusal("FILE_REFERENCE_INVALID")
    if epoch != file.epoch:
        raise RpcRefusal("FILE_REFERENCE_EXPIRED")
    return file, origin


def check_range(offset: int, limit: int, *, precise: bool) -> None:
    """Checks a piece of a file against the limits of upload.getFile.

    Raises:
        RpcRefusal: OFFSET_INVALID or LIMIT_INVALID.
    """
    step = PRECISE_BYTES if precise else COARSE_BYTES
    if offset < 0 or offset % step:
        raise RpcRefusal("OFFSET_INVALID")
    if not 0 < limit <= BLOCK_BYTES or limit % step:
        raise RpcRefusal("LIMIT_INVALID")
    if not precise and BLOCK_BYTES % limit:
        raise RpcRefusal("LIMIT_INVALID")
    if offset // BLOCK_BYTES != (offset + limit - 1) // BLOCK_BYTES:
        raise RpcRefusal("LIMIT_INVALID")


@handles(functions.upload.GetFileRequest)
def get_file(ctx: Context, request: Any) -> Any:
    """Returns a piece of a file."""
    check_range(request.offset, request.limit, precise=bool(request.precise))
    location = request.location
    if isinstance(location, types.InputPhotoFileLocation):
        file, _ = named_file(ctx, location, FileKind.PHOTO)
        data = _photo_bytes(file, location.thumb_size)
        kind: Any = types.storage.FileJpeg
    elif isinstance(location, types.InputDocumentFileLocation):
        file, _ = named_file(ctx, location, FileKind.DOCUMENT)
        thumbnail = file.thumbnail if location.thumb_size == "m" else None
        if location.thumb_size and not thumbnail:
            raise RpcRefusal("LOCATION_INVALID")
        data = thumbnail or file.data
        kind = _FILE_TYPES.get(file.mime_type, types.storage.FileUnknown)
    else:
        raise RpcRefusal("LOCATION_INVALID")
    if ctx.sandbox.place_of(file.dc) != ctx.dc:
        raise RpcRefusal(f"FILE_MIGRATE_{file.dc}")
    limit = min(request.limit, ctx.verdict.chunk_limit or request.limit)
    piece = bytes(memoryview(data)[request.offset : request.offset + limit])
    return types.upload.File(kind(), int(file.date.timestamp()), piece)


def _photo_bytes(file: StoredFile, letter: str) -> bytes:
    if letter == full_size_letter(file):
        return file.data
    if letter == "m" and file.thumbnail:
        return file.thumbnail
    raise RpcRefusal("LOCATION_INVALID")


@handles(functions.upload.SaveFilePartRequest, functions.upload.SaveBigFilePartRequest)
def save_file_part(ctx: Context, request: Any) -> bool:
    """Keeps a part of an upload."""
    if not request.bytes:
        raise RpcRefusal("FILE_PART_EMPTY")
    if len(request.bytes) > PART_MAXIMUM:
        raise RpcRefusal("FILE_PART_TOO_BIG")
    if not 0 <= request.file_part < PARTS_MAXIMUM:
        raise RpcRefusal("FILE_PART_INVALID")
    parts = ctx.sandbox.uploads.setdefault((ctx.account.id, request.file_id), {})
    parts[request.file_part] = request.bytes
    return True


def uploaded_bytes(ctx: Context, given: Any) -> bytes:
    """Puts the parts of an upload together.

    Raises:
        RpcRefusal: FILE_PARTS_INVALID, FILE_PART_n_MISSING, FILE_PART_SIZE_INVALID or
            MD5_CHECKSUM_INVALID.
    """
    parts = ctx.sandbox.uploads.get((ctx.account.id, given.id), {})
    if not 0 < given.parts <= PARTS_MAXIMUM:
        raise RpcRefusal("FILE_PARTS_INVALID")
    for number in range(given.parts):
        if number not in parts:
            raise RpcRefusal(f"FILE_PART_{number}_MISSING")
    size = len(parts[0])
    whole = [len(parts[number]) for number in range(given.parts - 1)]
    if any(length != size for length in whole) or (whole and (size % 1024 or PART_MAXIMUM % size)):
        raise RpcRefusal("FILE_PART_SIZE_INVALID")
    data = b"".join(parts[number] for number in range(given.parts))
    checksum = getattr(given, "md5_checksum", "")
    if checksum and checksum != md5(data, usedforsecurity=False).hexdigest():
        raise RpcRefusal("MD5_CHECKSUM_INVALID")
    return data
