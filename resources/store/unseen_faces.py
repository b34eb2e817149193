"""Faces that somebody decided about and that the model in use has no vector of.

Found for `archive.media_pass.unseen`, which embeds them where they are known to be.
"""

from __future__ import annotations

from typing import Final, LiteralString

from psycopg import Connection

from archive.ids import MediaId
from archive.known_faces import KnownFace
from resources.store.faces import known_faces

_LACKING: Final[LiteralString] = """
SELECT face_id, content_key
FROM media JOIN blobs USING (content_key) JOIN faces USING (content_key)
WHERE media_id = %s AND blobs.sha256 IS NOT DISTINCT FROM %s AND NOT EXISTS (
    SELECT FROM embeddings WHERE embeddings.face_id = faces.face_id AND embeddings.model = %s)
"""


def without_vector(
    connection: Connection, media_id: MediaId, sha256: bytes | None, model: str
) -> list[KnownFace]:
    """Give the faces of these bytes that somebody decided about and a model has not embedded."""
    rows = connection.execute(_LACKING, (media_id, sha256, model)).fetchall()
    lacking = {face_id for face_id, _ in rows}
    return [
        face
        for key in {key for _, key in rows}
        for face in known_faces(connection, key)
        if face.decided and face.face_id in lacking
    ]
