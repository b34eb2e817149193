"""Finding whom a person means: an identity by its number, name or id.

Reading text and asking the store, nothing else; a face is found by `archive.searching.find_face`.
Counts and times tell only of what a chat that allows faces still shows.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from archive.errors import Permanent
from archive.faces.records import Box
from archive.identity.events import DecidedBy
from archive.identity.records import Identity
from archive.ids import ContentKey, FaceId, IdentityId

_NUMBER: Final = re.compile(r"(?:#|person\s+)?([1-9][0-9]{0,8})", re.IGNORECASE)
_MOST_CANDIDATES: Final = 10


@dataclass(frozen=True, slots=True)
class PersonCard:
    """An identity as a person sees it.

    Attributes:
        version: What a correction expects it to be; grows with each.
        faces: Faces that are shown, several in one video counting each.
        contents: Photos and videos that show them.
        confirmed: Those of the faces about which a person decided.
        first_seen: When the earliest source was sent; None where no face is shown.
        last_seen: When the latest was.
        cover: The face that a person chose to show it by.
    """

    identity: Identity
    version: int
    faces: int
    contents: int
    confirmed: int
    first_seen: datetime | None
    last_seen: datetime | None
    cover: FaceId | None


@dataclass(frozen=True, slots=True)
class MemberFace:
    """A face of an identity.

    Attributes:
        similarity: How like the identity it was when it joined, −1 to 1.
        frame_seconds: Time of its frame; 0 for a photo.
    """

    face_id: FaceId
    content_key: ContentKey
    frame_seconds: float
    box: Box
    quality: float
    similarity: float
    decided_by: DecidedBy


class Register(Protocol):
    """Who there is."""

    def numbered(self, number: int) -> IdentityId | None:
        """Give the identity of a number; a merged one leads to who took its faces."""
        ...

    def heir(self, identity_id: IdentityId) -> IdentityId | None:
        """Give an identity, or who took its faces; None where there never was one."""
        ...

    def called(self, name: str) -> Sequence[IdentityId]:
        """Give the visible and hidden identities of a name, whatever its case."""
        ...

    def called_like(self, part: str, *, most: int) -> Sequence[IdentityId]:
        """Give some visible and hidden identities whose name holds a text."""
        ...

    def cards(self, identity_ids: Collection[IdentityId]) -> Sequence[PersonCard]:
        """Describe identities in whatever state, by number."""
        ...


def find_identity(register: Register, text: str) -> PersonCard:
    """Find the one identity that a person means.

    Args:
        register: Who there is.
        text: `12`, `#12`, `Person 12`, a name that only one has, or an id.

    Raises:
        Permanent: None or several are meant, or there is no such person any more.
    """
    text = text.strip()
    found = _meant(register, text)
    if not found:
        raise Permanent(_unknown(register, text))
    cards = register.cards(found)
    if len(cards) > 1:
        raise Permanent(
            f"{text!r} means {len(cards)} people. Name one by its number: {_listed(cards)}."
        )
    (card,) = cards
    if not card.identity.state.live:
        raise Permanent(f"#{card.identity.number} is {card.identity.state}.")
    return card


def _meant(register: Register, text: str) -> Sequence[IdentityId]:
    if number := _NUMBER.fullmatch(text):
        found = register.numbered(int(number[1]))
        return [found] if found else []
    try:
        heir = register.heir(IdentityId(UUID(text)))
    except ValueError:
        return register.called(text)
    return [heir] if heir else []


def _unknown(register: Register, text: str) -> str:
    near = register.cards(register.called_like(text, most=_MOST_CANDIDATES)) if text else []
    meant = f" Did you mean {_listed(near)}?" if near else ""
    return f"Nobody is known as {text!r}.{meant} `face-archive identities list` shows all."


def _listed(cards: Sequence[PersonCard]) -> str:
    return ", ".join(
        f"#{card.identity.number} {card.identity.title} ({card.faces} faces)"
        for card in cards[:_MOST_CANDIDATES]
    )
