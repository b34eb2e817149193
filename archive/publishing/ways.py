"""The ways in which a picture gets into a hub, and what a message by each of them is made of.

Cheapest first: Telegram copies a file it has, forwards the message, or is sent the bytes. Where
only faces are to be shown there is one way: the small picture that the archive keeps of the face.
Which way works is tried in ``sending``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from archive.errors import ItemRejected, Transient
from archive.ids import AccountId, ContentKey, FaceId, IdentityId
from archive.media_pass.ports import MediaSource
from archive.publishing.outbox import PublicationRow
from archive.publishing.ports import PublishingStore
from archive.publishing.records import Post, PostMethod
from archive.publishing.state import Material
from archive.publishing.wanted import Source

# A picture that was forwarded a hundred times need not be refused three hundred times.
MAX_SOURCES = 3


class CropSource(Protocol):
    """The faces of people, cut out."""

    def face(self, face_id: FaceId) -> bytes:
        """Return a JPEG of a face, with some margin.

        Raises:
            ItemRejected: It is not there any more.
        """
        ...

    def crop(self, identity_id: IdentityId, content_key: ContentKey) -> bytes:
        """Return a JPEG of the clearest face of a person in a content, with some margin.

        Raises:
            ItemRejected: There is none any more.
        """
        ...


@dataclass(frozen=True, slots=True)
class Way:
    """One way of showing one source."""

    source: Source
    method: PostMethod
    material: Material


class Ways:
    """Lists the ways of one hub's account, and fetches what has to be sent.

    Args:
        store: Knows the files.
        media: Downloads what has to be uploaded.
        posting: The account that posts.
        crops: Faces, which alone are shown of what is asked about.
        crops_only: They alone are shown of everything.
    """

    def __init__(
        self,
        store: PublishingStore,
        media: MediaSource,
        posting: AccountId,
        crops: CropSource | None,
        *,
        crops_only: bool = False,
    ) -> None:
        self._store = store
        self._media = media
        self._posting = posting
        self._crops = crops
        self._crops_only = crops_only

    async def of(self, sources: Sequence[Source], *, face_only: bool = False) -> list[Way]:
        """List every way, cheapest first within a source, sources in their order.

        Args:
            sources: In which it can be seen.
            face_only: One face of it is to be shown, and nothing else.
        """
        face_only = face_only or self._crops_only
        found: list[Way] = []
        for source in sources[: 1 if face_only else MAX_SOURCES]:
            material = await asyncio.to_thread(self._store.material, source, self._posting)
            methods = [PostMethod.CROP] if face_only else self._methods(source, material)
            found += [Way(source, method, material) for method in methods]
        return found

    def _methods(self, source: Source, material: Material) -> list[PostMethod]:
        open_ = {
            PostMethod.REFERENCE: material.access is not None,
            PostMethod.FORWARD: source.chat.account_id == self._posting,
            PostMethod.UPLOAD: material.reading_access is not None,
        }
        return [method for method, is_open in open_.items() if is_open]

    async def data(self, way: Way, row: PublicationRow) -> bytes | None:
        """Fetch what a way sends, into memory; ``None`` where no bytes move.

        Raises:
            ItemRejected: It cannot be had; with the reason.
            Transient: A wait, which concerns the whole account.
        """
        if way.method is PostMethod.CROP:
            return await asyncio.to_thread(self._crop, row)
        if way.method is not PostMethod.UPLOAD or way.material.reading_access is None:
            return None
        try:
            fetched = await self._media.fetch(
                way.source.chat,
                way.source.message_id,
                way.material.file,
                way.material.reading_access,
            )
        except Transient as failure:
            # Without a wait it concerns this download only.
            if failure.retry_after_seconds is not None:
                raise
            raise ItemRejected("download failed") from failure
        return fetched.data

    def _crop(self, row: PublicationRow) -> bytes:
        if self._crops is None:
            raise ItemRejected("no faces are kept")
        if row.doubt is not None:
            return self._crops.face(row.doubt.face_id)
        return self._crops.crop(row.identity_id, row.content_key)


def from_pending(ways: Sequence[Way], row: PublicationRow) -> Sequence[Way]:
    """Begin with the way whose outcome is unknown; with the first where it is gone."""
    for index, way in enumerate(ways):
        place = (way.method, way.source.chat.chat_no, way.source.message_id)
        if place == (row.method, row.source_chat_no, row.source_message_id):
            return ways[index:]
    return ways


def compose(way: Way, text: str, random_id: int, data: bytes | None) -> Post:
    """Put one message together.

    Args:
        way: How the picture gets there.
        text: The caption.
        random_id: Under which it is sent.
        data: What ``Ways.data`` fetched for it.
    """
    is_crop = way.method is PostMethod.CROP
    return Post(
        random_id=random_id,
        caption_html=text,
        method=way.method,
        file=None if is_crop else way.material.file,
        access=None if is_crop else way.material.access,
        source_chat=way.source.chat,
        source_message_id=way.source.message_id,
        data=data,
    )


def writes(method: PostMethod) -> int:
    """How many writes Telegram counts: a forward's caption is set by an edit."""
    return 2 if method is PostMethod.FORWARD else 1
