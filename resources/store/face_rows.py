"""How a face and its vector stand in a row, for every query that compares faces.

No query is here; `people` reads all faces, `gallery` those that a pass needs.
"""

from __future__ import annotations

from typing import Final, LiteralString

import numpy as np
from psycopg.rows import TupleRow

from archive.identity.records import FaceVector, Vectors
from archive.ids import ContentKey, FaceId
from archive.provenance import made_by

FACE_COLUMNS: Final[LiteralString] = """
       faces.face_id, faces.content_key, shown.taken_at, blobs.phash, faces.frame_seconds,
       faces.x1, faces.y1, faces.x2, faces.y2, faces.quality, faces.detection_score,
       assignments.identity_id, vector_send(embeddings.embedding)
"""
"""Of tables by their own names; `shown` says when a content was first sent. Fetch it binary:
`vector_send` spares the text form."""


def face_of(row: TupleRow) -> FaceVector:
    """Read the first eleven of `FACE_COLUMNS`."""
    face_id, content_key, taken_at, phash, frame_seconds, x1, y1, x2, y2, quality, score = row[:11]
    return FaceVector(
        face_id=FaceId(face_id),
        content_key=ContentKey(content_key),
        taken_at=taken_at,
        phash=phash,
        frame_seconds=frame_seconds,
        box=(x1, y1, x2, y2),
        quality=quality,
        detection_score=score,
    )


def vectors_of(sent: list[bytes], model: str) -> Vectors:
    """Read pgvector's binary form: two 16-bit numbers, of which the first counts, then floats.

    Args:
        sent: One vector each, all of the same dims.
        model: That made them.

    Returns:
        (n, dims) float32 in the machine's byte order.
    """
    if not sent:
        return made_by(model, np.empty((0, 0), dtype=np.float32))
    floats = np.frombuffer(b"".join(sent), dtype=">f4").reshape(len(sent), -1)
    return made_by(model, floats[:, 1:].astype(np.float32))
