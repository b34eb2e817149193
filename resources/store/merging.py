"""A content that was read in parts and then whole: its digest becomes its name.

Works inside the caller's transaction, which holds the medium. What merging people means is
``people``'s.
"""

from __future__ import annotations

from typing import Final, LiteralString

from psycopg import Connection

from archive.ids import ContentKey, MediaId

_RANGED: Final[LiteralString] = """
SELECT content_key FROM media
WHERE media_id = %s AND starts_with(content_key, 'tgdoc:') AND content_key <> %s
"""

# Faces go over where the other name has none: a face that is somebody's stays theirs. Where it
# has some, they are of the same pictures, and nobody needs them twice.
_FACES: Final[LiteralString] = """
UPDATE faces SET content_key = %(new)s
WHERE content_key = %(old)s
  AND NOT EXISTS (SELECT FROM faces WHERE content_key = %(new)s)
"""

# What a person said to be no face is none under the other name.
_SUPPRESSED: Final[LiteralString] = """
UPDATE suppressed_regions SET content_key = %(new)s WHERE content_key = %(old)s
"""

_POSTS: Final[LiteralString] = """
UPDATE publications AS post SET content_key = %(new)s
WHERE content_key = %(old)s AND NOT EXISTS (
    SELECT FROM publications AS other
    WHERE other.hub_no = post.hub_no AND other.identity_id = post.identity_id
      AND other.content_key = %(new)s AND other.state <> 'removed')
"""

_MEDIA: Final[LiteralString] = "UPDATE media SET content_key = %(new)s WHERE content_key = %(old)s"

_BLOB: Final[LiteralString] = """
DELETE FROM blobs
WHERE content_key = %(old)s
  AND NOT EXISTS (SELECT FROM faces WHERE content_key = %(old)s)
  AND NOT EXISTS (SELECT FROM publications WHERE content_key = %(old)s)
"""


def merge_ranged(connection: Connection, media_id: MediaId, key: ContentKey) -> None:
    """Let a content go on under the name of its digest, if it had that of its file till now."""
    row = connection.execute(_RANGED, (media_id, key)).fetchone()
    if row is not None:
        names = {"old": row[0], "new": key}
        for statement in (_FACES, _SUPPRESSED, _POSTS, _MEDIA, _BLOB):
            connection.execute(statement, names)
