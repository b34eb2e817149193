"""Hashes of contents, and which look alike.

Implements ``archive.near_copies.NearCopyStore``. How alike is alike is decided there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, LiteralString

import numpy as np
from numpy.typing import NDArray
from psycopg.rows import class_row

from archive.ids import ContentKey
from archive.near_copies import HashedContent, Lookalike, NearCopy
from resources.store.database import Database

# A photo has no duration.
_UNLINKED: Final[LiteralString] = """
SELECT content_key, phash, duration_seconds IS NOT NULL
FROM blobs WHERE phash IS DISTINCT FROM linked_phash AND phash IS NOT NULL
ORDER BY content_key
"""

_HASHES: Final[LiteralString] = """
SELECT content_key, phash FROM blobs
WHERE phash IS NOT NULL AND (duration_seconds IS NOT NULL) = %s
ORDER BY content_key
"""

# Somebody may have given a content another hash meanwhile: it stays unlinked then. In order of
# keys, so that two passes that link the same contents wait for each other and not in a circle.
_LOCK: Final[LiteralString] = """
SELECT content_key FROM blobs
JOIN unnest(%s::text[], %s::bigint[]) AS done (content_key, phash) USING (content_key, phash)
ORDER BY content_key FOR NO KEY UPDATE OF blobs
"""

_FORGET: Final[LiteralString] = """
DELETE FROM near_copies WHERE first_key = ANY(%(keys)s) OR second_key = ANY(%(keys)s)
"""

# What was erased meanwhile is linked to nothing.
_LINK: Final[LiteralString] = """
INSERT INTO near_copies (first_key, second_key, bits)
SELECT first_key, second_key, bits
FROM unnest(%s::text[], %s::text[], %s::smallint[]) AS new (first_key, second_key, bits)
WHERE EXISTS (SELECT FROM blobs WHERE content_key = first_key)
  AND EXISTS (SELECT FROM blobs WHERE content_key = second_key)
ON CONFLICT (first_key, second_key) DO UPDATE SET bits = EXCLUDED.bits
"""

_DONE: Final[LiteralString] = "UPDATE blobs SET linked_phash = phash WHERE content_key = ANY(%s)"

_LIKE: Final[LiteralString] = """
SELECT source.media_id, source.chat_no, source.message_id, copy.bits
FROM (
    SELECT second_key AS content_key, bits FROM near_copies WHERE first_key = %(key)s
    UNION ALL
    SELECT first_key, bits FROM near_copies WHERE second_key = %(key)s
) AS copy
JOIN LATERAL (
    SELECT media_id, chat_no, message_id FROM content_sources
    WHERE content_sources.content_key = copy.content_key AND allow_archive
    ORDER BY sent_at, chat_no, message_id LIMIT 1
) AS source ON true
ORDER BY copy.bits, source.media_id
"""


class NearCopies:
    """The links of one archive. Safe for many threads, like the pool behind it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def unlinked(self) -> list[HashedContent]:
        """List contents whose neighbours nobody looked for since they have their hash."""
        with self._database.transaction() as connection:
            return [
                HashedContent(ContentKey(key), phash, is_video)
                for key, phash, is_video in connection.execute(_UNLINKED)
            ]

    def hashes(self, *, is_video: bool) -> tuple[list[ContentKey], NDArray[np.int64]]:
        """Give all contents of a kind, and their hashes in the same order."""
        with self._database.transaction() as connection:
            rows = connection.execute(_HASHES, (is_video,)).fetchall()
        return [ContentKey(key) for key, _ in rows], np.array([h for _, h in rows], np.int64)

    def link(self, done: Sequence[HashedContent], links: Sequence[NearCopy]) -> None:
        """Replace the links of these contents, in one transaction."""
        asked = [each.content_key for each in done], [each.phash for each in done]
        columns = (
            [link.first for link in links],
            [link.second for link in links],
            [link.bits for link in links],
        )
        with self._database.transaction() as connection:
            keys = [key for (key,) in connection.execute(_LOCK, asked)]
            connection.execute(_FORGET, {"keys": keys})
            connection.execute(_LINK, columns)
            connection.execute(_DONE, (keys,))

    def like(self, content_key: ContentKey) -> list[Lookalike]:
        """List what looks like a content and is shown somewhere, the likest first."""
        with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=class_row(Lookalike)) as cursor,
        ):
            return cursor.execute(_LIKE, {"key": content_key}).fetchall()
