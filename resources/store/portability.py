"""People as another archive can read them, and the faces that a file may speak of.

Reading only; writing is a correction like any other (`corrections`). What no chat that allows
faces shows is not ported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any, Final

from psycopg import Connection
from psycopg.rows import dict_row

from archive.faces.records import Box
from archive.identity.constraints import LinkKind
from archive.identity.events import DecidedBy
from archive.identity.records import IdentityState
from archive.ids import ContentKey, FaceId
from archive.known_faces import KnownFace
from archive.portability import PortedFace, PortedLink, PortedPeople, PortedPerson
from resources.store.database import Database

# One look at everything, whoever writes meanwhile.
_SNAPSHOT: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"

_PEOPLE: Final = """
SELECT number, label, state, cover_face_id FROM identities
WHERE state IN ('visible', 'hidden') ORDER BY number
"""

# Whose they are, that they are none, or what persons said of them: of other faces there is nothing
# to tell. In an order of their places, so that equal archives give equal files.
_FACES: Final = """
SELECT faces.face_id, faces.content_key, faces.frame_seconds, faces.x1, faces.y1, faces.x2,
       faces.y2, number, similarity, decided_by,
       suppressed_regions.face_id IS NOT NULL AS suppressed
FROM faces
LEFT JOIN assignments ON assignments.face_id = faces.face_id
LEFT JOIN identities
    ON identities.identity_id = assignments.identity_id AND state IN ('visible', 'hidden')
LEFT JOIN suppressed_regions ON suppressed_regions.face_id = faces.face_id
WHERE faces.content_key IN (SELECT content_key FROM sources_within(NULL, NULL, NULL))
  AND (number IS NOT NULL OR suppressed_regions.face_id IS NOT NULL OR faces.face_id IN (
      SELECT face_id FROM constraints UNION ALL SELECT other_face_id FROM constraints))
ORDER BY faces.content_key, faces.frame_seconds, faces.x1, faces.y1, faces.x2, faces.y2
"""
_LINKS: Final = "SELECT face_id, other_face_id, kind FROM constraints"

_SIZES: Final = """
SELECT content_key, width, height FROM blobs
WHERE content_key = ANY(%s) AND sha256 IS NOT NULL AND duration_seconds IS NULL
  AND width IS NOT NULL AND height IS NOT NULL
"""

_KNOWN: Final = """
SELECT content_key, face_id, frame_seconds, x1, y1, x2, y2 FROM faces
WHERE content_key = ANY(%s) ORDER BY face_id
"""


class PortabilityStore:
    """What is ported. Satisfies `archive.portability.ImportStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ported(self) -> PortedPeople:
        """Give everybody with their faces, as one look at the archive sees them."""
        with self._database.transaction() as connection:
            connection.execute(_SNAPSHOT)
            faces = _rows(connection, _FACES)
            people = _rows(connection, _PEOPLE)
            links = connection.execute(_LINKS).fetchall()
        places = {row["face_id"]: place for place, row in enumerate(faces)}
        pairs = sorted(
            (*sorted((places[one], places[other])), kind)
            for one, other, kind in links
            if one in places and other in places
        )
        return PortedPeople(
            tuple(_person(row, places) for row in people),
            tuple(_face(row) for row in faces),
            tuple(PortedLink(one, other, LinkKind(kind)) for one, other, kind in pairs),
        )

    def photo_sizes(self, keys: Collection[ContentKey]) -> dict[ContentKey, tuple[int, int]]:
        """Give width and height of those of the contents that are photos and were read whole."""
        with self._database.transaction() as connection:
            rows = connection.execute(_SIZES, (list(keys),))
            return {ContentKey(key): (width, height) for key, width, height in rows}

    def known_faces(self, keys: Collection[ContentKey]) -> dict[ContentKey, list[KnownFace]]:
        """Give the faces of those of the contents that have any."""
        known: defaultdict[ContentKey, list[KnownFace]] = defaultdict(list)
        with self._database.transaction() as connection:
            for key, face_id, seconds, *sides in connection.execute(_KNOWN, (list(keys),)):
                face = KnownFace(FaceId(face_id), seconds, Box(*sides), decided=True)
                known[ContentKey(key)].append(face)
        return dict(known)


def _rows(connection: Connection, statement: str) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement.encode()).fetchall()


def _person(row: dict[str, Any], places: dict[FaceId, int]) -> PortedPerson:
    state, cover = IdentityState(row["state"]), places.get(row["cover_face_id"])
    return PortedPerson(row["number"], row["label"], state, cover)


def _face(row: dict[str, Any]) -> PortedFace:
    number = row["number"]
    return PortedFace(
        content_key=ContentKey(row["content_key"]),
        frame_seconds=row["frame_seconds"],
        box=Box(row["x1"], row["y1"], row["x2"], row["y2"]),
        person=number,
        similarity=1.0 if number is None else row["similarity"],
        decided_by=DecidedBy.PERSON if number is None else DecidedBy(row["decided_by"]),
        suppressed=row["suppressed"],
    )
