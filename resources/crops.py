"""The face of a person in a content as a picture to post.

Implements ``archive.publishing.ways.CropSource``: the rows say which face is the clearest, the
blobs hold it. What is kept is WebP, which Telegram takes for a sticker; a JPEG is a photo.
"""

from __future__ import annotations

import io
from typing import Final, LiteralString

from archive.errors import ItemRejected
from archive.ids import ContentKey, IdentityId
from resources.blobs import BlobStore
from resources.store.database import Database

_JPEG_QUALITY: Final = 92

_CLEAREST: Final[LiteralString] = """
SELECT faces.crop_key
FROM assignments JOIN faces USING (face_id)
WHERE assignments.identity_id = %(identity_id)s AND faces.content_key = %(content_key)s
ORDER BY faces.quality DESC, faces.face_id
LIMIT 1
"""


class StoredCrops:
    """The crops that the archive keeps.

    Args:
        database: Open and migrated.
        blobs: Where crops are.
    """

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self._database = database
        self._blobs = blobs

    def crop(self, identity_id: IdentityId, content_key: ContentKey) -> bytes:
        """Return a JPEG of the clearest face of a person in a content, with some margin.

        Raises:
            ItemRejected: They are not in it any more.
        """
        values = {"identity_id": identity_id, "content_key": content_key}
        with self._database.transaction() as connection:
            row = connection.execute(_CLEAREST, values).fetchone()
        if row is None:
            raise ItemRejected("no face")
        return _jpeg(self._blobs.get(row[0]))


def _jpeg(webp: bytes) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    with Image.open(io.BytesIO(webp)) as image:
        image.convert("RGB").save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()
