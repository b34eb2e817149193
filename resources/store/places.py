"""Positions of contents, and the names of their places.

Implements ``archive.places.PlaceStore``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, LiteralString

from archive.ids import ContentKey
from archive.places import Located, Place
from resources.store.database import Database

_UNNAMED: Final[LiteralString] = """
SELECT content_key, latitude, longitude FROM blobs
WHERE latitude IS NOT NULL AND named_by IS DISTINCT FROM %s
ORDER BY content_key
"""

_NAME: Final[LiteralString] = """
UPDATE blobs SET place = %s, region = %s, country_code = %s, named_by = %s
WHERE content_key = %s AND latitude = %s AND longitude = %s
"""


class Places:
    """The places of one archive. Safe for many threads, like the pool behind it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def unnamed(self, version: str) -> list[Located]:
        """List contents with a position that this version has not named."""
        with self._database.transaction() as connection:
            return [
                Located(ContentKey(key), latitude, longitude)
                for key, latitude, longitude in connection.execute(_UNNAMED, (version,))
            ]

    def name(self, version: str, named: Sequence[tuple[Located, Place]]) -> None:
        """Keep names, of positions that are still the same."""
        rows = [
            (
                place.name,
                place.region,
                place.country_code,
                version,
                where.content_key,
                where.latitude,
                where.longitude,
            )
            for where, place in named
        ]
        with self._database.transaction() as connection, connection.cursor() as cursor:
            cursor.executemany(_NAME, rows)
