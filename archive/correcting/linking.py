"""Which links a correction leaves behind: between few faces that stand for their identity.

A person who merges, splits or rejects speaks of whole identities. A link between every two faces
would be thousands; the closure of `Links` makes a handful say the same, and the chosen ones are
those that stay: confirmed by a person first, then the best.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise, product
from typing import Final

from archive.correcting.ports import HeldFace
from archive.identity.constraints import Link, LinkKind, Links
from archive.identity.events import DecidedBy, Write, link_cell
from archive.ids import FaceId

REPRESENTATIVES: Final = 3
"""Faces that stand for an identity: one may be erased, or turn out wrong, and two are left."""

REPRESENTATIVES_REJECTED: Final = 5
"""The same where one face is parted from an identity: more of them, as only one link each."""


def representatives(faces: Iterable[HeldFace], count: int = REPRESENTATIVES) -> list[FaceId]:
    """Choose the faces that stand for an identity, the surest first."""
    ranked = sorted(faces, key=lambda face: (not _confirmed(face), -face.quality, face.face_id))
    return [face.face_id for face in ranked[:count]]


def must_writes(chain: Sequence[FaceId]) -> list[Write]:
    """Link faces in a row: few links that keep all of them together."""
    return [Write(link_cell(one, other), LinkKind.MUST) for one, other in pairwise(chain)]


def cannot_writes(ones: Iterable[FaceId], others: Collection[FaceId]) -> list[Write]:
    """Part each of some faces from each of others."""
    return [Write(link_cell(one, other), LinkKind.CANNOT) for one, other in product(ones, others)]


def releasing_writes(faces: Collection[FaceId], links: Links) -> list[Write]:
    """Take faces out of what holds them to others; the others stay together without them."""
    writes = []
    for face in faces:
        held = [link for link in links if link.kind is LinkKind.MUST and face in _ends(link)]
        others = [other for link in held for other in _ends(link) - {face}]
        writes += [Write(link_cell(face, other), None) for other in others if other not in faces]
        writes += must_writes(sorted(other for other in others if other not in faces))
    return writes


def admitting_writes(
    faces: Collection[FaceId], members: Collection[FaceId], links: Links
) -> list[Write]:
    """Take back what parts faces from the members of an identity."""
    groups = {links.group(member) for member in members}
    return [
        Write(link_cell(link.face_id, link.other_face_id), None)
        for link in links
        if link.kind is LinkKind.CANNOT
        and any(end in faces for end in _ends(link))
        and any(links.group(end) in groups for end in _ends(link))
    ]


def _confirmed(face: HeldFace) -> bool:
    return face.membership is not None and face.membership.decided_by is DecidedBy.PERSON


def _ends(link: Link) -> frozenset[FaceId]:
    return frozenset({link.face_id, link.other_face_id})
