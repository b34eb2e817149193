"""Who is a stranger: seen once or twice, small or behind somebody, and nobody knows them.

People in the background found identities like anybody else once they are seen often enough. This
says which of them may be hidden without being looked at one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from archive.ids import IdentityId

SMALL: Final = 0.125
"""A face whose side is below this share of the picture's shorter side is in the background: an
eighth. On lfw10 the faces that a photo was taken of have .31 to .45."""

BEHIND: Final = 1.5
"""A face is in the background where another one of the same frame is so many times larger.

Of the eleven bystanders that the pack `scrfd_mobilefacenet` finds on lfw10, six are (1.5 to 2.8
times); the others stand beside the person, at 1.0 to 1.5 times, and nobody hides them in bulk."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """A face of somebody, beside the picture and whoever else is in it.

    Attributes:
        pixels: The shorter side of its box.
        picture_pixels: The shorter side of the picture; None where nobody knows it.
        largest_pixels: The same of the largest face in the frame, which it may be itself.
    """

    pixels: float
    picture_pixels: float | None
    largest_pixels: float

    @property
    def in_background(self) -> bool:
        """Whether the photo was hardly taken of this person."""
        small = self.picture_pixels is not None and self.pixels < SMALL * self.picture_pixels
        return small or self.largest_pixels >= BEHIND * self.pixels


@dataclass(frozen=True, slots=True)
class RarelySeen:
    """Somebody without a name and without a face that a person decided about.

    Attributes:
        contents: Photos and videos that show them.
        appearances: Each face.
    """

    identity_id: IdentityId
    contents: int
    appearances: tuple[Appearance, ...]

    @property
    def is_stranger(self) -> bool:
        """Whether no picture was taken of them."""
        return all(appearance.in_background for appearance in self.appearances)
