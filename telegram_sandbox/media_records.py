"""The nouns of media: files, and what of them hangs on a message.

Here belong plain records. Making them is `media`'s business, their TL form `media_views`'.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

HOME_DC: Final = 2
"""The data centre where every account lives, and every file that names no other."""


class FileKind(Enum):
    """The two families of files, each with its own location constructor."""

    PHOTO = "photo"
    DOCUMENT = "document"


@dataclass(slots=True, eq=False)
class StoredFile:
    """A file of the server: the same object however often it is forwarded."""

    id: int
    kind: FileKind
    data: bytes
    date: datetime
    mime_type: str
    attributes: tuple[Any, ...] = ()
    width: int = 0
    height: int = 0
    thumbnail: bytes | None = None
    thumbnail_size: tuple[int, int] = (0, 0)
    epoch: int = 0
    dc: int = HOME_DC


@dataclass(frozen=True, slots=True)
class FileMedia:
    """A photo or document on a message; `file` is gone once a view-once medium was seen."""

    file: StoredFile | None
    kind: FileKind
    ttl_seconds: int | None = None
    spoiler: bool = False


@dataclass(frozen=True, slots=True)
class PaidMedia:
    """Media behind a price; only who bought it gets the files."""

    stars: int
    items: tuple[FileMedia, ...]
    buyers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class WebPageMedia:
    """A link preview, with or without a picture."""

    url: str
    title: str
    photo: StoredFile | None = None


@dataclass(frozen=True, slots=True)
class OtherMedia:
    """Media that look the same to every viewer: polls, contacts, places, …; a TL object."""

    tl: Any


Media = FileMedia | PaidMedia | WebPageMedia | OtherMedia
