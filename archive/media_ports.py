"""What the media pass asks of the world: a source of files, vision, a store, a place for crops.

Only the ports and the values that cross them; ``media_pass`` calls them, ``resources`` and the
tests implement them. The store and the crops are synchronous and safe to call from several
threads; the pass calls them off the event loop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from archive.faces.records import MediaAnalysis, ModelRecord
from archive.faces.records import MediaKind as PictureKind
from archive.ids import AccountId, ChatNo, MediaId, MessageId
from archive.ledger import ChatPolicy, LedgerRow, Product, State
from archive.records import Chat, MediaAccess, MediaFile
from archive.windows import Window


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole file in memory.

    Attributes:
        data: Its bytes.
        access: What was needed in the end; fresh where the old reference had expired.
    """

    data: bytes = field(repr=False)
    access: MediaAccess


class RangedSource(Protocol):
    """One file of which only parts are fetched."""

    @property
    def size_bytes(self) -> int:
        """Of the whole file."""
        ...

    @property
    def access(self) -> MediaAccess:
        """What is needed to read it now; fresh where the old reference had expired."""
        ...

    async def read(self, offset: int, size: int) -> bytes:
        """Fetch a part.

        Args:
            offset: A multiple of 128 kB.
            size: At most 128 kB, and no further than the end.

        Raises:
            Transient: As for a whole file.
            ItemRejected: The file is gone or is not what the message says.
            Permanent: Nothing can be fetched until a person acts.
        """
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
        self, data: bytes | RangedSource, kind: PictureKind, *, faces: bool, thumbnails: bool
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
        data: bytes | RangedSource,
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


class CropStore(Protocol):
    """Where crops and other small pictures lie, named by their content."""

    def put(self, data: bytes, *, folder: str = "crops", suffix: str = "webp") -> str:
        """Keep one picture and return its key; the same bytes give the same key.

        Args:
            data: The picture; a WebP unless `suffix` says otherwise.
            folder: `crops` or `thumbnails`.
            suffix: Of the name.

        Raises:
            Permanent: The place is full or may not be written; the message names it.
            Transient: It does not answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class Surveyed:
    """One medium of a window with everything that decides about it.

    Attributes:
        file: The medium.
        message_id: The newest live message of the window that carries it.
        policies: Of every chat that holds it, the window's own among them.
        rows: What the ledger has, by product.
    """

    file: MediaFile
    message_id: MessageId
    policies: tuple[ChatPolicy, ...]
    rows: Mapping[Product, LedgerRow]


@dataclass(frozen=True, slots=True)
class LedgerChange:
    """A row as it was read and as it should be; it is written only if it still is as read."""

    media_id: MediaId
    product: Product
    before: LedgerRow | None
    after: LedgerRow


@dataclass(frozen=True, slots=True)
class Claimed:
    """A medium that now is this pass's alone, until the lease ends.

    Attributes:
        access: What the account knows of the file; ``None`` where it has never seen it.
        attempts: Failed tries so far, the most of its products.
        was_in_flight: Somebody held it and died: it may be what killed them.
    """

    media_id: MediaId
    access: MediaAccess | None
    attempts: int
    was_in_flight: bool


@dataclass(frozen=True, slots=True)
class Claims:
    """The answer to a claim.

    Attributes:
        policy: What the chat allows now.
        items: What was free and still asks for work.
        busy: What asks for work too, but is in the hands of a living pass of another window.
    """

    policy: ChatPolicy
    items: tuple[Claimed, ...]
    busy: tuple[MediaId, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one medium, to be stored in one transaction.

    Attributes:
        products: What was made; a product that nobody allows is not among them.
        producers: Who made each.
        crop_keys: One for each face of the analysis, in its order.
        picture_keys: One for each small picture of the analysis, in its order.
        model: Whose vectors they are; ``None`` where no faces were looked for.
        access: The file's access as it is after the download.
    """

    media_id: MediaId
    products: frozenset[Product]
    producers: Mapping[Product, str]
    analysis: MediaAnalysis = field(repr=False)
    crop_keys: tuple[str, ...]
    model: str | None
    access: MediaAccess
    picture_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Setback:
    """Why one medium has no result; written to those of its products that are open.

    Attributes:
        state: ``skipped`` for a rejected item, ``failed`` for another try.
        error: For a person; the ledger shows it.
        retry_at: When a failed one is due again; ``None`` gives it up, for a person to see.
    """

    media_id: MediaId
    state: State
    reason: str
    error: str
    products: frozenset[Product]
    producers: Mapping[Product, str]
    retry_at: datetime | None = None


class Committed(StrEnum):
    """How a commit ended; nothing was written unless it says ``stored``."""

    STORED = "stored"
    DROPPED = "dropped"
    """The lease went to another, or the last live message that carried the medium is gone."""

    SWITCHED_OFF = "switched_off"
    """The chat, or for faces every chat that holds the medium, no longer allows it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """How a commit ended and how many faces it added; a known content adds none."""

    outcome: Committed
    new_faces: int = 0


@dataclass(frozen=True, slots=True)
class ProductCount:
    """How many media of a window stand at one place of the ledger."""

    product: Product
    state: State
    reason: str | None
    count: int
    next_retry_at: datetime | None = None


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

    def renew(self, lease_owner: str, lease_seconds: float) -> None:
        """Hold on to everything this pass has claimed."""
        ...

    def commit(self, chat_no: ChatNo, lease_owner: str, result: Result) -> Stored:
        """Store one result with its content, faces, vectors, ledger rows and access."""
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
