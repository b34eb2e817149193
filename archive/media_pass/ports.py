"""What the media pass asks of the world: a source of files, vision, a store, a place for files.

Only the ports; the values that cross them are ``records``'. ``passing`` calls them,
``resources`` and the tests implement them. The store and the blobs are synchronous and safe to call
from several threads; the pass calls them off the event loop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from archive.faces.records import Box, FoundFace, MediaAnalysis, ModelRecord, PictureKind
from archive.ids import AccountId, ChatNo, MediaId, MessageId
from archive.known_faces import KnownFace
from archive.ledger import ChatPolicy, Product
from archive.media_pass.records import (
    Claims,
    Commit,
    Committed,
    Fetched,
    Kept,
    LedgerChange,
    Original,
    ProductCount,
    Result,
    Setback,
    Surveyed,
)
from archive.records import Chat, MediaAccess, MediaFile
from archive.windows import Window


class Ranges(Protocol):
    """A file of which only parts are read."""

    @property
    def size_bytes(self) -> int:
        """Of the whole file."""
        ...

    async def read(self, offset: int, size: int) -> bytes:
        """Read a part.

        Args:
            offset: A multiple of 128 kB.
            size: At most 1 MB; not past the next multiple of 1 MB, nor past the end.

        Raises:
            Transient: As for a whole file.
            ItemRejected: The file is gone or is not what the message says.
            Permanent: Nothing can be read until a person acts.
        """
        ...


class RangedSource(Ranges, Protocol):
    """A file at its source of which only parts are fetched."""

    @property
    def access(self) -> MediaAccess:
        """What is needed to read it now; fresh where the old reference had expired."""
        ...


class MediaSource(Protocol):
    """Where files come from."""

    def ranged(
        self, chat: Chat, message_id: MessageId, file: MediaFile, access: MediaAccess
    ) -> RangedSource:
        """Give a file of which only parts will be fetched; asks for nothing yet.

        Raises:
            ItemRejected: It is never fetched.
        """
        ...

    async def fetch(
        self, chat: Chat, message_id: MessageId, file: MediaFile, access: MediaAccess
    ) -> Fetched:
        """Download one file whole, refreshing its reference where that has expired.

        Args:
            chat: The chat through which it is read.
            message_id: A message of the chat that carries it.
            file: What to fetch.
            access: What the chat's account knew last.

        Raises:
            Transient: Another try may work. With ``retry_after_seconds`` it concerns the whole
                account (a flood wait) and stops the pass; without, this download only.
            ItemRejected: The file is gone or is not what the message says.
            Permanent: Nothing can be fetched until a person acts (an expired session).
        """
        ...


class Vision(Protocol):
    """One model behind a pool of workers, and a child process for what may kill them."""

    @property
    def model(self) -> ModelRecord | None:
        """What finds faces; ``None`` where only fingerprints can be made."""
        ...

    async def analyse(
        self, data: bytes | Ranges, kind: PictureKind, *, faces: bool, thumbnails: bool
    ) -> MediaAnalysis:
        """Fingerprint one file, and of the same decode find its faces and make small pictures.

        Raises:
            ItemRejected: The file cannot be decoded or breaks a limit.
            WorkerDied: A worker died; whether this file killed it only a child alone can tell.
            ArchiveError: What the source of a file read in ranges raised.
        """
        ...

    async def analyse_alone(
        self,
        data: bytes | Ranges,
        kind: PictureKind,
        *,
        faces: bool,
        thumbnails: bool,
        memory_limit_mb: int = 2048,
    ) -> MediaAnalysis:
        """Do the same alone in a child process with a memory limit.

        Raises:
            ItemRejected: As above: an answer, the child is well.
            ChildDied: The child ended without an answer: this file does that.
        """
        ...

    async def draw(
        self, data: bytes | Ranges, kind: PictureKind, box: Box, *, seconds: float = 0.0
    ) -> FoundFace:
        """Make a face of a place where one is known to be.

        Raises:
            ItemRejected: The file cannot be decoded.
            Permanent: The place shows too little of the picture.
            WorkerDied: A worker died over it.
            ArchiveError: What the source of a file read in ranges raised.
        """
        ...


class GrowingFile(Protocol):
    """An original that arrives part by part."""

    @property
    def size_bytes(self) -> int:
        """What is there already, a multiple of 1 MB: an earlier pass may have been killed."""
        ...

    def write(self, data: bytes) -> None:
        """Add what comes next; raises as ``Blobs.put``."""
        ...

    def finish(self) -> Original:
        """Name it by its content; raises as ``Blobs.put``."""
        ...

    def close(self) -> None:
        """Leave it; what was written and not finished waits for another try."""
        ...


class Blobs(Protocol):
    """Where crops, other small pictures and originals lie, named by their content."""

    def put(self, data: bytes, *, folder: str = "crops", suffix: str = "webp") -> str:
        """Keep one file and return its key; the same bytes give the same key.

        Args:
            data: The file; a WebP unless `suffix` says otherwise.
            folder: `crops`, `thumbnails` or `originals`.
            suffix: Of the name.

        Raises:
            Permanent: The place is full or may not be written; the message names it.
            Transient: It does not answer.
        """
        ...

    def grow(self, name: str, *, suffix: str) -> GrowingFile:
        """Begin an original that arrives part by part, or go on with it; raises as ``put``.

        Args:
            name: Tells it from others until its content names it.
            suffix: Of the name.
        """
        ...

    def exists(self, key: str) -> bool:
        """Whether a key can be read."""
        ...

    def get(self, key: str) -> bytes:
        """Read a file; ``Permanent`` if there is none, ``Transient`` if the place is silent."""
        ...

    def read(self, key: str, offset: int, size: int) -> bytes:
        """Read a part of a file; raises as ``get``."""
        ...


class MediaStore(Protocol):
    """The ledger and what it speaks of. A database error is always raised, never an answer."""

    def hold(self, window: Window, owner: str) -> AbstractContextManager[str]:
        """Keep every other pass off the window while the body runs.

        Yields the name under which this pass takes its leases. Whatever other lease the window's
        passes left is from a dead one: only the holder gets here.

        Raises:
            Transient: A pass of this window is running; with a time after which to look again.
        """
        ...

    def ensure_model(self, model: ModelRecord) -> None:
        """Record a model before the first vector that names it.

        Raises:
            Permanent: Another model has that name already.
        """
        ...

    def policy(self, chat_no: ChatNo) -> ChatPolicy:
        """Read what the chat allows now."""
        ...

    def survey(self, window: Window) -> list[Surveyed]:
        """List the window's media, newest message first."""
        ...

    def enroll(self, changes: Sequence[LedgerChange]) -> None:
        """Write ledger rows; one that somebody changed meanwhile is left as it is."""
        ...

    def claim(
        self,
        window: Window,
        account_id: AccountId,
        media_ids: Sequence[MediaId],
        producers: Mapping[Product, str],
        *,
        lease_owner: str,
        lease_seconds: float,
        now: datetime,
    ) -> Claims:
        """Take what is free and due of some media, and settle what needs no download.

        A medium whose content another medium brought already, made by the same producers, is
        done at once.
        """
        ...

    def without_vector(
        self, media_id: MediaId, sha256: bytes | None, model: str
    ) -> Sequence[KnownFace]:
        """Give the faces of a medium that somebody decided about and a model has not embedded.

        Args:
            media_id: The medium.
            sha256: Of the bytes at hand; faces of others are nowhere in them.
            model: The one in use.
        """
        ...

    def renew(self, lease_owner: str, lease_seconds: float) -> None:
        """Hold on to everything this pass has claimed."""
        ...

    def keep(self, chat_no: ChatNo, lease_owner: str, kept: Kept) -> Committed:
        """Store that a medium's file is kept, whatever else becomes of it."""
        ...

    def commit(self, chat_no: ChatNo, lease_owner: str, result: Result) -> Commit:
        """Store one result with its content, faces, vectors, ledger rows and access.

        Raises:
            Transient: Faces were looked for by a model that is not in use any more; nothing is
                stored.
        """
        ...

    def set_back(self, lease_owner: str, setback: Setback) -> Committed:
        """Write why a medium has no result, and let it go."""
        ...

    def release(self, lease_owner: str) -> None:
        """Let go of everything this pass has claimed and not finished."""
        ...

    def tally(self, window: Window) -> list[ProductCount]:
        """Count where the window's media stand."""
        ...
