"""Search: who and which faces are most like a face, within a chat and a time.

Looking only: nothing is decided here, and a likeness is no verdict (that is `archive.why`). The
probe is a vector, of a face that is stored or of a picture that is not. Which index answers is
the store's; what it gives is ranked by the full vectors.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from archive.errors import Permanent
from archive.faces.records import Box, Embedding
from archive.identity.records import Identity
from archive.ids import ChatNo, ContentKey, FaceId, IdentityId, MessageId
from archive.provenance import require_model

LOOKED_AT: Final = 50
"""Faces that are ranked at least: the nearest of them are told, and the people they are of."""

_FACE: Final = re.compile("[0-9a-f]{6,32}")


@dataclass(frozen=True, slots=True)
class Within:
    """Which sources count. A face counts while one of them shows it.

    Attributes:
        chat_no: Only this chat.
        since: Sent at this time or later.
        until: Sent before this time.
    """

    chat_no: ChatNo | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return self.chat_no is None and self.since is None and self.until is None


EVERYTHING: Final = Within()


@dataclass(frozen=True, slots=True)
class LikeFace:
    """A stored face, and how like the probe it is.

    Attributes:
        similarity: Cosine of the full vectors, −1 to 1.
        frame_seconds: Time of its frame; 0 for a photo.
        identity: Whose it is; None while nobody's.
    """

    face_id: FaceId
    similarity: float
    content_key: ContentKey
    frame_seconds: float
    box: Box
    identity: Identity | None


@dataclass(frozen=True, slots=True)
class LikePerson:
    """A person near the probe.

    Attributes:
        similarity: Of the nearest of their faces.
        nearest: That face.
    """

    identity: Identity
    similarity: float
    nearest: FaceId


@dataclass(frozen=True, slots=True)
class Sighting:
    """A message that shows a face.

    Attributes:
        others: How many more messages show it, within what was asked for.
    """

    chat_no: ChatNo
    message_id: MessageId
    sent_at: datetime
    others: int = 0


@dataclass(frozen=True, slots=True)
class Nearest:
    """What the store gives for a probe.

    Attributes:
        faces: The most similar first.
        exact: Whether all faces were compared; else an index chose whom to compare.
    """

    faces: tuple[LikeFace, ...]
    exact: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to.

    Attributes:
        people: The most similar first, hidden ones among them.
        faces: The most similar first.
        sightings: The first message that shows each of the faces, within what was asked for.
        exact: See `Nearest`.
    """

    people: tuple[LikePerson, ...]
    faces: tuple[LikeFace, ...]
    sightings: dict[FaceId, Sighting]
    exact: bool


class FaceSearch(Protocol):
    """Where faces are looked for. Only what a chat that allows faces shows is ever found."""

    def nearest(
        self,
        probe: Embedding,
        model: str,
        within: Within,
        *,
        most: int,
    ) -> Nearest:
        """Give the nearest faces.

        Args:
            probe: (dims,) float32 of unit norm.
            model: Whose vectors are compared; those of another mean something else.
            within: Which sources count.
            most: How many.
        """
        ...

    def named(self, prefix: str, *, most: int) -> list[FaceId]:
        """Give the stored faces whose ids begin with these hexadecimal digits."""
        ...

    def vector(self, face_id: FaceId, model: str) -> Embedding | None:
        """Give the vector of a stored face that a chat which allows faces shows, if it has one."""
        ...

    def sightings(self, face_ids: Collection[FaceId], within: Within) -> dict[FaceId, Sighting]:
        """Give the first message that shows each face."""
        ...


def find_face(store: FaceSearch, text: str) -> FaceId:
    """Find the one stored face that a person names by its id or the beginning of it.

    Raises:
        Permanent: None or several are meant, or it is no id.
    """
    digits = text.strip().replace("-", "").lower()
    if not _FACE.fullmatch(digits):
        raise Permanent(
            f"{text!r} is no file and no face: name a face by the first six digits of its id or "
            "more, as `face-archive search` and `identities show` print it."
        )
    match store.named(digits, most=5):
        case [face_id]:
            return face_id
        case []:
            raise Permanent(f"the archive has no face {text}")
        case several:
            named = ", ".join(map(str, several))
            raise Permanent(f"several faces begin with {text}: {named}. Give more digits.")


def vector_of(store: FaceSearch, face_id: FaceId, model: str) -> Embedding:
    """Give the vector of a stored face.

    Raises:
        Permanent: There is none by this model, or no chat may show it.
    """
    vector = store.vector(face_id, model)
    if vector is None:
        raise Permanent(
            f"the archive has no face {face_id} that {model!r} has embedded and an allowed chat "
            "shows: was it erased, or not yet looked at by this model?"
        )
    return vector


def search(
    store: FaceSearch,
    probe: Embedding,
    model: str,
    within: Within = EVERYTHING,
    *,
    limit: int,
    itself: FaceId | None = None,
) -> Found:
    """Look for the people and the faces most like a face.

    Args:
        store: Where they are.
        probe: (dims,) float32 of unit norm.
        model: That made it.
        within: Which sources count.
        limit: Most people, and most faces.
        itself: The stored face that the probe is of: it is not told.

    Raises:
        MixedModels: Another model made the probe.
        Transient: The store does not answer; it never means that nobody was found.
    """
    require_model(probe, model)
    most = max(LOOKED_AT, limit + 1)
    found = store.nearest(probe, model, within, most=most)
    faces = [face for face in found.faces if face.face_id != itself]
    told = tuple(faces[:limit])
    return Found(
        people=tuple(_people(faces))[:limit],
        faces=told,
        sightings=store.sightings([face.face_id for face in told], within),
        exact=found.exact,
    )


def _people(faces: Sequence[LikeFace]) -> list[LikePerson]:
    """Give the people of faces, each once, by the first of their faces."""
    people: dict[IdentityId, LikePerson] = {}
    for face in faces:
        if face.identity is not None:
            nearest = LikePerson(face.identity, face.similarity, face.face_id)
            people.setdefault(face.identity.identity_id, nearest)
    return list(people.values())
