"""Corrections of single faces: whose they are, whose they are not, and that they are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archive.correcting.checking import enacted, live, require_undecided
from archive.correcting.linking import (
    REPRESENTATIVES_REJECTED,
    admitting_writes,
    cannot_writes,
    must_writes,
    releasing_writes,
    representatives,
)
from archive.correcting.ports import Act, CorrectionDesk, HeldFace
from archive.errors import Permanent
from archive.identity.constraints import LinkKind
from archive.identity.events import (
    DecidedBy,
    Decision,
    EventKind,
    Membership,
    Write,
    beginning,
    face_cell,
    link_cell,
    suppressed_cell,
)
from archive.ids import FaceId, IdentityId, new_identity_id


def assign(
    desk: CorrectionDesk,
    face_ids: Sequence[FaceId],
    to: IdentityId,
    act: Act,
    *,
    instead: bool = False,
) -> Decision | None:
    """Say whose faces are, or that they are where they belong: no later pass moves them.

    A face that was said to be none becomes one.

    Args:
        desk: The store, ours alone.
        face_ids: One or more.
        to: Whose; a merged identity stands for who took its faces.
        act: Who says so.
        instead: Take back, within the same decision, what was said of these very faces before.

    Returns:
        What was decided; None where nothing changes.

    Raises:
        Conflict: A person had said otherwise; it names when.
        Outdated: Somebody else corrected one of them meanwhile.
        Permanent: There is no such face or identity.
    """
    goal = live(desk, to).identity.identity_id
    faces = _faces(desk, face_ids)
    chosen = {face.face_id for face in faces}
    others = [face for face in desk.members(goal) if face.face_id not in chosen]
    writes: list[Write] = []
    if instead:
        links = desk.links()
        moving = {face.face_id for face in faces if face.identity_id != goal}
        writes += releasing_writes(moving, links)
        writes += admitting_writes(chosen, [face.face_id for face in others], links)
    standing = representatives(others)
    for face in faces:
        writes += _confirming(face, goal)
        writes += [Write(link_cell(face.face_id, one), LinkKind.MUST) for one in standing]
    return enacted(desk, act, EventKind.CONFIRMED, writes, replacing=instead)


def begin(
    desk: CorrectionDesk,
    face_ids: Sequence[FaceId],
    model: str,
    act: Act,
    *,
    binding: bool = True,
) -> Decision:
    """Let faces begin an identity of their own; `Decision.begun` names it.

    Args:
        desk: The store, ours alone.
        face_ids: One or more.
        model: Whose vectors brought them together.
        act: Who says so.
        binding: Whether a person says that each face is theirs; False for what a proposal did.

    Raises:
        Conflict: A person had said otherwise; it names when.
        Outdated: Somebody else corrected one of them meanwhile.
        Permanent: There is no such face.
    """
    new = new_identity_id()
    writes = [beginning(new, desk.last_number() + 1, model)]
    faces = _faces(desk, face_ids)
    if binding:
        writes += [write for face in faces for write in _confirming(face, new)]
        writes += must_writes(representatives(faces))
    else:
        writes += _moving(desk, {face: new for face in faces})
    decision = enacted(desk, act, EventKind.CONFIRMED if binding else EventKind.MOVED, writes)
    assert decision is not None, "an identity begins"
    return decision


def move(
    desk: CorrectionDesk, places: Mapping[FaceId, IdentityId | None], act: Act
) -> Decision | None:
    """Do what a proposal says of faces that only the matcher has decided about.

    No link is left behind: nobody looked at the faces one by one, and a better proposal may move
    them again.

    Args:
        desk: The store, ours alone.
        places: Face → whose it becomes; None: nobody's.
        act: Who applies the proposal.

    Returns:
        What was decided; None where all of it is so already.

    Raises:
        Conflict: A person put one of the faces where it is, or said what the proposal contradicts.
        Outdated: Somebody else corrected one of them meanwhile.
        Permanent: There is no such face or identity.
    """
    goals = {goal: live(desk, goal).identity.identity_id for goal in {*places.values()} if goal}
    moving = {}
    for face in _faces(desk, list(places)):
        place = places[face.face_id]
        moving[face] = goals[place] if place else None
    return enacted(desk, act, EventKind.MOVED, _moving(desk, moving))


def split(
    desk: CorrectionDesk,
    identity_id: IdentityId,
    face_ids: Sequence[FaceId],
    act: Act,
    *,
    into: IdentityId | None = None,
    binding: bool = True,
) -> Decision:
    """Say that some faces of an identity are somebody else's.

    Args:
        desk: The store, ours alone.
        identity_id: Whom they leave.
        face_ids: Some of its faces, not all.
        act: Who says so.
        into: Whose they are; None begins an identity, named by `Decision.begun`.
        binding: Whether every later pass must keep the two apart. False for what a proposal did.

    Raises:
        Conflict: A person had said otherwise; it names when.
        Outdated: Somebody else corrected one of them meanwhile.
        Permanent: A face is not of that identity, none is left to it, or there is no such identity.
    """
    person = live(desk, identity_id)
    source, chosen = person.identity.identity_id, set(face_ids)
    members = desk.members(source)
    leaving = [face for face in members if face.face_id in chosen]
    staying = [face for face in members if face.face_id not in chosen]
    if len(leaving) < len(chosen) or not leaving or not staying:
        raise Permanent(f"only some of the faces of {person.identity.title} can be split off")
    writes: list[Write] = []
    if into is None:
        goal = new_identity_id()
        writes.append(beginning(goal, desk.last_number() + 1, person.model))
    else:
        goal = live(desk, into).identity.identity_id
        if goal == source:
            raise Permanent("an identity cannot be split into itself")
    if binding:
        writes += [write for face in leaving for write in _confirming(face, goal)]
        writes += cannot_writes(representatives(leaving), representatives(staying))
    else:
        writes += _moving(desk, dict.fromkeys(leaving, goal))
    decision = enacted(desk, act, EventKind.SPLIT, writes)
    assert decision is not None, "faces move"
    return decision


def reject(
    desk: CorrectionDesk,
    face_ids: Sequence[FaceId],
    identity_id: IdentityId,
    act: Act,
    *,
    instead: bool = False,
) -> Decision | None:
    """Say that faces are not an identity's; no later pass puts them there.

    Faces that must be with them leave too, unless the identity stands and falls with those.

    Args:
        desk: The store, ours alone.
        face_ids: One or more, of that identity or not.
        identity_id: Whose they are not.
        act: Who says so.
        instead: Take back, within the same decision, what was said of these very faces before.

    Returns:
        What was decided; None where nothing changes.

    Raises:
        Conflict: A person had said otherwise; it names when.
        Outdated: Somebody else corrected one of them meanwhile.
        Permanent: There is no such face or identity.
    """
    source = live(desk, identity_id).identity.identity_id
    chosen = {face.face_id for face in _faces(desk, face_ids)}
    links = desk.links()
    bound = {other for face in chosen for other in links.together(face)}
    leaving = chosen if instead else chosen | bound
    members = desk.members(source)
    others = [face for face in members if face.face_id not in chosen]
    writes = releasing_writes(chosen, links) if instead else []
    writes += [
        Write(face_cell(face.face_id), None, source) for face in members if face.face_id in leaving
    ]
    standing = representatives(others, REPRESENTATIVES_REJECTED)
    writes += cannot_writes(sorted(chosen), standing)
    return enacted(desk, act, EventKind.REJECTED, writes, replacing=instead)


def not_a_face(desk: CorrectionDesk, face_ids: Sequence[FaceId], act: Act) -> Decision | None:
    """Say that faces are none: they are compared, shown and published no more.

    Their places are remembered, so that a later search of the same content does not bring them
    back.

    Returns:
        What was decided; None where all of them were none already.

    Raises:
        Outdated: Somebody else corrected one of them meanwhile.
        Permanent: There is no such face.
    """
    writes: list[Write] = []
    for face in _faces(desk, face_ids):
        if not face.suppressed:
            writes.append(Write(suppressed_cell(face.face_id), True))
        if face.membership is not None:
            writes.append(Write(face_cell(face.face_id), None, face.identity_id))
    return enacted(desk, act, EventKind.NOT_A_FACE, writes)


def drawn(desk: CorrectionDesk, face_id: FaceId, act: Act) -> Decision:
    """Note that a person drew a face, before anything else is said of it; undoing makes it none.

    Raises:
        Permanent: There is no such face, or something was said of it already.
    """
    (face,) = _faces(desk, [face_id])
    if face.membership is not None or face.suppressed:
        raise Permanent(f"the face {face_id} was there already")
    write = Write(suppressed_cell(face_id), False)
    decision = enacted(desk, act, EventKind.FACE_DRAWN, [write])
    assert decision is not None, "a register is written"
    return decision


def _faces(desk: CorrectionDesk, face_ids: Sequence[FaceId]) -> list[HeldFace]:
    found = desk.faces(face_ids)
    if missing := [face_id for face_id in face_ids if face_id not in found]:
        raise Permanent(f"there is no face {missing[0]}")
    return list(found.values())


def _moving(desk: CorrectionDesk, goals: Mapping[HeldFace, IdentityId | None]) -> list[Write]:
    """Write where faces go that only the matcher has decided about; nothing for who stays."""
    moves = [(face, goal) for face, goal in goals.items() if face.identity_id != goal]
    require_undecided(desk, [face for face, _ in moves])
    writes = []
    for face, goal in moves:
        similarity = 1.0 if face.membership is None else face.membership.similarity
        membership = Membership(goal, similarity, DecidedBy.MATCHER) if goal else None
        writes.append(Write(face_cell(face.face_id), membership, face.identity_id))
    return writes


def _confirming(face: HeldFace, goal: IdentityId) -> list[Write]:
    """Write that a person says whose a face is; nothing where that is so already."""
    similarity = 1.0
    if face.membership is not None and face.identity_id == goal:
        similarity = face.membership.similarity
    membership = Membership(goal, similarity, DecidedBy.PERSON)
    writes = []
    if face.membership != membership:
        writes.append(Write(face_cell(face.face_id), membership, face.identity_id))
    if face.suppressed:
        writes.append(Write(suppressed_cell(face.face_id), False))
    return writes
