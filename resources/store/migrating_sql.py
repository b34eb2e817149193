"""The statements of changes of models. Text only; ``migrating`` and ``old_vectors`` send them."""

from __future__ import annotations

from typing import Final, LiteralString

ROW: Final[LiteralString] = """
SELECT migration_id, from_model, to_model, state, force, redetect, started_at, ended_at,
       evaluation, old_vectors_until, opened_at
FROM model_migrations
"""
UNDER_WAY: Final[LiteralString] = ROW + "WHERE state = 'embedding'"
LATEST: Final[LiteralString] = ROW + "ORDER BY started_at DESC LIMIT 1"
ONE: Final[LiteralString] = ROW + "WHERE migration_id = %s"

BEGIN: Final[LiteralString] = """
INSERT INTO model_migrations (migration_id, from_model, to_model, force, redetect)
VALUES (%s, %s, %s, %s, %s)
"""
WISH: Final[LiteralString] = """
UPDATE model_migrations SET force = force OR %s, redetect = redetect OR %s WHERE migration_id = %s
"""

# SHARE: an abort waits for this commit, or this commit sees it.
STILL: Final[LiteralString] = """
SELECT FROM model_migrations WHERE migration_id = %s AND state = 'embedding' FOR SHARE
"""
HOLD: Final[LiteralString] = """
SELECT FROM model_migrations WHERE migration_id = %s AND state = 'embedding' FOR UPDATE
"""

COUNTS: Final[LiteralString] = """
SELECT (SELECT count(*) FROM faces),
       (SELECT count(*) FROM embeddings WHERE model = %(to_model)s),
       (SELECT count(*) FROM migration_refusals WHERE migration_id = %(migration_id)s),
       (SELECT count(*) FROM estimated_vectors WHERE model = %(to_model)s)
"""

LACKS: Final[LiteralString] = """
NOT EXISTS (
    SELECT FROM embeddings
    WHERE embeddings.face_id = faces.face_id AND embeddings.model = %(to_model)s)
AND NOT EXISTS (
    SELECT FROM migration_refusals
    WHERE migration_refusals.face_id = faces.face_id AND migration_id = %(migration_id)s)
"""
LACKING: Final[LiteralString] = f"""
SELECT face_id, crop_key, x1, y1, x2, y2, landmarks, landmark_schema, width, height,
       faces.created_at
FROM faces JOIN blobs USING (content_key)
WHERE (faces.created_at, face_id) > (%(after_time)s, %(after_id)s) AND {LACKS}
ORDER BY faces.created_at, face_id LIMIT %(limit)s
"""
LACKS_ANY: Final[LiteralString] = f"SELECT EXISTS (SELECT FROM faces WHERE {LACKS})"
BEFORE_ALL: Final = {"after_time": "-infinity", "after_id": "0" * 32}

# A face that was erased since it was read is left out; KEY SHARE keeps it until the commit.
THERE: Final[LiteralString] = """
SELECT face_id FROM faces WHERE face_id = ANY(%s) ORDER BY face_id FOR KEY SHARE
"""
KEEP: Final[LiteralString] = """
INSERT INTO embeddings (face_id, model, dims, embedding) VALUES (%s, %s, %s, %s)
ON CONFLICT (face_id, model) DO NOTHING
"""
REFUSE: Final[LiteralString] = """
INSERT INTO migration_refusals (migration_id, face_id, reason) VALUES (%s, %s, %s)
ON CONFLICT DO NOTHING
"""
ESTIMATED: Final[LiteralString] = """
INSERT INTO estimated_vectors (face_id, model) VALUES (%s, %s) ON CONFLICT DO NOTHING
"""
RETRY: Final[LiteralString] = "DELETE FROM migration_refusals WHERE migration_id = %s"
EVALUATED: Final[LiteralString] = """
UPDATE model_migrations SET evaluation = %s::jsonb WHERE migration_id = %s
"""

SWITCHED: Final[LiteralString] = """
UPDATE model_migrations
SET state = 'switched', ended_at = now(), old_vectors_until = now() + %s
WHERE migration_id = %s
"""

# As `redo` opens them: faces and vectors come of one look, and an open fingerprint is what brings
# the window back by itself.
REFUSED_MEDIA: Final[LiteralString] = """
SELECT DISTINCT media_id
FROM migration_refusals JOIN faces USING (face_id) JOIN media USING (content_key)
WHERE migration_id = %s
"""
OPEN: Final[LiteralString] = """
UPDATE media_products SET state = 'pending', updated_at = now()
WHERE media_id = ANY(%s) AND state = 'done'
  AND product IN ('fingerprints', 'faces', 'embeddings')
"""
OPENED: Final[LiteralString] = """
UPDATE model_migrations SET opened_at = now() WHERE migration_id = %s
"""

# What was there before the migration began stays: only it stores vectors of its model meanwhile.
MADE_BY_IT: Final[LiteralString] = """
DELETE FROM embeddings WHERE (face_id, model) IN (
    SELECT face_id, model FROM embeddings
    WHERE model = %(to_model)s AND created_at >= %(started_at)s LIMIT %(limit)s)
"""
ABORTED: Final[LiteralString] = """
UPDATE model_migrations SET state = 'aborted', ended_at = now() WHERE migration_id = %s
"""

ROWS_A_DELETE: Final = 10_000
