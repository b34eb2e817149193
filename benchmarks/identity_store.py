"""A store of made-up people as large as claims need it, in a PostgreSQL of its own.

Filled by the server itself but for the vectors, which go in as binary COPY: a million faces in
minutes. What is claimed of it is in ``identity_search``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, LiteralString
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection

from archive.identity.records import Vectors
from resources.store.database import Database
from resources.store.embedded import EmbeddedPostgres
from resources.store.migrate import migrate

MODEL: Final = "benchmark"
CHATS: Final = 20
_BLOCK: Final = 10_000

# Face number n is the only one on photo n, which message n shows. Every person has an id of their
# number; an hour passes from photo to photo.
_FILL: Final[tuple[LiteralString, ...]] = (
    "INSERT INTO accounts (account_id, name) VALUES (1, 'Ada')",
    """INSERT INTO models (name, kind, licence, commercial_use, dims, thresholds)
       VALUES ('benchmark', 'insightface', 'none', true, %(dims)s, '{}')""",
    """INSERT INTO chats (chat_no, chat_id, kind, id_space, account_id, title,
                          allow_archive, allow_faces)
       SELECT i, i, 'supergroup', 'own', 1, 'Chat ' || i, true, true
       FROM generate_series(1, %(chats)s) AS i""",
    """INSERT INTO blobs (content_key, size_bytes)
       SELECT 'sha256:' || lpad(to_hex(i), 64, '0'), 1 FROM generate_series(1, %(faces)s) AS i""",
    """INSERT INTO media (media_id, kind, content_key)
       SELECT 'photo:' || i, 'photo', 'sha256:' || lpad(to_hex(i), 64, '0')
       FROM generate_series(1, %(faces)s) AS i""",
    """INSERT INTO messages (chat_no, message_id, kind, sent_at, raw)
       SELECT 1 + i %% %(chats)s, i, 'media', timestamptz '1900-01-01' + i * interval '1 hour', '{}'
       FROM generate_series(1, %(faces)s) AS i""",
    """INSERT INTO message_media (chat_no, message_id, media_id)
       SELECT 1 + i %% %(chats)s, i, 'photo:' || i FROM generate_series(1, %(faces)s) AS i""",
    """INSERT INTO faces (face_id, content_key, x1, y1, x2, y2, landmarks, landmark_schema,
                          detection_score, quality, model, crop_key)
       SELECT lpad(to_hex(i), 32, '0')::uuid, 'sha256:' || lpad(to_hex(i), 64, '0'),
              10, 10, 110, 130, '{}', 'none', 0.9, 0.8, 'benchmark', 'crop'
       FROM generate_series(1, %(faces)s) AS i""",
    """INSERT INTO identities (identity_id, number, model)
       SELECT lpad(to_hex(person), 32, '0')::uuid, person, 'benchmark'
       FROM (SELECT DISTINCT unnest(%(people)s::integer[]) AS person) AS everyone""",
    """INSERT INTO assignments (face_id, identity_id, similarity, decided_by)
       SELECT lpad(to_hex(i), 32, '0')::uuid, lpad(to_hex(person), 32, '0')::uuid, 1, 'matcher'
       FROM unnest(%(people)s::integer[]) WITH ORDINALITY AS one (person, i)""",
)
_COPY: Final = "COPY embeddings (face_id, model, dims, embedding) FROM STDIN (FORMAT binary)"
_SEEN: Final = "ANALYZE"

# What COPY reads in its binary form: a signature, flags, rows, and an end.
_BEGIN: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"


def number_of(any_id: UUID) -> int:
    """Give the number that an id of this store was made from."""
    return any_id.int


@contextmanager
def filled_store(vectors: Vectors, people: NDArray[np.intp]) -> Iterator[Database]:
    """Give an archive of faces, all assigned, while the body runs.

    Args:
        vectors: (n, dims) float32 of unit norm; row i becomes face number i + 1.
        people: (n,) from 1: whose each is.
    """
    with tempfile.TemporaryDirectory(prefix="face-archive-people-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = EmbeddedPostgres(folder / "data")
        try:
            migrate(server.archive_url)
            with Database(server.archive_url) as database:
                with database.session() as connection:
                    _fill(connection, vectors, people)
                yield database
        finally:
            server.stop()


def _fill(connection: Connection, vectors: Vectors, people: NDArray[np.intp]) -> None:
    values = {
        "faces": len(vectors),
        "dims": vectors.shape[1],
        "chats": CHATS,
        "people": people.tolist(),
    }
    for statement in _FILL:
        connection.execute(statement, values)
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.write(_BEGIN)
        for start in range(0, len(vectors), _BLOCK):
            copy.write(_rows(vectors[start : start + _BLOCK], start + 1))
        copy.write(_END)
    connection.execute(_SEEN)


def _rows(vectors: Vectors, first: int) -> bytes:
    """Give rows of `embeddings` as COPY reads them: a length before each field.

    A vector is its dims and an unused number, each of 16 bits, then its floats.
    """
    count, dims = vectors.shape
    fields = [
        ("fields", ">i2"),
        ("face_length", ">i4"),
        ("face_high", ">u8"),
        ("face_low", ">u8"),
        ("model_length", ">i4"),
        ("model", f"S{len(MODEL)}"),
        ("dims_length", ">i4"),
        ("dims", ">i4"),
        ("vector_length", ">i4"),
        ("vector_dims", ">i2"),
        ("unused", ">i2"),
        ("vector", ">f4", (dims,)),
    ]
    rows = np.zeros(count, dtype=np.dtype(fields))
    rows["fields"], rows["face_length"], rows["model_length"] = 4, 16, len(MODEL)
    rows["face_low"] = np.arange(first, first + count)
    rows["model"], rows["dims_length"], rows["dims"] = MODEL.encode(), 4, dims
    rows["vector_length"], rows["vector_dims"], rows["vector"] = 4 + 4 * dims, dims, vectors
    return rows.tobytes()
