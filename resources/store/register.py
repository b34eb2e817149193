"""The register of people in the store: who there is, and what is shown of each.

Implements `archive.finding.Register`. Reading only: correcting is `corrections`, deciding
`people`. Whatever is counted or listed here, a chat that allows faces shows it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final, LiteralString

from psycopg.rows import dict_row

from archive.faces.records import Box
from archive.finding import MemberFace, PersonCard
from archive.identity.events import DecidedBy
from archive.identity.records import Identity, IdentityState
from archive.ids import ContentKey, FaceId, IdentityId
from resources.store.database import Database

_CARDS: Final[LiteralString] = """
WITH wanted AS (
    SELECT * FROM identities
    WHERE (%(ids)s::uuid[] IS NULL OR identity_id = ANY(%(ids)s::uuid[]))
      AND (%(states)s::text[] IS NULL OR state = ANY(%(states)s::text[]))
), held AS (
    SELECT identity_id, content_key, decided_by
    FROM wanted JOIN assignments USING (identity_id) JOIN faces USING (face_id)
), shown AS (
    SELECT content_key, min(sent_at) AS first_seen, max(sent_at) AS last_seen
    FROM sources_within(NULL, NULL, NULL)
    WHERE %(ids)s::uuid[] IS NULL OR content_key IN (SELECT content_key FROM held)
    GROUP BY content_key
), counted AS (
    SELECT identity_id, count(*) AS faces, count(DISTINCT content_key) AS contents,
           count(*) FILTER (WHERE decided_by = 'person') AS confirmed,
           min(first_seen) AS first_seen, max(last_seen) AS last_seen
    FROM held JOIN shown USING (content_key) GROUP BY identity_id
)
SELECT wanted.identity_id, number, label, state, version, cover_face_id AS cover,
       coalesce(faces, 0) AS faces, coalesce(contents, 0) AS contents,
       coalesce(confirmed, 0) AS confirmed, first_seen, last_seen
FROM wanted LEFT JOIN counted USING (identity_id)
ORDER BY number
"""

_HEIR: Final[LiteralString] = """
WITH RECURSIVE line AS (
    SELECT identity_id, merged_into FROM identities
    WHERE number = %(number)s OR identity_id = %(identity_id)s
    UNION
    SELECT heir.identity_id, heir.merged_into
    FROM line JOIN identities AS heir ON heir.identity_id = line.merged_into
)
SELECT identity_id FROM line WHERE merged_into IS NULL
"""

_CALLED = """
SELECT identity_id FROM identities
WHERE lower(label) = lower(%s) AND state IN ('visible', 'hidden') ORDER BY number
"""
_CALLED_LIKE = """
SELECT identity_id FROM identities
WHERE position(lower(%s) IN lower(label)) > 0 AND state IN ('visible', 'hidden')
ORDER BY number LIMIT %s
"""

# What a person decided first: it is what everything else is compared with.
_MEMBERS = """
SELECT face_id, content_key, frame_seconds, x1, y1, x2, y2, quality, similarity, decided_by
FROM assignments JOIN faces USING (face_id)
WHERE identity_id = %(identity_id)s AND EXISTS (
    SELECT FROM sources_within(NULL, NULL, NULL) AS source
    WHERE source.content_key = faces.content_key)
ORDER BY decided_by DESC, quality DESC, face_id
LIMIT %(limit)s
"""


class RegisterStore:
    """Who there is, in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def numbered(self, number: int) -> IdentityId | None:
        """Give the identity of a number; a merged one leads to who took its faces."""
        return self._first(_HEIR, {"number": number, "identity_id": None})

    def heir(self, identity_id: IdentityId) -> IdentityId | None:
        """Give an identity, or who took its faces; None where there never was one."""
        return self._first(_HEIR, {"number": None, "identity_id": identity_id})

    def called(self, name: str) -> Sequence[IdentityId]:
        """Give the visible and hidden identities of a name, whatever its case."""
        return self._ids(_CALLED, (name,))

    def called_like(self, part: str, *, most: int) -> Sequence[IdentityId]:
        """Give some visible and hidden identities whose name holds a text."""
        return self._ids(_CALLED_LIKE, (part, most))

    def cards(self, identity_ids: Collection[IdentityId]) -> list[PersonCard]:
        """Describe identities in whatever state, by number."""
        return self._cards(ids=list(identity_ids), states=None)

    def everybody(self, *states: IdentityState) -> list[PersonCard]:
        """Describe all identities in some states, by number."""
        return self._cards(ids=None, states=[str(state) for state in states])

    def members(self, identity_id: IdentityId, *, limit: int) -> list[MemberFace]:
        """Give an identity's faces, those that a person decided first, then the best."""
        values = {"identity_id": identity_id, "limit": limit}
        return [_member(row) for row in self._rows(_MEMBERS, values)]

    def _cards(self, **values: Any) -> list[PersonCard]:
        return [_card(row) for row in self._rows(_CARDS, values)]

    def _first(self, statement: LiteralString, values: object) -> IdentityId | None:
        return next(iter(self._ids(statement, values)), None)

    def _ids(self, statement: LiteralString, values: Any) -> list[IdentityId]:
        return [IdentityId(row["identity_id"]) for row in self._rows(statement, values)]

    def _rows(self, statement: LiteralString, values: Any) -> list[dict[str, Any]]:
        with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            return cursor.execute(statement, values).fetchall()


def _card(row: dict[str, Any]) -> PersonCard:
    identity = Identity(
        IdentityId(row.pop("identity_id")),
        row.pop("number"),
        row.pop("label"),
        IdentityState(row.pop("state")),
    )
    return PersonCard(identity=identity, **row)


def _member(row: dict[str, Any]) -> MemberFace:
    return MemberFace(
        face_id=FaceId(row["face_id"]),
        content_key=ContentKey(row["content_key"]),
        frame_seconds=row["frame_seconds"],
        box=Box(row["x1"], row["y1"], row["x2"], row["y2"]),
        quality=row["quality"],
        similarity=row["similarity"],
        decided_by=DecidedBy(row["decided_by"]),
    )
