"""What a migration says to its store and to vision, and the records that pass between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType, Protocol
from uuid import UUID

from archive.calibrating import LocalThreshold
from archive.faces.records import Box, Embedding, Landmarks, ModelRecord
from archive.ids import FaceId

MigrationId = NewType("MigrationId", UUID)

KEPT_FOR: Final = timedelta(days=30)
"""How long the vectors of the model before stay, for going back: long enough to see a month of new
photos, and 2 kB a face is no burden for that time."""


class MigrationState(StrEnum):
    """How far a migration is."""

    EMBEDDING = "embedding"
    SWITCHED = "switched"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the owner asked for when a migration began; a later call may only ask for more.

    Attributes:
        force: Switch even if the evaluation is worse.
        redetect: After the switch, look at every picture again.
    """

    force: bool = False
    redetect: bool = False


@dataclass(frozen=True, slots=True)
class Migration:
    """One change of models.

    Attributes:
        evaluation: What was judged last, see `judging.Evaluation.shown`; None before.
        old_vectors_until: When the vectors of the model before may go; None before the switch.
        opened_at: When the pictures were opened that are to be looked at again; None before.
    """

    migration_id: MigrationId
    from_model: str
    to_model: str
    state: MigrationState
    wishes: Wishes
    started_at: datetime
    ended_at: datetime | None = None
    evaluation: Mapping[str, object] | None = None
    old_vectors_until: datetime | None = None
    opened_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """Where the faces of an archive stand.

    Attributes:
        faces: All.
        embedded: Those that the other model has embedded.
        refused: Those that it cannot embed from their crops.
        estimated: Of the embedded those whose landmarks were estimated.
    """

    faces: int
    embedded: int
    refused: int = 0
    estimated: int = 0

    @property
    def missing(self) -> int:
        """Faces that are still to be embedded."""
        return max(0, self.faces - self.embedded - self.refused)


@dataclass(frozen=True, slots=True, eq=False)
class FaceCrop:
    """A stored face, as far as embedding its crop needs it.

    Attributes:
        box: In pixels of the picture.
        landmarks: Likewise, in `landmark_schema`; those of another schema mean nothing to a model.
        width: Of the picture; None where nobody wrote it down.
        height: Likewise.
        created_at: When it was stored: the oldest are embedded first.
    """

    face_id: FaceId
    crop_key: str
    box: Box
    landmarks: Landmarks
    landmark_schema: str
    width: int | None
    height: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """A face that cannot be embedded from its crop, and why."""

    face_id: FaceId
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedFace:
    """What a crop gave.

    Attributes:
        is_estimated: The model saw no face there, so its landmarks were estimated from the box.
    """

    vector: Embedding
    is_estimated: bool = False


class Embedder(Protocol):
    """The other model, loaded."""

    @property
    def model(self) -> ModelRecord:
        """What embeds."""
        ...

    async def embed(self, crop: bytes, face: FaceCrop) -> EmbeddedFace:
        """Embed a face as its crop shows it; many may be asked for at once.

        Raises:
            ItemRejected: The crop cannot be decoded, or a worker died over it twice.
        """
        ...


class Crops(Protocol):
    """Where crops lie."""

    def exists(self, key: str) -> bool:
        """Whether a key can be read."""
        ...

    def get(self, key: str) -> bytes:
        """Read a crop.

        Raises:
            Permanent: There is none of this key, or the place may not be read.
            Transient: The place does not answer.
        """
        ...


class MigrationStore(Protocol):
    """Where faces, their vectors and migrations are."""

    def alone(self) -> AbstractContextManager[None]:
        """Be the only one who migrates, until the body ends or this process is killed.

        Raises:
            Transient: Somebody else does.
        """
        ...

    def model_in_use(self) -> str | None:
        """Name the model in use; None before the first vector was stored."""
        ...

    def under_way(self) -> Migration | None:
        """Give the migration that was begun and has not ended."""
        ...

    def latest(self) -> Migration | None:
        """Give the migration that began last, whatever became of it."""
        ...

    def begin(self, from_model: str, to: ModelRecord, wishes: Wishes) -> Migration:
        """Begin a migration.

        Raises:
            Permanent: The other model's files are not those that made its vectors here.
            Transient: Another model is in use by now.
        """
        ...

    def wish(self, migration: Migration, wishes: Wishes) -> Migration:
        """Remember what the owner asks for by now."""
        ...

    def counts(self, to_model: str, migration: Migration | None) -> Counts:
        """Count where the faces stand."""
        ...

    def lacking(
        self, to_model: str, migration: Migration | None, after: FaceCrop | None, limit: int
    ) -> Sequence[FaceCrop]:
        """Give faces without a vector of a model, the oldest first.

        Args:
            to_model: The model.
            migration: Faces that it refused are left out.
            after: Only such as come after this one; None begins with the oldest.
            limit: Most to give.
        """
        ...

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
        ...

    def retry_refused(self, migration: Migration) -> None:
        """Forget which faces were refused, so that they are tried again."""
        ...

    def evaluated(self, migration: Migration, evaluation: Mapping[str, object]) -> None:
        """Keep what was judged."""
        ...

    def switch(
        self,
        migration: Migration,
        to: ModelRecord,
        threshold: LocalThreshold | None,
        *,
        old_vectors_for: timedelta,
    ) -> bool:
        """Use the other model from now on, unless a face lacks its vector, in one transaction.

        The pictures of refused faces are opened in it, so that the next pass looks at them.

        Args:
            migration: With which every face was embedded.
            to: Its model.
            threshold: Put in force for that model; None leaves what it has.
            old_vectors_for: How long the vectors of the model before are kept.

        Returns:
            Whether it was switched; else there are faces left to embed.

        Raises:
            Transient: The migration has ended, or somebody is deciding about people.
        """
        ...

    def opened(self, migration: Migration) -> None:
        """Remember that the pictures are open that the new model has to look at."""
        ...

    def abort(self, migration: Migration) -> int:
        """Remove the vectors that a migration made, and end it; return how many they were.

        Raises:
            Transient: The migration has ended already.
        """
        ...
