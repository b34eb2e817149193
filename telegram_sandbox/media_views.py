"""How one account sees files: photos, documents and the media that hold them.

Here belong access hashes and references of files and the sizes a photo is offered in. Nothing
here changes the world, except that a thumbnail is made when it is first seen.
"""

from typing import Any, Final

from telethon.tl import types

from telegram_sandbox.images import ensure_thumbnail
from telegram_sandbox.media_records import (
    FileKind,
    FileMedia,
    OtherMedia,
    PaidMedia,
    StoredFile,
    WebPageMedia,
)
from telegram_sandbox.records import Chat, Message, User
from telegram_sandbox.world import World

SMALL_SIDE: Final = 320
LARGE_SIDE: Final = 800


def full_size_letter(file: StoredFile) -> str:
    """Returns the type letter of a photo's largest size: m up to 320 px, x to 800, y beyond."""
    longest = max(file.width, file.height)
    if longest <= SMALL_SIDE:
        return "m"
    return "x" if longest <= LARGE_SIDE else "y"


class MediaViews:
    """Media in the eyes of one account."""

    def __init__(self, world: World, viewer: User) -> None:
        """Keeps whose eyes these are."""
        self._world = world
        self._viewer = viewer

    def media(self, message: Message) -> Any:
        """Returns the media of a message."""
        media = message.media
        if isinstance(media, FileMedia):
            return self.file_media(media, message.chat)
        if isinstance(media, PaidMedia):
            return types.MessageMediaPaidMedia(media.stars, self._paid_items(media, message.chat))
        if isinstance(media, WebPageMedia):
            return self._web_page(media, message)
        return media.tl if isinstance(media, OtherMedia) else None

    def file_media(self, media: FileMedia, origin: Chat) -> Any:
        """Returns a photo or document as it hangs on a message of that chat."""
        spoiler = media.spoiler or None
        file = media.file
        if media.kind is FileKind.PHOTO:
            photo = self.photo(file, origin) if file else None
            return types.MessageMediaPhoto(
                photo=photo, ttl_seconds=media.ttl_seconds, spoiler=spoiler
            )
        flags: dict[str, Any] = {}
        for attribute in file.attributes if file else ():
            if isinstance(attribute, types.DocumentAttributeVideo):
                flags["video"] = True
                flags["round"] = attribute.round_message or None
            elif isinstance(attribute, types.DocumentAttributeAudio):
                flags["voice"] = attribute.voice or None
        return types.MessageMediaDocument(
            document=self.document(file, origin) if file else None,
            ttl_seconds=media.ttl_seconds,
            spoiler=spoiler,
            **flags,
        )

    def _paid_items(self, media: PaidMedia, origin: Chat) -> list[Any]:
        if self._viewer.id in media.buyers:
            return [
                types.MessageExtendedMedia(self.file_media(item, origin)) for item in media.items
            ]
        return [
            types.MessageExtendedMediaPreview(w=item.file.width, h=item.file.height)
            for item in media.items
            if item.file is not None
        ]

    def _web_page(self, media: WebPageMedia, message: Message) -> Any:
        page_id = int.from_bytes(self._world.digest("webpage", media.url), "little") >> 1
        photo = self.photo(media.photo, message.chat) if media.photo else None
        return types.MessageMediaWebPage(
            types.WebPage(
                id=page_id,
                url=media.url,
                display_url=media.url,
                hash=0,
                type="article",
                title=media.title,
                photo=photo,
            )
        )

    def photo(self, file: StoredFile, origin: Chat | None) -> Any:
        """Returns a photo with its sizes."""
        ensure_thumbnail(file)
        sizes: list[Any] = []
        if file.thumbnail:
            width, height = file.thumbnail_size
            sizes.append(types.PhotoSize("m", width, height, len(file.thumbnail)))
        letter, size = full_size_letter(file), len(file.data)
        if letter == "y":
            # Large sizes are progressive JPEGs: byte counts at which a preview can be shown.
            steps = sorted({max(1, size // 4), max(1, size // 2), size})
            sizes.append(types.PhotoSizeProgressive("y", file.width, file.height, steps))
        else:
            sizes.append(types.PhotoSize(letter, file.width, file.height, size))
        return types.Photo(
            id=file.id,
            access_hash=self._world.access_hash(self._viewer, "file", file.id),
            file_reference=self._world.file_reference(file, self._viewer, origin),
            date=file.date,
            sizes=sizes,
            dc_id=file.dc,
        )

    def document(self, file: StoredFile, origin: Chat | None) -> Any:
        """Returns a document with its attributes."""
        thumbs = None
        if file.thumbnail:
            width, height = file.thumbnail_size
            thumbs = [types.PhotoSize("m", width, height, len(file.thumbnail))]
        return types.Document(
            id=file.id,
            access_hash=self._world.access_hash(self._viewer, "file", file.id),
            file_reference=self._world.file_reference(file, self._viewer, origin),
            date=file.date,
            mime_type=file.mime_type,
            size=len(file.data),
            dc_id=file.dc,
            attributes=list(file.attributes),
            thumbs=thumbs,
        )
