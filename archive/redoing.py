"""Doing again what was done already: which rows of the ledger open, and what that will cost.

Plans only. Opening a row is all that redoing takes: the next pass claims it like one that was never
made, and its faces are attached to those that are there (``known_faces``). Files that failed are
not these: ``failures retry`` opens them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from archive.ledger import (
    FACE_PRODUCTS,
    IGNORED,
    PASS_PRODUCTS,
    PENDING,
    Limits,
    Product,
    is_made,
    joint_verdict,
)
from archive.media_pass.records import LedgerChange, Surveyed

_MEGABYTE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class RedoCost:
    """What making things again takes.

    Attributes:
        files: Media that are looked at again.
        download_bytes: At most what is fetched again: a kept original and the file of an export
            are read where they lie, of a large video only parts are fetched, and equal files once.
    """

    files: int = 0
    download_bytes: int = 0

    def __add__(self, other: RedoCost) -> RedoCost:
        """Add up."""
        return RedoCost(self.files + other.files, self.download_bytes + other.download_bytes)

    def shown(self, media_per_second: float) -> dict[str, float]:
        """Say it in a person's units.

        Args:
            media_per_second: What passes did lately, downloads included; above 0.
        """
        return {
            "files": self.files,
            "megabytes": round(self.download_bytes / _MEGABYTE, 1),
            "minutes": round(self.files / media_per_second / 60, 1),
        }


@dataclass(frozen=True, slots=True)
class RedoPlan:
    """Which rows open, and what follows from that."""

    changes: tuple[LedgerChange, ...]
    cost: RedoCost


def made_together(asked: Collection[Product]) -> frozenset[Product]:
    """Add what comes with the products that somebody asks for.

    Faces and vectors come of one look at the picture. Each look brings the fingerprint too, at no
    cost, and an open fingerprint is what brings a window back by itself.
    """
    faces = FACE_PRODUCTS if FACE_PRODUCTS & set(asked) else frozenset()
    return frozenset(asked) & frozenset(PASS_PRODUCTS) | faces | {Product.FINGERPRINTS}


def plan_redo(
    surveyed: Iterable[Surveyed],
    products: Collection[Product],
    limits: Limits,
    *,
    today: Mapping[Product, str] | None = None,
    made_before: datetime | None = None,
) -> RedoPlan:
    """Plan to make products of some media again.

    What policy leaves out now stays as it is, and so does what a person chose to ignore.

    Args:
        surveyed: The media.
        products: What to make again.
        limits: Of all chats.
        today: Who makes each product now: only what another made is made again. ``None`` makes
            everything again.
        made_before: What was made since then is left: a run that was killed goes on, instead of
            beginning anew.
    """
    opened = [
        (medium, changes)
        for medium in surveyed
        if (changes := list(_changes(medium, products, limits, today, made_before)))
    ]
    download_bytes = sum(_download_bytes(medium) for medium, _ in opened)
    return RedoPlan(
        tuple(change for _, changes in opened for change in changes),
        RedoCost(len(opened), download_bytes),
    )


def _changes(
    medium: Surveyed,
    products: Collection[Product],
    limits: Limits,
    today: Mapping[Product, str] | None,
    made_before: datetime | None,
) -> Iterator[LedgerChange]:
    if not any(each.archive for each in medium.policies):
        return
    for product, row in medium.rows.items():
        if product not in products or not is_made(row) or row.reason == IGNORED:
            continue
        if today is not None and row.producer == today.get(product, row.producer):
            continue
        if made_before is not None and row.changed_at and row.changed_at >= made_before:
            continue
        if joint_verdict(product, medium.file, medium.policies, limits) is None:
            opened = replace(PENDING, producer=row.producer)
            yield LedgerChange(medium.file.media_id, product, row, opened)


def _download_bytes(medium: Surveyed) -> int:
    is_here = medium.original is not None or medium.file.media_id.startswith("message:")
    return 0 if is_here else medium.file.size_bytes or 0
