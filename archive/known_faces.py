"""Attach the faces of a new analysis to those that a content has already.

A face is a place in a content, not a row of one detector: when a content is analysed again the
face keeps its id, and with it whatever a person or the matcher decided about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from archive.faces.geometry import iou
from archive.faces.records import Box
from archive.ids import FaceId

SAME_FACE_IOU: Final = 0.5
"""Overlap from which two boxes show the same face; the usual bar of detection benchmarks."""

SAME_FRAME_SECONDS: Final = 0.05
"""Frames nearer than this are one frame: no video we sample has more than 20 that differ."""


class Placed(Protocol):
    """Whatever has a place in a content: a face that was found, or that somebody tells of."""

    @property
    def frame_seconds(self) -> float:
        """Time of its frame; 0 for a photo."""
        ...

    @property
    def box(self) -> Box:
        """Where it is in the upright frame."""
        ...


@dataclass(frozen=True, slots=True)
class KnownFace:
    """A stored face.

    Attributes:
        decided: Something was decided about it, so a detector that misses it does not remove it.
    """

    face_id: FaceId
    frame_seconds: float
    box: Box
    decided: bool


@dataclass(frozen=True, slots=True)
class NoFace:
    """A place of which a person said that it shows no face."""

    frame_seconds: float
    box: Box


@dataclass(frozen=True, slots=True)
class Attachment:
    """What to do with the rows.

    Attributes:
        kept: For each found face the id it keeps; ``None`` for a new one.
        gone: Known faces that nobody decided about and the new analysis does not see.
        left_out: Found faces, by index, that are new and where a person said there is none.
    """

    kept: tuple[FaceId | None, ...]
    gone: tuple[FaceId, ...]
    left_out: frozenset[int] = frozenset()


def attach(
    known: Sequence[KnownFace], found: Sequence[Placed], no_faces: Sequence[NoFace] = ()
) -> Attachment:
    """Pair known and found faces of one content, closest pairs first, each at most once."""
    pairs = sorted(
        (
            (-iou(old.box, new.box), old_index, new_index)
            for old_index, old in enumerate(known)
            for new_index, new in enumerate(found)
            if _one_frame(old, new)
        )
    )
    old_of: dict[int, int] = {}
    used: set[int] = set()
    for negative_iou, old_index, new_index in pairs:
        if -negative_iou < SAME_FACE_IOU:
            break
        if old_index not in used and new_index not in old_of:
            old_of[new_index] = old_index
            used.add(old_index)
    kept = tuple(
        known[old_of[index]].face_id if index in old_of else None for index in range(len(found))
    )
    gone = tuple(
        face.face_id for index, face in enumerate(known) if index not in used and not face.decided
    )
    left_out = frozenset(
        index
        for index, new in enumerate(found)
        if kept[index] is None
        and any(_one_frame(old, new) and iou(old.box, new.box) >= SAME_FACE_IOU for old in no_faces)
    )
    return Attachment(kept, gone, left_out)


def _one_frame(old: Placed, new: Placed) -> bool:
    return abs(old.frame_seconds - new.frame_seconds) <= SAME_FRAME_SECONDS
