"""What a media pass came to: where the window's media stand, and whether that is all.

Counts only, however long the pass ran; what an asset shows and decides by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from archive.ledger import CRASHED, Product, State
from archive.media_pass.records import ProductCount

SWITCHED_OFF: Final = "switched_off"
"""Reason of a pass that ended because the chat no longer allows it."""


@dataclass(frozen=True, slots=True)
class MediaPassResult:
    """Where a window's media stand after a pass.

    Attributes:
        counts: Every medium of the window, by product, state and reason.
        products: What this pass could make: without a model, no faces.
        model: The model that ran; ``None`` for fingerprints alone.
        provider: What its networks ran on.
        fetched: Files that this pass downloaded.
        fetched_bytes: Their size together.
        new_faces: Faces that this pass added; a known content adds none.
        rejected_faces: Detections that this pass dropped, by reason.
        stopped_reason: Why it ended early; ``None`` if it came to its end.
    """

    counts: tuple[ProductCount, ...] = ()
    products: frozenset[Product] = frozenset()
    model: str | None = None
    provider: str | None = None
    fetched: int = 0
    fetched_bytes: int = 0
    new_faces: int = 0
    rejected_faces: Mapping[str, int] | None = None
    stopped_reason: str | None = None

    @property
    def complete(self) -> bool:
        """Whether nothing is left that a run could still bring about.

        A file that kills its own process is no reason to keep a window red; it is tried once more
        when the window is materialized after its ``retry_at``. What was given up is a person's.
        """
        return self.stopped_reason is None and not self._open

    @property
    def retry_at(self) -> datetime | None:
        """When the first of the failed items is due again; ``None`` if none failed."""
        times = [each.next_retry_at for each in self._open if each.next_retry_at is not None]
        return min(times, default=None)

    @property
    def _open(self) -> list[ProductCount]:
        return [each for each in self.counts if each.product in self.products and _is_open(each)]

    def count(self, product: Product, state: State, reason: str | None = None) -> int:
        """Add up media at one place of the ledger; without a reason, whatever the reason."""
        return sum(
            each.count
            for each in self.counts
            if (each.product, each.state) == (product, state) and reason in {None, each.reason}
        )


def _is_open(count: ProductCount) -> bool:
    if count.state is State.FAILED:
        return count.reason != CRASHED and count.next_retry_at is not None
    return count.state is State.PENDING
