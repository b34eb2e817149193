"""`vision.photos`: from the bytes of photos to embeddings."""

from __future__ import annotations

import asyncio
import importlib.util
import io
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from archive.faces.engine import FaceEngine
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
_BOUND_PHOTOS: Final = 40  # a core: about a second and a half


@dataclass(frozen=True, slots=True)
class _Bench:
    """What the claims have in common: the same photos, and ours ready to look at them."""

    photos: list[bytes]
    models: Path
    shared: Path
    runner: asyncio.Runner
    pool: AnalystPool

    def analyse(self) -> list[MediaAnalysis]:
        return self.runner.run(_analyse(self.pool, self.photos))

    def rate(self) -> float:
        return _rate(len(self.photos), self.analyse)


@contextmanager
def _bench(*, quick: bool) -> Iterator[_Bench]:
    shared = shared_data()
    if shared is None or not (shared / "models" / "insightface").is_dir():
        raise NotMeasurable(f"needs the pack {PACK} of the shared test data")
    models = shared / "models" / "insightface"
    spec = EngineSpec(PACK, models, accept_noncommercial=True)
    with asyncio.Runner() as runner:
        # Nothing is dropped for its quality, so that both embed the same faces.
        pool = AnalystPool(spec, workers=usable_cores(), limits=AnalystLimits(min_quality=0.0))
        runner.run(pool.__aenter__())
        try:
            yield _Bench(_photos(shared, quick=quick), models, shared, runner, pool)
        finally:
            runner.run(pool.__aexit__(None, None, None))


@claim(
    "vision.photos",
    title="photos from bytes to embeddings, against FaceAnalysis.get in a loop",
    unit="photos/s",
    bar=1.8,
)
def measure(quick: bool) -> Measurement:  # noqa: FBT001
    """Measure the whole analysis (fingerprint, all sizes, quality, crops) against the loop."""
    with _bench(quick=quick) as bench:
        peer = _Peer(bench.models)
        bench.analyse()
        figures = interleaved(
            bench.rate,
            lambda: _rate(len(bench.photos), lambda: [peer.boxes(each) for each in bench.photos]),
        )
        return Measurement(*figures, detail=_detail(bench))


@claim(
    "vision.photos.cores",
    title="share of what the cores could do with two passes a photo and nothing else",
    unit="of the bound",
    bar=0.75,
    absolute=True,
)
def measure_cores(quick: bool) -> Measurement:  # noqa: FBT001
    """Hold our photos a second against cores ÷ (640-px pass + 128-px pass), on the processor."""
    with _bench(quick=quick) as bench:
        limit = _Bound(bench)
        bench.analyse()
        pairs = list(zip(*interleaved(bench.rate, limit.rate), strict=True))
    detail = ", ".join(f"{ours:.1f} of {bound:.1f} photos/s" for ours, bound in pairs)
    shares = tuple(ours / bound for ours, bound in pairs)
    return Measurement(shares, (), detail=f"{_detail(bench)}: {detail}")


@claim(
    "vision.photos.faces",
    title="share of the faces that FaceAnalysis.get finds and ours finds too",
    unit="of its faces",
    bar=0.99,
    absolute=True,
)
def measure_faces(quick: bool) -> Measurement:  # noqa: FBT001
    """Look at each photo with both, and count the peer's faces that ours has at IoU ≥ 0.5."""
    with _bench(quick=quick) as bench:
        peer = _Peer(bench.models)
        theirs = [peer.boxes(photo) for photo in bench.photos]
        ours = [[face.box for face in each.faces] for each in bench.analyse()]
    found = sum(
        any(iou(box, own) >= 0.5 for own in own_boxes)
        for own_boxes, their_boxes in zip(ours, theirs, strict=True)
        for box in their_boxes
    )
    total = sum(map(len, theirs))
    detail = f"{found} of {total}, and {sum(map(len, ours)) - found} more: {_detail(bench)}"
    return Measurement((found / max(1, total),), (), detail)


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


class _Bound:
    """Nothing but the passes at 640 and 128 px, on all cores: what no photo can cost less than.

    On the processor, one engine a core with one thread each, for the mean shape of the photos.
    """

    def __init__(self, bench: _Bench) -> None:
        import numpy as np
        from PIL import Image

        spec = EngineSpec(PACK, bench.models, accept_noncommercial=True, providers=("cpu",))
        self._engines = [spec.build() for _ in range(usable_cores())]
        sizes = [Image.open(io.BytesIO(photo)).size for photo in bench.photos]
        flatness = float(np.mean([min(size) / max(size) for size in sizes]))
        self._picture = np.full((round(640 * flatness), 640, 3), 128, np.uint8)

    def rate(self) -> float:
        """Give photos a second."""
        return _rate(_BOUND_PHOTOS * len(self._engines), self._work)

    def _work(self) -> None:
        with ThreadPoolExecutor(len(self._engines)) as threads:
            list(threads.map(self._look, self._engines))

    def _look(self, engine: FaceEngine) -> None:
        for _ in range(_BOUND_PHOTOS):
            engine.detect(self._picture)


async def _analyse(pool: AnalystPool, photos: Sequence[bytes]) -> list[MediaAnalysis]:
    return await asyncio.gather(*(pool.analyse(photo, "image") for photo in photos))


def _rate(count: int, work: Any) -> float:
    started = time.perf_counter()
    work()
    return count / (time.perf_counter() - started)


def _photos(shared: Path, *, quick: bool) -> list[bytes]:
    """Give 100 small photos and 96 larger ones; a fifth of each if quick."""
    step = 5 if quick else 1
    small = [path.read_bytes() for path in sorted(shared.glob("faces/lfw10/*/*.jpg"))[::step]]
    return small + group_photos(step)


def group_photos(step: int) -> list[bytes]:
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


def _detail(bench: _Bench) -> str:
    small = len(list(bench.shared.glob("faces/lfw10/*/*.jpg")))
    provider = bench.pool.model.provider if bench.pool.model else "nothing"
    return (
        f"{len(bench.photos)} photos of 250 px to 14 megapixels (shared data: lfw10, {small} "
        f"photos; generated from insightface's t1.jpg: the rest), pack {PACK}, det_size "
        f"{DETECTION_SIZE[0]}, {usable_cores()} cores; ours runs on {provider}, looks for faces of "
        "all sizes (tiles where a large photo has detail; those generated are enlarged and have "
        "little), adds fingerprints and crops"
    )
