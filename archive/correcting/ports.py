"""What correcting people needs of a store, and how a correction is refused.

A correction reads what it touches at a desk that is ours alone, and appends one decision; the
store writes it into the log and brings the tables in line. Nothing here knows a database.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from archive.errors import Permanent
from archive.identity.constraints import Contradiction, Links
from archive.identity.events import Cell, Decision, LoggedDecision, Membership
from archive.identity.records import Identity
from archive.ids import DecisionId, FaceId, IdentityId


class Conflict(Permanent):
    """A correction contradicts what somebody decided before.

    Args:
        message: What is in the way and what to do about it.
        decisions: Those in the way; taking them back makes room.
    """

    def __init__(self, message: str, decisions: Sequence[LoggedDecision] = ()) -> None:
        super().__init__(message)
        self.decisions = tuple(decisions)


class Outdated(Conflict):
    """An identity was corrected after the caller looked at it: look again, then decide."""


@dataclass(frozen=True, slots=True)
class Act:
    """Who corrects, and what they had seen.

    Attributes:
        actor: A person's name for themself; never `matcher` or `deletion`.
        cause: The command or page, for the log.
        expected: Versions of identities as the caller saw them; others are not checked.
    """

    actor: str
    cause: str
    expected: Mapping[IdentityId, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Person:
    """An identity as it stands.

    Attributes:
        version: Grows with every correction that touches it or its faces.
        model: Whose vectors brought it together.
        merged_into: Who took its faces; None unless it is merged.
        cover: The face that a person chose; it may have left the identity since.
    """

    identity: Identity
    version: int
    model: str
    merged_into: IdentityId | None = None
    cover: FaceId | None = None


@dataclass(frozen=True, slots=True)
class HeldFace:
    """A face as it stands.

    Attributes:
        membership: Whose it is; None while nobody's.
        quality: 0–1.
        suppressed: A person said that it is no face.
    """

    face_id: FaceId
    membership: Membership | None
    quality: float
    suppressed: bool = False

    @property
    def identity_id(self) -> IdentityId | None:
        """Whose it is; None while nobody's."""
        return None if self.membership is None else self.membership.identity_id


@dataclass(frozen=True, slots=True)
class Differences:
    """Rows that differ between the tables and a replay of the log; all zero where they agree."""

    identities: int
    faces: int
    suppressed: int
    links: int

    @property
    def total(self) -> int:
        """How many rows differ at all."""
        return self.identities + self.faces + self.suppressed + self.links


class CorrectionDesk(Protocol):
    """The store while it is ours alone: what is read here stays true until it is written."""

    def person(self, identity_id: IdentityId) -> Person | None:
        """Give an identity in whatever state; None where there never was one."""
        ...

    def faces(self, face_ids: Collection[FaceId]) -> Mapping[FaceId, HeldFace]:
        """Give those of the faces that exist."""
        ...

    def members(self, identity_id: IdentityId) -> Sequence[HeldFace]:
        """Give an identity's faces."""
        ...

    def links(self) -> Links:
        """Give all that holds between faces."""
        ...

    def last_number(self) -> int:
        """Give the highest number that any identity ever had; 0 before the first."""
        ...

    def decision(self, decision_id: DecisionId) -> LoggedDecision | None:
        """Give one decision, whole."""
        ...

    def writing(self, cells: Collection[Cell]) -> Sequence[LoggedDecision]:
        """Give the decisions that wrote any of these registers, in order, cut down to them."""
        ...

    def append(self, decision: Decision) -> None:
        """Write a decision into the log and bring the tables in line.

        Identities that a person's decision touches get a new version.

        Raises:
            Transient: A face was erased since it was read.
        """
        ...


class Corrections(Protocol):
    """The store of corrections.

    A correction is a function of `archive.correcting` called at a desk; several at one desk are
    written together or not at all:

        with corrections.correcting() as desk:
            merge(desk, [absorbed], survivor, act)
    """

    def correcting(self) -> AbstractContextManager[CorrectionDesk]:
        """Take the store for deciding: one transaction under the lock that the matcher takes too.

        Raises:
            Transient: Somebody else is deciding, or the database does not answer.
        """
        ...

    def history(
        self,
        *,
        identity_id: IdentityId | None = None,
        face_id: FaceId | None = None,
        limit: int = 50,
    ) -> Sequence[LoggedDecision]:
        """Give the latest decisions, latest first, cut down to what is asked for.

        Args:
            identity_id: Only what touches this identity.
            face_id: Only what touches this face.
            limit: 1 or more.
        """
        ...

    def conflicts(self) -> Sequence[Contradiction]:
        """Give the contradictions among all links: what a person must resolve."""
        ...

    def check(self) -> Differences:
        """Compare the tables with a replay of the log; write nothing."""
        ...

    def rebuild(self) -> Differences:
        """Bring the tables in line with a replay of the log.

        Returns:
            What differed before.

        Raises:
            Transient: Somebody else is deciding.
        """
        ...
