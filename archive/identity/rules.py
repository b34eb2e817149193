"""The numbers by which people are decided: the model's thresholds and what the owner set.

One frozen value that every rule takes, and the constants that hold for any model. The thresholds
themselves live with their model's record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from archive.faces.records import ModelThresholds
from archive.identity.records import FaceVector

NEAR_COPY_BITS: Final = 8
"""Two pictures whose 64-bit pHashes differ in at most this many bits are near copies.

Rule of thumb of the hash's popularisers: 5 is close, 10 and more is probably another picture
(Hacker Factor, "Looks Like It", 2011). Measured on the 100 photos of lfw10: two different photos
differ in 10 bits or more (4 950 pairs); a copy at JPEG quality 15 or at half the size in at most
4, one brightened by a fifth in at most 6. A copy cropped by 5 % on every side differs in up to 20
and counts as another picture. See tests/integration/test_lfw10.py.
"""

TOP: Final = 3
"""How many of an identity's nearest exemplars the score averages, see `matching`."""

CLEAR: Final = 0.75
"""Quality from which a face shows all the likeness there is.

Within what good real faces have: lfw10's portraits .56–.87, the man of the test video .67–.78. From
.7 on precision in the siblings world gains .0006 and the BCubed F loses .002.
"""


@dataclass(frozen=True, slots=True)
class Rules:
    """Where one face becomes one person's. Cosines fit one model only.

    Attributes:
        accept: Score from which a face may join an identity at all, see `need`.
        margin: Score by which the best identity must beat the second.
        found: Cosine that faces need among each other to found an identity; at least `accept`.
        min_quality: Quality below which a face is not used at all.
        min_quality_to_found: Quality from which a face may help to found an identity.
        min_face_pixels_to_found: Shorter side of the box from which it may.
        min_faces: Faces of different pictures that it takes to found an identity.
    """

    accept: float
    margin: float
    found: float
    min_quality: float
    min_quality_to_found: float
    min_face_pixels_to_found: float
    min_faces: int = 3

    def __post_init__(self) -> None:
        """Refuse numbers with which nothing sensible can be decided.

        Raises:
            ValueError: `min_faces` is below 1, the margin negative, or `found` below `accept`.
        """
        if self.min_faces < 1 or self.margin < 0.0 or self.found < self.accept:
            raise ValueError("rules need min_faces >= 1, margin >= 0 and found >= accept")

    @classmethod
    def of(
        cls,
        model: ModelThresholds,
        *,
        min_faces: int,
        accept: float | None = None,
        min_quality: float | None = None,
    ) -> Rules:
        """Join a model's thresholds with what the owner set.

        Args:
            model: The thresholds of the model that made the vectors.
            min_faces: 1 or more.
            accept: Instead of the model's own; None keeps it. What is asked beyond it, of clear
                faces and of founders, goes up with it and never down.
            min_quality: Instead of the model's own; None keeps it. Likewise.
        """
        accept = model.accept if accept is None else accept
        if min_quality is None:
            min_quality = max(model.min_quality, model.min_quality_to_match)
        return cls(
            accept=accept,
            margin=model.margin,
            found=min(1.0, model.found + max(0.0, accept - model.accept)),
            min_quality=min_quality,
            min_quality_to_found=max(model.min_quality_to_found, min_quality),
            min_face_pixels_to_found=model.min_face_pixels_to_found,
            min_faces=min_faces,
        )

    @property
    def same_frame_penalty(self) -> float:
        """What the score loses where the identity has another face in the same frame.

        Half the way from `accept` to 1, so it fits any model: with it a second face in one frame
        needs a score half-way to certainty. That keeps siblings apart who stand side by side,
        and still lets a mirror or a collage show one person twice.
        """
        return (1.0 - self.accept) / 2.0

    @property
    def floor(self) -> float:
        """A score below this decides nothing: too low to join, too low to spoil a margin."""
        return self.accept - self.margin

    @property
    def gate(self) -> float:
        """Cosine to an identity's centre below which its exemplars are not looked at.

        A sixth of the way from certainty below the floor, so it fits any model. A face below it
        could score the floor only with exemplars that it is much nearer to than to their mean;
        in a million faces of 20 000 people the best identity is never passed over, and decisions
        are those of comparing everything (`identity.match`).
        """
        return self.floor - (1.0 - self.accept) / 6.0

    @property
    def sure(self) -> float:
        """Score from which a face joins an identity that is just beginning.

        As far above `found` as that is above `accept`. Siblings at .6 in the generated worlds
        score at most .55 for each other, where this is .60; a person's good faces .65 and more.
        """
        return min(1.0, 2.0 * self.found - self.accept)

    def need(self, face: FaceVector) -> float:
        """Say what score a face needs to join an identity, see `need_at`."""
        return self.need_at(face.quality)

    def need_at(self, quality: float) -> float:
        """Say what score a face of some quality needs to join, from `accept` to `found`.

        It rises with quality up to what founding asks for: a clear face of the right person scores
        high, so a clear face that scores low is a sister. In the generated siblings world asking a
        tenth more of clear faces took the share told right from .928 to .968 where one in a hundred
        strangers is mistaken, see `matching`.
        """
        room = CLEAR - self.min_quality_to_found
        clear = (quality - self.min_quality_to_found) / room if room > 0.0 else 1.0
        return self.accept + (self.found - self.accept) * min(1.0, max(0.0, clear))

    def may_found(self, face: FaceVector) -> bool:
        """Tell whether a face is good and large enough to help to found an identity."""
        return (
            face.quality >= self.min_quality_to_found
            and face.pixels >= self.min_face_pixels_to_found
        )


def same_picture(first: FaceVector, second: FaceVector) -> bool:
    """Tell whether two faces are in one content or in near copies of one picture.

    A video is one picture however many of its frames show the face: they are no independent
    witnesses of a person.
    """
    if first.content_key == second.content_key:
        return True
    if first.phash is None or second.phash is None:
        return False
    return phash_distance(first.phash, second.phash) <= NEAR_COPY_BITS


def phash_distance(first: int, second: int) -> int:
    """Count the bits, 0–64, in which two pHashes (signed 64-bit integers) differ."""
    return int(np.bitwise_count(np.uint64((first ^ second) & 0xFFFF_FFFF_FFFF_FFFF)))
