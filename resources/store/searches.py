"""How contents were searched for faces: what was dropped, and what a person asks about it.

Writing happens within the commit of a media pass (`media`). Reading implements
`archive.why.SearchStore` and changes nothing.
"""

from __future__ import annotations

import json
from typing import Any, Final, LiteralString

import numpy as np
from psycopg import Connection
from psycopg.rows import dict_row

from archive.faces.records import Box, MediaAnalysis
from archive.identity.records import Vectors
from archive.ids import ChatNo, ContentKey, FaceId, IdentityId, MediaId, MessageId
from archive.provenance import made_by, require_model
from archive.why import Detection, NearPerson, SearchedMedium
from resources.store.database import Database

_CANDIDATES: Final = 10
"""People whose scores are worked out; the score of a face differs a little from its cosine."""

_FORGET = "DELETE FROM searches WHERE content_key = %(content_key)s AND model = %(model)s"
_WRITE = """
INSERT INTO searches (content_key, model, detector, provider, rejected)
VALUES (%(content_key)s, %(model)s, %(detector)s, %(provider)s, %(rejected)s)
"""
_WRITE_REJECTED = """
INSERT INTO rejected_faces (content_key, model, frame_seconds, x1, y1, x2, y2,
                            detection_score, quality, reason)
VALUES (%(content_key)s, %(model)s, %(frame_seconds)s, %(x1)s, %(y1)s, %(x2)s, %(y2)s,
        %(detection_score)s, %(quality)s, %(reason)s)
"""

_MEDIUM: Final[LiteralString] = """
SELECT media.media_id, media.kind, media.content_key, searches.detector, searches.provider,
       coalesce(searches.rejected, '{}') AS rejected,
       coalesce(blobs.truncated, false) AS truncated,
       (SELECT coalesce(jsonb_object_agg(product, concat_ws(': ', state, reason)), '{}')
        FROM media_products WHERE media_products.media_id = media.media_id) AS products
FROM media
LEFT JOIN blobs USING (content_key)
LEFT JOIN searches ON searches.content_key = media.content_key AND searches.model = %(model)s
WHERE media.media_id = ANY(%(media_ids)s::text[])
ORDER BY media.media_id
"""
_OF_MESSAGE = """
SELECT media_id FROM message_media WHERE chat_no = %s AND message_id = %s
"""

_KEPT = """
SELECT faces.face_id, frame_seconds, x1, y1, x2, y2, detection_score, quality,
       assignments.identity_id,
       CASE WHEN no_face.face_id IS NULL THEN embeddings.embedding::real[] END AS embedding,
       CASE WHEN no_face.face_id IS NOT NULL THEN 'a person said that it is no face' END AS reason
FROM faces
JOIN embeddings ON embeddings.face_id = faces.face_id AND embeddings.model = %(model)s
LEFT JOIN assignments ON assignments.face_id = faces.face_id
LEFT JOIN (SELECT face_id FROM suppressed_regions) AS no_face ON no_face.face_id = faces.face_id
WHERE content_key = %(content_key)s
"""
_REJECTED = """
SELECT frame_seconds, x1, y1, x2, y2, detection_score, quality, reason
FROM rejected_faces WHERE content_key = %(content_key)s AND model = %(model)s
"""

# Exact, without an index: asked for one picture by one person.
_NEAR = """
SELECT identities.identity_id, identities.label, identities.number
FROM assignments
JOIN identities USING (identity_id)
JOIN embeddings ON embeddings.face_id = assignments.face_id AND embeddings.model = %(model)s
WHERE assignments.face_id <> %(face_id)s AND identities.state IN ('visible', 'hidden')
GROUP BY identities.identity_id
ORDER BY min(embeddings.embedding <#> %(vector)s::real[]::vector), identities.number
LIMIT %(most)s
"""
_MEMBERS = """
SELECT embeddings.embedding::real[],
       faces.content_key = %(content_key)s AND faces.frame_seconds = %(frame_seconds)s
FROM assignments
JOIN faces USING (face_id)
JOIN embeddings ON embeddings.face_id = faces.face_id AND embeddings.model = %(model)s
WHERE assignments.identity_id = %(identity_id)s AND assignments.face_id <> %(face_id)s
"""
_NAME = "SELECT label, number FROM identities WHERE identity_id = %s"


def write_search(
    connection: Connection, key: ContentKey, model: str, detector: str, analysis: MediaAnalysis
) -> None:
    """Store how a content was searched, instead of what an earlier search by this model left.

    Raises:
        MixedModels: Another model searched it.
    """
    for face in analysis.faces:
        require_model(face.embedding, model)
    of = {"content_key": key, "model": model}
    connection.execute(_FORGET, of)
    rejected = json.dumps(dict(analysis.rejected), sort_keys=True)
    how = {"detector": detector, "provider": analysis.provider, "rejected": rejected}
    connection.execute(_WRITE, of | how)
    rows = [
        of
        | {
            "frame_seconds": face.frame_seconds,
            "x1": face.box.x1,
            "y1": face.box.y1,
            "x2": face.box.x2,
            "y2": face.box.y2,
            "detection_score": face.detection_score,
            "quality": face.quality,
            "reason": face.reason,
        }
        for face in analysis.dropped
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_WRITE_REJECTED, rows)


class SearchStore:
    """Answers why. Satisfies `archive.why.SearchStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_message(
        self, chat_no: ChatNo, message_id: MessageId, model: str
    ) -> list[SearchedMedium]:
        """Give the media of a message."""
        with self._database.transaction() as connection:
            ids = [row[0] for row in connection.execute(_OF_MESSAGE, (chat_no, message_id))]
        return self._media(ids, model)

    def of_medium(self, media_id: MediaId, model: str) -> SearchedMedium | None:
        """Give one medium."""
        return next(iter(self._media([media_id], model)), None)

    def detections(self, content_key: ContentKey, model: str) -> list[Detection]:
        """Give all detections of a content, kept ones first."""
        of = {"content_key": content_key, "model": model}
        rows = self._rows(_KEPT, of) + self._rows(_REJECTED, of)
        return [_detection(row, model) for row in rows]

    def near(self, detection: Detection, content_key: ContentKey, model: str) -> list[NearPerson]:
        """Give the people whose faces are nearest to one.

        Raises:
            MixedModels: Another model made its vector.
        """
        require_model(detection.embedding, model)
        if detection.embedding is None:
            return []
        values: dict[str, Any] = {
            "model": model,
            "face_id": detection.face_id,
            "vector": [float(value) for value in detection.embedding],
            "most": _CANDIDATES,
            "content_key": content_key,
            "frame_seconds": detection.frame_seconds,
        }
        people = []
        for row in self._rows(_NEAR, values):
            of = values | {"identity_id": row["identity_id"]}
            with self._database.transaction() as connection:
                members = connection.execute(_MEMBERS, of).fetchall()
            people.append(
                NearPerson(
                    identity_id=IdentityId(row["identity_id"]),
                    name=_named(row["label"], row["number"]),
                    members=_vectors([vector for vector, _ in members], model),
                    in_frame=any(in_frame for _, in_frame in members),
                )
            )
        return people

    def name(self, identity_id: IdentityId) -> str:
        """Say what a person is called."""
        with self._database.transaction() as connection:
            row = connection.execute(_NAME, (identity_id,)).fetchone()
        return _named(*row) if row else "a person who is gone"

    def _media(self, media_ids: list[str], model: str) -> list[SearchedMedium]:
        rows = self._rows(_MEDIUM, {"media_ids": media_ids, "model": model})
        return [SearchedMedium(**row) for row in rows]

    def _rows(self, statement: LiteralString, values: dict[str, Any]) -> list[dict[str, Any]]:
        with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            return cursor.execute(statement, values).fetchall()


def _detection(row: dict[str, Any], model: str) -> Detection:
    face_id, identity_id, vector = (
        row.get(name) for name in ("face_id", "identity_id", "embedding")
    )
    return Detection(
        frame_seconds=row["frame_seconds"],
        box=Box(row["x1"], row["y1"], row["x2"], row["y2"]),
        detection_score=row["detection_score"],
        quality=row["quality"],
        face_id=None if face_id is None else FaceId(face_id),
        reason=row.get("reason"),
        identity_id=None if identity_id is None else IdentityId(identity_id),
        embedding=None if vector is None else _vectors(vector, model),
    )


def _vectors(numbers: list[Any], model: str) -> Vectors:
    return made_by(model, np.array(numbers, dtype=np.float32))


def _named(label: str | None, number: int) -> str:
    return label or f"Person {number}"
