"""The tables of people as the projection of their log: bringing them in line, and comparing.

The tables `identities`, `assignments`, `constraints` and `suppressed_regions` hold what the views
`replayed_*` give. Nobody else writes them: a decision is appended to the log and then projected
for what it touches, a rebuild is the same for whatever differs. So both cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, LiteralString
from uuid import UUID

from psycopg import Connection

from archive.correcting import Differences
from archive.errors import Transient
from archive.identity.events import Decision, Membership, Register, Standing

_AT_A_TIME: Final = 20_000

# Erasing waits for us, or we see that a face is gone.
_LOCK_FACES = "SELECT face_id FROM faces WHERE face_id = ANY(%s) FOR KEY SHARE"

_BEGIN_IDENTITIES: Final[LiteralString] = """
INSERT INTO identities (identity_id, number, model)
SELECT identity_id, number, model FROM replayed_identities AS replayed
WHERE identity_id = ANY(%(subjects)s) AND number IS NOT NULL AND NOT EXISTS (
    SELECT FROM identities WHERE identities.identity_id = replayed.identity_id)
"""

# An identity that the log does not know was never begun. A face that is gone is no cover.
_PROJECT_IDENTITIES: Final[LiteralString] = """
UPDATE identities
SET label = replayed.label, state = coalesce(replayed.state, 'withdrawn'),
    merged_into = replayed.merged_into, cover_face_id = replayed.cover_face_id
FROM unnest(%(subjects)s::uuid[]) AS subject (identity_id)
LEFT JOIN (
    SELECT * FROM replayed_identities WHERE identity_id = ANY(%(subjects)s)
) AS replayed USING (identity_id)
WHERE identities.identity_id = subject.identity_id
"""

_PROJECT_FACES: Final[LiteralString] = """
WITH replayed AS MATERIALIZED (
    SELECT * FROM replayed_faces WHERE face_id = ANY(%(subjects)s)
), gone AS (
    DELETE FROM assignments
    WHERE face_id = ANY(%(subjects)s) AND face_id NOT IN (SELECT face_id FROM replayed)
)
INSERT INTO assignments (face_id, identity_id, similarity, decided_by)
SELECT face_id, identity_id, similarity, decided_by FROM replayed
ON CONFLICT (face_id) DO UPDATE
SET identity_id = EXCLUDED.identity_id, similarity = EXCLUDED.similarity,
    decided_by = EXCLUDED.decided_by
"""

_PROJECT_SUPPRESSIONS: Final[LiteralString] = """
WITH replayed AS MATERIALIZED (
    SELECT * FROM replayed_suppressions WHERE face_id = ANY(%(subjects)s)
), gone AS (
    DELETE FROM suppressed_regions
    WHERE face_id = ANY(%(subjects)s) AND face_id NOT IN (SELECT face_id FROM replayed)
)
INSERT INTO suppressed_regions (face_id, content_key, frame_seconds, x1, y1, x2, y2)
SELECT face_id, content_key, frame_seconds, x1, y1, x2, y2 FROM replayed
ON CONFLICT (face_id) DO NOTHING
"""

# By the smaller face: all its links at once.
_PROJECT_LINKS: Final[LiteralString] = """
WITH replayed AS MATERIALIZED (
    SELECT * FROM replayed_links WHERE face_id = ANY(%(subjects)s)
), gone AS (
    DELETE FROM constraints
    WHERE face_id = ANY(%(subjects)s)
      AND (face_id, other_face_id) NOT IN (SELECT face_id, other_face_id FROM replayed)
)
INSERT INTO constraints (face_id, other_face_id, kind, decision_id)
SELECT face_id, other_face_id, kind, decision_id FROM replayed
ON CONFLICT (face_id, other_face_id) DO UPDATE
SET kind = EXCLUDED.kind, decision_id = EXCLUDED.decision_id
"""

# What the log knows only by a payload that was deleted cannot be begun again, and does not differ.
_OFF_IDENTITIES: Final[LiteralString] = """
SELECT identity_id
FROM replayed_identities AS replayed FULL JOIN identities USING (identity_id)
WHERE (identities.label, identities.state, identities.merged_into, identities.cover_face_id)
      IS DISTINCT FROM (replayed.label, coalesce(replayed.state, 'withdrawn'),
                        replayed.merged_into, replayed.cover_face_id)
  AND (identities.number IS NOT NULL OR replayed.number IS NOT NULL)
"""

_OFF_FACES: Final[LiteralString] = """
SELECT face_id FROM replayed_faces AS replayed FULL JOIN assignments USING (face_id)
WHERE (replayed.identity_id, replayed.similarity, replayed.decided_by)
      IS DISTINCT FROM (assignments.identity_id, assignments.similarity, assignments.decided_by)
"""

# The place of an erased face stays, and nothing is left to compare it with.
_OFF_SUPPRESSIONS: Final[LiteralString] = """
SELECT face_id FROM replayed_suppressions AS replayed FULL JOIN suppressed_regions USING (face_id)
WHERE (replayed.content_key IS NULL) <> (suppressed_regions.content_key IS NULL)
  AND EXISTS (SELECT FROM faces WHERE faces.face_id = suppressed_regions.face_id
              OR faces.face_id = replayed.face_id)
"""

_OFF_LINKS: Final[LiteralString] = """
SELECT DISTINCT face_id
FROM replayed_links AS replayed FULL JOIN constraints USING (face_id, other_face_id)
WHERE (replayed.kind, replayed.decision_id)
      IS DISTINCT FROM (constraints.kind, constraints.decision_id)
"""


@dataclass(frozen=True, slots=True)
class Subjects:
    """Whose rows are to be brought in line.

    Attributes:
        links: The smaller faces of the links.
    """

    identities: tuple[UUID, ...]
    faces: tuple[UUID, ...]
    suppressed: tuple[UUID, ...]
    links: tuple[UUID, ...]

    @property
    def counts(self) -> Differences:
        """How many they are."""
        return Differences(
            len(self.identities), len(self.faces), len(self.suppressed), len(self.links)
        )


def touched(decisions: Iterable[Decision]) -> Subjects:
    """Name the subjects of the registers that decisions write."""
    subjects: dict[str, dict[UUID, None]] = {
        "identity": {},
        "face": {},
        "suppressed": {},
        "link": {},
    }
    for decision in decisions:
        for write in decision.writes:
            cell = write.cell
            if cell.identity_id is not None:
                subjects["identity"][cell.identity_id] = None
            elif cell.face_id is not None:
                subjects[cell.register][cell.face_id] = None
    return Subjects(*(tuple(each) for each in subjects.values()))


def identities_named(decisions: Iterable[Decision]) -> list[UUID]:
    """Name the identities that decisions are about: theirs, and those that faces left or joined."""
    named: dict[UUID | None, None] = {}
    for decision in decisions:
        for write in decision.writes:
            named[write.cell.identity_id] = None
            named[write.left] = None
            if isinstance(write.value, Membership):
                named[write.value.identity_id] = None
            if isinstance(write.value, Standing):
                named[write.value.merged_into] = None
    return [identity_id for identity_id in named if identity_id is not None]


def require_faces(connection: Connection, decisions: Iterable[Decision]) -> None:
    """Hold the faces that decisions put somewhere, until the transaction ends.

    Raises:
        Transient: One was erased since it was read.
    """
    placed = {
        write.cell.face_id
        for decision in decisions
        for write in decision.writes
        if write.cell.register in {Register.FACE, Register.LINK} and write.value is not None
    }
    found = connection.execute(_LOCK_FACES, (list(placed),)).rowcount
    if found < len(placed):
        raise Transient("a face was erased while people were decided")


def project(connection: Connection, subjects: Subjects) -> None:
    """Bring the rows of some subjects in line with the log."""
    # Identities refer to each other, faces refer to them.
    _in_batches(connection, _BEGIN_IDENTITIES, subjects.identities)
    _in_batches(connection, _PROJECT_IDENTITIES, subjects.identities)
    _in_batches(connection, _PROJECT_FACES, subjects.faces)
    _in_batches(connection, _PROJECT_SUPPRESSIONS, subjects.suppressed)
    _in_batches(connection, _PROJECT_LINKS, subjects.links)


def differing(connection: Connection) -> Subjects:
    """Name the subjects whose rows are not what the log comes to."""
    return Subjects(
        *(
            tuple(subject for (subject,) in connection.execute(statement))
            for statement in (_OFF_IDENTITIES, _OFF_FACES, _OFF_SUPPRESSIONS, _OFF_LINKS)
        )
    )


def _in_batches(connection: Connection, statement: LiteralString, subjects: Sequence[UUID]) -> None:
    for start in range(0, len(subjects), _AT_A_TIME):
        connection.execute(statement, {"subjects": list(subjects[start : start + _AT_A_TIME])})
