"""Whom one could ask about, and what was answered: reading only.

Satisfies `archive.suggestions.Asking` and `archive.calibrating.Labels`. Answers are corrections
and go to `corrections`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from typing import Final, LiteralString

from psycopg import Connection

from archive.identity.comparisons import LabelledFaces
from archive.identity.constraints import LinkKind, Links
from archive.identity.strangers import Appearance, RarelySeen
from archive.ids import FaceId, IdentityId
from archive.suggestions import Everybody
from resources.store.corrections import read_links
from resources.store.database import Database
from resources.store.people import usable_faces

# Faces, links and people are read one after the other: all of one moment.
_SNAPSHOT: Final[LiteralString] = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"

_VISIBLE: Final[LiteralString] = "SELECT identity_id FROM identities WHERE state = 'visible'"

_BY_HAND: Final[LiteralString] = "SELECT face_id FROM assignments WHERE decided_by = 'person'"

# A name labels all faces of its person; without one only those count about which somebody decided.
# Those come first: only some faces of each person are compared. Two identities of one name are one.
_LABELS: Final[LiteralString] = """
SELECT face_id, coalesce(lower(label), identity_id::text), decided_by = 'person'
FROM assignments JOIN identities USING (identity_id)
WHERE state IN ('visible', 'hidden') AND (label IS NOT NULL OR decided_by = 'person')
ORDER BY decided_by = 'person' DESC, face_id
"""

_RARELY_SEEN: Final[LiteralString] = """
WITH rare AS (
    SELECT identity_id, count(DISTINCT content_key) AS contents
    FROM identities JOIN assignments USING (identity_id) JOIN faces USING (face_id)
    WHERE state = 'visible' AND label IS NULL
    GROUP BY identity_id
    HAVING count(DISTINCT content_key) <= %(most)s AND bool_and(decided_by = 'matcher')
)
SELECT identity_id, contents, least(x2 - x1, y2 - y1), least(width, height), (
    SELECT max(least(beside.x2 - beside.x1, beside.y2 - beside.y1))
    FROM faces AS beside
    WHERE (beside.content_key, beside.frame_seconds) = (faces.content_key, faces.frame_seconds)
)
FROM rare
JOIN identities USING (identity_id)
JOIN assignments USING (identity_id)
JOIN faces USING (face_id)
JOIN blobs USING (content_key)
ORDER BY number, face_id
"""


class AskingStore:
    """People as questions and labels see them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def everybody(self, model: str, min_quality: float) -> Everybody:
        """Give the faces of visible people and of nobody, with what was said of them."""
        with self._snapshot() as connection:
            faces = usable_faces(connection, model, min_quality)
            visible = {None, *(identity_id for (identity_id,) in connection.execute(_VISIBLE))}
            rows = [row for row, whose in enumerate(faces.assigned) if whose in visible]
            return Everybody(
                # Hardly ever is anybody hidden, and a million vectors are not copied for nothing.
                faces if len(rows) == len(faces) else faces.take(rows),
                frozenset(FaceId(face_id) for (face_id,) in connection.execute(_BY_HAND)),
                read_links(connection),
            )

    def labelled(self, model: str, min_quality: float) -> LabelledFaces:
        """Give the faces of whom somebody said whom they show, or do not show."""
        with self._snapshot() as connection:
            faces = usable_faces(connection, model, min_quality)
            labels = connection.execute(_LABELS).fetchall()
            links = read_links(connection)
        row_of = {face.face_id: row for row, face in enumerate(faces.faces)}
        people = {FaceId(face_id): person for face_id, person, _ in labels if face_id in row_of}
        rejected = [(face, person) for face, person in _rejections(links, people) if face in row_of]
        unknown = dict.fromkeys(face for face, _ in rejected if face not in people)
        used = faces.take([row_of[face] for face in [*people, *unknown]])
        place = {face.face_id: row for row, face in enumerate(used.faces)}
        return LabelledFaces(
            used.faces,
            used.vectors,
            tuple(people.get(face.face_id) for face in used.faces),
            by_hand=sum(by_hand for face_id, _, by_hand in labels if face_id in row_of)
            + len(rejected),
            rejections=tuple((place[face], person) for face, person in rejected),
        )

    def rarely_seen(self, most: int) -> list[RarelySeen]:
        """Give visible people whom nobody knows, by number."""
        with self._database.transaction() as connection:
            rows = connection.execute(_RARELY_SEEN, {"most": most}).fetchall()
        return [
            RarelySeen(
                IdentityId(identity_id),
                contents,
                tuple(Appearance(*measures) for _, _, *measures in theirs),
            )
            for (identity_id, contents), theirs in groupby(rows, key=itemgetter(0, 1))
        ]

    @contextmanager
    def _snapshot(self) -> Iterator[Connection]:
        with self._database.transaction() as connection:
            connection.execute(_SNAPSHOT)
            yield connection


def _rejections(links: Links, people: dict[FaceId, str]) -> list[tuple[FaceId, str]]:
    """Give faces that were said not to be one with a labelled one, and whom they do not show."""
    pairs = [
        pair
        for link in links
        if link.kind is LinkKind.CANNOT
        for pair in ((link.face_id, link.other_face_id), (link.other_face_id, link.face_id))
    ]
    said = {(face, people[other]) for face, other in pairs if other in people}
    return sorted((face, person) for face, person in said if people.get(face) != person)
