"""The media pass: every medium of one window, fetched once, analysed once, stored once.

What a medium may have is decided in ``archive.ledger``; adapters implement ``ports``.

    passing     one window, in the order of the work: enroll, claim, work, wait, count
    crew        the tasks that claim items, side by side, and what stops them
    items       one medium's way through, and what if that fails
    fetching    where its bytes come from
    files       files that are read or written part by part
    options     what a person or the wiring sets
    result      what a pass came to
    records     what the pass and its store say to each other
    ports       what the pass asks of the world
"""

from archive.media_pass.options import MediaPassOptions
from archive.media_pass.passing import producers_today, run_media_pass
from archive.media_pass.ports import Blobs, MediaSource, MediaStore, Vision
from archive.media_pass.result import MediaPassResult

__all__ = [
    "Blobs",
    "MediaPassOptions",
    "MediaPassResult",
    "MediaSource",
    "MediaStore",
    "Vision",
    "producers_today",
    "run_media_pass",
]
