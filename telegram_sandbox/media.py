"""What can hang on a message: files with the attributes that tell one kind from another.

Here belong the makers of every media class that a scenario can contain. Each stores new files in
the world; a forward takes the existing medium instead. TL views of them are `media_views`'.
"""

import inspect
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from telethon.tl import types

from telegram_sandbox.images import measure
from telegram_sandbox.media_records import HOME_DC, FileKind, FileMedia, OtherMedia
from telegram_sandbox.world import World

VIEW_ONCE: Final = 2**31 - 1
"""`ttl_seconds` of media that may be looked at once."""


def photo(
    world: World,
    date: datetime,
    *,
    data: bytes,
    width: int | None = None,
    height: int | None = None,
    thumbnail: bytes | None = None,
    spoiler: bool = False,
    ttl_seconds: int | None = None,
    dc: int = HOME_DC,
) -> FileMedia:
    """Makes a photo; size and thumbnail are taken from the picture unless given."""
    measured = measure(data) if width is None or height is None else (width, height)
    file = world.add_file(
        FileKind.PHOTO,
        data,
        "image/jpeg",
        date,
        width=width or measured[0],
        height=height or measured[1],
        thumbnail=thumbnail,
        thumbnail_size=measure(thumbnail) if thumbnail else (0, 0),
        dc=dc,
    )
    return FileMedia(file, FileKind.PHOTO, ttl_seconds, spoiler)


def document(
    world: World,
    date: datetime,
    *,
    data: bytes,
    file_name: str | None = None,
    mime_type: str = "application/octet-stream",
    attributes: Sequence[Any] = (),
    width: int = 0,
    height: int = 0,
    thumbnail: bytes | None = None,
    spoiler: bool = False,
    ttl_seconds: int | None = None,
    dc: int = HOME_DC,
) -> FileMedia:
    """Makes a document; an image type gets the image-size attribute, as on Telegram."""
    found = list(attributes)
    if mime_type.startswith("image/") and not found:
        width, height = (width, height) if width and height else measure(data)
        found.append(types.DocumentAttributeImageSize(width, height))
    if file_name is not None:
        found.append(types.DocumentAttributeFilename(file_name))
    file = world.add_file(
        FileKind.DOCUMENT,
        data,
        mime_type,
        date,
        attributes=tuple(found),
        width=width,
        height=height,
        thumbnail=thumbnail,
        thumbnail_size=measure(thumbnail) if thumbnail else (0, 0),
        dc=dc,
    )
    return FileMedia(file, FileKind.DOCUMENT, ttl_seconds, spoiler)


def video(
    world: World,
    date: datetime,
    *,
    data: bytes,
    duration: float = 1.0,
    width: int = 640,
    height: int = 360,
    round: bool = False,
    file_name: str | None = None,
    **options: Any,
) -> FileMedia:
    """Makes a video, or a round video message."""
    attribute = types.DocumentAttributeVideo(
        duration, width, height, round_message=round or None, supports_streaming=True
    )
    return document(
        world,
        date,
        data=data,
        mime_type="video/mp4",
        attributes=[attribute],
        width=width,
        height=height,
        file_name=file_name,
        **options,
    )


def gif(
    world: World,
    date: datetime,
    *,
    data: bytes,
    duration: float = 1.0,
    width: int = 320,
    height: int = 240,
    file_name: str | None = "animation.mp4",
    **options: Any,
) -> FileMedia:
    """Makes an animation: an MP4 without sound that carries the animated attribute."""
    attributes = [
        types.DocumentAttributeVideo(duration, width, height, nosound=True),
        types.DocumentAttributeAnimated(),
    ]
    return document(
        world,
        date,
        data=data,
        mime_type="video/mp4",
        attributes=attributes,
        width=width,
        height=height,
        file_name=file_name,
        **options,
    )


def sticker(
    world: World,
    date: datetime,
    *,
    data: bytes,
    emoji: str = "🙂",
    mime_type: str = "image/webp",
    width: int = 512,
    height: int = 512,
) -> FileMedia:
    """Makes a sticker: image/webp, video/webm or application/x-tgsticker by `mime_type`."""
    size: Any = types.DocumentAttributeImageSize(width, height)
    if mime_type == "video/webm":
        size = types.DocumentAttributeVideo(3.0, width, height, nosound=True)
    attributes = [size, types.DocumentAttributeSticker(emoji, types.InputStickerSetEmpty())]
    return document(
        world,
        date,
        data=data,
        mime_type=mime_type,
        attributes=attributes,
        width=width,
        height=height,
        file_name="sticker" + {"image/webp": ".webp"}.get(mime_type, ""),
    )


def audio(
    world: World,
    date: datetime,
    *,
    data: bytes,
    duration: int = 1,
    voice: bool = False,
    title: str | None = None,
    file_name: str | None = None,
) -> FileMedia:
    """Makes music, or a voice note."""
    attribute = types.DocumentAttributeAudio(duration, voice=voice or None, title=title)
    mime_type = "audio/ogg" if voice else "audio/mpeg"
    return document(
        world, date, data=data, mime_type=mime_type, attributes=[attribute], file_name=file_name
    )


def view_once_photo(
    world: World, date: datetime, *, data: bytes, expired: bool = False, **options: Any
) -> FileMedia:
    """Makes a photo that may be looked at once; an expired one has lost its file."""
    made = photo(world, date, data=data, ttl_seconds=VIEW_ONCE, **options)
    return FileMedia(None, made.kind, VIEW_ONCE) if expired else made


def view_once_video(
    world: World, date: datetime, *, data: bytes, expired: bool = False, **options: Any
) -> FileMedia:
    """Makes a video that may be looked at once; an expired one has lost its file."""
    made = video(world, date, data=data, ttl_seconds=VIEW_ONCE, **options)
    return FileMedia(None, made.kind, VIEW_ONCE) if expired else made


def poll(world: World, question: str, answers: Sequence[str]) -> OtherMedia:
    """Makes a poll that nobody has answered."""
    choices = [
        types.PollAnswer(types.TextWithEntities(answer, []), bytes([index]))
        for index, answer in enumerate(answers)
    ]
    poll_id = world.random.randrange(2**62)
    text = types.TextWithEntities(question, [])
    return OtherMedia(
        types.MessageMediaPoll(types.Poll(poll_id, text, choices, 0), types.PollResults())
    )


def contact(phone: str, name: str) -> OtherMedia:
    """Makes a shared contact."""
    return OtherMedia(types.MessageMediaContact(phone, name, "", "", 0))


def geo(latitude: float, longitude: float) -> OtherMedia:
    """Makes a place."""
    return OtherMedia(types.MessageMediaGeo(types.GeoPoint(longitude, latitude, 0)))


def _options(*makers: Any) -> frozenset[str]:
    return frozenset(
        name
        for maker in makers
        for name, parameter in inspect.signature(maker).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    ) - {"data"}


OPTIONS: Final = {
    "photo": _options(photo),
    "document": _options(document),
    "video": _options(video) | {"thumbnail", "spoiler", "ttl_seconds", "dc"},
    "gif": _options(gif) | {"thumbnail", "spoiler", "dc"},
    "sticker": _options(sticker),
    "audio": _options(audio),
    "view_once_photo": _options(view_once_photo, photo) - {"ttl_seconds"},
    "view_once_video": _options(view_once_video, video) - {"ttl_seconds"},
}
"""The options of each maker, to tell them from the options of a message."""
