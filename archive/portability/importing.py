"""Importing people: one decision, which says here what was said elsewhere.

What a person decided here stays: where the file says otherwise, it gives way, and the difference
is told. What the matcher decided gives way to the file. Faces and people that the archive does not
have are told too; importing again, once their photos were read, brings them. Importing twice
changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from archive.correcting import Act, Corrections
from archive.correcting.checking import enacted
from archive.identity.events import EventKind
from archive.ids import ContentKey, DecisionId
from archive.known_faces import KnownFace
from archive.portability.matching import match_faces
from archive.portability.merging import Merge
from archive.portability.records import PortedPeople


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import came to.

    Attributes:
        decision_id: What undoes it; None where nothing changed.
        people: In the file.
        people_found: Of them, who has a face here.
        people_begun: Of them, whom the archive had not told apart.
        named: Names that were given.
        faces: In the file.
        faces_found: Of them, those here.
        faces_moved: Of them, those that are somebody else's now than before.
        links: What persons had said of two faces, taken over.
        contents_missing: Photos and videos that the archive does not have, or saw no face on.
        missing: People of the file without a face here.
        differences: Where a person decided otherwise here, in words.
    """

    decision_id: DecisionId | None
    people: int
    people_found: int
    people_begun: int
    named: int
    faces: int
    faces_found: int
    faces_moved: int
    links: int
    contents_missing: int
    missing: tuple[str, ...]
    differences: tuple[str, ...]


class ImportStore(Protocol):
    """Where ported faces are looked for."""

    def known_faces(self, keys: Collection[ContentKey]) -> Mapping[ContentKey, Sequence[KnownFace]]:
        """Give the faces of those of the contents that have any."""
        ...


def import_people(
    store: ImportStore,
    corrections: Corrections,
    ported: PortedPeople,
    model: str,
    act: Act,
    *,
    dry_run: bool = False,
) -> Imported:
    """Take over what a file says of people.

    Args:
        store: Where the faces are.
        corrections: Where decisions are made.
        ported: What the file says.
        model: Whose vectors are compared here, for people who begin.
        act: Who imports.
        dry_run: Decide everything and write nothing.

    Raises:
        Conflict: It cannot be had without contradicting decisions of persons; it names them.
        Transient: Somebody else is deciding; nothing was written.
    """
    known = store.known_faces(ported.content_keys)
    places = match_faces(ported, known)
    decision = None
    with suppress(_Rehearsed), corrections.correcting() as desk:
        held = desk.faces(set(places.values()))
        ours = {place: held[face_id] for place, face_id in places.items() if face_id in held}
        merge = Merge(desk, ported, ours, model)
        # A person's word, whoever recorded it: the owner of this archive brings it in.
        decision = enacted(desk, act, EventKind.CONFIRMED, merge.writes())
        if dry_run:
            raise _Rehearsed
    found = {ported.faces[place].person for place in ours}
    return Imported(
        decision_id=decision.decision_id if decision and not dry_run else None,
        people=len(ported.people),
        people_found=sum(person.number in found for person in ported.people),
        people_begun=merge.begun,
        named=merge.named,
        faces=len(ported.faces),
        faces_found=len(ours),
        faces_moved=merge.moved,
        links=merge.linked,
        contents_missing=len(ported.content_keys - known.keys()),
        missing=tuple(p.title for p in ported.people if p.number not in found),
        differences=tuple(merge.differences),
    )


class _Rehearsed(Exception):
    """Everything was decided and checked; leaving the desk with an error forgets it."""
