"""Which model made what is stored: counts a model, for lists, refusals and `doctor`.

Reading only. Comparing the vectors themselves is `search` and `gallery`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, LiteralString

from psycopg.rows import class_row

from resources.store.database import Database

_BY_MODEL: Final[LiteralString] = """
SELECT models.name AS model,
       (SELECT count(*) FROM faces WHERE faces.model = models.name) AS faces,
       (SELECT count(*) FROM embeddings WHERE embeddings.model = models.name) AS vectors
FROM models ORDER BY models.name
"""

# Of faces that another model has embedded: one without any vector is the ledger's business.
_BLIND: Final[LiteralString] = """
SELECT count(DISTINCT face_id) FROM embeddings AS others
WHERE others.model <> %(model)s AND NOT EXISTS (
    SELECT FROM embeddings AS own
    WHERE own.face_id = others.face_id AND own.model = %(model)s)
"""

# The basis begins with the producer of vectors, and that with the model's name.
_PORTRAITS: Final[LiteralString] = """
SELECT count(*) FROM portraits
WHERE EXISTS (SELECT FROM gallery_basis WHERE NOT starts_with(basis, %(model)s || '/'))
"""


@dataclass(frozen=True, slots=True)
class Holding:
    """What is stored of one model.

    Attributes:
        faces: Found by it.
        vectors: Made by it.
    """

    model: str
    faces: int
    vectors: int


@dataclass(frozen=True, slots=True)
class Mixture:
    """What the model in use cannot be compared with.

    Attributes:
        faces: Embedded by other models only: they are like nobody, and nobody finds them.
        portraits: People as another model remembers them; the next pass forgets those.
    """

    faces: int
    portraits: int


class HoldingStore:
    """The store, by the models that filled it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_model(self) -> list[Holding]:
        """Give what each model that ever worked here has left, by name."""
        with self._database.transaction() as connection:
            return connection.cursor(row_factory=class_row(Holding)).execute(_BY_MODEL).fetchall()

    def mixture(self, model: str) -> Mixture:
        """Count what is of other models only.

        Args:
            model: The one in use.
        """
        return Mixture(self._count(_BLIND, model), self._count(_PORTRAITS, model))

    def _count(self, statement: LiteralString, model: str) -> int:
        with self._database.transaction() as connection:
            row = connection.execute(statement, {"model": model}).fetchone()
        return int(row[0]) if row else 0
