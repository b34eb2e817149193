"""A store of faces and migrations in memory, and an embedder whose vectors say what they are of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import numpy as np

from archive.calibrating import LocalThreshold
from archive.errors import ItemRejected, Permanent
from archive.faces.records import FIVE_POINTS, Box, Embedding, ModelRecord
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
from tests.unit.identity.worlds import START
from tests.unit.test_identify import MODEL

BEFORE = "before"


class Killed(BaseException):
    """The process died here."""


def face(number: int) -> FaceCrop:
    """Give the n-th face: it came in minute n."""
    created_at = START + timedelta(minutes=number)
    box, points = Box(0, 0, 9, 9), np.zeros((5, 2), dtype=np.float32)
    face_id = FaceId(UUID(int=number))
    return FaceCrop(face_id, f"{number}", box, points, FIVE_POINTS, 20, 20, created_at)


def vector_of(number: int) -> Embedding:
    """Give what the other model makes of the n-th face."""
    return np.asarray([np.cos(number), np.sin(number)], dtype=np.float32)


@dataclass
class Memory:
    """Satisfies `MigrationStore`.

    Attributes:
        kill: Asked before and after each commit; may raise `Killed`.
        on_lacking: Called whenever somebody asks what is missing: faces may be found meanwhile.
    """

    faces: dict[FaceId, FaceCrop]
    vectors: dict[FaceId, Embedding] = field(default_factory=dict)
    refused: dict[FaceId, str] = field(default_factory=dict)
    model: str = BEFORE
    migration: Migration | None = None
    threshold: LocalThreshold | None = None
    kill: Callable[[], None] = lambda: None
    on_lacking: Callable[[], None] = lambda: None

    def alone(self) -> AbstractContextManager[None]:
        return nullcontext()

    def model_in_use(self) -> str | None:
        return self.model

    def under_way(self) -> Migration | None:
        known = self.migration
        return known if known and known.state is MigrationState.EMBEDDING else None

    def latest(self) -> Migration | None:
        return self.migration

    def begin(self, from_model: str, to: ModelRecord, wishes: Wishes) -> Migration:
        self.migration = Migration(
            MigrationId(uuid4()), from_model, to.name, MigrationState.EMBEDDING, wishes, START
        )
        return self.migration

    def wish(self, migration: Migration, wishes: Wishes) -> Migration:
        self.migration = replace(migration, wishes=wishes)
        return self.migration

    def counts(self, to_model: str, migration: Migration | None) -> Counts:
        return Counts(len(self.faces), len(self.vectors), len(self.refused))

    def lacking(
        self, to_model: str, migration: Migration | None, after: FaceCrop | None, limit: int
    ) -> Sequence[FaceCrop]:
        self.on_lacking()
        missing = [
            each
            for face_id, each in self.faces.items()
            if face_id not in self.vectors and face_id not in self.refused
        ]
        later = [each for each in missing if after is None or _age(each) > _age(after)]
        return sorted(later, key=_age)[:limit]

    def keep(
        self,
        migration: Migration,
        faces: Mapping[FaceId, EmbeddedFace],
        refusals: Sequence[Refusal],
    ) -> None:
        self.kill()
        for face_id, each in faces.items():
            self.vectors.setdefault(face_id, each.vector)
        self.refused |= {each.face_id: each.reason for each in refusals}
        self.kill()

    def retry_refused(self, migration: Migration) -> None:
        self.refused.clear()

    def evaluated(self, migration: Migration, evaluation: Mapping[str, object]) -> None:
        self.migration = replace(migration, evaluation=evaluation)

    def switch(
        self,
        migration: Migration,
        to: ModelRecord,
        threshold: LocalThreshold | None,
        *,
        old_vectors_for: timedelta,
    ) -> bool:
        if self.lacking(to.name, migration, None, 1):
            return False
        self.model, self.threshold = to.name, threshold
        self.migration = replace(migration, state=MigrationState.SWITCHED)
        return True

    def opened(self, migration: Migration) -> None:
        self.migration = replace(migration, opened_at=datetime.max)

    def abort(self, migration: Migration) -> int:
        removed = len(self.vectors)
        self.vectors.clear()
        self.migration = replace(migration, state=MigrationState.ABORTED)
        return removed


@dataclass
class Shelves:
    """Crops named by their face's number; some are lost, some cannot be decoded."""

    lost: frozenset[int] = frozenset()

    def exists(self, key: str) -> bool:
        return int(key) not in self.lost

    def get(self, key: str) -> bytes:
        if not self.exists(key):
            raise Permanent("no such file")
        return key.encode()


@dataclass
class Scripted:
    """Embeds a crop by what is written in it."""

    spoilt: frozenset[int] = frozenset()
    zero: frozenset[int] = frozenset()
    unseen: frozenset[int] = frozenset()
    model: ModelRecord = MODEL

    async def embed(self, crop: bytes, face: FaceCrop) -> EmbeddedFace:
        number = int(crop)
        if number in self.spoilt:
            raise ItemRejected("corrupt")
        return EmbeddedFace(vector_of(number) * (number not in self.zero), number in self.unseen)


def _age(face: FaceCrop) -> tuple[datetime, FaceId]:
    return face.created_at, face.face_id
