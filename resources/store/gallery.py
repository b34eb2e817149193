"""The matcher's memory in the store: portraits, waiting faces, and what a pass begins with.

The tables `gallery_basis`, `portraits` and `waiting_faces` (migration 0011 says when they are
forgotten), and reading exactly those faces that a pass needs. Portraits themselves are made by
`archive.identity.gallery`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final, LiteralString
from uuid import UUID

import numpy as np
from psycopg import Connection

from archive.identity.gallery import Portrait, portrait
from archive.identity.records import FaceSet, FaceVector
from archive.identity.standing import Basis, Frame, Memory, Remembered, Standing, remembered
from archive.ids import ContentKey, FaceId, IdentityId
from resources.store.face_rows import FACE_COLUMNS, face_of, vectors_of
from resources.store.identity_events import copy_rows
from resources.store.model_in_use import require_in_use

_ROWS_A_FETCH: Final = 10_000
_IDENTITIES_A_READ: Final = 500

_KNOW_BASIS = "SELECT basis FROM gallery_basis"
_FORGET = "DELETE FROM portraits; DELETE FROM waiting_faces; DELETE FROM gallery_basis"
_SET_BASIS = "INSERT INTO gallery_basis (basis) VALUES (%s)"

_UNKNOWN_IDENTITIES = """
SELECT identity_id FROM identities
WHERE state IN ('visible', 'hidden')
  AND NOT EXISTS (SELECT FROM portraits WHERE portraits.identity_id = identities.identity_id)
ORDER BY number
"""

# Faces never decided about, oldest first.
_NEW_FACES = """
SELECT faces.face_id
FROM faces
JOIN embeddings ON embeddings.face_id = faces.face_id AND embeddings.model = %(model)s
WHERE faces.quality >= %(min_quality)s
  AND NOT EXISTS (SELECT FROM assignments WHERE assignments.face_id = faces.face_id)
  AND NOT EXISTS (SELECT FROM waiting_faces WHERE waiting_faces.face_id = faces.face_id)
  AND NOT EXISTS (SELECT FROM suppressed_regions WHERE suppressed_regions.face_id = faces.face_id)
  AND EXISTS (
      SELECT FROM content_sources
      WHERE content_sources.content_key = faces.content_key AND allow_faces)
ORDER BY faces.created_at, faces.face_id
LIMIT %(limit)s
"""

# Faces near somebody who changed, or is no more.
_STIRRED_FACES = """
SELECT face_id FROM waiting_faces
WHERE EXISTS (
    SELECT FROM unnest(near_identities) AS near (identity_id)
    WHERE NOT EXISTS (SELECT FROM portraits WHERE portraits.identity_id = near.identity_id))
"""

_WAITING = "SELECT face_id, near_identities FROM waiting_faces"

# The times of a few contents: one step into an index each.
_USABLE: LiteralString = f"""
SELECT {FACE_COLUMNS}
FROM faces
JOIN blobs USING (content_key)
JOIN embeddings ON embeddings.face_id = faces.face_id AND embeddings.model = %(model)s
CROSS JOIN LATERAL (
    SELECT min(sent_at) AS taken_at FROM content_sources
    WHERE content_sources.content_key = faces.content_key AND allow_faces
) AS shown
LEFT JOIN assignments ON assignments.face_id = faces.face_id
WHERE shown.taken_at IS NOT NULL
  AND faces.quality >= %(min_quality)s
  AND NOT EXISTS (SELECT FROM suppressed_regions WHERE suppressed_regions.face_id = faces.face_id)
"""
_OPEN: LiteralString = _USABLE + "AND assignments IS NULL AND faces.face_id = ANY(%(wanted)s)"
_MEMBERS: LiteralString = _USABLE + "AND assignments.identity_id = ANY(%(wanted)s)"

_PORTRAITS = """
SELECT identity_id, cardinality(exemplars), vector_send(centre)
FROM portraits JOIN identities USING (identity_id)
WHERE centre IS NOT NULL AND state IN ('visible', 'hidden')
ORDER BY number
"""
_EXEMPLARS = """
SELECT vector_send(embeddings.embedding)
FROM portraits
JOIN identities USING (identity_id)
CROSS JOIN unnest(exemplars) WITH ORDINALITY AS exemplar (face_id, place)
JOIN embeddings ON embeddings.face_id = exemplar.face_id AND embeddings.model = %(model)s
WHERE centre IS NOT NULL AND state IN ('visible', 'hidden')
ORDER BY number, place
"""

_BESIDE = """
SELECT DISTINCT open.content_key, open.frame_seconds, assignments.identity_id
FROM faces AS open
JOIN faces AS other USING (content_key, frame_seconds)
JOIN assignments ON assignments.face_id = other.face_id
WHERE open.face_id = ANY(%s)
"""
_WHERE = """
SELECT face_id, identity_id FROM assignments
WHERE face_id IN (SELECT face_id FROM constraints UNION ALL SELECT other_face_id FROM constraints)
"""

_DROP_PORTRAITS = "DELETE FROM portraits WHERE identity_id = ANY(%s)"
_COPY_PORTRAITS = "COPY portraits (identity_id, centre, exemplars) FROM STDIN"
_DROP_WAITING = "DELETE FROM waiting_faces WHERE face_id = ANY(%s)"
_COPY_WAITING = "COPY waiting_faces (face_id, near_identities) FROM STDIN"
_COUNT_WAITING = "SELECT count(*) FROM waiting_faces"


def what_is_due(connection: Connection, basis: Basis, limit: int) -> Standing | None:
    """Give what a pass begins with; None where nothing has changed since the last one.

    Args:
        connection: Of the transaction that decides.
        basis: What the memory must have been made for; another one is forgotten.
        limit: Most new faces of one pass.

    Raises:
        Transient: The basis is of a model that is not in use any more; nothing is forgotten.
    """
    require_in_use(connection, basis.model)
    _rest_on(connection, basis)
    unknown = [IdentityId(one) for (one,) in connection.execute(_UNKNOWN_IDENTITIES)]
    asked = {"model": basis.model, "min_quality": basis.min_quality, "limit": limit}
    due = {FaceId(one) for (one,) in connection.execute(_NEW_FACES, asked)}
    due |= {FaceId(one) for (one,) in connection.execute(_STIRRED_FACES)}
    if not unknown and not due:
        return None
    _portray(connection, basis, unknown)
    return _standing(connection, basis, due, frozenset(unknown))


def remember(connection: Connection, memory: Memory) -> None:
    """Keep what the next pass needs; call it after what was decided is written."""
    _write_portraits(connection, memory.portraits)
    waiting = [(one.face_id, list(one.near)) for one in memory.waiting]
    connection.execute(_DROP_WAITING, ([face_id for face_id, _ in waiting],))
    copy_rows(connection, _COPY_WAITING, waiting)


def count_waiting(connection: Connection) -> int:
    """Count the faces that were decided about and joined nobody."""
    row = connection.execute(_COUNT_WAITING).fetchone()
    assert row is not None, "an aggregate gives one row"
    return int(row[0])


def _rest_on(connection: Connection, basis: Basis) -> None:
    row = connection.execute(_KNOW_BASIS).fetchone()
    if row is None or row[0] != basis.mark:
        connection.execute(_FORGET)
        connection.execute(_SET_BASIS, (basis.mark,))


def _portray(connection: Connection, basis: Basis, identities: Sequence[IdentityId]) -> None:
    """Portray identities, a few at a time: of one person there may be very many faces."""
    for start in range(0, len(identities), _IDENTITIES_A_READ):
        some = identities[start : start + _IDENTITIES_A_READ]
        members = _members(connection, basis, some)
        made = {identity: remembered(portrait(faces), faces) for identity, faces in members.items()}
        nobody = dict.fromkeys(set(some) - made.keys(), Remembered((), ()))
        _write_portraits(connection, made | nobody)


def _standing(
    connection: Connection,
    basis: Basis,
    due: set[FaceId],
    changed: frozenset[IdentityId],
) -> Standing:
    near = {
        FaceId(face_id): tuple(IdentityId(one) for one in identities)
        for face_id, identities in connection.execute(_WAITING)
    }
    faces = _read(connection, _OPEN, basis, due | near.keys()).in_order()
    # What may no longer be compared waits no longer; should it ever be, it is new.
    unusable = near.keys() - {face.face_id for face in faces.faces}
    connection.execute(_DROP_WAITING, (list(unusable),))
    identities, portraits = _portraits(connection, basis)
    return Standing(
        identities=identities,
        portraits=portraits,
        faces=faces,
        due=tuple(row for row, face in enumerate(faces.faces) if face.face_id in due),
        near=tuple(near.get(face.face_id, ()) for face in faces.faces),
        changed=changed,
        beside=_beside(connection, faces),
        where={
            FaceId(face_id): IdentityId(identity_id)
            for face_id, identity_id in connection.execute(_WHERE)
        },
        members=lambda wanted: _members(connection, basis, wanted),
    )


def _portraits(
    connection: Connection, basis: Basis
) -> tuple[tuple[IdentityId, ...], tuple[Portrait, ...]]:
    rows = connection.execute(_PORTRAITS, binary=True).fetchall()
    centres = vectors_of([row[2] for row in rows], basis.model)
    sent: list[bytes] = []
    with connection.cursor("exemplars") as cursor:
        cursor.itersize = _ROWS_A_FETCH
        sent.extend(
            row[0] for row in cursor.execute(_EXEMPLARS, {"model": basis.model}, binary=True)
        )
    ends = np.cumsum([row[1] for row in rows])
    exemplars = np.split(vectors_of(sent, basis.model), ends[:-1]) if rows else []
    return (
        tuple(IdentityId(row[0]) for row in rows),
        tuple(Portrait(*pair) for pair in zip(centres, exemplars, strict=True)),
    )


def _members(
    connection: Connection, basis: Basis, identities: Sequence[IdentityId]
) -> Mapping[IdentityId, FaceSet]:
    faces = _read(connection, _MEMBERS, basis, identities)
    rows: dict[IdentityId, list[int]] = {}
    for row, identity in enumerate(faces.assigned):
        if identity is not None:
            rows.setdefault(identity, []).append(row)
    return {identity: faces.take(theirs) for identity, theirs in rows.items()}


def _read(
    connection: Connection, statement: LiteralString, basis: Basis, wanted: Collection[UUID]
) -> FaceSet:
    faces: list[FaceVector] = []
    assigned: list[IdentityId | None] = []
    sent: list[bytes] = []
    values = {"model": basis.model, "min_quality": basis.min_quality, "wanted": list(wanted)}
    with connection.cursor("faces_of_a_pass") as cursor:
        cursor.itersize = _ROWS_A_FETCH
        for row in cursor.execute(statement, values, binary=True):
            faces.append(face_of(row))
            assigned.append(None if row[11] is None else IdentityId(row[11]))
            sent.append(row[12])
    return FaceSet(tuple(faces), vectors_of(sent, basis.model), tuple(assigned))


def _beside(connection: Connection, faces: FaceSet) -> dict[Frame, frozenset[IdentityId]]:
    beside: dict[Frame, set[IdentityId]] = {}
    asked = ([face.face_id for face in faces.faces],)
    for content_key, frame_seconds, identity_id in connection.execute(_BESIDE, asked):
        frame = ContentKey(content_key), frame_seconds
        beside.setdefault(frame, set()).add(IdentityId(identity_id))
    return {frame: frozenset(identities) for frame, identities in beside.items()}


def _write_portraits(connection: Connection, portraits: Mapping[IdentityId, Remembered]) -> None:
    connection.execute(_DROP_PORTRAITS, (list(portraits),))
    rows = (
        (identity_id, str(list(one.centre)) if one.centre else None, list(one.exemplars))
        for identity_id, one in portraits.items()
    )
    copy_rows(connection, _COPY_PORTRAITS, rows)
