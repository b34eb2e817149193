"""A content that was read in parts and then whole: its digest becomes its name.

Works inside the caller's transaction, which holds the medium. Everything that is known of the
content goes over. Where the digest has some of it already, from the same bytes under another
file's name, that stands, and the other is given up as a deletion would: the log says so, and the
crops are remembered until they are gone.
"""

from __future__ import annotations

from typing import Final, LiteralString

from psycopg import Connection

from archive.ids import ContentKey, MediaId
from resources.store.identity_events import log_erased

_RANGED: Final[LiteralString] = """
SELECT content_key FROM media
WHERE media_id = %s AND starts_with(content_key, 'tgdoc:') AND content_key <> %s
"""

# What was seen of it; nobody may have looked at the bytes under the new name yet.
_SEEN: Final[LiteralString] = """
UPDATE blobs AS whole
SET phash = coalesce(whole.phash, parts.phash),
    width = coalesce(whole.width, parts.width), height = coalesce(whole.height, parts.height),
    duration_seconds = coalesce(whole.duration_seconds, parts.duration_seconds)
FROM blobs AS parts
WHERE whole.content_key = %(new)s AND parts.content_key = %(old)s
"""

_FACES: Final[LiteralString] = """
UPDATE faces SET content_key = %(new)s
WHERE content_key = %(old)s
  AND NOT EXISTS (SELECT FROM faces WHERE content_key = %(new)s)
"""

# What a person said to be no face is none under the other name.
_SUPPRESSED: Final[LiteralString] = """
UPDATE suppressed_regions SET content_key = %(new)s WHERE content_key = %(old)s
"""

_DOOM: Final[LiteralString] = """
INSERT INTO doomed_crops (crop_key)
SELECT crop_key FROM faces WHERE content_key = %(old)s
UNION
SELECT picture_key FROM derived_pictures WHERE content_key = %(old)s
ON CONFLICT DO NOTHING
"""

_LEFT_FACES: Final[LiteralString] = "DELETE FROM faces WHERE content_key = %(old)s"

_PICTURES: Final[LiteralString] = """
UPDATE derived_pictures SET content_key = %(new)s
WHERE content_key = %(old)s
  AND NOT EXISTS (SELECT FROM derived_pictures WHERE content_key = %(new)s)
"""

_SEARCHES: Final[LiteralString] = """
UPDATE searches SET content_key = %(new)s
WHERE content_key = %(old)s AND NOT EXISTS (
    SELECT FROM searches AS other
    WHERE other.content_key = %(new)s AND other.model = searches.model)
"""

# One that was never sent is planned anew for the other name.
_PLANNED: Final[LiteralString] = """
DELETE FROM publications AS post
WHERE content_key = %(old)s AND state = 'planned' AND EXISTS (
    SELECT FROM publications AS other
    WHERE other.hub_no = post.hub_no AND other.identity_id = post.identity_id
      AND other.face_id IS NOT DISTINCT FROM post.face_id
      AND other.content_key = %(new)s AND other.state <> 'removed')
"""

# The one that is, or may be, in the hub takes the place of one that is only planned.
_GIVES_WAY: Final[LiteralString] = """
DELETE FROM publications AS post
WHERE content_key = %(new)s AND state = 'planned' AND EXISTS (
    SELECT FROM publications AS other
    WHERE other.hub_no = post.hub_no AND other.identity_id = post.identity_id
      AND other.face_id IS NOT DISTINCT FROM post.face_id
      AND other.content_key = %(old)s AND other.state NOT IN ('planned', 'removed'))
"""

# Where both are in the hub the old one keeps its name, by which it stands there unwanted.
_POSTS: Final[LiteralString] = """
UPDATE publications AS post SET content_key = %(new)s
WHERE content_key = %(old)s AND (state = 'removed' OR NOT EXISTS (
    SELECT FROM publications AS other
    WHERE other.hub_no = post.hub_no AND other.identity_id = post.identity_id
      AND other.face_id IS NOT DISTINCT FROM post.face_id
      AND other.content_key = %(new)s AND other.state <> 'removed'))
"""

_MEDIA: Final[LiteralString] = "UPDATE media SET content_key = %(new)s WHERE content_key = %(old)s"

_BLOB: Final[LiteralString] = """
DELETE FROM blobs
WHERE content_key = %(old)s
  AND NOT EXISTS (SELECT FROM publications WHERE content_key = %(old)s)
"""

_GOES_OVER: Final = (_SEEN, _FACES, _SUPPRESSED, _PICTURES)
_GIVEN_UP: Final = (
    _DOOM,
    _LEFT_FACES,
    _SEARCHES,
    _GIVES_WAY,
    _PLANNED,
    _POSTS,
    _MEDIA,
    _BLOB,
)


def merge_ranged(connection: Connection, media_id: MediaId, key: ContentKey) -> None:
    """Let a content go on under the name of its digest, if it had that of its file till now."""
    row = connection.execute(_RANGED, (media_id, key)).fetchone()
    if row is not None:
        names = {"old": row[0], "new": key}
        for statement in _GOES_OVER:
            connection.execute(statement, names)
        cause = "the same face is there twice"
        log_erased(connection, [row[0]], actor="media_pass", cause=cause)
        for statement in _GIVEN_UP:
            connection.execute(statement, names)
