"""The faces most like a vector, by a model's index or exactly.

Implements `archive.searching.FaceSearch`. Which faces may be seen at all is decided by
`sources_within`, and what a person said is no face is none. Making the index is `search_index`;
deciding who is who never asks one.

The index answers where there is one and enough faces are asked about: it walks on until enough of
what it meets is within the filter (pgvector's iterative scan). A narrow filter – a small chat, a
day – would make it walk for long and end with too little, so those faces are compared exactly.
Either way the nearest are ranked by their full vectors.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

import numpy as np
from psycopg import Connection, sql
from psycopg.rows import dict_row

from archive.faces.records import Box, Embedding
from archive.identity.records import Identity, IdentityState
from archive.ids import ChatNo, ContentKey, FaceId, IdentityId, MessageId
from archive.provenance import made_by, require_model
from archive.searching import LikeFace, Nearest, Sighting, Within
from resources.store.database import Database
from resources.store.search_index import LEAST_INDEXED, is_indexed

# Candidates that the walk keeps: what recall costs. Of a million faces 400 bring .970 of the right
# people in 18 ms, 600 .976 in 25 ms, 800 .982 in 30 ms (95th percentile, `identity.search`).
_LIST: Final = "600"
_WALK: Final = """
SELECT set_config('hnsw.ef_search', %s, true),
       set_config('hnsw.iterative_scan', 'relaxed_order', true)
"""

_IS_BROAD: Final = """
SELECT count(*) >= %(broad)s
FROM (
    SELECT FROM faces JOIN sources_within(%(chat_no)s, %(since)s, %(until)s) USING (content_key)
    LIMIT %(broad)s
) AS first_ones
"""

# OFFSET 0 keeps the planner from making a join of it, which would have to be complete before the
# first face came out of the index.
_WALKED: Final = sql.SQL("""
    EXISTS (
        SELECT FROM faces
        JOIN sources_within(%(chat_no)s, %(since)s, %(until)s) USING (content_key)
        WHERE faces.face_id = embeddings.face_id OFFSET 0)
    AND NOT EXISTS (
        SELECT FROM suppressed_regions WHERE face_id = embeddings.face_id OFFSET 0)
""")
_COMPARED: Final = sql.SQL("""
    face_id IN (
        SELECT face_id FROM faces
        JOIN sources_within(%(chat_no)s, %(since)s, %(until)s) USING (content_key))
    AND face_id NOT IN (SELECT face_id FROM suppressed_regions)
""")

# The model is written out: a partial index is found by its condition, not by a parameter.
_BY_INDEX: Final = sql.SQL("(embedding::halfvec({dims})) <#> %(probe)s::halfvec({dims})")
_BY_VECTOR: Final = sql.SQL("embedding <#> %(probe)s")
_NEAREST: Final = sql.SQL("""
WITH near AS MATERIALIZED (
    SELECT face_id, embedding FROM embeddings
    WHERE model = {model} AND {shown}
    ORDER BY {distance} LIMIT %(most)s
)
SELECT near.face_id, -(near.embedding <#> %(probe)s) AS similarity,
       faces.content_key, frame_seconds, x1, y1, x2, y2,
       identities.identity_id, identities.number, identities.label, identities.state
FROM near
JOIN faces USING (face_id)
LEFT JOIN assignments USING (face_id)
LEFT JOIN identities USING (identity_id)
ORDER BY similarity DESC, near.face_id
""")

_NAMED: Final = """
SELECT face_id FROM faces WHERE face_id BETWEEN %s::uuid AND %s::uuid ORDER BY face_id LIMIT %s
"""
_VECTOR: Final = """
SELECT embedding::real[] FROM embeddings JOIN faces USING (face_id)
WHERE face_id = %(face_id)s AND embeddings.model = %(model)s
  AND content_key IN (SELECT content_key FROM sources_within(NULL, NULL, NULL))
"""

_SIGHTINGS: Final = """
SELECT DISTINCT ON (face_id) face_id, chat_no, message_id, sent_at,
       count(*) OVER (PARTITION BY face_id) - 1 AS others
FROM faces JOIN sources_within(%(chat_no)s, %(since)s, %(until)s) USING (content_key)
WHERE face_id = ANY(%(face_ids)s)
ORDER BY face_id, sent_at, chat_no, message_id
"""


class FaceSearchStore:
    """Satisfies `archive.searching.FaceSearch`.

    Args:
        database: The archive.
        broad: Faces from which the index is asked; fewer are compared one by one. None: always.
    """

    def __init__(self, database: Database, *, broad: int | None = LEAST_INDEXED) -> None:
        self._database = database
        self._broad = broad

    def nearest(
        self,
        probe: Embedding,
        model: str,
        within: Within,
        *,
        most: int,
    ) -> Nearest:
        """Give the nearest faces, by the index where it is the better way.

        Raises:
            MixedModels: Another model made the probe.
        """
        require_model(probe, model)
        values = _values(within) | {
            "probe": np.asarray(probe, dtype=np.float32),
            "most": most,
            "broad": self._broad,
        }
        with self._database.transaction() as connection:
            if is_indexed(connection, model) and _is_broad(connection, within, values):
                connection.execute(_WALK, (_LIST,))
                faces = _faces(connection, _walking(model, len(probe)), values)
                # A walk ends after 20 000 steps, whatever it has: then all are compared.
                if len(faces) == most:
                    return Nearest(faces, exact=False)
            return Nearest(_faces(connection, _comparing(model), values), exact=True)

    def named(self, prefix: str, *, most: int) -> list[FaceId]:
        """Give the stored faces whose ids begin with these hexadecimal digits."""
        lowest, highest = prefix.ljust(32, "0"), prefix.ljust(32, "f")
        with self._database.transaction() as connection:
            return [FaceId(row[0]) for row in connection.execute(_NAMED, (lowest, highest, most))]

    def vector(self, face_id: FaceId, model: str) -> Embedding | None:
        """Give the vector of a stored face that an allowed chat shows, if it has one."""
        with self._database.transaction() as connection:
            row = connection.execute(_VECTOR, {"face_id": face_id, "model": model}).fetchone()
        return None if row is None else made_by(model, np.array(row[0], dtype=np.float32))

    def sightings(self, face_ids: Collection[FaceId], within: Within) -> dict[FaceId, Sighting]:
        """Give the first message that shows each face."""
        values = _values(within) | {"face_ids": list(face_ids)}
        with self._database.transaction() as connection:
            return {
                FaceId(face_id): Sighting(ChatNo(chat_no), MessageId(message_id), sent_at, others)
                for face_id, chat_no, message_id, sent_at, others in connection.execute(
                    _SIGHTINGS, values
                )
            }


def _values(within: Within) -> dict[str, Any]:
    return {"chat_no": within.chat_no, "since": within.since, "until": within.until}


def _is_broad(connection: Connection, within: Within, values: dict[str, Any]) -> bool:
    if within.is_everything or values["broad"] is None:
        return values["broad"] is not None
    row = connection.execute(_IS_BROAD, values).fetchone()
    return bool(row and row[0])


def _walking(model: str, dims: int) -> sql.Composed:
    distance = _BY_INDEX.format(dims=sql.Literal(dims))
    return _NEAREST.format(model=sql.Literal(model), shown=_WALKED, distance=distance)


def _comparing(model: str) -> sql.Composed:
    return _NEAREST.format(model=sql.Literal(model), shown=_COMPARED, distance=_BY_VECTOR)


def _faces(
    connection: Connection, statement: sql.Composed, values: dict[str, Any]
) -> tuple[LikeFace, ...]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return tuple(_face(row) for row in cursor.execute(statement, values))


def _face(row: dict[str, Any]) -> LikeFace:
    return LikeFace(
        face_id=FaceId(row["face_id"]),
        similarity=row["similarity"],
        content_key=ContentKey(row["content_key"]),
        frame_seconds=row["frame_seconds"],
        box=Box(row["x1"], row["y1"], row["x2"], row["y2"]),
        identity=_identity(row["identity_id"], row["number"], row["label"], row["state"]),
    )


def _identity(
    identity_id: UUID | None, number: int, label: str | None, state: str
) -> Identity | None:
    if identity_id is None:
        return None
    return Identity(IdentityId(identity_id), number, label, IdentityState(state))
