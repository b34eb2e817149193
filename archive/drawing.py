"""Drawing a face: a box that a person drew on a photo, or on a frame of a video, becomes a face.

The picture is fetched again, or its kept original is taken. What the box shows is aligned and
embedded like any face (`Drawer`), stored, and noted as that person's decision; it can be
somebody's at once. Undoing the drawing makes it no face again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from archive.correcting import Act, CorrectionDesk, assign, drawn
from archive.errors import ItemRejected, Permanent, Transient
from archive.faces.estimating import is_estimated
from archive.faces.geometry import iou
from archive.faces.records import Box, FoundFace, ModelRecord, PictureKind
from archive.identity.events import Decision
from archive.ids import ContentKey, FaceId, IdentityId, MessageId
from archive.known_faces import SAME_FACE_IOU, SAME_FRAME_SECONDS, KnownFace
from archive.ledger import State
from archive.media_pass.fetching import Fetcher, Item, Tally
from archive.media_pass.files import ItemFailed
from archive.media_pass.options import MediaPassOptions
from archive.media_pass.ports import Blobs, MediaSource, Ranges
from archive.media_pass.records import Claimed, Original
from archive.records import VIDEO_KINDS, Chat, MediaAccess, MediaFile


@dataclass(frozen=True, slots=True)
class Picture:
    """A content that is drawn on, and where it can be fetched.

    Attributes:
        chat: A chat that allows faces and shows it.
        message_id: Its message there.
        access: What the chat's account knows of the file.
        original: The file itself, where it is kept.
    """

    content_key: ContentKey
    chat: Chat
    message_id: MessageId
    file: MediaFile
    access: MediaAccess
    original: Original | None = None


@dataclass(frozen=True, slots=True)
class DrawnFace:
    """What became of a box.

    Attributes:
        face: As it was stored.
        decisions: That it was drawn, and whose it is if that was said; the latest last.
    """

    face_id: FaceId
    face: FoundFace
    decisions: tuple[Decision, ...]

    @property
    def is_estimated(self) -> bool:
        """Whether no detector saw a face in the box, so that its landmarks are guessed."""
        return is_estimated(self.face.landmark_schema)


class Drawer(Protocol):
    """Vision, as far as drawing needs it."""

    @property
    def model(self) -> ModelRecord | None:
        """What aligns and embeds."""
        ...

    async def draw(
        self, data: bytes | Ranges, kind: PictureKind, box: Box, *, seconds: float = 0.0
    ) -> FoundFace:
        """Make a face of a box.

        Args:
            data: The picture's file.
            kind: What it is.
            box: In pixels of the upright picture.
            seconds: Of a video, which frame; the nearest one is taken.

        Raises:
            ItemRejected: The file cannot be decoded, or has no frame then.
            Permanent: The box shows too little of the picture.
        """
        ...


class DrawingDesk(CorrectionDesk, Protocol):
    """The desk of corrections, where faces can be added."""

    def faces_of(self, content_key: ContentKey) -> Sequence[KnownFace]:
        """Give the faces of a content, and keep every other search of it out.

        Raises:
            Permanent: No chat that shows it allows faces any more.
        """
        ...

    def add_face(
        self, content_key: ContentKey, model: ModelRecord, face: FoundFace, crop_key: str
    ) -> FaceId:
        """Store a face with its vector."""
        ...


class DrawingStore(Protocol):
    """Where drawn faces go."""

    def drawing(self) -> AbstractContextManager[DrawingDesk]:
        """Take the store for deciding, as `Corrections.correcting` does.

        Raises:
            Transient: Somebody else is deciding, or the database does not answer.
        """
        ...


async def draw(
    picture: Picture,
    box: Box,
    act: Act,
    *,
    seconds: float,
    whose: IdentityId | None,
    media: MediaSource,
    vision: Drawer,
    store: DrawingStore,
    blobs: Blobs,
    options: MediaPassOptions,
) -> DrawnFace:
    """Make a face of a box that a person drew.

    Args:
        picture: What it was drawn on.
        box: In pixels of the upright picture.
        act: Who drew it.
        seconds: Of a video, which frame; the face has the time of the nearest one.
        whose: Whose face it is; None leaves that to the next pass.
        media: The account of the picture's chat.
        vision: The model in use.
        store: Where faces and people are.
        blobs: Where crops and originals lie.
        options: What a media pass may fetch whole; of a larger video only parts are fetched.

    Raises:
        Conflict: There is a face already, or a person had said otherwise.
        ItemRejected: The file is gone, cannot be decoded, or has no frame then.
        Permanent: The box lies outside the picture, or nothing allows faces of it any more.
        Transient: Telegram or the store does not answer, somebody else is deciding, or the model
            was changed meanwhile.
    """
    kind: PictureKind = "video" if picture.file.kind in VIDEO_KINDS else "image"
    async with _file(picture, Fetcher(picture.chat, media, blobs, options, Tally())) as data:
        face = await vision.draw(data, kind, box, seconds=seconds)
    model = vision.model
    if model is None:
        raise Permanent("no model is loaded: faces cannot be drawn")
    # The crop before the row that names it, as everywhere.
    crop_key = await asyncio.to_thread(blobs.put, face.crop)
    return await asyncio.to_thread(_keep, store, picture, model, face, crop_key, act, whose)


@asynccontextmanager
async def _file(picture: Picture, fetcher: Fetcher) -> AsyncIterator[bytes | Ranges]:
    """Hold the picture's file; nothing of it is kept that was not kept before."""
    claimed = Claimed(picture.file.media_id, picture.access, 0, was_in_flight=False)
    item = Item(picture.file, picture.message_id, claimed, frozenset(), False, picture.original)
    try:
        async with fetcher.hold(item) as at_hand:
            yield at_hand.data
    except ItemFailed as exc:
        if exc.state is State.SKIPPED:
            raise ItemRejected(exc.reason, exc.detail) from exc
        raise Transient(exc.detail) from exc


def _keep(
    store: DrawingStore,
    picture: Picture,
    model: ModelRecord,
    face: FoundFace,
    crop_key: str,
    act: Act,
    whose: IdentityId | None,
) -> DrawnFace:
    with store.drawing() as desk:
        require_new(desk.faces_of(picture.content_key), face)
        face_id = desk.add_face(picture.content_key, model, face, crop_key)
        decisions = [drawn(desk, face_id, act)]
        if whose is not None and (said := assign(desk, [face_id], whose, act)) is not None:
            decisions.append(said)
    return DrawnFace(face_id, face, tuple(decisions))


def require_new(known: Sequence[KnownFace], face: FoundFace) -> None:
    """Refuse to draw a face that is there.

    Raises:
        Permanent: One of the known faces is the same; the message names it.
    """
    for other in known:
        same_frame = abs(other.frame_seconds - face.frame_seconds) <= SAME_FRAME_SECONDS
        if same_frame and iou(other.box, face.box) >= SAME_FACE_IOU:
            raise Permanent(
                f"there is a face already: {other.face_id}. Say whose it is with "
                f"`face-archive identities confirm PERSON {str(other.face_id)[:8]}`."
            )
