"""People in the store: the faces to decide about, what was decided, and who there is.

Reading `faces` with their vectors, and appending what the matcher decides to the log. Deciding
itself is `archive.identity`, correcting by hand is `corrections`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, LiteralString

from psycopg import Connection

from archive.identity.constraints import Links
from archive.identity.events import Decision, EventKind, Write, assigning, beginning
from archive.identity.records import (
    Assignment,
    FaceSet,
    FaceVector,
    Identity,
    IdentityState,
    NewIdentity,
    PersonSummary,
)
from archive.identity.standing import Basis, Memory, Standing
from archive.ids import IdentityId, new_decision_id
from resources.store import gallery, identity_events
from resources.store.corrections import enact, read_links
from resources.store.database import Database
from resources.store.face_rows import FACE_COLUMNS, face_of, vectors_of
from resources.store.model_in_use import require_in_use

_ROWS_A_FETCH = 10_000

# A correction takes moments; another run takes minutes, and this one comes back.
_WAIT_SECONDS: Final = 1.0

# A face counts while one allowed chat shows its content. A face of an identity that is merged
# or erased is not free: whoever did that decides about it.
_USABLE_FACES: LiteralString = f"""
WITH shown AS (
    SELECT content_key, min(sent_at) AS taken_at
    FROM content_sources WHERE allow_faces GROUP BY content_key
)
SELECT {FACE_COLUMNS}
FROM faces
JOIN shown USING (content_key)
JOIN blobs USING (content_key)
JOIN embeddings ON embeddings.face_id = faces.face_id AND embeddings.model = %(model)s
LEFT JOIN assignments ON assignments.face_id = faces.face_id
LEFT JOIN identities USING (identity_id)
WHERE faces.quality >= %(min_quality)s
  AND (assignments.face_id IS NULL OR identities.state IN ('visible', 'hidden'))
  AND NOT EXISTS (SELECT FROM suppressed_regions WHERE suppressed_regions.face_id = faces.face_id)
"""

_LAST_NUMBER = "SELECT coalesce(max(number), 0) FROM identities"
_COUNT_IDENTITIES = "SELECT count(*) FROM identities WHERE state IN ('visible', 'hidden')"

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
        with identity_events.deciding(self._database, wait_seconds=_WAIT_SECONDS) as connection:
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
        """Give the faces of contents that an allowed chat shows, with their vectors of `model`.

        Raises:
            Transient: Another model is in use by now.
        """
        require_in_use(self._connection, model)
        return usable_faces(self._connection, model, min_quality)

    def due(self, basis: Basis, limit: int) -> Standing | None:
        """Give what a pass begins with; None where nothing is left to decide.

        Raises:
            Transient: Another model than that of the basis is in use by now.
        """
        return gallery.what_is_due(self._connection, basis, limit)

    def remember(self, memory: Memory) -> None:
        """Keep what the next pass needs."""
        gallery.remember(self._connection, memory)

    def count_waiting(self) -> int:
        """Give the number of faces that joined nobody."""
        return gallery.count_waiting(self._connection)

    def links(self) -> Links:
        """Give what persons said of faces."""
        return read_links(self._connection)

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
        writes: dict[IdentityId, list[Write]] = {}
        for new in founded:
            identity = new.identity
            writes[identity.identity_id] = [
                beginning(identity.identity_id, identity.number, model),
                *(assigning(joining) for joining in new.core),
            ]
        for joining in assigned:
            writes.setdefault(joining.identity_id, []).append(assigning(joining))
        enact(
            self._connection,
            [
                Decision(new_decision_id(), EventKind.ASSIGNED, actor, cause, tuple(theirs))
                for theirs in writes.values()
            ],
        )


def usable_faces(connection: Connection, model: str, min_quality: float) -> FaceSet:
    """Give faces as `PeopleDesk.usable_faces` does, of any model: for reading only."""
    faces: list[FaceVector] = []
    assigned: list[IdentityId | None] = []
    vectors: list[bytes] = []
    with connection.cursor("usable_faces") as cursor:
        cursor.itersize = _ROWS_A_FETCH
        cursor.execute(_USABLE_FACES, {"model": model, "min_quality": min_quality}, binary=True)
        for row in cursor:
            faces.append(face_of(row))
            assigned.append(None if row[11] is None else IdentityId(row[11]))
            vectors.append(row[12])
    return FaceSet(tuple(faces), vectors_of(vectors, model), tuple(assigned))


def _one(connection: Connection, statement: LiteralString) -> Any:
    row = connection.execute(statement).fetchone()
    assert row is not None, "an aggregate gives one row"
    return row[0]
