"""Corrections of identities: what they are called, whether they are shown, and that two are one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from archive.correcting.checking import enacted, live, live_people
from archive.correcting.linking import must_writes, representatives
from archive.correcting.ports import Act, CorrectionDesk, HeldFace, Person
from archive.errors import Permanent
from archive.identity.constraints import Links
from archive.identity.events import (
    DecidedBy,
    Decision,
    EventKind,
    Membership,
    Register,
    Standing,
    Write,
    face_cell,
    identity_cell,
)
from archive.identity.records import IdentityState
from archive.ids import FaceId, IdentityId

LONGEST_LABEL: Final = 100
"""Characters of a name; a topic's title holds 128."""


def rename(
    desk: CorrectionDesk, identity_id: IdentityId, label: str | None, act: Act
) -> Decision | None:
    """Give an identity a name, or take it away.

    Args:
        desk: The store, ours alone.
        identity_id: Whom; a merged one stands for who took its faces.
        label: Stripped; None or nothing takes the name away.
        act: Who does it.

    Returns:
        What was decided; None where nothing changes.

    Raises:
        Outdated: Somebody else corrected the identity meanwhile.
        Permanent: There is no such identity, or the name is too long.
    """
    person = live(desk, identity_id)
    wanted = (label or "").strip() or None
    if wanted is not None and len(wanted) > LONGEST_LABEL:
        raise Permanent(f"a name has at most {LONGEST_LABEL} characters, this one {len(wanted)}")
    if wanted == person.identity.label:
        return None
    cell = identity_cell(Register.LABEL, person.identity.identity_id)
    return enacted(desk, act, EventKind.RENAMED, [Write(cell, wanted)])


def hide(desk: CorrectionDesk, identity_ids: Sequence[IdentityId], act: Act) -> Decision | None:
    """Show identities nowhere; they still draw their faces, so that nobody else does.

    Raises:
        Outdated: Somebody else corrected one of them meanwhile.
        Permanent: There is no such identity.
    """
    return _stand(desk, identity_ids, IdentityState.HIDDEN, EventKind.HIDDEN, act)


def show(desk: CorrectionDesk, identity_ids: Sequence[IdentityId], act: Act) -> Decision | None:
    """Show hidden identities again.

    Raises:
        Outdated: Somebody else corrected one of them meanwhile.
        Permanent: There is no such identity.
    """
    return _stand(desk, identity_ids, IdentityState.VISIBLE, EventKind.SHOWN, act)


def choose_cover(
    desk: CorrectionDesk, identity_id: IdentityId, face_id: FaceId | None, act: Act
) -> Decision | None:
    """Choose the face by which an identity is shown; None leaves the choice to the archive.

    Raises:
        Outdated: Somebody else corrected the identity meanwhile.
        Permanent: There is no such identity, or the face is not of it.
    """
    person = live(desk, identity_id)
    found = person.identity.identity_id
    if face_id is not None:
        face = desk.faces([face_id]).get(face_id)
        if face is None or face.identity_id != found:
            raise Permanent(f"the face is not one of {person.identity.title}")
    if face_id == person.cover:
        return None
    cell = identity_cell(Register.COVER, found)
    return enacted(desk, act, EventKind.COVER_CHOSEN, [Write(cell, face_id)])


def merge(
    desk: CorrectionDesk,
    absorbed: Sequence[IdentityId],
    into: IdentityId,
    act: Act,
    *,
    binding: bool = True,
) -> Decision | None:
    """Say that identities are one person: their faces go over, their numbers lead there.

    A name that only an absorbed one has goes over too. A face that the matcher had put there, and
    that a person had said is not the survivor, becomes nobody's.

    Args:
        desk: The store, ours alone.
        absorbed: Who ceases.
        into: Who stays.
        act: Who does it.
        binding: Whether every later pass must keep them together. False for what a proposal did
            and nobody looked at face by face.

    Returns:
        What was decided; None where they are one already.

    Raises:
        Conflict: A person had said that they are not one; it names when.
        Outdated: Somebody else corrected one of them meanwhile.
        Permanent: There is no such identity.
    """
    staying = live(desk, into)
    goal = staying.identity.identity_id
    people = [p for p in live_people(desk, absorbed) if p.identity.identity_id != goal]
    if not people:
        return None
    links = desk.links()
    here = list(desk.members(goal))
    chain = representatives(here)
    writes = _name_kept(staying, people)
    for person in people:
        faces = desk.members(person.identity.identity_id)
        chain += representatives(faces)
        writes += [_going_over(face, goal, here, links) for face in faces]
        cell = identity_cell(Register.STATE, person.identity.identity_id)
        writes.append(Write(cell, Standing(IdentityState.MERGED, goal)))
        here += faces
    if binding:
        writes += must_writes(chain)
    return enacted(desk, act, EventKind.MERGED, writes)


def _stand(
    desk: CorrectionDesk,
    identity_ids: Sequence[IdentityId],
    state: IdentityState,
    kind: EventKind,
    act: Act,
) -> Decision | None:
    writes = [
        Write(identity_cell(Register.STATE, person.identity.identity_id), Standing(state))
        for person in live_people(desk, identity_ids)
        if person.identity.state is not state
    ]
    return enacted(desk, act, kind, writes)


def _name_kept(staying: Person, people: Sequence[Person]) -> list[Write]:
    """Keep the first name there is, where who stays has none."""
    label = next((p.identity.label for p in people if p.identity.label), None)
    if staying.identity.label or label is None:
        return []
    return [Write(identity_cell(Register.LABEL, staying.identity.identity_id), label)]


def _going_over(face: HeldFace, goal: IdentityId, here: Sequence[HeldFace], links: Links) -> Write:
    """Move a face, unless a person had said that it is not who it would be with.

    Where a person put the face, too, the two words stand against each other: `enacted` refuses.
    """
    held = face.membership
    assert held is not None, "it was read as a member"
    cell, left = face_cell(face.face_id), held.identity_id
    barred = links.barred(face.face_id, (other.face_id for other in here))
    if barred and held.decided_by is DecidedBy.MATCHER:
        return Write(cell, None, left)
    return Write(cell, Membership(goal, held.similarity, held.decided_by), left)
