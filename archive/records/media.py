"""Media: a Telegram file, whichever messages carry it, and what it takes to fetch it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from archive.ids import MediaId


class MediaKind(StrEnum):
    """What a medium is, decided by its attributes and not by its Telegram class alone."""

    PHOTO = "photo"
    IMAGE_DOCUMENT = "image_document"
    VIDEO = "video"
    ROUND_VIDEO = "round_video"
    GIF = "gif"
    STICKER = "sticker"
    AUDIO = "audio"
    VOICE = "voice"
    DOCUMENT = "document"
    PAID = "paid"
    VIEW_ONCE = "view_once"


SEARCHABLE_KINDS = frozenset(
    {
        MediaKind.PHOTO,
        MediaKind.IMAGE_DOCUMENT,
        MediaKind.VIDEO,
        MediaKind.ROUND_VIDEO,
        MediaKind.GIF,
    }
)
"""Kinds that can hold a face; also the default of a chat's ``media_types``."""

KEEPABLE_KINDS = SEARCHABLE_KINDS | {MediaKind.VOICE, MediaKind.AUDIO, MediaKind.DOCUMENT}
"""Kinds whose file itself may be kept."""

VIDEO_KINDS = frozenset({MediaKind.VIDEO, MediaKind.ROUND_VIDEO, MediaKind.GIF})


@dataclass(frozen=True, slots=True)
class MediaFile:
    """One Telegram file, whichever messages carry it.

    Attributes:
        size_bytes: Exact size of what will be downloaded; ``None`` where no file is shown.
        variant: For a photo, the letter of its largest size; empty for documents.
        duration_seconds: Of a video or a sound; ``None`` where Telegram does not say.
        dc_id: The data centre that holds the file.
    """

    media_id: MediaId
    kind: MediaKind
    mime_type: str | None = None
    file_name: str | None = None
    size_bytes: int | None = None
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    dc_id: int | None = None
    variant: str = ""


@dataclass(frozen=True, slots=True)
class MediaAccess:
    """What one account needs to fetch a file; the reference expires within hours or days.

    Attributes:
        file_reference: Empty where the account has not seen the file: its message has to be asked.
    """

    media_id: MediaId
    access_hash: int
    file_reference: bytes = field(repr=False)
