"""Files out of exports for the media pass, beside those of Telegram where somebody is logged in.

A medium that is named by its message shows no file that Telegram would give, so its name alone
tells where to look. What may be opened is ``folder``'s.
"""

from __future__ import annotations

import asyncio
import os
from typing import Protocol

from archive.errors import ItemRejected
from archive.exports.records import Absence, Place
from archive.ids import MediaId, MessageId
from archive.media_pass.ports import MediaSource, RangedSource
from archive.media_pass.records import Fetched
from archive.records import Chat, MediaAccess, MediaFile
from resources.desktop_export.folder import ExportFolder


class Places(Protocol):
    """Whoever remembers where files lie."""

    def place_of(self, media_id: MediaId) -> Place | None:
        """Return where a medium's file lies; ``None`` where no export brought it."""
        ...


class ExportedMedia:
    """Reads files of exports, and leaves all others to a connection.

    Args:
        places: Where files lie.
        beside: The connection; ``None`` where nobody is logged in.
    """

    def __init__(self, places: Places, beside: MediaSource | None = None) -> None:
        self._places = places
        self._beside = beside

    def ranged(
        self, chat: Chat, message_id: MessageId, file: MediaFile, access: MediaAccess
    ) -> RangedSource:
        """Give a file of which only parts will be read; see ``archive.media_pass.ports``."""
        beside = self._source_of(file)
        if beside is not None:
            return beside.ranged(chat, message_id, file, access)
        return _ExportedFile(self._places, file, access)

    async def fetch(
        self, chat: Chat, message_id: MessageId, file: MediaFile, access: MediaAccess
    ) -> Fetched:
        """Read a whole file; see ``archive.media_pass.ports``."""
        beside = self._source_of(file)
        if beside is not None:
            return await beside.fetch(chat, message_id, file, access)
        exported = _ExportedFile(self._places, file, access)
        return Fetched(await exported.read(0, exported.size_bytes), access)

    def _source_of(self, file: MediaFile) -> MediaSource | None:
        """Choose the connection; ``None`` for a file that only an export can have."""
        if file.media_id.startswith("message:"):
            return None
        if self._beside is None:
            raise ItemRejected(Absence.MISSING, "no account is logged in that could fetch it")
        return self._beside


class _ExportedFile:
    """One file of an export, opened for each part anew: nothing is held in between."""

    def __init__(self, places: Places, file: MediaFile, access: MediaAccess) -> None:
        self._places = places
        self._file = file
        self.access = access

    @property
    def size_bytes(self) -> int:
        """Of the whole file, as the export says."""
        return self._file.size_bytes or 0

    async def read(self, offset: int, size: int) -> bytes:
        """Read a part; see ``archive.media_pass.ports.Ranges``."""
        return await asyncio.to_thread(self._read, offset, size)

    def _read(self, offset: int, size: int) -> bytes:
        place = self._places.place_of(self._file.media_id)
        if place is None or place.path is None:
            raise ItemRejected(Absence.NOT_INCLUDED, "the export was made without this file")
        with ExportFolder(place.folder).open(place.path) as file:
            there = os.fstat(file).st_size
            if there != self.size_bytes:
                what = f"it has {there} bytes, the export says {self.size_bytes}"
                raise ItemRejected(Absence.CHANGED, what)
            return os.pread(file, size, offset)
