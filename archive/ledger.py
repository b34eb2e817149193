"""The rules of the ledger: what each medium still needs, and why it may never get it.

One row a medium and product. Pure decisions only: which products a medium may have (``verdict``),
what its row becomes when it is looked at again (``reconcile``), and when a failed one is tried
again, if ever (``next_try``). Reading and writing the rows is the store's part, doing the work is
``media_pass``'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from archive.records import (
    KEEPABLE_KINDS,
    SEARCHABLE_KINDS,
    VIDEO_KINDS,
    Chat,
    MediaFile,
    MediaKind,
)


class Product(StrEnum):
    """What is made of a medium."""

    FINGERPRINTS = "fingerprints"
    THUMBNAILS = "thumbnails"
    FACES = "faces"
    EMBEDDINGS = "embeddings"
    ORIGINALS = "originals"
    """The file itself; no row speaks of it where nobody asked for it."""


PASS_PRODUCTS: Final = (
    Product.FINGERPRINTS,
    Product.THUMBNAILS,
    Product.FACES,
    Product.EMBEDDINGS,
)
"""What is made of every medium, all from one download and one decode."""

FACE_PRODUCTS: Final = frozenset({Product.FACES, Product.EMBEDDINGS})
"""What needs the chat's faces switch."""


class State(StrEnum):
    """How far a product of a medium is."""

    PENDING = "pending"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


class SkipReason(StrEnum):
    """Why policy leaves a medium out; ordered from the nearest to being wanted."""

    FACES_OFF = "faces_off"
    ORIGINALS_OFF = "originals_off"
    TOO_LARGE = "too_large"
    TYPE = "type"
    VIEW_ONCE = "view_once"


TRANSIENT: Final = "transient"
"""Reason of a failure that another try may heal: a cut download, a lost connection."""

CRASHED: Final = "crashed"
"""Reason of a failure that killed the child process in which the item was alone."""

IGNORED: Final = "ignored"
"""Reason of a skip that a person decided: whatever changes, it is not tried again by itself."""

_POLICY: Final = frozenset(SkipReason)
_NEAREST_FIRST: Final = tuple(SkipReason)

# With an hour after the first, the sixth comes 31 hours later: longer than a bad day at Telegram,
# and short enough that a person still knows what the file was.
_MOST_ATTEMPTS: Final = 6

# Once may have been a neighbour's memory; whoever kills its own child twice does so again.
_MOST_CRASHES: Final = 2


@dataclass(frozen=True, slots=True)
class ChatPolicy:
    """What one chat allows of its media, as it stands now.

    Attributes:
        archive: Media may be fetched.
        faces: Faces may be looked for.
        media_types: Kinds to fetch.
        max_media_bytes: Its own limit; ``None`` leaves it to the setting.
        keep_originals: Files are kept as they are.
    """

    archive: bool
    faces: bool
    media_types: frozenset[MediaKind]
    max_media_bytes: int | None = None
    keep_originals: bool = False

    @classmethod
    def of(cls, chat: Chat) -> Self:
        """Take the policy out of a chat's record."""
        return cls(
            archive=chat.switches.archive,
            faces=chat.switches.faces,
            media_types=chat.media_types,
            max_media_bytes=chat.max_media_bytes,
            keep_originals=chat.switches.keep_originals,
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """What the settings allow of all chats.

    Attributes:
        media_bytes: The largest file that is looked at whole, where the chat has no limit.
        original_kinds: Of which the file itself may be kept.
        original_bytes: The largest that is kept.
    """

    media_bytes: int
    original_kinds: frozenset[MediaKind] = KEEPABLE_KINDS
    original_bytes: int = 2_000_000_000


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """What the ledger says of one product of one medium.

    Attributes:
        reason: Why it was skipped or failed; a policy's reason or the item's own.
        producer: What made it; of a rejected or failed item what tried to.
        attempts: Tries that did not end in ``done`` or ``skipped``.
        retry_at: When a failed one is due again; ``None`` where it was given up.
        changed_at: When the row became what it is; ``None`` for one that is not stored yet.
    """

    state: State
    reason: str | None = None
    producer: str | None = None
    attempts: int = 0
    retry_at: datetime | None = None
    changed_at: datetime | None = field(default=None, compare=False)


PENDING: Final = LedgerRow(State.PENDING)


def verdict(
    product: Product, file: MediaFile, policy: ChatPolicy, limits: Limits
) -> SkipReason | None:
    """Say why one chat leaves a product of a file out; ``None`` means it is wanted.

    Args:
        product: What would be made.
        file: The medium.
        policy: Of a chat that holds it and whose archive switch is on.
        limits: Of all chats.
    """
    if file.kind is MediaKind.VIEW_ONCE:
        return SkipReason.VIEW_ONCE
    if product is Product.ORIGINALS:
        return _verdict_on_keeping(file, policy, limits)
    if file.kind not in policy.media_types & SEARCHABLE_KINDS:
        return SkipReason.TYPE
    # Of a large video only parts are fetched, so only its own chat can find it too large.
    general_limit = None if file.kind in VIDEO_KINDS else limits.media_bytes
    limit = policy.max_media_bytes or general_limit
    if limit is not None and (file.size_bytes or 0) > limit:
        return SkipReason.TOO_LARGE
    if product in FACE_PRODUCTS and not policy.faces:
        return SkipReason.FACES_OFF
    return None


def _verdict_on_keeping(file: MediaFile, policy: ChatPolicy, limits: Limits) -> SkipReason | None:
    """Judge the file itself; which kinds a chat searches says nothing of its other kinds."""
    unwanted = SEARCHABLE_KINDS - policy.media_types
    if file.kind not in (limits.original_kinds & KEEPABLE_KINDS) - unwanted:
        return SkipReason.TYPE
    limit = min(limits.original_bytes, policy.max_media_bytes or limits.original_bytes)
    if (file.size_bytes or 0) > limit:
        return SkipReason.TOO_LARGE
    return None if policy.keep_originals else SkipReason.ORIGINALS_OFF


def joint_verdict(
    product: Product, file: MediaFile, policies: Iterable[ChatPolicy], limits: Limits
) -> SkipReason | None:
    """Judge a medium that several chats hold by the most permissive of them.

    Chats whose archive switch is off have no say.

    Raises:
        ValueError: No chat has its archive switch on; such a medium is not to be enrolled.
    """
    verdicts = {verdict(product, file, each, limits) for each in policies if each.archive}
    if not verdicts:
        raise ValueError("no chat that holds the medium is archived")
    if None in verdicts:
        return None
    return min((each for each in verdicts if each), key=_NEAREST_FIRST.index)


def reconcile(
    row: LedgerRow | None,
    skip: SkipReason | None,
    producer: str | None,
    *,
    redo_stale: bool = True,
) -> LedgerRow:
    """Say what a row becomes when its medium is looked at again; most stay as they are.

    What was made stays made when policy turns against it: taking it out of use or erasing it is
    the switches' own doing. What policy left out becomes open again once policy allows it, and
    whatever another producer made, rejected or failed at is open for this one. What a person chose
    to ignore stays so.

    Args:
        row: What the ledger has; ``None`` for a medium it has not seen.
        skip: Today's verdict.
        producer: What would make the product today; ``None`` if nothing can.
        redo_stale: What another producer made is open; else only what it rejected or failed at.
    """
    if row is None:
        return PENDING if skip is None else LedgerRow(State.SKIPPED, skip)
    if row.reason == IGNORED:
        return row
    if skip is not None:
        return row if is_made(row) else LedgerRow(State.SKIPPED, skip)
    if row.state is State.SKIPPED and row.reason in _POLICY:
        return PENDING
    is_kept = row.state is State.DONE and not redo_stale
    if producer is not None and row.producer not in {None, producer} and not is_kept:
        return replace(PENDING, producer=row.producer)
    return row


def is_made(row: LedgerRow) -> bool:
    """Whether there is a result: the product, or that the file itself can have none."""
    return row.state is State.DONE or (row.state is State.SKIPPED and row.reason not in _POLICY)


def is_due(row: LedgerRow, now: datetime) -> bool:
    """Say whether a row asks for work now."""
    if row.state is State.FAILED:
        return row.retry_at is not None and row.retry_at <= now
    return row.state is State.PENDING


def next_try(attempts: int, base: timedelta, reason: str) -> timedelta | None:
    """Give the wait after a failure: ``base`` × 2ⁿ⁻¹ after the n-th; ``None`` to give up.

    Args:
        attempts: Failures so far, this one included; 1 or more.
        base: Wait after the first.
        reason: Of this failure.
    """
    most = _MOST_CRASHES if reason == CRASHED else _MOST_ATTEMPTS
    return None if attempts >= most else base * float(2 ** (attempts - 1))
