"""Faces from their crops alone, embedded by another model than the one that found them.

A crop shows the face with half its size around it, so a detector finds it there: its landmarks
align it. Cosine to what the same model makes of the whole picture, on every second photo of lfw10,
found by the other model: .994 and more for dlib's vectors (median .999), .94 and more for those of
MobileFaceNet (median .986). Where the model before names the same points they are taken as they
are, which is nearer (.998) and spares the detector; those of another schema never: dlib's five are
not SCRFD's.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from archive.errors import ItemRejected
from archive.faces.engine import FaceEngine
from archive.faces.errors import WorkerDied
from archive.faces.geometry import View, crop_rectangle
from archive.faces.records import Box, DetectedFace, Embedding, ModelRecord, Pixels
from archive.ledger import CRASHED
from archive.migrating.ports import EmbeddedFace, FaceCrop
from resources.vision.analyst import Analyst
from resources.vision.crops import CROP_MARGIN
from resources.vision.drawn import aligned
from resources.vision.pool import AnalystPool
from resources.vision.scaling import scale_by
from resources.vision.workers import EngineRecipe

# Pixels of the crop that the detector sees; the face is half of them. At 128 SCRFD passes once, in
# a seventh of the time of 512, and its landmarks are as good: cosine to the picture's vector .976
# on faces of group photos, .972 at 512; of dlib's .998 and .999. Where it sees none it looks
# closer.
_SEEN_SIDES: Final = (128, 512)

# Where nobody wrote down how large a picture is, its crops are taken for whole.
_ANY_SIZE: Final = 1 << 20


def embed_crop(engine: FaceEngine, crop: Pixels, face: FaceCrop) -> EmbeddedFace:
    """Embed the face that a crop was cut for.

    Args:
        engine: What finds landmarks and embeds; where it sees no face, they are estimated.
        crop: (h, w, 3) uint8 RGB, as `crops.encode_crop` cut it.
        face: Where it was cut.

    Returns:
        With a vector of (dims,) float32 and unit norm.
    """
    height, width = crop.shape[:2]
    part = crop_rectangle(face.box, face.width or _ANY_SIZE, face.height or _ANY_SIZE, CROP_MARGIN)
    cut = View(part, max(width, height) / max(part.width, part.height))
    box = cut.box_into(face.box)
    if face.landmark_schema == engine.model.landmark_schema:
        known = DetectedFace(box, cut.into(face.landmarks), 1.0)
        return EmbeddedFace(_vector(engine, crop, known))
    # Found in the small, embedded in the full: that is how a whole picture is looked at, too.
    there, is_seen = _aligned(engine, crop, box)
    return EmbeddedFace(_vector(engine, crop, there), is_estimated=not is_seen)


def _vector(engine: FaceEngine, crop: Pixels, face: DetectedFace) -> Embedding:
    vector: Embedding = engine.embed(crop, [face])[0]
    return vector


def _aligned(engine: FaceEngine, crop: Pixels, box: Box) -> tuple[DetectedFace, bool]:
    """Give the face in a box, aligned by what the detector sees there, or else by a guess.

    Returns:
        The face, and whether it was seen.
    """
    height, width = crop.shape[:2]
    for side in _SEEN_SIDES:
        view = View(Box(0, 0, width, height), side / max(width, height))
        shown = np.ascontiguousarray(scale_by(crop, view.factor))
        there, is_seen = aligned(engine, shown, view.box_into(box))
        face = DetectedFace(box, view.out_of(there.landmarks), there.detection_score)
        if is_seen:
            break
    return face, is_seen


@dataclass(frozen=True, slots=True)
class _Embed:
    """A call of `embed_crop` that can travel to a process."""

    crop: bytes = field(repr=False)
    face: FaceCrop

    def __call__(self, analyst: Analyst) -> EmbeddedFace:
        return embed_crop(analyst.engine, analyst.pixels(self.crop), self.face)


class CropEmbedder:
    """Embeds crops in a pool of workers. Satisfies `archive.migrating.ports.Embedder`.

    Args:
        pool: Entered; of the model that embeds, in processes.
        recipe: What its workers load: a crop over which one died is tried alone.
    """

    def __init__(self, pool: AnalystPool, recipe: EngineRecipe) -> None:
        self._pool = pool
        self._recipe = recipe
        self._one_by_one = asyncio.Lock()

    @property
    def model(self) -> ModelRecord:
        """What embeds."""
        if self._pool.model is None:
            raise RuntimeError("the pool is not open")
        return self._pool.model

    async def embed(self, crop: bytes, face: FaceCrop) -> EmbeddedFace:
        """Embed a face as its crop shows it.

        Raises:
            ItemRejected: The crop cannot be decoded, or a worker died over it alone.
        """
        task = _Embed(crop, face)
        try:
            return await self._pool.with_analyst(task)
        except WorkerDied:
            # Whoever was in flight gets here, and only one of them is to blame.
            alone = AnalystPool(self._recipe, workers=1, in_processes=True)
            async with self._one_by_one, alone:
                try:
                    return await alone.with_analyst(task)
                except WorkerDied as exc:
                    raise ItemRejected(CRASHED, "a worker died over it alone") from exc
