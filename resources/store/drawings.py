"""Drawn faces in the store: what can be drawn on, and adding a face by hand.

Implements `archive.drawing.DrawingStore`. The desk is that of corrections, so that a face and the
decision that drew it are written together or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from psycopg.rows import dict_row

from archive.drawing import Picture
from archive.errors import Permanent
from archive.faces.records import FoundFace, ModelRecord
from archive.ids import ChatNo, ContentKey, FaceId, MediaId, MessageId
from archive.known_faces import KnownFace
from archive.records import MediaAccess
from resources.store import faces, identity_events
from resources.store.chats import chat_of
from resources.store.corrections import CorrectionDesk
from resources.store.database import Database
from resources.store.media_rows import media_file, original

_WAIT_SECONDS: Final = 5.0

# Through an account that has seen the file, or is in the chat: the message brings it a key. The
# newest message, whose reference is the freshest.
_SOURCES = """
SELECT sources.chat_no, sources.message_id, media.media_id, media.kind, media.mime_type,
       media.file_name, media.size_bytes, media.width, media.height, media.duration_seconds,
       media.dc_id, media.variant, coalesce(media_access.access_hash, 0) AS access_hash,
       coalesce(media_access.file_reference, ''::bytea) AS file_reference,
       originals.original_key, blobs.sha256, blobs.size_bytes AS original_bytes
FROM content_sources AS sources
JOIN chats USING (chat_no)
JOIN media USING (media_id)
LEFT JOIN media_access
    ON media_access.media_id = sources.media_id AND media_access.account_id = chats.account_id
LEFT JOIN account_chats AS own
    ON own.account_id = chats.account_id AND own.chat_no = chats.chat_no
LEFT JOIN originals ON originals.content_key = sources.content_key
LEFT JOIN blobs ON blobs.content_key = originals.content_key
WHERE sources.content_key = %s AND sources.allow_faces AND chats.state = 'active'
  AND (media_access.media_id IS NOT NULL OR own.is_inside AND media.media_id !~ '^message:')
ORDER BY media_access.media_id IS NULL, sources.sent_at DESC, sources.message_id DESC
LIMIT 1
"""

# SHARE: turning the switch off waits for this commit, or this commit sees it off.
_ALLOWED = """
SELECT FROM chats WHERE chat_no IN (
    SELECT chat_no FROM content_sources WHERE content_key = %s AND allow_faces)
  AND allow_faces
ORDER BY chat_no FOR SHARE
"""


class DrawingStore:
    """Drawing in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def picture(self, content_key: ContentKey) -> Picture:
        """Give a content with a message through which it can be fetched.

        Raises:
            Permanent: No chat that allows faces shows it, or none that can be read.
        """
        with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            row = cursor.execute(_SOURCES, (content_key,)).fetchone()
            if row is None:
                raise Permanent(
                    "no chat that allows faces shows this picture, or none that can be read now"
                )
            chat = chat_of(connection, ChatNo(row["chat_no"]))
        access = MediaAccess(MediaId(row["media_id"]), row["access_hash"], row["file_reference"])
        message_id = MessageId(row["message_id"])
        return Picture(content_key, chat, message_id, media_file(row), access, original(row))

    @contextmanager
    def drawing(self) -> Iterator[DrawingDesk]:
        """Take the one lock of deciding and a transaction, for the length of the body.

        Raises:
            Transient: The matcher, or a correction, has it.
        """
        with identity_events.deciding(self._database, wait_seconds=_WAIT_SECONDS) as connection:
            yield DrawingDesk(connection)


class DrawingDesk(CorrectionDesk):
    """The tables of people and faces, ours alone until the transaction ends."""

    def faces_of(self, content_key: ContentKey) -> Sequence[KnownFace]:
        """Give the faces of a content, and keep every other search of it out.

        Raises:
            Permanent: No chat that shows it allows faces any more.
        """
        if not self._connection.execute(_ALLOWED, (content_key,)).fetchall():
            raise Permanent("no chat that shows this picture allows faces any more")
        faces.lock_key(self._connection, content_key)
        return faces.known_faces(self._connection, content_key)

    def add_face(
        self, content_key: ContentKey, model: ModelRecord, face: FoundFace, crop_key: str
    ) -> FaceId:
        """Store a face with its vector.

        Raises:
            Transient: Another model is in use by now.
        """
        faces.ensure_model(self._connection, model)
        return faces.add_face(self._connection, content_key, model.name, face, crop_key)
