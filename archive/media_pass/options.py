"""What a person or the wiring sets about a media pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from archive.ledger import Limits

ORIGINALS_VERSION: Final = "originals/1"
"""Producer of originals in the ledger: bytes are bytes, so there will hardly be another."""


@dataclass(frozen=True, slots=True)
class MediaPassOptions:
    """What a person or the wiring sets about a pass.

    Attributes:
        fingerprint_version: Producer of fingerprints in the ledger.
        thumbnail_version: Producer of small pictures; ``None`` makes none.
        limits: What may be fetched and kept.
        buffer_limit_bytes: Most bytes of files in memory at a time.
        download_concurrency: Files downloaded at a time.
        workers: Files looked at at a time; what the vision port can do at once.
        item_memory_limit_mb: Of the child process for what was in flight at a death.
        lease_seconds: How long a claim outlives its owner, where only time can tell; renewed
            three times in between.
        retry_base_seconds: Wait after the first failure of an item; doubles with each. What
            passes in seconds, the source has tried again already.
        poll_seconds: How often to look whether another pass finished a shared medium.
        wait_for_others_seconds: How long to do so before leaving it to the next run.
        redo_stale: Make again what another producer made.
    """

    fingerprint_version: str
    limits: Limits
    thumbnail_version: str | None = None
    buffer_limit_bytes: int = 256 * 1024 * 1024
    download_concurrency: int = 16
    workers: int = 2
    item_memory_limit_mb: int = 2048
    lease_seconds: float = 120.0
    retry_base_seconds: float = 3600.0
    poll_seconds: float = 2.0
    wait_for_others_seconds: float = 600.0
    redo_stale: bool = True
