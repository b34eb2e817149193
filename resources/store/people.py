"""People in the store: the faces to decide about, what was decided, and who there is.

The tables `identities`, `assignments`, `identity_events` and `event_payloads`, and reading
`faces` with their vectors. Deciding itself is `archive.identity`; correcting by hand comes to a
repository of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, LiteralString
from uuid import uuid4

import numpy as np
from psycopg import Connection
from psycopg.errors import ForeignKeyViolation
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from archive.errors import Transient
from archive.identity.events import EventKind
from archive.identity.records import (
    Assignment,
    FaceSet,
    FaceVector,
    Identity,
    IdentityState,
    NewIdentity,
    PersonSummary,
    Vectors,
)
from archive.ids import ContentKey, FaceId, IdentityId
from resources.store.database import Database

BUSY_RETRY_SECONDS: Final = 30.0
_ROWS_A_FETCH = 10_000

# The key of `locks.named_lock("identify")`, but held by the transaction that writes, so that the
# lock cannot be lost before the writing is.
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended('named:identify', 0))"

# A face counts while one allowed chat shows its content. A face of an identity that is merged
# or erased is not free: whoever did that decides about it. `vector_send` spares the text form.
_USABLE_FACES = """
WITH shown AS (
    SELECT content_key, min(sent_at) AS taken_at
    FROM content_sources WHERE allow_faces GROUP BY content_key
)
SELECT faces.face_id, faces.content_key, shown.taken_at, blobs.phash, faces.frame_seconds,
       faces.x1, faces.y1, faces.x2, faces.y2, faces.quality, faces.detection_score,
       assignments.identity_id, vector_send(embeddings.embedding)
FROM faces
JOIN shown USING (content_key)
JOIN blobs USING (content_key)
JOIN embeddings ON embeddings.face_id = faces.face_id AND embeddings.model = %(model)s
LEFT JOIN assignments ON assignments.face_id = faces.face_id
LEFT JOIN identities USING (identity_id)
WHERE faces.quality >= %(min_quality)s
  AND (assignments.face_id IS NULL OR identities.state IN ('visible', 'hidden'))
"""

_LAST_NUMBER = "SELECT coalesce(max(number), 0) FROM identities"
_COUNT_IDENTITIES = "SELECT count(*) FROM identities WHERE state IN ('visible', 'hidden')"

_COPY_IDENTITIES = "COPY identities (identity_id, number, model) FROM STDIN"
_COPY_PAYLOADS = "COPY event_payloads (payload_id, payload) FROM STDIN"
_COPY_EVENTS = """
COPY identity_events (kind, identity_id, face_id, similarity, actor, cause, payload_id) FROM STDIN
"""
_COPY_ASSIGNMENTS = """
COPY assignments (face_id, identity_id, similarity, decided_by) FROM STDIN
"""

_PEOPLE = """
WITH shown AS (
    SELECT content_key, min(sent_at) AS first_seen, max(sent_at) AS last_seen
    FROM content_sources WHERE allow_faces GROUP BY content_key
)
SELECT identities.identity_id, identities.number, identities.label, identities.state,
       count(*) AS faces, count(DISTINCT faces.content_key) AS contents,
       min(shown.first_seen) AS first_seen, max(shown.last_seen) AS last_seen
FROM identities
JOIN assignments USING (identity_id)
JOIN faces USING (face_id)
JOIN shown USING (content_key)
WHERE identities.state = 'visible'
GROUP BY identities.identity_id
ORDER BY identities.number
"""


class PeopleStore:
    """Faces, people, and who is who. Satisfies `archive.identify.PeopleStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def deciding(self) -> Iterator[PeopleDesk]:
        """Take the one lock of its kind and a transaction, for the length of the body.

        Raises:
            Transient: Another run decides about people, or the database does not answer.
        """
        with self._database.transaction() as connection:
            if not _one(connection, _LOCK):
                raise Transient("another run is deciding about people", BUSY_RETRY_SECONDS)
            yield PeopleDesk(connection)

    def people(self) -> list[PersonSummary]:
        """List the visible identities that an allowed chat still shows, by number."""
        with self._database.transaction() as connection:
            return [
                PersonSummary(
                    Identity(IdentityId(identity_id), number, label, IdentityState(state)),
                    faces,
                    contents,
                    first_seen,
                    last_seen,
                )
                for (
                    identity_id, number, label, state, faces, contents, first_seen, last_seen
                ) in connection.execute(_PEOPLE)
            ]  # fmt: skip


class PeopleDesk:
    """The tables of people, ours alone until the transaction ends."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def usable_faces(self, model: str, min_quality: float) -> FaceSet:
        """Give the faces of contents that an allowed chat shows, with their vectors of `model`."""
        faces: list[FaceVector] = []
        assigned: list[IdentityId | None] = []
        vectors: list[bytes] = []
        with self._connection.cursor("usable_faces") as cursor:
            cursor.itersize = _ROWS_A_FETCH
            cursor.execute(_USABLE_FACES, {"model": model, "min_quality": min_quality}, binary=True)
            for row in cursor:
                faces.append(_face(row))
                assigned.append(None if row[11] is None else IdentityId(row[11]))
                vectors.append(row[12])
        return FaceSet(tuple(faces), _vectors(vectors), tuple(assigned))

    def last_number(self) -> int:
        """Give the highest number that any identity ever had; 0 before the first."""
        return int(_one(self._connection, _LAST_NUMBER))

    def count_identities(self) -> int:
        """Give the number of identities that are visible or hidden."""
        return int(_one(self._connection, _COUNT_IDENTITIES))

    def save(
        self,
        model: str,
        founded: tuple[NewIdentity, ...],
        assigned: tuple[Assignment, ...],
        *,
        actor: str,
        cause: str,
    ) -> None:
        """Write new identities, assignments and the events that say so.

        Raises:
            Transient: A face was erased since it was read.
        """
        payloads = {new.identity.identity_id: uuid4() for new in founded}
        everyone = [*(joining for new in founded for joining in new.core), *assigned]
        found = [
            (EventKind.FOUND, key, None, None, actor, cause, payload)
            for key, payload in payloads.items()
        ]
        joined = [
            (EventKind.ASSIGNED, j.identity_id, j.face_id, j.similarity, actor, cause, None)
            for j in everyone
        ]
        numbers = [(new.identity.identity_id, new.identity.number, model) for new in founded]
        details = [
            (payloads[identity_id], Jsonb({"number": number, "model": model}))
            for identity_id, number, model in numbers
        ]
        pairs = [(j.face_id, j.identity_id, j.similarity, actor) for j in everyone]
        try:
            self._copy(_COPY_IDENTITIES, numbers)
            self._copy(_COPY_PAYLOADS, details)
            self._copy(_COPY_EVENTS, [*found, *joined])
            self._copy(_COPY_ASSIGNMENTS, pairs)
        except ForeignKeyViolation as exc:
            raise Transient("a face was erased while people were decided") from exc

    def _copy(self, statement: LiteralString, rows: Iterable[tuple[object, ...]]) -> None:
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)


def _face(row: TupleRow) -> FaceVector:
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


def _vectors(sent: list[bytes]) -> Vectors:
    """Read pgvector's binary form: two 16-bit numbers, of which the first counts, then floats.

    Args:
        sent: One vector each, all of the same dims.

    Returns:
        (n, dims) float32 in the machine's byte order.
    """
    if not sent:
        return np.empty((0, 0), dtype=np.float32)
    floats = np.frombuffer(b"".join(sent), dtype=">f4").reshape(len(sent), -1)
    return floats[:, 1:].astype(np.float32)


def _one(connection: Connection, statement: LiteralString) -> Any:
    row = connection.execute(statement).fetchone()
    assert row is not None, "an aggregate gives one row"
    return row[0]
