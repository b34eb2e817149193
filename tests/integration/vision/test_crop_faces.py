"""Faces embedded from their crops alone, with real models over a real picture."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from archive.errors import ItemRejected
from archive.faces.engine import FaceEngine
from archive.faces.geometry import iou
from archive.faces.records import Box, DetectedFace, MediaAnalysis, ModelRecord, Pixels
from archive.ids import new_face_id
from archive.ledger import CRASHED
from archive.migrating.ports import EmbeddedFace, FaceCrop
from resources.vision.analyst import Analyst, AnalystLimits
from resources.vision.crop_faces import CropEmbedder, embed_crop
from resources.vision.decoding import decode_photo
from resources.vision.factory import EngineSpec
from resources.vision.pool import AnalystPool
from tests.integration.vision.pictures import encoded, plain
from tests.integration.vision.recipes import ScriptedRecipe

PACK = "scrfd_mobilefacenet"


class Watched:
    """A real engine, and how large the pictures were that its two networks were given."""

    holds_gil = False

    def __init__(self, engine: FaceEngine) -> None:
        self._engine = engine
        self.model: ModelRecord = engine.model
        self.detected: list[int] = []
        self.embedded: list[int] = []

    def useful_scale(self, width: int, height: int) -> float:
        return self._engine.useful_scale(width, height)

    def detect(self, image: Pixels, *, closely: bool = True) -> list[DetectedFace]:
        self.detected.append(max(image.shape[:2]))
        return self._engine.detect(image, closely=closely)

    def embed(self, image: Pixels, faces: Sequence[DetectedFace]) -> NDArray[np.float32]:
        self.embedded.append(max(image.shape[:2]))
        return self._engine.embed(image, faces)


@pytest.fixture(scope="module")
def engines(pack_spec: EngineSpec) -> dict[str, FaceEngine]:
    return {"dlib": EngineSpec("dlib").build(), PACK: pack_spec.build()}


@pytest.fixture(scope="module")
def seen(engines: dict[str, FaceEngine], six_people: bytes) -> dict[str, MediaAnalysis]:
    """What each model sees in the picture."""
    limits = AnalystLimits(min_quality=0.0)
    return {
        name: Analyst(engine, limits).analyse(six_people, "image")
        for name, engine in engines.items()
    }


def crops(analysis: MediaAnalysis) -> list[tuple[Pixels, FaceCrop]]:
    """Give what an archive keeps, the landmarks in a schema that no model has."""
    picture = analysis.fingerprint
    return [
        (
            decode_photo(face.crop).pixels,
            FaceCrop(
                new_face_id(),
                "a crop",
                face.box,
                face.landmarks,
                "points that nobody else names",
                picture.width,
                picture.height,
                datetime.now(UTC),
            ),
        )
        for face in analysis.faces
    ]


@pytest.mark.parametrize("finder", ["dlib", PACK])
@pytest.mark.parametrize(("model", "likeness"), [("dlib", 0.98), (PACK, 0.9)])
def test_a_crop_that_any_model_cut_gives_the_vector_of_the_picture(
    engines: dict[str, FaceEngine],
    seen: dict[str, MediaAnalysis],
    finder: str,
    model: str,
    likeness: float,
) -> None:
    found = seen[finder].faces
    assert len(found) == 6
    for face, (pixels, crop) in zip(found, crops(seen[finder]), strict=True):
        (same,) = [one for one in seen[model].faces if iou(one.box, face.box) >= 0.4]
        assert float(embed_crop(engines[model], pixels, crop).vector @ same.embedding) > likeness


def test_the_detector_sees_a_small_view_and_the_recogniser_all_that_the_crop_has(
    engines: dict[str, FaceEngine], seen: dict[str, MediaAnalysis]
) -> None:
    engine = Watched(engines[PACK])
    stored = crops(seen[PACK])
    for pixels, crop in stored:
        embed_crop(engine, pixels, crop)

    sides = [max(pixels.shape[:2]) for pixels, _ in stored]
    assert max(engine.detected) <= 128 < max(sides)
    assert engine.embedded == sides


def test_where_the_detector_sees_nothing_in_the_small_it_looks_closer(
    engines: dict[str, FaceEngine], seen: dict[str, MediaAnalysis]
) -> None:
    class ShortSighted(Watched):
        def detect(self, image: Pixels, *, closely: bool = True) -> list[DetectedFace]:
            faces = super().detect(image, closely=closely)
            return faces if max(image.shape[:2]) > 400 else []

    (pixels, crop), *_ = crops(seen[PACK])
    face, *_ = seen[PACK].faces
    engine = ShortSighted(engines[PACK])
    there = embed_crop(engine, pixels, crop)

    assert engine.detected == [128, 512]
    assert not there.is_estimated
    assert float(there.vector @ face.embedding) > 0.9


def test_where_the_detector_sees_nothing_the_landmarks_are_estimated_and_that_is_told(
    engines: dict[str, FaceEngine], seen: dict[str, MediaAnalysis]
) -> None:
    class Blind(Watched):
        def detect(self, image: Pixels, *, closely: bool = True) -> list[DetectedFace]:
            return []

    (pixels, crop), *_ = crops(seen[PACK])
    there = embed_crop(Blind(engines[PACK]), pixels, crop)

    assert there.is_estimated
    assert np.linalg.norm(there.vector) == pytest.approx(1.0, abs=1e-3)


async def test_a_crop_that_kills_is_refused_and_those_beside_it_are_embedded() -> None:
    recipe, points = ScriptedRecipe(holds_gil=False), np.zeros((5, 2), dtype=np.float32)
    face = FaceCrop(
        new_face_id(), "a crop", Box(0, 0, 9, 9), points, "", None, None, datetime.now(UTC)
    )
    crops = {"kills": encoded(plain(13, 128)), "harmless": encoded(plain(64, 128))}
    async with AnalystPool(recipe, workers=2, in_processes=True) as pool:
        embedder = CropEmbedder(pool, recipe)
        kills, *others = await asyncio.gather(
            *(embedder.embed(crops[each], face) for each in ["kills"] + ["harmless"] * 3),
            return_exceptions=True,
        )

    assert isinstance(kills, ItemRejected)
    assert kills.reason == CRASHED
    assert [other.vector.shape for other in others if isinstance(other, EmbeddedFace)] == [(4,)] * 3
