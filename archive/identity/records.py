"""What the rules about people speak of: faces as vectors, identities, decisions, events.

Records only. How a face joins a person is `matching`, how a person begins is `founding`, both in
turn is `deciding`; where faces come from and where decisions go is the store's part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from archive.ids import ContentKey, FaceId, IdentityId

Vectors = NDArray[np.float32]
"""(n, dims) float32, each row with L2 norm 1; all rows from one model, see `provenance`."""


class IdentityState(StrEnum):
    """Whether and how an identity is shown."""

    VISIBLE = "visible"
    HIDDEN = "hidden"
    MERGED = "merged"
    ERASED = "erased"
    WITHDRAWN = "withdrawn"
    """Its beginning was undone: it has no faces, and its number stays spent."""

    @property
    def live(self) -> bool:
        """Whether it can have faces."""
        return self in {IdentityState.VISIBLE, IdentityState.HIDDEN}


@dataclass(frozen=True, slots=True)
class FaceVector:
    """A face as the rules see it; its vector is a row of the `FaceSet` it is in.

    Attributes:
        face_id: Random, so nothing may depend on its order.
        content_key: The photo or video that shows it.
        taken_at: When the earliest allowed source of that content was sent.
        phash: 64-bit perceptual hash of the content (signed); None where there is none.
        frame_seconds: Time of its frame; 0 for a photo.
        box: x1, y1, x2, y2 in pixels of the upright frame.
        quality: 0–1.
        detection_score: 0–1.
    """

    face_id: FaceId
    content_key: ContentKey
    taken_at: datetime
    phash: int | None
    frame_seconds: float
    box: tuple[float, float, float, float]
    quality: float
    detection_score: float = 1.0

    @property
    def pixels(self) -> float:
        """The shorter side of the box in pixels: the face's size as the thresholds mean it."""
        x1, y1, x2, y2 = self.box
        return min(x2 - x1, y2 - y1)

    @property
    def place(self) -> tuple[datetime, ContentKey, float, tuple[float, float, float, float]]:
        """Where the face comes in the order of all faces: when, in what, which frame, where."""
        return self.taken_at, self.content_key, self.frame_seconds, self.box

    @property
    def frame(self) -> tuple[ContentKey, float]:
        """The one still picture that shows it; people are rarely in it twice."""
        return self.content_key, self.frame_seconds


@dataclass(frozen=True, slots=True, eq=False)
class FaceSet:
    """Faces, their vectors, and whom they are assigned to so far.

    Attributes:
        faces: In any order.
        vectors: (n, dims) float32 of unit norm, row i for faces[i].
        assigned: For each face its identity, or None.
    """

    faces: tuple[FaceVector, ...]
    vectors: Vectors
    assigned: tuple[IdentityId | None, ...]

    def __post_init__(self) -> None:
        """Refuse parts that do not belong together.

        Raises:
            ValueError: The three differ in length.
        """
        if not len(self.faces) == len(self.vectors) == len(self.assigned):
            raise ValueError("a face set needs one vector and one assignment for each face")

    def __len__(self) -> int:
        """Return the number of faces."""
        return len(self.faces)

    def in_order(self) -> FaceSet:
        """Return the same faces in the order of their places.

        Floating-point sums depend on the order of their terms, so whoever wants the same answer
        for the same faces starts here.
        """
        order = sorted(range(len(self)), key=lambda i: self.faces[i].place)
        return self.take(order)

    def joined_by(self, others: FaceSet) -> FaceSet:
        """Return these faces and then others."""
        return FaceSet(
            self.faces + others.faces,
            np.concatenate([self.vectors, others.vectors]),
            self.assigned + others.assigned,
        )

    def take(self, rows: Sequence[int]) -> FaceSet:
        """Return the faces at `rows`, in that order."""
        return FaceSet(
            tuple(self.faces[i] for i in rows),
            self.vectors[np.asarray(rows, dtype=np.intp)],
            tuple(self.assigned[i] for i in rows),
        )


@dataclass(frozen=True, slots=True)
class Identity:
    """A person, as far as the archive knows one.

    Attributes:
        number: Counts up from 1 and is never given twice.
        label: The name a person gave; None until then.
    """

    identity_id: IdentityId
    number: int
    label: str | None = None
    state: IdentityState = IdentityState.VISIBLE

    @property
    def title(self) -> str:
        """What the identity is called everywhere: its label, or "Person 7"."""
        return self.label or f"Person {self.number}"


@dataclass(frozen=True, slots=True)
class Assignment:
    """A face that joins an identity.

    Attributes:
        similarity: How like the identity it was when it joined, see `matching`; −1 to 1.
    """

    face_id: FaceId
    identity_id: IdentityId
    similarity: float


@dataclass(frozen=True, slots=True)
class Founding:
    """A new identity, and the mutually similar faces it begins with."""

    identity_id: IdentityId
    core: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Decisions:
    """What a pass over all faces came to.

    Attributes:
        foundings: New identities in the order of their first face; they are numbered in it.
        assignments: Faces that join identities, old and new, beyond the cores of the new ones.
        probes: How many faces were unassigned before.
    """

    foundings: tuple[Founding, ...]
    assignments: tuple[Assignment, ...]
    probes: int

    @property
    def unassigned(self) -> int:
        """How many faces stay without an identity, to be tried again."""
        return self.probes - len(self.assignments) - sum(len(f.core) for f in self.foundings)


@dataclass(frozen=True, slots=True)
class NewIdentity:
    """An identity about to be written, with the faces it begins with."""

    identity: Identity
    core: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class PersonSummary:
    """One line of a list of people; it counts only what an allowed chat still shows.

    Attributes:
        faces: Faces, several in one video counting each.
        contents: Photos and videos.
        first_seen: When the earliest source was sent.
        last_seen: When the latest source was sent.
    """

    identity: Identity
    faces: int
    contents: int
    first_seen: datetime
    last_seen: datetime
