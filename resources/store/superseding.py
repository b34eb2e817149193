"""Telegram's file takes the place of an export's: one source a message, and nothing done twice.

Statements on a connection that the caller opened, when a message turns out to carry another
medium than before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg import Connection

from archive.ids import MediaId, MessageId

# An export has no names of files. What has the same size, is of the same kind and comes with the
# same message is the same file: its content is known, and what was made of it is done.
_INHERIT = """
WITH pairs AS (
    SELECT new.media_id AS new_id, old.media_id AS old_id, old.content_key
    FROM unnest(%(old)s::text[], %(new)s::text[]) AS pair (old_id, new_id)
    JOIN media AS old ON old.media_id = pair.old_id
    JOIN exported_files ON exported_files.media_id = pair.old_id
    JOIN media AS new ON new.media_id = pair.new_id
    WHERE (old.kind, old.size_bytes) = (new.kind, new.size_bytes)
      AND old.content_key IS NOT NULL AND new.content_key IS NULL
), named AS (
    UPDATE media SET content_key = pairs.content_key
    FROM pairs WHERE media.media_id = pairs.new_id
)
INSERT INTO media_products (media_id, product, state, producer)
SELECT new_id, product, state, producer
FROM pairs JOIN media_products ON media_products.media_id = old_id
WHERE state = 'done'
ON CONFLICT DO NOTHING
"""

# A content that nobody else names keeps its medium: faces hang on it.
_FORGET = """
DELETE FROM media USING exported_files
WHERE exported_files.media_id = media.media_id AND media.media_id = ANY(%(old)s::text[])
  AND NOT EXISTS (
      SELECT FROM message_media WHERE message_media.media_id = media.media_id)
  AND (content_key IS NULL OR EXISTS (
      SELECT FROM media AS twin
      WHERE twin.content_key = media.content_key AND twin.media_id <> media.media_id))
"""


def supersede(
    connection: Connection,
    lost: Sequence[tuple[MessageId, MediaId]],
    now: Mapping[MessageId, MediaId],
) -> None:
    """Hand on what is known of exported files to those that replace them.

    Args:
        connection: An open transaction; the links are those of after.
        lost: Which medium is no longer in which message.
        now: What is in each message instead.
    """
    pairs = [(old, now.get(message_id)) for message_id, old in lost if old.startswith("message:")]
    if not pairs:
        return
    columns = {"old": [old for old, _ in pairs], "new": [new for _, new in pairs]}
    connection.execute(_INHERIT, columns)
    connection.execute(_FORGET, columns)
