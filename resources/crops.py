"""Faces as pictures to post: that of a person in a content, or one that is asked about.

Implements ``archive.publishing.ways.CropSource``: the rows say which face is the clearest, the
blobs hold it. What is kept is WebP, which Telegram takes for a sticker; a JPEG is a photo.
"""

from __future__ import annotations

import io
from typing import Final, LiteralString

from archive.errors import ItemRejected
from archive.ids import ContentKey, FaceId, IdentityId
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

_FACE: Final[LiteralString] = "SELECT crop_key FROM faces WHERE face_id = %(face_id)s"


class StoredCrops:
    """The crops that the archive keeps.

    Args:
        database: Open and migrated.
        blobs: Where crops are.
    """

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self._database = database
        self._blobs = blobs

    def face(self, face_id: FaceId) -> bytes:
        """Return a JPEG of a face, with some margin.

        Raises:
            ItemRejected: It is not there any more.
        """
        return self._read(_FACE, {"face_id": face_id})

    def crop(self, identity_id: IdentityId, content_key: ContentKey) -> bytes:
        """Return a JPEG of the clearest face of a person in a content, with some margin.

        Raises:
            ItemRejected: They are not in it any more.
        """
        return self._read(_CLEAREST, {"identity_id": identity_id, "content_key": content_key})

    def _read(self, statement: LiteralString, values: dict[str, object]) -> bytes:
        with self._database.transaction() as connection:
            row = connection.execute(statement, values).fetchone()
        if row is None:
            raise ItemRejected("no face")
        return _jpeg(self._blobs.get(row[0]))


def _jpeg(webp: bytes) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    with Image.open(io.BytesIO(webp)) as image:
        image.convert("RGB").save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()
