"""Embed every face by another model, from its crop: batch by batch, and again where it stopped.

Faces that the model in use finds meanwhile are embedded too, until none lacks a vector. What
cannot be embedded is refused with its reason and stops nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from archive.errors import ItemRejected, Permanent
from archive.ids import FaceId
from archive.migrating.ports import (
    Crops,
    EmbeddedFace,
    Embedder,
    FaceCrop,
    Migration,
    MigrationStore,
    Refusal,
)

BATCH: Final = 128
"""Faces a transaction: some seconds of work, and all that a killed run loses."""

CROP_LOST: Final = "crop_lost"
NO_VECTOR: Final = "no_vector"

_UNIT: Final = 1e-3  # of the norm, as the store checks it


@dataclass(frozen=True, slots=True)
class Embedded:
    """What one call came to.

    Attributes:
        done: Faces that have a vector now.
        estimated: Those of them whose landmarks were estimated.
        refused: Reason → faces that cannot have one.
        complete: No face was left; else the time was over.
    """

    done: int = 0
    estimated: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    complete: bool = False


async def embed_missing(
    store: MigrationStore,
    migration: Migration,
    embedder: Embedder,
    crops: Crops,
    *,
    is_over: Callable[[], bool] = lambda: False,
    on_batch: Callable[[int], None] = lambda faces: None,
    batch: int = BATCH,
) -> Embedded:
    """Embed the faces that lack a vector, the oldest first.

    Args:
        store: Where faces are.
        migration: Under way, and this process's alone.
        embedder: The model that it leads to.
        crops: Where crops lie.
        is_over: Asked before each batch whether the time is over.
        on_batch: Told how many faces each batch had.
        batch: Faces a transaction.

    Raises:
        Transient: The store or the place of crops does not answer; run again it goes on.
        Permanent: Crops may not be read.
    """
    done, estimated, refused = 0, 0, Counter[str]()
    last: FaceCrop | None = None
    while not is_over():
        faces = await asyncio.to_thread(store.lacking, migration.to_model, migration, last, batch)
        if not faces and last is None:
            return Embedded(done, estimated, refused, complete=True)
        # What is stored while this runs may be older by its clock: begin anew until none is left.
        last = faces[-1] if faces else None
        there, refusals = await embedded(faces, embedder, crops)
        await asyncio.to_thread(store.keep, migration, there, refusals)
        done += len(there)
        estimated += sum(each.is_estimated for each in there.values())
        refused.update(each.reason for each in refusals)
        on_batch(len(faces))
    return Embedded(done, estimated, refused)


async def embedded(
    faces: Sequence[FaceCrop], embedder: Embedder, crops: Crops
) -> tuple[dict[FaceId, EmbeddedFace], list[Refusal]]:
    """Embed some faces; nothing is stored.

    Raises:
        Transient: The place of crops does not answer.
        Permanent: It may not be read.
    """
    # Each is waited for before an error is raised: nothing goes on behind it.
    answers = await asyncio.gather(
        *(_one(face, embedder, crops) for face in faces), return_exceptions=True
    )
    there: dict[FaceId, EmbeddedFace] = {}
    refusals = []
    for face, answer in zip(faces, answers, strict=True):
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, Refusal):
            refusals.append(answer)
        else:
            there[face.face_id] = answer
    return there, refusals


async def _one(face: FaceCrop, embedder: Embedder, crops: Crops) -> EmbeddedFace | Refusal:
    try:
        crop = await asyncio.to_thread(crops.get, face.crop_key)
    except Permanent:
        if await asyncio.to_thread(crops.exists, face.crop_key):
            raise
        return Refusal(face.face_id, CROP_LOST)
    try:
        answer = await embedder.embed(crop, face)
    except ItemRejected as exc:
        return Refusal(face.face_id, exc.reason)
    is_unit = abs(float(np.linalg.norm(answer.vector)) - 1.0) < _UNIT
    # One vector that the store would not take must not lose its batch.
    return answer if is_unit else Refusal(face.face_id, NO_VECTOR)
