"""Telethon's media become files of the archive.

What a medium is follows from its attributes: round videos, GIFs, image files and video stickers
all arrive as documents. Only what the message itself carries counts: the picture of a web page's
preview, of a story or of a game is not the message's. Not here: the message (``convert``) and
fetching (``media``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from telethon.tl import types

from archive.ids import ChatNo, MediaId, MessageId
from archive.records import MediaAccess, MediaFile, MediaKind

_STICKERS = (types.DocumentAttributeSticker, types.DocumentAttributeCustomEmoji)


@dataclass(frozen=True, slots=True)
class Medium:
    """A file and the account's access to it, where there is any."""

    file: MediaFile
    access: MediaAccess | None = None


def medium_of(media: Any, chat_no: ChatNo, message_id: MessageId) -> Medium | None:
    """Return the file a message carries with the account's access to it.

    Args:
        media: Telethon's ``message.media``.
        chat_no: Names what shows no file, together with the message.
        message_id: Id of the message.

    Returns:
        ``None`` where the message carries none. No access comes with paid and view-once media:
        they are never fetched.
    """
    shown_in = MediaId(f"message:{chat_no}:{message_id}")
    if isinstance(media, types.MessageMediaPaidMedia):
        return Medium(MediaFile(shown_in, MediaKind.PAID))
    if isinstance(media, types.MessageMediaPhoto):
        return _photo_or_gone(media, shown_in)
    if isinstance(media, types.MessageMediaDocument):
        return _document_or_gone(media, shown_in)
    return None


def _photo_or_gone(media: Any, shown_in: MediaId) -> Medium:
    photo = media.photo
    if not isinstance(photo, types.Photo):
        return Medium(MediaFile(shown_in, MediaKind.VIEW_ONCE))
    if media.ttl_seconds:
        return Medium(_photo(photo, MediaKind.VIEW_ONCE))
    file = _photo(photo, MediaKind.PHOTO)
    return Medium(file, _access(file.media_id, photo))


def _document_or_gone(media: Any, shown_in: MediaId) -> Medium:
    document = media.document
    if not isinstance(document, types.Document):
        return Medium(MediaFile(shown_in, MediaKind.VIEW_ONCE))
    if media.ttl_seconds:
        return Medium(_document(document, MediaKind.VIEW_ONCE))
    file = _document(document, document_kind(document))
    return Medium(file, _access(file.media_id, document))


def document_kind(document: Any) -> MediaKind:
    """Tell what a document is, by its attributes first and its MIME type where they are silent."""
    video = _attribute(document, types.DocumentAttributeVideo)
    audio = _attribute(document, types.DocumentAttributeAudio)
    major = (document.mime_type or "").partition("/")[0]
    if any(_attribute(document, sticker) is not None for sticker in _STICKERS):
        return MediaKind.STICKER
    if audio is not None or major == "audio":
        return MediaKind.VOICE if audio is not None and audio.voice else MediaKind.AUDIO
    if video is not None and video.round_message:
        return MediaKind.ROUND_VIDEO
    if _attribute(document, types.DocumentAttributeAnimated) is not None:
        return MediaKind.GIF
    if video is not None or major == "video":
        return MediaKind.VIDEO
    return MediaKind.IMAGE_DOCUMENT if major == "image" else MediaKind.DOCUMENT


def _photo(photo: Any, kind: MediaKind) -> MediaFile:
    largest = _largest_size(photo)
    return MediaFile(
        media_id=MediaId(f"photo:{photo.id}"),
        kind=kind,
        mime_type="image/jpeg",
        size_bytes=_bytes_of(largest) if largest is not None else None,
        width=largest.w if largest is not None else None,
        height=largest.h if largest is not None else None,
        dc_id=photo.dc_id,
        variant=largest.type if largest is not None else "",
    )


def _document(document: Any, kind: MediaKind) -> MediaFile:
    video = _attribute(document, types.DocumentAttributeVideo)
    audio = _attribute(document, types.DocumentAttributeAudio)
    picture = video or _attribute(document, types.DocumentAttributeImageSize)
    name = _attribute(document, types.DocumentAttributeFilename)
    timed = video or audio
    return MediaFile(
        media_id=MediaId(f"document:{document.id}"),
        kind=kind,
        mime_type=document.mime_type or None,
        file_name=name.file_name if name is not None else None,
        size_bytes=document.size,
        width=picture.w if picture is not None else None,
        height=picture.h if picture is not None else None,
        duration_seconds=float(timed.duration) if timed is not None else None,
        dc_id=document.dc_id,
    )


def _access(media_id: MediaId, file: Any) -> MediaAccess:
    return MediaAccess(media_id, file.access_hash, file.file_reference)


def _largest_size(photo: Any) -> Any:
    """Return the largest downloadable size; thumbnails inside the message are none."""
    sizes = [
        size
        for size in photo.sizes
        if isinstance(size, types.PhotoSize | types.PhotoSizeProgressive | types.PhotoCachedSize)
    ]
    return max(sizes, key=lambda size: (size.w * size.h, _bytes_of(size)), default=None)


def _bytes_of(size: Any) -> int:
    if isinstance(size, types.PhotoSizeProgressive):
        return int(max(size.sizes))
    return len(size.bytes) if isinstance(size, types.PhotoCachedSize) else int(size.size)


def _attribute(document: Any, cls: type) -> Any:
    return next((item for item in document.attributes if isinstance(item, cls)), None)
