"""Questions whose answer must be "none": what the asset checks and `doctor` ask of the store.

Each statement finds rows that break a rule of the house which no CHECK can express, because
it spans tables.
"""

from __future__ import annotations

from typing import LiteralString

from archive.windows import Window
from resources.store.database import Database

# Every medium of a live message in an archived chat has a row for each product of the pass.
_WITHOUT_LEDGER = """
SELECT count(*)
FROM message_media
JOIN messages USING (chat_no, message_id)
JOIN chats USING (chat_no)
CROSS JOIN unnest(%(products)s::text[]) AS wanted (product)
LEFT JOIN media_products
    ON media_products.media_id = message_media.media_id
    AND media_products.product = wanted.product
WHERE message_media.chat_no = %(chat_no)s
  AND message_media.message_id BETWEEN %(first_id)s AND %(last_id)s
  AND messages.deleted_at IS NULL
  AND chats.allow_archive
  AND media_products.media_id IS NULL
"""

_BAD_EMBEDDINGS = """
SELECT count(*)
FROM content_sources
JOIN faces USING (content_key)
JOIN embeddings USING (face_id)
JOIN models ON models.name = embeddings.model
WHERE content_sources.chat_no = %(chat_no)s
  AND content_sources.message_id BETWEEN %(first_id)s AND %(last_id)s
  AND (vector_dims(embeddings.embedding) <> models.dims
       OR abs(vector_norm(embeddings.embedding) - 1) > 0.001)
"""

# A face without any vector is the ledger's business; during a change of models, old vectors of a
# face that the one in use has embedded too are no fault.
_OTHERS_ONLY = """
SELECT count(DISTINCT faces.face_id)
FROM content_sources
JOIN faces USING (content_key)
JOIN embeddings AS others ON others.face_id = faces.face_id AND others.model <> %(model)s
WHERE content_sources.chat_no = %(chat_no)s
  AND content_sources.message_id BETWEEN %(first_id)s AND %(last_id)s
  AND NOT EXISTS (
      SELECT FROM embeddings AS own
      WHERE own.face_id = faces.face_id AND own.model = %(model)s)
"""

# Whether the message still exists is not asked: a source that was deleted had allowed it.
_POSTED_WITHOUT_SWITCH = """
SELECT count(*)
FROM publications
WHERE state IN ('planned', 'sending', 'sent', 'editing')
  AND NOT EXISTS (
      SELECT FROM media
      JOIN message_media USING (media_id)
      JOIN chats USING (chat_no)
      WHERE media.content_key = publications.content_key AND chats.allow_publish)
"""


class AuditStore:
    """Counts rows that should not exist; zero is the good answer everywhere."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def media_without_ledger(self, window: Window, products: list[str]) -> int:
        """Count (medium, product) pairs of a window that the ledger has never heard of."""
        return self._count(_WITHOUT_LEDGER, **_range(window), products=products)

    def bad_embeddings(self, window: Window) -> int:
        """Count vectors of a window whose norm is not 1 or whose length is not their model's."""
        return self._count(_BAD_EMBEDDINGS, **_range(window))

    def faces_of_other_models(self, window: Window, model: str) -> int:
        """Count faces of a window that only models other than this one have embedded."""
        return self._count(_OTHERS_ONLY, **_range(window), model=model)

    def posts_without_switch(self) -> int:
        """Count live posts of contents that no chat allows to be published."""
        return self._count(_POSTED_WITHOUT_SWITCH)

    def _count(self, statement: LiteralString, **parameters: object) -> int:
        with self._database.transaction() as connection:
            row = connection.execute(statement, parameters).fetchone()
        return int(row[0]) if row else 0


def _range(window: Window) -> dict[str, object]:
    return {
        "chat_no": window.chat_no,
        "first_id": window.first_id,
        "last_id": window.last_id,
    }
