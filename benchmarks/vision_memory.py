"""`vision.memory`: how much memory a window of a thousand mixed items takes."""

from __future__ import annotations

import asyncio
import importlib.util
import io
import multiprocessing
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from archive.byte_budget import ByteBudget
from archive.errors import ItemRejected
from archive.faces.records import PictureKind
from benchmarks.claims import Measurement, NotMeasurable, claim, shared_data, usable_cores
from benchmarks.made_videos import encoded, joined, moving
from resources.settings import Settings
from resources.vision.factory import EngineSpec
from resources.vision.pool import AnalystPool

PACK: Final = "scrfd_mobilefacenet"
ITEMS: Final = 1000
# Longest side in pixels → how many of a hundred; the largest are 14 megapixels. The rest are the
# small photos of the shared data and videos of 20 and 120 s.
_MADE: Final = {640: 20, 1280: 40, 2560: 10, 4592: 5}
_VIDEOS: Final = {20: 4, 120: 1}
_MEGABYTE: Final = 1_000_000

Item = tuple[bytes, PictureKind]


@claim(
    "vision.memory",
    title="peak memory over a window of 1,000 mixed items",
    unit="MB",
    bar=1500,
    better="lower",
    absolute=True,
)
def measure(quick: bool) -> Measurement:  # noqa: FBT001
    """Measure a process of its own, the children that it starts included."""
    shared = shared_data()
    if shared is None or not (shared / "models" / "insightface").is_dir():
        raise NotMeasurable(f"needs the pack {PACK} of the shared test data")
    count = ITEMS // 10 if quick else ITEMS
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        peak, faces = pool.apply(_peak, (_kinds(shared), count, shared / "models" / "insightface"))
    return Measurement(
        (peak,),
        (),
        f"{count:,} items (shared data: lfw10; generated: photos up to 14 megapixels, videos of "
        f"20 and 120 s of 720p), pack {PACK}, {usable_cores()} workers, default settings, all "
        f"products: {faces} faces. The store is a server of its own and not counted",
    )


def _peak(kinds: list[Item], count: int, models: Path) -> tuple[float, int]:
    settings = Settings()
    done = threading.Event()
    peaks = [0.0]
    watcher = threading.Thread(target=_watch, args=(peaks, done))
    watcher.start()
    try:
        faces = asyncio.run(_window(kinds, count, models, settings))
    finally:
        done.set()
        watcher.join()
    return peaks[0], faces


async def _window(kinds: list[Item], count: int, models: Path, settings: Settings) -> int:
    """Do what the crew of a pass does: so many at once, and so many bytes in memory."""
    budget = ByteBudget(settings.media_buffer_limit_mb * _MEGABYTE)
    items = iter([kinds[number % len(kinds)] for number in range(count)])
    faces = 0

    async def work(pool: AnalystPool, items: Iterator[Item]) -> None:
        nonlocal faces
        for data, kind in items:
            async with budget.hold(len(data)):
                downloaded = bytes(bytearray(data))  # a copy, as each item of a chat is one
                try:
                    found = await pool.analyse(downloaded, kind, thumbnails=True)
                except ItemRejected:
                    continue
            faces += len(found.faces)

    spec = EngineSpec(PACK, models, accept_noncommercial=True)
    async with AnalystPool(spec, workers=usable_cores()) as pool:
        crew = settings.download_concurrency + usable_cores()
        await asyncio.gather(*(work(pool, items) for _ in range(crew)))
    return faces


def _watch(peaks: list[float], done: threading.Event) -> None:
    import psutil

    process = psutil.Process()
    while not done.wait(0.02):
        resident = 0
        for each in [process, *process.children(recursive=True)]:
            try:
                resident += each.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        peaks[0] = max(peaks[0], resident / _MEGABYTE)


def _kinds(shared: Path) -> list[Item]:
    """Give a hundred items in the shares of the mix."""
    made: list[Item] = []
    for longest, number in _MADE.items():
        photo = _photo(longest)
        made += [(photo, "image")] * number
    for seconds, number in _VIDEOS.items():
        video = joined([encoded(moving(None, 10, 0), keyframe_seconds=5)] * (seconds // 10))
        made += [(video, "video")] * number
    small = [path.read_bytes() for path in sorted(shared.glob("faces/lfw10/*/*.jpg"))]
    made += [(photo, "image") for photo in small[: 100 - len(made)]]
    # In turns, so that large ones meet.
    return [made[number * 37 % len(made)] for number in range(len(made))]


def _photo(longest: int) -> bytes:
    from PIL import Image

    spec = importlib.util.find_spec("insightface")
    if spec is None or spec.origin is None:
        raise NotMeasurable("insightface is not installed")
    source = Image.open(Path(spec.origin).parent / "data" / "images" / "t1.jpg").convert("RGB")
    buffer = io.BytesIO()
    size = longest, round(longest * source.height / source.width)
    source.resize(size, Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
