"""Vectors of models that are in use no longer: kept for a time, for going back, then removed."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Final, LiteralString

from resources.store.database import Database
from resources.store.migrating import alone
from resources.store.search_index import drop_index

# Of a model that was left by a switch, whose time is over, and to which nobody is going back. The
# only vector of a face stays, whoever made it: checks go on telling of it.
_OUTDATED: Final[LiteralString] = """
SELECT from_model FROM model_migrations AS left_behind
WHERE state = 'switched' AND from_model NOT IN (SELECT model FROM model_in_use)
  AND EXISTS (SELECT FROM embeddings WHERE embeddings.model = left_behind.from_model)
  AND NOT EXISTS (
      SELECT FROM model_migrations AS now_on
      WHERE now_on.state = 'embedding'
        AND left_behind.from_model IN (now_on.from_model, now_on.to_model))
GROUP BY from_model
HAVING max(old_vectors_until) < %s
"""
_REMOVE_OLD: Final[LiteralString] = """
DELETE FROM embeddings WHERE (face_id, model) IN (
    SELECT face_id, model FROM embeddings AS old
    WHERE model = %(model)s AND EXISTS (
        SELECT FROM embeddings AS newer JOIN model_in_use USING (model)
        WHERE newer.face_id = old.face_id)
    LIMIT %(limit)s)
"""

_ROWS_A_DELETE: Final = 10_000


class OldVectors:
    """What earlier models left. Satisfies `archive.migrating.expiring.OldVectors`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def alone(self) -> AbstractContextManager[None]:
        """Keep every change of models out, until the body ends.

        Raises:
            Transient: One is being made.
        """
        return alone(self._database)

    def outdated_models(self, now: datetime) -> list[str]:
        """Name the models that were left, whose vectors are kept no longer."""
        with self._database.transaction() as connection:
            return [model for (model,) in connection.execute(_OUTDATED, (now,))]

    def drop_index(self, model: str) -> None:
        """Remove what search had for a model."""
        drop_index(self._database, model)

    def remove(self, model: str) -> int:
        """Remove a batch of a model's vectors, but the only one of a face; 0 means all are gone."""
        values = {"model": model, "limit": _ROWS_A_DELETE}
        with self._database.transaction() as connection:
            return connection.execute(_REMOVE_OLD, values).rowcount
