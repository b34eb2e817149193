"""What a person says to a question (`archive.suggestions`, and the topic of questions in a hub).

A question that turned out wrong moves nothing: two people are not one, and one person is not two.
Only links are left behind, between the faces that stand for each side, so that nobody is asked
again and no later pass decides otherwise.
"""

from __future__ import annotations

from collections.abc import Collection

from archive.correcting.checking import enacted, live
from archive.correcting.faces import assign, reject
from archive.correcting.linking import cannot_writes, must_writes, representatives
from archive.correcting.ports import Act, CorrectionDesk
from archive.errors import Permanent
from archive.identity.events import Decision, EventKind
from archive.ids import FaceId, IdentityId


def whose(
    desk: CorrectionDesk, face_id: FaceId, identity_id: IdentityId, act: Act, *, yes: bool
) -> Decision | None:
    """Say that a face is, or is not, a person's.

    Returns:
        What was decided; None where that was said already.

    Raises:
        Conflict: A person had said otherwise; it names when.
        Outdated: Somebody else corrected it meanwhile.
        Permanent: There is no such face or identity.
    """
    said = assign if yes else reject
    return said(desk, [face_id], identity_id, act)


def apart(desk: CorrectionDesk, one: IdentityId, other: IdentityId, act: Act) -> Decision | None:
    """Say that two identities are not one person.

    Returns:
        What was decided; None where that was said already.

    Raises:
        Conflict: A person had said otherwise; it names when.
        Outdated: Somebody else corrected one of them meanwhile.
        Permanent: There is no such identity, or they are one already.
    """
    ones, others = live(desk, one).identity, live(desk, other).identity
    if ones.identity_id == others.identity_id:
        raise Permanent(f"they are one already: {ones.title}")
    sides = [representatives(desk.members(each.identity_id)) for each in (ones, others)]
    return enacted(desk, act, EventKind.REJECTED, cannot_writes(*sides))


def together(
    desk: CorrectionDesk, identity_id: IdentityId, part: Collection[FaceId], act: Act
) -> Decision | None:
    """Say that some faces of an identity belong with its others, though they look different.

    Args:
        desk: The store, ours alone.
        identity_id: Whose they are.
        part: Some of its faces; those that have left meanwhile count no more.
        act: Who says so.

    Returns:
        What was decided; None where that was said already, or one side is empty.

    Raises:
        Conflict: A person had said otherwise; it names when.
        Outdated: Somebody else corrected it meanwhile.
        Permanent: There is no such identity.
    """
    members = desk.members(live(desk, identity_id).identity.identity_id)
    sides = [
        representatives(face for face in members if (face.face_id in part) is inside)
        for inside in (True, False)
    ]
    chain = [face_id for side in sides for face_id in side]
    return enacted(desk, act, EventKind.CONFIRMED, must_writes(chain) if all(sides) else [])
