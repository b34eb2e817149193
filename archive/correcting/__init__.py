"""The use cases that correct people: every mistake of the matcher, and every one of ours.

Each is a function called at a desk of the store (`ports.Corrections`), says what it does as one
decision of registers, and is refused where it contradicts what a person decided before, by name.
Deciding by itself, without a person, is `archive.identify`.

    people      rename, hide, show again, choose a cover, merge
    faces       assign (confirm), begin, move, split, reject, drawn, not a face
    undoing     take any of them back, and take that back too
    checking    what every decision must keep, and the refusals that say so
"""

from archive.correcting.checking import live
from archive.correcting.faces import assign, begin, drawn, move, not_a_face, reject, split
from archive.correcting.people import choose_cover, hide, merge, rename, show
from archive.correcting.ports import (
    Act,
    Conflict,
    CorrectionDesk,
    Corrections,
    Differences,
    HeldFace,
    Outdated,
    Person,
)
from archive.correcting.undoing import undo

__all__ = [
    "Act",
    "Conflict",
    "CorrectionDesk",
    "Corrections",
    "Differences",
    "HeldFace",
    "Outdated",
    "Person",
    "assign",
    "begin",
    "choose_cover",
    "drawn",
    "hide",
    "live",
    "merge",
    "move",
    "not_a_face",
    "reject",
    "rename",
    "show",
    "split",
    "undo",
]
