"""From the media that a client sends to the media that a message holds.

Here belong media by reference and uploaded media; which chat they go to does not matter here,
except that view-once media are for private chats.
"""

from typing import Any

from telethon.tl import types

from telegram_sandbox import media
from telegram_sandbox.errors import RpcRefusal
from telegram_sandbox.media_records import FileKind, FileMedia
from telegram_sandbox.methods.files import named_file, uploaded_bytes
from telegram_sandbox.records import Chat, ChatKind
from telegram_sandbox.registry import Context

_PICTURE_HEADS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"RIFF")


def incoming(ctx: Context, chat: Chat, given: Any) -> FileMedia:
    """Returns the medium for a message.

    Raises:
        RpcRefusal: MEDIA_EMPTY, MEDIA_INVALID, TTL_MEDIA_INVALID, CHAT_FORWARDS_RESTRICTED,
            IMAGE_PROCESS_FAILED, or what is wrong with the file.
    """
    if getattr(given, "ttl_seconds", None) and chat.kind is not ChatKind.PRIVATE:
        raise RpcRefusal("TTL_MEDIA_INVALID")
    if isinstance(given, types.InputMediaPhoto):
        return _by_reference(ctx, given, FileKind.PHOTO)
    if isinstance(given, types.InputMediaDocument):
        return _by_reference(ctx, given, FileKind.DOCUMENT)
    if isinstance(given, types.InputMediaUploadedPhoto):
        return _uploaded_photo(ctx, given)
    if isinstance(given, types.InputMediaUploadedDocument):
        return _uploaded_document(ctx, given)
    raise RpcRefusal("MEDIA_EMPTY" if isinstance(given, types.InputMediaEmpty) else "MEDIA_INVALID")


def _by_reference(ctx: Context, given: Any, kind: FileKind) -> FileMedia:
    if not isinstance(given.id, types.InputPhoto | types.InputDocument):
        raise RpcRefusal("MEDIA_EMPTY")
    try:
        file, origin = named_file(ctx, given.id, kind)
    except RpcRefusal as refusal:
        if refusal.name == "FILE_ID_INVALID":
            raise RpcRefusal("MEDIA_EMPTY") from refusal
        raise
    source = ctx.world.chats.get(origin)
    if source is not None and source.noforwards:
        raise RpcRefusal("CHAT_FORWARDS_RESTRICTED")
    return FileMedia(file, kind, given.ttl_seconds, bool(given.spoiler))


def _uploaded_photo(ctx: Context, given: Any) -> FileMedia:
    data = uploaded_bytes(ctx, given.file)
    if not data.startswith(_PICTURE_HEADS):
        raise RpcRefusal("IMAGE_PROCESS_FAILED")
    return media.photo(
        ctx.world,
        ctx.world.now(),
        data=data,
        spoiler=bool(given.spoiler),
        ttl_seconds=given.ttl_seconds,
    )


def _uploaded_document(ctx: Context, given: Any) -> FileMedia:
    data = uploaded_bytes(ctx, given.file)
    thumbnail = uploaded_bytes(ctx, given.thumb) if given.thumb else None
    size = next((each for each in given.attributes if hasattr(each, "w")), None)
    return media.document(
        ctx.world,
        ctx.world.now(),
        data=data,
        mime_type=given.mime_type,
        attributes=given.attributes,
        width=size.w if size else 0,
        height=size.h if size else 0,
        thumbnail=thumbnail,
        spoiler=bool(given.spoiler),
        ttl_seconds=given.ttl_seconds,
    )
