"""`vision.photos`: from the bytes of photos to embeddings."""

from __future__ import annotations

import asyncio
import importlib.util
import io
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from archive.faces.geometry import iou
from archive.faces.records import Box, MediaAnalysis
from benchmarks.claims import (
    Measurement,
    NotMeasurable,
    claim,
    interleaved,
    shared_data,
    usable_cores,
)
from resources.vision.analyst import AnalystLimits
from resources.vision.factory import EngineSpec
from resources.vision.pool import AnalystPool

PACK: Final = "scrfd_mobilefacenet"
DETECTION_SIZE: Final = (640, 640)

# What a chat holds: old small pictures, Telegram's own 1280-px photos, and files off a camera.
# Longest side in pixels → how many of 96; the largest are 14 megapixels.
_MADE: Final = {640: 24, 1280: 48, 2560: 16, 4592: 8}


@claim(
    "vision.photos",
    title="photos from bytes to embeddings, against FaceAnalysis.get in a loop",
    unit="photos/s",
    bar=1.7,
)
def measure(quick: bool) -> Measurement:  # noqa: FBT001
    """Measure the whole analysis (fingerprint, two scales, quality, crops) against the loop."""
    shared = shared_data()
    if shared is None or not (shared / "models" / "insightface").is_dir():
        raise NotMeasurable(f"needs the pack {PACK} of the shared test data")
    models = shared / "models" / "insightface"
    photos = _photos(shared, quick=quick)
    peer = _Peer(models)
    spec = EngineSpec(PACK, models, accept_noncommercial=True)
    with asyncio.Runner() as runner:
        # Nothing is dropped for its quality, so that both embed the same faces.
        pool = AnalystPool(spec, workers=usable_cores(), limits=AnalystLimits(min_quality=0.0))
        runner.run(pool.__aenter__())
        try:
            theirs = [peer.boxes(photo) for photo in photos]
            ours = [_boxes(analysis) for analysis in runner.run(_analyse(pool, photos))]
            figures = interleaved(
                lambda: _rate(len(photos), lambda: runner.run(_analyse(pool, photos))),
                lambda: _rate(len(photos), lambda: [peer.boxes(photo) for photo in photos]),
            )
        finally:
            runner.run(pool.__aexit__(None, None, None))
    return Measurement(*figures, detail=_detail(photos, ours, theirs, shared))


class _Peer:
    """insightface as its manual shows it, on all cores, without the second scale."""

    def __init__(self, models: Path) -> None:
        import warnings

        from insightface.app import FaceAnalysis

        # It calls a deprecated method of scikit-image for each face.
        warnings.filterwarnings("ignore", category=FutureWarning, module="insightface")
        self._app = FaceAnalysis(
            name=PACK,
            root=str(models),
            allowed_modules=["detection", "recognition"],
            providers=["CPUExecutionProvider"],
        )
        self._app.prepare(ctx_id=0, det_size=DETECTION_SIZE)

    def boxes(self, photo: bytes) -> list[Box]:
        import cv2
        import numpy as np

        image = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)
        return [Box(*map(float, face.bbox)) for face in self._app.get(image)]


async def _analyse(pool: AnalystPool, photos: Sequence[bytes]) -> list[MediaAnalysis]:
    return await asyncio.gather(*(pool.analyse(photo, "image") for photo in photos))


def _boxes(analysis: MediaAnalysis) -> list[Box]:
    return [face.box for face in analysis.faces]


def _rate(count: int, work: Any) -> float:
    started = time.perf_counter()
    work()
    return count / (time.perf_counter() - started)


def _photos(shared: Path, *, quick: bool) -> list[bytes]:
    """Give 100 small photos and 96 larger ones; a fifth of each if quick."""
    step = 5 if quick else 1
    small = [path.read_bytes() for path in sorted(shared.glob("faces/lfw10/*/*.jpg"))[::step]]
    return small + _made(step)


def _made(step: int) -> list[bytes]:
    """Cut, mirror and scale insightface's own six people into photos of all sizes."""
    from PIL import Image, ImageOps

    spec = importlib.util.find_spec("insightface")
    if spec is None or spec.origin is None:
        raise NotMeasurable("insightface is not installed")
    source = Image.open(Path(spec.origin).parent / "data" / "images" / "t1.jpg").convert("RGB")
    made = []
    for longest, count in _MADE.items():
        for number in range(0, count, step):
            left, right = 10 * (number % 8), source.width - 10 * (number % 5)
            part = source.crop((left, 5 * (number % 7), right, source.height))
            part = ImageOps.mirror(part) if number % 2 else part
            size = longest, round(longest * part.height / part.width)
            buffer = io.BytesIO()
            part.resize(size, Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=85)
            made.append(buffer.getvalue())
    return made


def _detail(
    photos: Sequence[bytes], ours: list[list[Box]], theirs: list[list[Box]], shared: Path
) -> str:
    found = sum(
        any(iou(box, own) >= 0.5 for own in own_boxes)
        for own_boxes, their_boxes in zip(ours, theirs, strict=True)
        for box in their_boxes
    )
    total = sum(map(len, theirs))
    small = len(list(shared.glob("faces/lfw10/*/*.jpg")))
    return (
        f"{len(photos)} photos of 250 px to 14 megapixels (shared data: lfw10, {small} photos; "
        f"generated from insightface's t1.jpg: the rest), pack {PACK}, det_size "
        f"{DETECTION_SIZE[0]}, {usable_cores()} cores; ours adds a 128-px pass, fingerprints and "
        f"crops, finds {sum(map(len, ours))} faces to the peer's {total}, among them "
        f"{found / max(1, total):.1%} of the peer's (IoU ≥ 0.5)"
    )
