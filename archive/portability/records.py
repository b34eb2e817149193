"""What is ported from one archive to another, free of any id that only one of them knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from archive.correcting.people import LONGEST_LABEL
from archive.errors import Permanent
from archive.faces.records import Box
from archive.identity.constraints import LinkKind
from archive.identity.events import DecidedBy
from archive.identity.records import IdentityState
from archive.ids import ContentKey

_HIGHEST_NUMBER: Final = 100_000_000
"""So high a number leaves enough above it, and no archive of ours comes near."""


@dataclass(frozen=True, slots=True)
class PortedPerson:
    """A person.

    Attributes:
        number: In the archive of origin; where it is free they keep it.
        label: The name that somebody gave; None until then.
        state: Visible or hidden.
        cover: The chosen face, by its place in `PortedPeople.faces`.
    """

    number: int
    label: str | None = None
    state: IdentityState = IdentityState.VISIBLE
    cover: int | None = None

    @property
    def title(self) -> str:
        """What they are called where they come from."""
        return self.label or f"Person {self.number}"


@dataclass(frozen=True, slots=True)
class PortedFace:
    """A face, named by where it is.

    Attributes:
        frame_seconds: Time of its frame; 0 for a photo.
        box: In pixels of the upright frame.
        person: Their number; None for a face that is only linked, or is none.
        similarity: How like the person it was when it joined, −1 to 1.
        decided_by: Who put it there.
        suppressed: A person said that it is no face.
    """

    content_key: ContentKey
    frame_seconds: float
    box: Box
    person: int | None = None
    similarity: float = 1.0
    decided_by: DecidedBy = DecidedBy.PERSON
    suppressed: bool = False


@dataclass(frozen=True, slots=True)
class PortedLink:
    """What a person said of two faces, by their places in `PortedPeople.faces`."""

    face: int
    other: int
    kind: LinkKind


@dataclass(frozen=True, slots=True)
class PortedPeople:
    """Everything that is ported."""

    people: tuple[PortedPerson, ...]
    faces: tuple[PortedFace, ...]
    links: tuple[PortedLink, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what names something that is not there, and what no archive could hold.

        Raises:
            Permanent: It does.
        """
        for person in self.people:
            if not 1 <= person.number <= _HIGHEST_NUMBER:
                raise Permanent(f"no person has the number {person.number}")
            if person.label and (len(person.label) > LONGEST_LABEL or "\0" in person.label):
                raise Permanent(f"{person.label[:20]!r}… is longer than a name, or none")
        numbers = {person.number for person in self.people}
        if len(numbers) < len(self.people):
            raise Permanent("two people have one number")
        if any(face.person not in numbers for face in self.faces if face.person is not None):
            raise Permanent("a face names a person who is not in the file")
        ends = [end for link in self.links for end in (link.face, link.other)]
        ends += [person.cover for person in self.people if person.cover is not None]
        if any(not 0 <= end < len(self.faces) for end in ends):
            raise Permanent("a link or a cover names a face that is not in the file")

    @property
    def content_keys(self) -> frozenset[ContentKey]:
        """The contents that are spoken of."""
        return frozenset(face.content_key for face in self.faces)
