"""Local thresholds: what replaces a model's own, and where it comes from."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final, LiteralString

from psycopg import Connection
from psycopg.rows import class_row

from archive.calibrating import LocalThreshold
from archive.faces.records import ModelRecord
from resources.store.database import Database
from resources.store.faces import ensure_model

_IN_FORCE: Final[LiteralString] = """
SELECT model, accept, wanted_far, source, people, genuine, impostors, tar, far, decided_at
FROM model_thresholds WHERE model = %s AND replaced_at IS NULL
"""

_END: Final[LiteralString] = """
UPDATE model_thresholds SET replaced_at = now() WHERE model = %s AND replaced_at IS NULL
"""

_WRITE: Final[LiteralString] = """
INSERT INTO model_thresholds (model, accept, wanted_far, source, people, genuine, impostors,
                              tar, far, decided_at)
VALUES (%(model)s, %(accept)s, %(wanted_far)s, %(source)s, %(people)s, %(genuine)s,
        %(impostors)s, %(tar)s, %(far)s, %(decided_at)s)
"""


class ThresholdStore:
    """The thresholds of one archive. Satisfies `archive.calibrating.Thresholds`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def in_force(self, model: str) -> LocalThreshold | None:
        """Give the threshold that replaces the model's own; None where nothing does."""
        with self._database.transaction() as connection:
            cursor = connection.cursor(row_factory=class_row(LocalThreshold))
            return cursor.execute(_IN_FORCE, (model,)).fetchone()

    def apply(self, model: ModelRecord, threshold: LocalThreshold) -> None:
        """Put a threshold in the place of whatever replaced the model's own.

        Raises:
            Permanent: The model's files are not those that made the vectors in the archive.
        """
        with self._database.transaction() as connection:
            put_in_force(connection, model, threshold)

    def reset(self, model: str) -> bool:
        """Let the model's own threshold hold again; tells whether anything replaced it."""
        with self._database.transaction() as connection:
            return connection.execute(_END, (model,)).rowcount > 0


def put_in_force(connection: Connection, model: ModelRecord, threshold: LocalThreshold) -> None:
    """Put a threshold in the place of whatever replaced the model's own, in a transaction.

    Raises:
        Permanent: The model's files are not those that made the vectors in the archive.
    """
    # Of two at once the second waits here, and then replaces the first.
    ensure_model(connection, model)
    connection.execute(_END, (model.name,))
    connection.execute(_WRITE, asdict(threshold))
