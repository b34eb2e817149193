"""Which ported face is which of ours, and which ported person is who.

A face is ours where content, frame and box agree, as when a content is searched again
(`archive.known_faces`). A person is who has most of their faces here; each of ours is at most one
of theirs, so people whom the matcher took for one here are told apart again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from archive.correcting import CorrectionDesk, HeldFace, Person
from archive.ids import ContentKey, FaceId, IdentityId
from archive.known_faces import KnownFace, attach
from archive.portability.records import PortedPeople, PortedPerson

Ours = Mapping[int, HeldFace]
"""The place of a ported face in its file → the face that it is here."""


def match_faces(
    ported: PortedPeople, known: Mapping[ContentKey, Sequence[KnownFace]]
) -> dict[int, FaceId]:
    """Find the ported faces here, each at most once.

    Args:
        ported: What comes.
        known: The faces of the contents that it speaks of.

    Returns:
        Place in the file → our face.
    """
    places: defaultdict[ContentKey, list[int]] = defaultdict(list)
    for place, face in enumerate(ported.faces):
        places[face.content_key].append(place)
    found: dict[int, FaceId] = {}
    for key, theirs in places.items():
        kept = attach(known.get(key, ()), [ported.faces[place] for place in theirs]).kept
        found |= {place: face_id for place, face_id in zip(theirs, kept, strict=True) if face_id}
    return found


def match_people(desk: CorrectionDesk, ported: PortedPeople, ours: Ours) -> dict[int, Person]:
    """Say which ported people are people whom we have.

    Returns:
        Number → who it is here; people whom we do not have are left out.
    """
    shared: Counter[tuple[int, IdentityId]] = Counter()
    for place, face in ours.items():
        number = ported.faces[place].person
        if number is not None and face.identity_id is not None:
            shared[number, face.identity_id] += 1
    here = {identity_id: desk.person(identity_id) for _, identity_id in shared}
    people = {person.number: person for person in ported.people}

    def rank(pair: tuple[int, IdentityId]) -> tuple[bool, int, int, int]:
        number, person = pair[0], here[pair[1]]
        return (
            not _same_name(people[number], person),
            -shared[pair],
            number,
            person.identity.number if person else 0,
        )

    chosen: dict[int, Person] = {}
    taken: set[IdentityId] = set()
    for number, identity_id in sorted(shared, key=rank):
        person = here[identity_id]
        if number not in chosen and identity_id not in taken and person is not None:
            chosen[number] = person
            taken.add(identity_id)
    return chosen


def _same_name(theirs: PortedPerson, ours: Person | None) -> bool:
    label = ours.identity.label if ours else None
    return label is not None and label == theirs.label
