"""What a migration will take: told before it begins, and nothing is downloaded for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from archive.migrating.embedding import embedded
from archive.migrating.ports import Counts, Crops, Embedder, Migration, MigrationStore
from archive.redoing import RedoCost

_MEGABYTE = 1_000_000

# One alone, which pays for what is loaded at first; then enough to keep every worker busy.
_FIRST = 1
_SAMPLE = 16


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast crops are embedded here.

    Attributes:
        tried: Crops by which this was measured.
        refused: Those of them that could not be embedded.
    """

    seconds_a_face: float
    bytes_a_crop: float
    tried: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """What it takes.

    Attributes:
        from_model: In use.
        to_model: To be used.
        counts: Where the faces stand.
        pace: Measured on some crops, with all workers; None where none is left.
        again: What is looked at again after the switch; None where nobody asked for it.
        media_per_second: What passes did lately, downloads included; None before the first.
    """

    from_model: str
    to_model: str
    counts: Counts
    pace: Pace | None
    again: RedoCost | None = None
    media_per_second: float | None = None

    def shown(self) -> dict[str, object]:
        """Say it in a person's units."""
        missing, pace = self.counts.missing, self.pace or Pace(0.0, 0.0)
        figures: dict[str, object] = {
            "from": self.from_model,
            "to": self.to_model,
            "faces": self.counts.faces,
            "embedded_already": self.counts.embedded,
            "to_embed": missing,
            "minutes": round(missing * pace.seconds_a_face / 60, 1),
            "megabytes_of_crops": round(missing * pace.bytes_a_crop / _MEGABYTE, 1),
            "megabytes_to_download": 0.0,
        }
        if pace.refused:
            figures["refused_of_those_tried"] = f"{pace.refused} of {pace.tried}"
        if self.again is not None:
            rate = self.media_per_second
            again = self.again.shown(rate or 1.0)
            figures |= {
                "pictures_again": again["files"],
                "megabytes_to_download": again["megabytes"],
                "minutes_again": again["minutes"] if rate else None,
            }
        return figures


async def measure_pace(
    store: MigrationStore,
    to_model: str,
    migration: Migration | None,
    embedder: Embedder,
    crops: Crops,
    *,
    clock: Callable[[], float],
) -> Pace | None:
    """Embed a few of the missing faces for the time it takes; nothing is stored.

    Args:
        store: Where faces are.
        to_model: The other model.
        migration: As far as one is under way.
        embedder: The other model, loaded.
        crops: Where crops lie.
        clock: Monotonic seconds.

    Returns:
        None where nothing is missing.
    """
    faces = await asyncio.to_thread(store.lacking, to_model, migration, None, _FIRST + _SAMPLE)
    if not faces:
        return None
    read = _Counted(crops)
    _, refused = await embedded(faces[:_FIRST], embedder, read)
    sample, began = faces[_FIRST:] or faces, clock()
    _, more = await embedded(sample, embedder, read)
    seconds = (clock() - began) / len(sample)
    unable = {each.face_id for each in (*refused, *more)}
    return Pace(seconds, read.size / max(1, read.files), len(faces), len(unable))


class _Counted:
    """Crops, and how large they were."""

    def __init__(self, crops: Crops) -> None:
        self._crops = crops
        self.files = self.size = 0

    def exists(self, key: str) -> bool:
        return self._crops.exists(key)

    def get(self, key: str) -> bytes:
        data = self._crops.get(key)
        self.files, self.size = self.files + 1, self.size + len(data)
        return data
