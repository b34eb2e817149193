"""What a media pass and its store say to each other: surveys, claims, results, counts.

Frozen values only. The calls that carry them are ``ports``'; what a row of the ledger means
is ``ledger``'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from archive.faces.records import MediaAnalysis
from archive.ids import MediaId, MessageId
from archive.ledger import ChatPolicy, LedgerRow, Product, State
from archive.records import MediaAccess, MediaFile


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole file in memory.

    Attributes:
        data: Its bytes.
        access: What was needed in the end; fresh where the old reference had expired.
    """

    data: bytes = field(repr=False)
    access: MediaAccess


@dataclass(frozen=True, slots=True)
class Original:
    """A file that is kept as it is.

    Attributes:
        key: Where it lies.
        sha256: 32 raw bytes over it.
    """

    key: str
    sha256: bytes
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Surveyed:
    """One medium of a window with everything that decides about it.

    Attributes:
        file: The medium.
        message_id: The newest live message of the window that carries it.
        policies: Of every chat that holds it, the window's own among them.
        rows: What the ledger has, by product.
        original: The file itself, where it is kept.
    """

    file: MediaFile
    message_id: MessageId
    policies: tuple[ChatPolicy, ...]
    rows: Mapping[Product, LedgerRow]
    original: Original | None = None


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
        access: The file's access as it is after the download; ``None`` where Telegram was not
            asked.
    """

    media_id: MediaId
    products: frozenset[Product]
    producers: Mapping[Product, str]
    analysis: MediaAnalysis = field(repr=False)
    crop_keys: tuple[str, ...]
    model: str | None
    access: MediaAccess | None
    picture_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """That the file of a medium is kept, to be stored in one transaction.

    Attributes:
        producer: Who kept it.
        access: As of a result.
        is_all: Nothing else is to be made of the medium now: let it go.
    """

    media_id: MediaId
    original: Original
    producer: str
    access: MediaAccess | None
    is_all: bool


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
    """The chat, or for faces and originals every chat that holds the medium, allows it no more."""


@dataclass(frozen=True, slots=True)
class Commit:
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
