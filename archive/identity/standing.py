"""What a pass begins with: who is known, which faces are open, and what is new among them.

Made from all faces at once, or by the store from what it remembers: then faces of unchanged
identities are not even read. Both give the same decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from archive.identity.gallery import Portrait, portrait
from archive.identity.records import FaceSet
from archive.ids import ContentKey, FaceId, IdentityId
from archive.provenance import one_model

Frame = tuple[ContentKey, float]
"""One still picture, see `FaceVector.frame`."""

Members = Callable[[Sequence[IdentityId]], Mapping[IdentityId, FaceSet]]
"""Gives the usable faces of identities, of each at least one."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What a memory of earlier passes was made for.

    Attributes:
        model: Whose vectors are compared.
        min_quality: Quality from which faces are.
        mark: Tells this basis from any other: the model's files, and all rules.
    """

    model: str
    min_quality: float
    mark: str


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """Who is who before a pass.

    Attributes:
        identities: All that draw faces, in an order that does not depend on their ids.
        portraits: One each.
        faces: The faces without an identity, in the order of their places.
        due: Rows of those that must be decided about: new ones, and ones near which something
            changed. About the others nothing new is known since they were last decided about.
        near: Of each face the identities that it was like when it was last decided about.
        changed: Identities that were portrayed anew since.
        beside: Who is known to be in the same frame as an open face.
        where: Whose the faces are that some link speaks of, as far as they are somebody's.
        members: Where the faces of an identity come from that changes in the pass.
    """

    identities: tuple[IdentityId, ...]
    portraits: tuple[Portrait, ...]
    faces: FaceSet
    due: tuple[int, ...]
    near: tuple[tuple[IdentityId, ...], ...]
    changed: frozenset[IdentityId]
    beside: Mapping[Frame, frozenset[IdentityId]]
    where: Mapping[FaceId, IdentityId]
    members: Members

    def __post_init__(self) -> None:
        """Refuse parts that do not belong together.

        Raises:
            MixedModels: Faces and portraits are of two models.
        """
        one_model(self.faces.vectors, *(one.exemplars for one in self.portraits))


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is remembered of an identity between passes: its centre, and who its exemplars are."""

    centre: tuple[float, ...]
    exemplars: tuple[FaceId, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A face that stays open, and the identities it is like: when one changes, it is due again."""

    face_id: FaceId
    near: tuple[IdentityId, ...]


@dataclass(frozen=True, slots=True)
class Memory:
    """What the next pass needs to know of this one.

    Attributes:
        portraits: Of identities that changed or began.
        waiting: All faces that were decided about and stay open.
    """

    portraits: Mapping[IdentityId, Remembered] = field(default_factory=dict)
    waiting: tuple[Waiting, ...] = ()


def standing(faces: FaceSet) -> Standing:
    """See who is who in all faces at once; every open face is due.

    Args:
        faces: All usable faces, with and without identity, in any order.
    """
    faces = faces.in_order()
    rows_of: dict[IdentityId, list[int]] = {}
    beside: dict[Frame, set[IdentityId]] = {}
    for row, (face, identity) in enumerate(zip(faces.faces, faces.assigned, strict=True)):
        if identity is not None:
            rows_of.setdefault(identity, []).append(row)
            beside.setdefault(face.frame, set()).add(identity)
    is_open = [row for row, identity in enumerate(faces.assigned) if identity is None]

    def members(identities: Sequence[IdentityId]) -> dict[IdentityId, FaceSet]:
        return {identity: faces.take(rows_of[identity]) for identity in identities}

    return Standing(
        identities=tuple(rows_of),
        portraits=tuple(portrait(faces.take(rows)) for rows in rows_of.values()),
        faces=faces.take(is_open),
        due=tuple(range(len(is_open))),
        near=((),) * len(is_open),
        changed=frozenset(),
        beside={frame: frozenset(identities) for frame, identities in beside.items()},
        where={
            face.face_id: identity
            for face, identity in zip(faces.faces, faces.assigned, strict=True)
            if identity is not None
        },
        members=members,
    )


def remembered(one: Portrait, made_from: FaceSet) -> Remembered:
    """Put a portrait into the form that outlives a pass.

    Args:
        one: The portrait.
        made_from: The faces it was made from.

    Raises:
        MixedModels: They are of two models.
    """
    one_model(one.exemplars, made_from.vectors)
    return Remembered(
        tuple(np.asarray(one.centre, dtype=np.float64).tolist()),
        tuple(made_from.faces[row].face_id for row in one.rows),
    )
