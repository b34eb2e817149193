"""`models.migrate` and `models.crops`: another model for faces whose crops are kept."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

from archive.faces.geometry import iou
from archive.faces.records import EYE_CORNERS, Embedding, FoundFace, MediaAnalysis
from archive.ids import new_face_id
from archive.migrating.ports import FaceCrop
from benchmarks.claims import (
    Measurement,
    NotMeasurable,
    claim,
    interleaved,
    shared_data,
    usable_cores,
)
from benchmarks.vision_photos import PACK, group_photos
from resources.vision.analyst import Analyst, AnalystLimits
from resources.vision.crop_faces import CropEmbedder
from resources.vision.decoding import decode_photo
from resources.vision.factory import EngineSpec
from resources.vision.models import DLIB
from resources.vision.pool import AnalystPool

# Nothing is dropped for its quality, so that both embed the same faces.
_LIMITS: Final = AnalystLimits(min_quality=0.0)
_SAME_FACE: Final = 0.5


@dataclass(frozen=True, slots=True)
class _LookAgain:
    """Looks at a picture once more, for nothing but its faces and their vectors."""

    photo: bytes = field(repr=False)

    def __call__(self, analyst: Analyst) -> int:
        engine = analyst.engine
        pixels = decode_photo(self.photo, useful_scale=engine.useful_scale).pixels
        faces = engine.detect(pixels)
        engine.embed(pixels, faces)
        return len(faces)


@dataclass(frozen=True, slots=True)
class _Stage:
    """A model at work on all cores."""

    spec: EngineSpec
    runner: asyncio.Runner
    looking: AnalystPool
    embedding: AnalystPool

    def analyse(self, photos: Sequence[bytes]) -> list[MediaAnalysis]:
        async def all_of_them() -> list[MediaAnalysis]:
            return await asyncio.gather(*(self.looking.analyse(each, "image") for each in photos))

        return self.runner.run(all_of_them())

    def crop_vectors(self, crops: Sequence[tuple[bytes, FaceCrop]]) -> list[Embedding]:
        embedder = CropEmbedder(self.embedding, self.spec)

        async def all_of_them() -> list[Embedding]:
            faces = await asyncio.gather(*(embedder.embed(crop, face) for crop, face in crops))
            return [face.vector for face in faces]

        return self.runner.run(all_of_them())

    def look_again(self, photos: Sequence[bytes]) -> int:
        async def all_of_them() -> list[int]:
            looks = (self.looking.with_analyst(_LookAgain(each)) for each in photos)
            return await asyncio.gather(*looks)

        return sum(self.runner.run(all_of_them()))


@contextmanager
def _stage(model: str) -> Iterator[_Stage]:
    spec = EngineSpec(model, _shared() / "models" / "insightface", accept_noncommercial=True)
    # As the media pass has it, and as a change of models has it.
    pools = [
        AnalystPool(spec, workers=usable_cores(), limits=_LIMITS, in_processes=in_processes)
        for in_processes in (False, True)
    ]
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        for pool in pools:
            runner.run(stack.enter_async_context(pool))
        try:
            yield _Stage(spec, runner, *pools)
        finally:
            runner.run(stack.aclose())


@claim(
    "models.migrate",
    title="faces of group photos embedded anew from their crops, against looking at the photos",
    unit="faces/s",
    bar=1.5,
)
def measure(quick: bool) -> Measurement:  # noqa: FBT001
    """Measure what a change of models does with each face, against finding and embedding it."""
    photos = group_photos(8 if quick else 1)
    with _stage(PACK) as stage:
        seen = zip(photos, stage.analyse(photos), strict=True)
        crops = [crop for photo, analysis in seen for crop in _unaligned(photo, analysis)]
        stage.look_again(photos[:2])
        stage.crop_vectors(crops[:2])
        figures = interleaved(
            lambda: _rate(lambda: len(stage.crop_vectors(crops))),
            lambda: _rate(lambda: stage.look_again(photos)),
        )
    detail = (
        f"{len(crops)} faces of {len(photos)} photos of six people, 640 px to 14 megapixels "
        f"(generated from insightface's t1.jpg), pack {PACK}, {usable_cores()} cores; ours finds "
        "the landmarks anew, as after a model that has others; the peer decodes, detects and "
        "embeds, and has the files at hand: fetching them is left out"
    )
    return Measurement(*figures, detail)


@claim(
    "models.crops",
    title="cosine between a face's vector from its crop and from its picture",
    unit="median",
    bar=0.98,
    absolute=True,
)
def measure_crops(quick: bool) -> Measurement:  # noqa: FBT001
    """Let one model find the faces and the other embed them from the crops."""
    lfw10 = [path.read_bytes() for path in sorted(_shared().glob("faces/lfw10/*/*.jpg"))]
    lfw10, groups = lfw10[:: 2 if quick else 1], group_photos(24)
    both = _likeness(DLIB, PACK, lfw10), _likeness(DLIB, PACK, groups)
    back = _likeness(PACK, DLIB, lfw10), _likeness(PACK, DLIB, groups)
    figure = median([*both[0], *both[1]])
    detail = (
        f"found by {DLIB} and embedded by {PACK}: {_told(*both)}; the other way round: "
        f"{_told(*back)}; faces that both find at IoU ≥ {_SAME_FACE} in {len(lfw10)} photos of "
        f"lfw10 (shared data) and {len(groups)} of six people (generated from insightface's t1.jpg)"
    )
    return Measurement((figure,), (), detail)


def _likeness(finder: str, model: str, photos: Sequence[bytes]) -> list[float]:
    """Give the cosine for each face that both models find."""
    with _stage(finder) as stage:
        found = stage.analyse(photos)
    cosines = []
    with _stage(model) as stage:
        for photo, analysis, own in zip(photos, found, stage.analyse(photos), strict=True):
            vectors = stage.crop_vectors(_crops(photo, analysis))
            for face, vector in zip(analysis.faces, vectors, strict=True):
                same = _same(face, own.faces)
                if same is not None:
                    cosines.append(float(vector @ same.embedding))
    return cosines


def _same(face: FoundFace, others: Sequence[FoundFace]) -> FoundFace | None:
    best = max(others, key=lambda other: iou(other.box, face.box), default=None)
    return best if best is not None and iou(best.box, face.box) >= _SAME_FACE else None


def _crops(photo: bytes, analysis: MediaAnalysis) -> list[tuple[bytes, FaceCrop]]:
    """Give the crops as an archive keeps them."""
    from PIL import Image

    width, height = Image.open(io.BytesIO(photo)).size
    now = datetime.now(UTC)
    return [
        (
            face.crop,
            FaceCrop(
                new_face_id(),
                "a crop",
                face.box,
                face.landmarks,
                face.landmark_schema,
                width,
                height,
                now,
            ),
        )
        for face in analysis.faces
    ]


def _unaligned(photo: bytes, analysis: MediaAnalysis) -> list[tuple[bytes, FaceCrop]]:
    """Give the crops as if a model of other landmarks had cut them: these must be found anew."""
    crops = _crops(photo, analysis)
    return [(crop, replace(face, landmark_schema=EYE_CORNERS)) for crop, face in crops]


def _told(lfw10: Sequence[float], groups: Sequence[float]) -> str:
    return (
        f"lfw10 {median(lfw10):.4f} of {len(lfw10)}, groups {median(groups):.4f} of {len(groups)}"
    )


def _rate(work: Callable[[], int]) -> float:
    """Give faces a second."""
    started = time.perf_counter()
    faces = work()
    return faces / (time.perf_counter() - started)


def _shared() -> Path:
    shared = shared_data()
    if shared is None or not (shared / "models" / "insightface").is_dir():
        raise NotMeasurable(f"needs the pack {PACK} of the shared test data")
    return shared
