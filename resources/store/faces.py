"""Contents and what was seen on them: blobs, models, faces, vectors. Writing only.

Every function works inside the caller's transaction. Who may be analysed and which medium a
content came from is decided in ``media``; whose face it is, in ``people``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from psycopg import Connection
from psycopg.rows import dict_row

from archive.camera import camera_facts
from archive.errors import Permanent
from archive.faces.records import Box, ExifScalar, Fingerprint, FoundFace, ModelRecord
from archive.ids import (
    ContentKey,
    FaceId,
    MediaId,
    content_key,
    new_face_id,
    ranged_content_key,
)
from archive.known_faces import KnownFace, NoFace, attach
from archive.provenance import require_model
from resources.store.model_in_use import begin_with, require_in_use

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"

_FIND_MODEL = "SELECT sha256, dims FROM models WHERE name = %s"

_WRITE_MODEL = """
INSERT INTO models (name, kind, licence, commercial_use, sha256, dims, thresholds)
VALUES (%(name)s, %(kind)s, %(licence)s, %(commercial_use)s, %(sha256)s, %(dims)s,
        %(thresholds)s::jsonb)
ON CONFLICT (name) DO UPDATE
SET licence = EXCLUDED.licence, commercial_use = EXCLUDED.commercial_use,
    sha256 = EXCLUDED.sha256, thresholds = EXCLUDED.thresholds
"""

_READ_WHOLE = """
SELECT content_key FROM media WHERE media_id = %s AND starts_with(content_key, 'sha256:')
"""

_WRITE_NAME = """
INSERT INTO blobs (content_key, sha256, size_bytes) VALUES (%s, %s, %s)
ON CONFLICT (content_key) DO NOTHING
"""

_WRITE_BLOB = """
INSERT INTO blobs (content_key, sha256, phash, width, height, duration_seconds, size_bytes, exif,
                   truncated, taken_at, utc_offset_minutes, latitude, longitude, altitude_metres,
                   camera_make, camera_model, lens, iso, aperture, shutter_seconds,
                   focal_length_mm)
VALUES (%(content_key)s, %(sha256)s, %(phash)s, %(width)s, %(height)s, %(duration_seconds)s,
        %(size_bytes)s, %(exif)s::jsonb, %(truncated)s, %(taken_at)s, %(utc_offset_minutes)s,
        %(latitude)s, %(longitude)s, %(altitude_metres)s, %(make)s, %(model)s, %(lens)s, %(iso)s,
        %(aperture)s, %(shutter_seconds)s, %(focal_length_mm)s)
ON CONFLICT (content_key) DO UPDATE
SET phash = EXCLUDED.phash, width = EXCLUDED.width, height = EXCLUDED.height,
    duration_seconds = EXCLUDED.duration_seconds, exif = EXCLUDED.exif,
    truncated = EXCLUDED.truncated,
    taken_at = EXCLUDED.taken_at, utc_offset_minutes = EXCLUDED.utc_offset_minutes,
    latitude = EXCLUDED.latitude, longitude = EXCLUDED.longitude,
    altitude_metres = EXCLUDED.altitude_metres, camera_make = EXCLUDED.camera_make,
    camera_model = EXCLUDED.camera_model, lens = EXCLUDED.lens, iso = EXCLUDED.iso,
    aperture = EXCLUDED.aperture, shutter_seconds = EXCLUDED.shutter_seconds,
    focal_length_mm = EXCLUDED.focal_length_mm
"""

_KNOWN_FACES = """
SELECT face_id, frame_seconds, x1, y1, x2, y2,
       EXISTS (SELECT FROM assignments WHERE assignments.face_id = faces.face_id)
       OR EXISTS (
           SELECT FROM constraints WHERE faces.face_id IN (constraints.face_id, other_face_id))
       OR EXISTS (
           SELECT FROM identity_events
           WHERE identity_events.face_id = faces.face_id AND register = 'suppressed') AS decided
FROM faces WHERE content_key = %s ORDER BY face_id
"""

_NO_FACES = """
SELECT frame_seconds, x1, y1, x2, y2 FROM suppressed_regions WHERE content_key = %s
"""

_REMOVE_FACES = "DELETE FROM faces WHERE face_id = ANY(%s)"

_WRITE_FACE = """
INSERT INTO faces (face_id, content_key, frame_seconds, x1, y1, x2, y2, landmarks,
                   landmark_schema, detection_score, quality, track, first_seconds,
                   last_seconds, model, crop_key)
VALUES (%(face_id)s, %(content_key)s, %(frame_seconds)s, %(x1)s, %(y1)s, %(x2)s, %(y2)s,
        %(landmarks)s, %(landmark_schema)s, %(detection_score)s, %(quality)s, %(track)s,
        %(first_seconds)s, %(last_seconds)s, %(model)s, %(crop_key)s)
ON CONFLICT (face_id) DO UPDATE
SET frame_seconds = EXCLUDED.frame_seconds, x1 = EXCLUDED.x1, y1 = EXCLUDED.y1,
    x2 = EXCLUDED.x2, y2 = EXCLUDED.y2, landmarks = EXCLUDED.landmarks,
    landmark_schema = EXCLUDED.landmark_schema, detection_score = EXCLUDED.detection_score,
    quality = EXCLUDED.quality, track = EXCLUDED.track,
    first_seconds = EXCLUDED.first_seconds, last_seconds = EXCLUDED.last_seconds,
    model = EXCLUDED.model, crop_key = EXCLUDED.crop_key
"""

_WRITE_EMBEDDING = """
INSERT INTO embeddings (face_id, model, dims, embedding)
VALUES (%s, %s, %s, %s)
ON CONFLICT (face_id, model) DO UPDATE
SET dims = EXCLUDED.dims, embedding = EXCLUDED.embedding
"""


def ensure_model(connection: Connection, model: ModelRecord) -> None:
    """Record a model.

    Raises:
        Permanent: Other files made vectors under this name; the two would never fit together.
    """
    # Two first passes with different files must not both find no model.
    connection.execute(_LOCK, (f"model {model.name}",))
    known = connection.execute(_FIND_MODEL, (model.name,)).fetchone()
    if known is not None and (known[0] not in {None, model.sha256} or known[1] != model.dims):
        raise Permanent(
            f"the files of model {model.name!r} are not those that made the vectors in the "
            "archive: put the old files back, or keep the new ones in a folder of another name"
        )
    values = asdict(model) | {"thresholds": json.dumps(asdict(model.thresholds))}
    connection.execute(_WRITE_MODEL, values)


def lock_bytes(connection: Connection, sha256: bytes) -> ContentKey:
    """Keep every other commit of these bytes out until the transaction ends."""
    key = content_key(sha256)
    connection.execute(_LOCK, (f"content {key}",))
    return key


def lock_key(connection: Connection, key: ContentKey) -> None:
    """Keep every other commit of a content out until the transaction ends."""
    connection.execute(_LOCK, (f"content {key}",))


def lock_content(connection: Connection, media_id: MediaId, fingerprint: Fingerprint) -> ContentKey:
    """Keep every other commit of the same bytes out until the transaction ends.

    Two media of equal bytes in two passes would otherwise both find no faces stored, and both
    store theirs.
    """
    if fingerprint.sha256 is not None:
        return lock_bytes(connection, fingerprint.sha256)
    # Read in parts now, but whole once: its digest is its name for good.
    known = connection.execute(_READ_WHOLE, (media_id,)).fetchone()
    key = known[0] if known else ranged_content_key(media_id, fingerprint.size_bytes)
    connection.execute(_LOCK, (f"content {key}",))
    return ContentKey(key)


def write_name(connection: Connection, key: ContentKey, sha256: bytes, size_bytes: int) -> None:
    """Make a content known that nobody looked at yet."""
    connection.execute(_WRITE_NAME, (key, sha256, size_bytes))


def write_blob(connection: Connection, key: ContentKey, fingerprint: Fingerprint) -> None:
    """Store what tells a content from another, and what its camera wrote into it."""
    exif = _storable(fingerprint.exif)
    values = asdict(camera_facts(exif)) | {
        "content_key": key,
        "sha256": fingerprint.sha256,
        "phash": fingerprint.phash,
        "width": fingerprint.width or None,
        "height": fingerprint.height or None,
        "duration_seconds": fingerprint.duration_seconds,
        "size_bytes": fingerprint.size_bytes,
        "exif": json.dumps(exif),
        "truncated": fingerprint.truncated,
    }
    connection.execute(_WRITE_BLOB, values)


def write_faces(
    connection: Connection,
    key: ContentKey,
    model: str,
    faces: Sequence[FoundFace],
    crop_keys: Sequence[str],
) -> int:
    """Store the faces of a content with their vectors, attached to those it has already.

    Where a person said that there is no face, none is stored.

    Returns:
        How many are new.

    Raises:
        MixedModels: Another model made one of the vectors.
        Transient: Another model is in use.
    """
    attachment = attach(known_faces(connection, key), faces, _no_faces(connection, key))
    connection.execute(_REMOVE_FACES, (list(attachment.gone),))
    shown = [index for index in range(len(faces)) if index not in attachment.left_out]
    faces, crop_keys = [faces[index] for index in shown], [crop_keys[index] for index in shown]
    kept = [attachment.kept[index] for index in shown]
    ids = [each or new_face_id() for each in kept]
    _write(connection, ids, key, model, faces, crop_keys)
    return sum(each is None for each in kept)


def _no_faces(connection: Connection, key: ContentKey) -> list[NoFace]:
    return [
        NoFace(frame_seconds, Box(x1, y1, x2, y2))
        for frame_seconds, x1, y1, x2, y2 in connection.execute(_NO_FACES, (key,))
    ]


def _write(
    connection: Connection,
    ids: Sequence[FaceId],
    key: ContentKey,
    model: str,
    faces: Sequence[FoundFace],
    crop_keys: Sequence[str],
) -> None:
    for face in faces:
        require_model(face.embedding, model)
    if not faces:
        return
    begin_with(connection, model)
    require_in_use(connection, model)
    rows = [
        _face_row(face_id, key, model, face, crop)
        for face_id, face, crop in zip(ids, faces, crop_keys, strict=True)
    ]
    vectors = [
        (face_id, model, len(face.embedding), np.asarray(face.embedding))
        for face_id, face in zip(ids, faces, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_WRITE_FACE, rows)
        cursor.executemany(_WRITE_EMBEDDING, vectors)


def add_face(
    connection: Connection, key: ContentKey, model: str, face: FoundFace, crop_key: str
) -> FaceId:
    """Store one more face of a content, beside those that a search found.

    Raises:
        MixedModels: Another model made its vector.
        Transient: Another model is in use.
    """
    face_id = new_face_id()
    _write(connection, [face_id], key, model, [face], [crop_key])
    return face_id


def known_faces(connection: Connection, key: ContentKey) -> list[KnownFace]:
    """Give the faces that a content has."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return [
            KnownFace(
                face_id=FaceId(row["face_id"]),
                frame_seconds=row["frame_seconds"],
                box=Box(row["x1"], row["y1"], row["x2"], row["y2"]),
                decided=row["decided"],
            )
            for row in cursor.execute(_KNOWN_FACES, (key,))
        ]


def _face_row(
    face_id: FaceId, key: ContentKey, model: str, face: FoundFace, crop_key: str
) -> dict[str, Any]:
    return {
        "face_id": face_id,
        "content_key": key,
        "frame_seconds": face.frame_seconds,
        "x1": float(face.box.x1),
        "y1": float(face.box.y1),
        "x2": float(face.box.x2),
        "y2": float(face.box.y2),
        "landmarks": [float(value) for value in face.landmarks.ravel()],
        "landmark_schema": face.landmark_schema,
        "detection_score": float(face.detection_score),
        "quality": float(face.quality),
        "track": face.track,
        "first_seconds": face.first_seconds,
        "last_seconds": face.last_seconds,
        "model": model,
        "crop_key": crop_key,
    }


def _storable(exif: Mapping[str, ExifScalar]) -> dict[str, ExifScalar]:
    """Leave out what PostgreSQL's JSON does not know: one odd tag must not lose a photo."""
    return {
        name: _without_odd_characters(value) if isinstance(value, str) else value
        for name, value in exif.items()
        if not isinstance(value, float) or math.isfinite(value)
    }


def _without_odd_characters(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
