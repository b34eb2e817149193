"""Corrections of people in the store.

Implements ``archive.correcting.Corrections``: what a correction reads, the log that it is
appended to, and the comparison of the tables with that log.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from psycopg import Connection
from psycopg.rows import dict_row

from archive.correcting import Differences, HeldFace, Person
from archive.identity.constraints import Contradiction, Link, LinkKind, Links
from archive.identity.events import (
    Cell,
    DecidedBy,
    Decision,
    LoggedDecision,
    Membership,
    Register,
)
from archive.identity.records import Identity, IdentityState
from archive.ids import DecisionId, FaceId, IdentityId
from resources.store import identity_events, replaying
from resources.store.database import Database

# A correction waits this long for another one, which takes moments; a run of the matcher may take
# minutes, and nobody waits for that.
_WAIT_SECONDS: Final = 5.0

_PERSON = """
SELECT identity_id, number, label, state, version, model, merged_into, cover_face_id
FROM identities WHERE identity_id = %s
"""

_FACES = """
SELECT faces.face_id, faces.quality, identity_id, similarity, decided_by,
       EXISTS (SELECT FROM suppressed_regions WHERE suppressed_regions.face_id = faces.face_id)
           AS suppressed
FROM faces LEFT JOIN assignments ON assignments.face_id = faces.face_id
WHERE faces.face_id = ANY(%s)
"""

_MEMBERS = """
SELECT face_id, quality, identity_id, similarity, decided_by, false AS suppressed
FROM assignments JOIN faces USING (face_id)
WHERE identity_id = %s
"""

_LINKS = "SELECT face_id, other_face_id, kind, decision_id FROM constraints"
_LAST_NUMBER = "SELECT coalesce(max(number), 0) FROM identities"

_NEW_VERSION = "UPDATE identities SET version = version + 1 WHERE identity_id = ANY(%s)"

# One look at everything, however long it takes and whoever writes meanwhile.
_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


class CorrectionStore:
    """Corrections in PostgreSQL. Satisfies `archive.correcting.Corrections`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def correcting(self) -> Iterator[CorrectionDesk]:
        """Take the one lock of deciding and a transaction, for the length of the body.

        Raises:
            Transient: The matcher, or another correction, has it.
        """
        with identity_events.deciding(self._database, wait_seconds=_WAIT_SECONDS) as connection:
            yield CorrectionDesk(connection)

    def history(
        self,
        *,
        identity_id: IdentityId | None = None,
        face_id: FaceId | None = None,
        limit: int = 50,
    ) -> list[LoggedDecision]:
        """Give the latest decisions, latest first, cut down to what is asked for."""
        with self._database.transaction() as connection:
            return identity_events.latest_decisions(
                connection, identity_id=identity_id, face_id=face_id, limit=limit
            )

    def conflicts(self) -> list[Contradiction]:
        """Give the contradictions among all links."""
        with self._database.transaction() as connection:
            return read_links(connection).contradictions()

    def check(self) -> Differences:
        """Compare the tables with a replay of the log; write nothing."""
        with self._database.transaction() as connection:
            connection.execute(_SNAPSHOT)
            return replaying.differing(connection).counts

    def rebuild(self) -> Differences:
        """Bring the tables in line with a replay of the log.

        Raises:
            Transient: The matcher, or a correction, has the lock.
        """
        with identity_events.deciding(self._database, wait_seconds=_WAIT_SECONDS) as connection:
            off = replaying.differing(connection)
            replaying.project(connection, off)
            connection.execute(_NEW_VERSION, (list(off.identities),))
        return off.counts


class CorrectionDesk:
    """The tables of people, ours alone until the transaction ends."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._links: Links | None = None

    def person(self, identity_id: IdentityId) -> Person | None:
        """Give an identity in whatever state."""
        with self._connection.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute(_PERSON, (identity_id,)).fetchone()
        if row is None:
            return None
        return Person(
            identity=Identity(
                identity_id, row["number"], row["label"], IdentityState(row["state"])
            ),
            version=row["version"],
            model=row["model"],
            merged_into=row["merged_into"],
            cover=row["cover_face_id"],
        )

    def faces(self, face_ids: Collection[FaceId]) -> Mapping[FaceId, HeldFace]:
        """Give those of the faces that exist."""
        return {face.face_id: face for face in self._held(_FACES, list(face_ids))}

    def members(self, identity_id: IdentityId) -> Sequence[HeldFace]:
        """Give an identity's faces."""
        return self._held(_MEMBERS, identity_id)

    def links(self) -> Links:
        """Give all that holds between faces; a bundle of corrections reads it once."""
        if self._links is None:
            self._links = read_links(self._connection)
        return self._links

    def last_number(self) -> int:
        """Give the highest number that any identity ever had."""
        row = self._connection.execute(_LAST_NUMBER).fetchone()
        return int(row[0]) if row else 0

    def decision(self, decision_id: DecisionId) -> LoggedDecision | None:
        """Give one decision, whole."""
        return identity_events.decision_of(self._connection, decision_id)

    def writing(self, cells: Collection[Cell]) -> Sequence[LoggedDecision]:
        """Give the decisions that wrote any of these registers, in order, cut down to them."""
        return identity_events.decisions_on(self._connection, cells)

    def append(self, decision: Decision) -> None:
        """Write a decision into the log and bring the tables in line."""
        enact(self._connection, [decision])
        if any(cell.register is Register.LINK for cell in decision.cells):
            self._links = None

    def _held(self, statement: Any, subject: object) -> list[HeldFace]:
        with self._connection.cursor(row_factory=dict_row) as cursor:
            return [_held_face(row) for row in cursor.execute(statement, (subject,))]


def enact(connection: Connection, decisions: Sequence[Decision]) -> None:
    """Append decisions and bring the tables in line; a person's give a new version.

    The matcher's do not: what a person was looking at is still what they meant.

    Raises:
        Transient: A face was erased since it was read.
    """
    replaying.require_faces(connection, decisions)
    identity_events.append(connection, decisions)
    replaying.project(connection, replaying.touched(decisions))
    by_person = [decision for decision in decisions if decision.kind.by_person]
    connection.execute(_NEW_VERSION, (replaying.identities_named(by_person),))


def read_links(connection: Connection) -> Links:
    """Give all that holds between faces."""
    return Links(
        Link(FaceId(one), FaceId(other), LinkKind(kind), DecisionId(decision_id))
        for one, other, kind, decision_id in connection.execute(_LINKS)
    )


def _held_face(row: dict[str, Any]) -> HeldFace:
    held = row["identity_id"] is not None
    return HeldFace(
        face_id=FaceId(row["face_id"]),
        membership=Membership(row["identity_id"], row["similarity"], DecidedBy(row["decided_by"]))
        if held
        else None,
        quality=row["quality"],
        suppressed=row["suppressed"],
    )
