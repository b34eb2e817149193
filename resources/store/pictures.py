"""Small pictures of contents: which there are, and under which keys they lie. Rows only.

Writing works inside the caller's transaction; the pictures themselves are in ``blobs``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, LiteralString

from psycopg import Connection

from archive.faces.records import DerivedPicture
from archive.ids import ContentKey

_FORGET: Final[LiteralString] = "DELETE FROM derived_pictures WHERE content_key = %s"

_WRITE: Final[LiteralString] = """
INSERT INTO derived_pictures (content_key, role, edge, format, width, height, picture_key)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""


def write_pictures(
    connection: Connection,
    key: ContentKey,
    pictures: Sequence[DerivedPicture],
    picture_keys: Sequence[str],
) -> None:
    """Replace the small pictures of a content by those of the latest producer."""
    connection.execute(_FORGET, (key,))
    with connection.cursor() as cursor:
        cursor.executemany(
            _WRITE,
            [
                (key, each.role, each.edge, each.format, each.width, each.height, picture_key)
                for each, picture_key in zip(pictures, picture_keys, strict=True)
            ],
        )
