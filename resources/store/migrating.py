"""Changes of models in the store: who lacks a vector, what was embedded, and the switch.

Implements `archive.migrating.ports.MigrationStore`. Locks are taken in the order of
`model_in_use`: deciding, the model's row, media, ledger rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, Final, LiteralString
from uuid import uuid4

import numpy as np
from psycopg import Connection
from psycopg.rows import dict_row

from archive.calibrating import LocalThreshold
from archive.errors import Transient
from archive.faces.records import Box, ModelRecord
from archive.ids import FaceId
from archive.migrating.ports import (
    Counts,
    EmbeddedFace,
    FaceCrop,
    Migration,
    MigrationId,
    MigrationState,
    Refusal,
    Wishes,
)
from archive.provenance import require_model
from resources.store import media_sql, model_in_use
from resources.store import migrating_sql as sql
from resources.store.database import Database
from resources.store.faces import ensure_model
from resources.store.identity_events import deciding
from resources.store.locks import named_lock
from resources.store.thresholds import put_in_force

_LOCK: Final = "model migration"
_BUSY: Final = "another process is changing the model: wait for it, or stop it; what it did is kept"

# A pass over people can take a minute; then the switch comes back.
_WAIT_SECONDS: Final = 120.0


def alone(database: Database) -> AbstractContextManager[None]:
    """Be the only one who changes models, or removes what such changes left.

    Raises:
        Transient: Somebody else does.
    """
    return named_lock(database, _LOCK, busy=_BUSY)


class MigrationStore:
    """Migrations of one archive. Safe for many threads, like the pool behind it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def alone(self) -> AbstractContextManager[None]:
        """Be the only one who migrates, until the body ends or this process is killed.

        Raises:
            Transient: Somebody else does.
        """
        return alone(self._database)

    def model_in_use(self) -> str | None:
        """Name the model in use; None before the first vector was stored."""
        return model_in_use.ModelInUse(self._database).name()

    def under_way(self) -> Migration | None:
        """Give the migration that was begun and has not ended."""
        with self._database.transaction() as connection:
            return _migration(connection, sql.UNDER_WAY)

    def latest(self) -> Migration | None:
        """Give the migration that began last, whatever became of it."""
        with self._database.transaction() as connection:
            return _migration(connection, sql.LATEST)

    def begin(self, from_model: str, to: ModelRecord, wishes: Wishes) -> Migration:
        """Begin a migration.

        Raises:
            Permanent: The other model's files are not those that made its vectors here.
            Transient: Another model is in use by now.
        """
        migration_id = MigrationId(uuid4())
        values = (migration_id, from_model, to.name, wishes.force, wishes.redetect)
        with self._database.transaction() as connection:
            model_in_use.require_in_use(connection, from_model)
            ensure_model(connection, to)
            connection.execute(sql.BEGIN, values)
            return _known(connection, migration_id)

    def wish(self, migration: Migration, wishes: Wishes) -> Migration:
        """Remember what the owner asks for by now."""
        values = (wishes.force, wishes.redetect, migration.migration_id)
        with self._database.transaction() as connection:
            connection.execute(sql.WISH, values)
            return _known(connection, migration.migration_id)

    def counts(self, to_model: str, migration: Migration | None) -> Counts:
        """Count where the faces stand."""
        with self._database.transaction() as connection:
            row = connection.execute(sql.COUNTS, _whose(to_model, migration)).fetchone()
        assert row is not None, "an aggregate gives one row"
        return Counts(*row)

    def lacking(
        self, to_model: str, migration: Migration | None, after: FaceCrop | None, limit: int
    ) -> list[FaceCrop]:
        """Give faces without a vector of a model, the oldest first."""
        last = (
            {"after_time": after.created_at, "after_id": after.face_id} if after else sql.BEFORE_ALL
        )
        values = _whose(to_model, migration) | last | {"limit": limit}
        with self._database.transaction() as connection:
            rows = connection.execute(sql.LACKING, values).fetchall()
        return [
            FaceCrop(
                FaceId(face_id),
                crop_key,
                Box(*sides),
                np.asarray(landmarks, dtype=np.float32).reshape(-1, 2),
                schema,
                width,
                height,
                created_at,
            )
            for face_id, crop_key, *sides, landmarks, schema, width, height, created_at in rows
        ]

    def keep(
        self,
        migration: Migration,
        faces: Mapping[FaceId, EmbeddedFace],
        refusals: Sequence[Refusal],
    ) -> None:
        """Store what became of some faces, in one transaction; erased ones are left out.

        Raises:
            MixedModels: Another model made one of the vectors.
            Transient: The migration has ended meanwhile.
        """
        model = migration.to_model
        for face in faces.values():
            require_model(face.vector, model)
        asked = [*faces, *(each.face_id for each in refusals)]
        with self._database.transaction() as connection:
            _require_held(connection, sql.STILL, migration)
            there = {face_id for (face_id,) in connection.execute(sql.THERE, (asked,))}
            rows = [
                (face_id, model, len(face.vector), np.asarray(face.vector))
                for face_id, face in faces.items()
                if face_id in there
            ]
            estimated = [
                (face_id, model)
                for face_id, face in faces.items()
                if face.is_estimated and face_id in there
            ]
            refused = [
                (migration.migration_id, each.face_id, each.reason)
                for each in refusals
                if each.face_id in there
            ]
            with connection.cursor() as cursor:
                cursor.executemany(sql.KEEP, rows)
                cursor.executemany(sql.ESTIMATED, estimated)
                cursor.executemany(sql.REFUSE, refused)

    def retry_refused(self, migration: Migration) -> None:
        """Forget which faces were refused, so that they are tried again."""
        with self._database.transaction() as connection:
            _require_held(connection, sql.STILL, migration)
            connection.execute(sql.RETRY, (migration.migration_id,))

    def evaluated(self, migration: Migration, evaluation: Mapping[str, object]) -> None:
        """Keep what was judged."""
        with self._database.transaction() as connection:
            values = (json.dumps(evaluation), migration.migration_id)
            connection.execute(sql.EVALUATED, values)

    def switch(
        self,
        migration: Migration,
        to: ModelRecord,
        threshold: LocalThreshold | None,
        *,
        old_vectors_for: timedelta,
    ) -> bool:
        """Use the other model from now on, unless a face lacks its vector.

        Waits for whoever decides about people or stores faces by the model before, and whoever
        comes afterwards finds the other model in use.

        Returns:
            Whether it was switched; else there are faces left to embed.

        Raises:
            Transient: The migration has ended, or somebody decides about people for minutes.
        """
        with deciding(self._database, wait_seconds=_WAIT_SECONDS) as connection:
            model_in_use.hold(connection)
            _require_held(connection, sql.HOLD, migration)
            lacking = connection.execute(sql.LACKS_ANY, _whose(to.name, migration)).fetchone()
            if lacking is None or lacking[0]:
                return False
            if threshold is not None:
                put_in_force(connection, to, threshold)
            model_in_use.switch(connection, to.name)
            _open_refused(connection, migration)
            connection.execute(sql.SWITCHED, (old_vectors_for, migration.migration_id))
        return True

    def opened(self, migration: Migration) -> None:
        """Remember that the pictures are open that the new model has to look at."""
        with self._database.transaction() as connection:
            connection.execute(sql.OPENED, (migration.migration_id,))

    def abort(self, migration: Migration) -> int:
        """Remove the vectors that a migration made, and end it; killed, it can be asked again.

        Returns:
            How many were removed.

        Raises:
            Transient: The migration has ended already.
        """
        values: dict[str, Any] = {"to_model": migration.to_model, "limit": sql.ROWS_A_DELETE}
        values["started_at"] = migration.started_at
        removed, last = 0, sql.ROWS_A_DELETE
        while last == sql.ROWS_A_DELETE:
            with self._database.transaction() as connection:
                _require_held(connection, sql.HOLD, migration)
                last = connection.execute(sql.MADE_BY_IT, values).rowcount
                removed += last
                if last < sql.ROWS_A_DELETE:
                    connection.execute(sql.RETRY, (migration.migration_id,))
                    connection.execute(sql.ABORTED, (migration.migration_id,))
        return removed


def _require_held(connection: Connection, statement: LiteralString, migration: Migration) -> None:
    if connection.execute(statement, (migration.migration_id,)).fetchone() is None:
        raise Transient("the change of models was ended meanwhile; nothing more was stored")


def _open_refused(connection: Connection, migration: Migration) -> None:
    refused = connection.execute(sql.REFUSED_MEDIA, (migration.migration_id,)).fetchall()
    media_ids = [media_id for (media_id,) in refused]
    connection.execute(media_sql.LOCK_MEDIA, {"media_ids": media_ids})
    connection.execute(sql.OPEN, (media_ids,))


def _whose(to_model: str, migration: Migration | None) -> dict[str, Any]:
    return {"to_model": to_model, "migration_id": migration and migration.migration_id}


def _known(connection: Connection, migration_id: MigrationId) -> Migration:
    migration = _migration(connection, sql.ONE, migration_id)
    assert migration is not None, "a migration is never removed"
    return migration


def _migration(
    connection: Connection, statement: LiteralString, *values: object
) -> Migration | None:
    row = connection.cursor(row_factory=dict_row).execute(statement, values).fetchone()
    if row is None:
        return None
    wishes = Wishes(row.pop("force"), row.pop("redetect"))
    state = MigrationState(row.pop("state"))
    return Migration(**row, wishes=wishes, state=state)
