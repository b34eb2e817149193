"""A chat with media, a source that serves them, and a vision that reads what a file says.

The files are lines such as ``faces=2 seed=7``: the fake vision finds what they name, so that equal
bytes give equal faces. It keeps the contract of ``archive.media_pass.Vision``; the real one has
its own tests, and ``test_media_pass_vision`` runs a pass with it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from psycopg.rows import dict_row

from archive.errors import ItemRejected, Permanent
from archive.faces.errors import ChildDied
from archive.faces.records import (
    FIVE_POINTS,
    Box,
    DerivedPicture,
    ExifScalar,
    Fingerprint,
    FoundFace,
    MediaAnalysis,
    ModelRecord,
    ModelThresholds,
    RejectedFace,
)
from archive.ids import AccountId, ChatId, ChatNo, MediaId, MessageId
from archive.ledger import Limits
from archive.media_pass import MediaPassOptions, MediaPassResult, run_media_pass
from archive.media_pass.ports import Ranges
from archive.media_pass.records import Fetched
from archive.records import Chat, ChatKind, MediaAccess, MediaFile, MediaKind, Switches
from archive.windows import Window
from resources.blobs import BlobStore
from resources.store.database import Database
from resources.store.media import MediaStore

DIMS = 8
NOW = datetime(2026, 5, 1, tzinfo=UTC)
FINGERPRINTS = "fingerprints/1"

MODEL = ModelRecord(
    name="fake",
    kind="insightface",
    licence="none",
    commercial_use=True,
    dims=DIMS,
    detector="fake",
    recogniser="fake",
    landmark_schema=FIVE_POINTS,
    thresholds=ModelThresholds(0.4, 0.05, 0.5, 0.1, 0.3, 20, 40),
    sha256="0" * 64,
    detector_version="fake-detector/1",
    embedding_version="fake-embedding/1",
)

OPTIONS = MediaPassOptions(
    fingerprint_version=FINGERPRINTS,
    thumbnail_version="thumbnails/1",
    limits=Limits(1_000_000),
    buffer_limit_bytes=100_000,
    download_concurrency=4,
    retry_base_seconds=60,
)


class FakeVision:
    """Finds ``faces=N`` faces; ``broken`` is rejected, ``deadly`` kills its child."""

    def __init__(self, model: ModelRecord | None = MODEL) -> None:
        self.model = model
        self.analysed: list[bytes] = []
        self.alone: list[bytes] = []
        self.fingerprinted: list[bytes] = []
        self.drawn: list[Box] = []
        self.before: Callable[[bytes], None] = lambda data: None

    async def analyse(
        self, data: bytes | Ranges, kind: str, *, faces: bool, thumbnails: bool
    ) -> MediaAnalysis:
        await asyncio.sleep(0)
        if not isinstance(data, bytes):
            return await self._in_ranges(data, faces=faces, thumbnails=thumbnails)
        (self.analysed if faces else self.fingerprinted).append(data)
        self.before(data)
        return analysis_of(data, faces=faces, thumbnails=thumbnails)

    async def _in_ranges(self, file: Ranges, *, faces: bool, thumbnails: bool) -> MediaAnalysis:
        """The first hundred bytes say what a large file shows."""
        start = await file.read(0, 100)
        self.analysed.append(start)
        seen = analysis_of(start.rstrip(b"\0"), faces=faces, thumbnails=thumbnails)
        of = replace(seen.fingerprint, sha256=None, size_bytes=file.size_bytes)
        return replace(seen, fingerprint=of)

    async def analyse_alone(
        self, data: bytes, kind: str, *, faces: bool, thumbnails: bool, memory_limit_mb: int = 2048
    ) -> MediaAnalysis:
        self.alone.append(data)
        if b"deadly" in data:
            raise ChildDied("died of signal 11")
        return analysis_of(data, faces=faces, thumbnails=thumbnails)

    async def draw(
        self, data: bytes | Ranges, kind: str, box: Box, *, seconds: float = 0.0
    ) -> FoundFace:
        if self.model is None or (isinstance(data, bytes) and b"tiny" in data):
            raise Permanent("shows too little of the picture")
        self.drawn.append(box)
        return replace(_face(0, np.random.default_rng(9)), box=box, frame_seconds=seconds)


def analysis_of(data: bytes, *, faces: bool = True, thumbnails: bool = False) -> MediaAnalysis:
    if b"broken" in data:
        raise ItemRejected("corrupt", "not a picture")
    words = dict(word.split("=") for word in data.decode().split() if "=" in word)
    generator = np.random.default_rng(int(words.get("seed", 0)))
    count = int(words.get("faces", 0)) if faces else 0
    found = tuple(_face(index, generator) for index in range(count))
    picture = DerivedPicture("thumbnail", 256, "webp", 256, 192, b"small " + data)
    return MediaAnalysis(
        fingerprint_of(data),
        found,
        {"too_small": 1} if faces else {},
        (picture,) if thumbnails else (),
        (RejectedFace(0.0, Box(5.0, 5.0, 15.0, 15.0), 0.6, 0.05, "too_small"),) if faces else (),
        "cpu" if faces else None,
    )


def fingerprint_of(data: bytes) -> Fingerprint:
    sha256 = hashlib.sha256(data).digest()
    exif: dict[str, ExifScalar] = {
        "Make": "Can\x00on",
        "Broken": float("nan"),
        "ISOSpeedRatings": 100,
    }
    return Fingerprint(sha256, 5, 640, 480, None, len(data), exif)


def _face(index: int, generator: np.random.Generator) -> FoundFace:
    vector = generator.normal(size=DIMS).astype(np.float32)
    left = 100.0 * index
    return FoundFace(
        frame_seconds=0.0,
        box=Box(left, 10.0, left + 50.5, 70.25),
        landmarks=np.arange(10, dtype=np.float32).reshape(5, 2),
        landmark_schema=FIVE_POINTS,
        detection_score=0.9,
        quality=0.8,
        embedding=vector / np.linalg.norm(vector),
        crop=b"webp " + vector.tobytes(),
    )


def newer(model: ModelRecord, version: str) -> ModelRecord:
    """The same model as a later policy runs it."""
    return replace(
        model,
        detector_version=f"fake-detector/{version}",
        embedding_version=f"fake-embedding/{version}",
    )


@dataclass
class ScriptedSource:
    """Serves the world's files; a script says what goes wrong, by medium."""

    files: Mapping[MediaId, bytes]
    script: dict[MediaId, Exception | Callable[[], bytes]] = field(default_factory=dict)
    fetched: list[MediaId] = field(default_factory=list)

    async def fetch(
        self, chat: Chat, message_id: MessageId, file: MediaFile, access: MediaAccess
    ) -> Fetched:
        await asyncio.sleep(0)
        self.fetched.append(file.media_id)
        answer = self.script.get(file.media_id, self.files[file.media_id])
        if isinstance(answer, Exception):
            raise answer
        data = answer if isinstance(answer, bytes) else answer()
        return Fetched(data, replace(access, file_reference=b"fresh"))

    def ranged(
        self, chat: Chat, message_id: MessageId, file: MediaFile, access: MediaAccess
    ) -> ScriptedRanges:
        answer = self.script.get(file.media_id, self.files[file.media_id])
        return ScriptedRanges(answer, file.size_bytes or 0, replace(access, file_reference=b"new"))


@dataclass
class ScriptedRanges:
    """A file of which parts are read; what the script says goes wrong with the first."""

    answer: Any
    size_bytes: int
    access: MediaAccess

    async def read(self, offset: int, size: int) -> bytes:
        await asyncio.sleep(0)
        if isinstance(self.answer, Exception):
            raise self.answer
        return bytes(self.answer[offset : offset + size].ljust(size, b"\0"))


class World:
    """One account, its chats, and what was sent to them."""

    def __init__(self, database: Database, folder: Path, *, populate: bool = True) -> None:
        self.database = database
        self.store = MediaStore(database)
        self.folder = folder
        self.crops = BlobStore(folder)
        self.vision = FakeVision()
        self.files: dict[MediaId, bytes] = {}
        self.source = ScriptedSource(self.files)
        self.now = NOW
        self.naps: list[float] = []
        if populate:
            self.populate()

    def populate(self) -> None:
        """Begin anew: one account with one chat, nothing sent yet."""
        self.run("TRUNCATE accounts, chats, media, blobs, models CASCADE")
        self.run("INSERT INTO accounts (account_id, name) VALUES (1, 'Mia')")
        self.add_chat(1)

    def run(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        with (
            self.database.transaction() as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            cursor.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def add_chat(self, chat_no: int, *, archive: bool = True, faces: bool = True) -> None:
        self.run(
            "INSERT INTO chats (chat_no, chat_id, account_id, kind, id_space, title,"
            " allow_archive, allow_faces)"
            " VALUES (%s, %s, 1, 'supergroup', 'own', 'A chat', %s, %s)",
            chat_no,
            chat_no,
            archive,
            faces,
        )

    def chat(self, chat_no: int = 1) -> Chat:
        return Chat(
            chat_no=ChatNo(chat_no),
            chat_id=ChatId(chat_no),
            account_id=AccountId(1),
            kind=ChatKind.SUPERGROUP,
            title="A chat",
            switches=Switches(archive=True, faces=True),
        )

    def window(self, chat_no: int = 1) -> Window:
        return Window(ChatNo(chat_no), MessageId(1), MessageId(10_000))

    def send(
        self,
        message_id: int,
        data: bytes = b"",
        *,
        media: int | None = None,
        kind: MediaKind = MediaKind.PHOTO,
        chat_no: int = 1,
        size: int | None = None,
    ) -> MediaId:
        """Store a message with a medium, as the reading of history would have."""
        media_id = MediaId(f"document:{media or message_id}")
        self.files.setdefault(media_id, data)
        self.run(
            "INSERT INTO messages (chat_no, message_id, kind, sent_at, raw)"
            " VALUES (%s, %s, 'media', %s, '{}')",
            chat_no,
            message_id,
            NOW,
        )
        self.run(
            "INSERT INTO media (media_id, kind, size_bytes) VALUES (%s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            media_id,
            kind.value,
            len(data) if size is None else size,
        )
        self.run(
            "INSERT INTO message_media (chat_no, message_id, media_id) VALUES (%s, %s, %s)",
            chat_no,
            message_id,
            media_id,
        )
        self.run(
            "INSERT INTO media_access (account_id, media_id, access_hash, file_reference)"
            " VALUES (1, %s, 3, 'old') ON CONFLICT DO NOTHING",
            media_id,
        )
        return media_id

    async def pass_over(
        self,
        chat_no: int = 1,
        *,
        vision: Any = None,
        options: MediaPassOptions = OPTIONS,
        sleep: Callable[[float], Any] | None = None,
    ) -> MediaPassResult:
        return await run_media_pass(
            self.window(chat_no),
            self.chat(chat_no),
            self.source,
            vision or self.vision,
            self.store,
            self.crops,
            options=options,
            owner="run-1",
            clock=lambda: self.now,
            sleep=sleep or self._nap,
        )

    async def _nap(self, seconds: float) -> None:
        self.naps.append(seconds)
        await asyncio.sleep(0)

    def ledger(self) -> dict[tuple[str, str], str]:
        """(medium, product) → state, with its reason."""
        rows = self.run("SELECT * FROM media_products ORDER BY media_id, product")
        return {
            (row["media_id"], row["product"]): row["state"]
            + (f"({row['reason']})" if row["reason"] else "")
            for row in rows
        }

    def results(self) -> list[dict[str, Any]]:
        """Everything that a pass stores, times, attempts and random ids apart."""
        faces = self.run(
            "SELECT content_key, frame_seconds, x1, y1, x2, y2, landmarks, quality, faces.model,"
            " crop_key, embedding::text FROM faces JOIN embeddings USING (face_id)"
            " ORDER BY content_key, x1"
        )
        ledger = self.run(
            "SELECT media_id, product, state, reason, error, producer FROM media_products"
            " ORDER BY media_id, product"
        )
        blobs = self.run(
            "SELECT content_key, sha256, phash, size_bytes, exif FROM blobs ORDER BY content_key"
        )
        media = self.run(
            "SELECT media_id, content_key, lease_owner, file_reference"
            " FROM media JOIN media_access USING (media_id) ORDER BY media_id"
        )
        return [*faces, *ledger, *blobs, *media]
