"""The log of people: decisions, each of which writes registers.

Everything that is known about people is a handful of registers: whose a face is, what an identity
is called and how it stands, its cover, whether a face is one at all, what two faces have to do
with each other. A decision – one act of a person, or what the matcher came to about one identity –
writes some of them, each with its value afterwards. So replaying is keeping the last write of each
(`projection`), and undoing is writing the earlier ones again (`archive.correcting`). Names are
kept apart from the log, where they can be deleted; how rows look is the store's part.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from archive.identity.constraints import LinkKind, pair
from archive.identity.records import Assignment, IdentityState
from archive.ids import DecisionId, FaceId, IdentityId


class EventKind(StrEnum):
    """What a decision did, in one word."""

    FOUND = "found"
    ASSIGNED = "assigned"
    MERGED = "merged"
    SPLIT = "split"
    MOVED = "moved"
    REJECTED = "rejected"
    CONFIRMED = "confirmed"
    RENAMED = "renamed"
    HIDDEN = "hidden"
    SHOWN = "shown"
    COVER_CHOSEN = "cover_chosen"
    NOT_A_FACE = "not_a_face"
    FACE_DRAWN = "face_drawn"
    ERASED = "erased"
    UNDONE = "undone"

    @property
    def by_person(self) -> bool:
        """Whether a person decides so; the others are the matcher's and erasure's."""
        return self not in _OF_MACHINES


_OF_MACHINES: Final = frozenset({EventKind.FOUND, EventKind.ASSIGNED, EventKind.ERASED})


class Register(StrEnum):
    """What a write sets."""

    FACE = "face"
    LABEL = "label"
    STATE = "state"
    COVER = "cover"
    SUPPRESSED = "suppressed"
    LINK = "link"


class DecidedBy(StrEnum):
    """Who put a face where it is; what a person put there no pass moves."""

    MATCHER = "matcher"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Membership:
    """Value of a face's register: whose it is.

    Attributes:
        similarity: How like the identity it was when it joined, −1 to 1; 1 where a person said so.
    """

    identity_id: IdentityId
    similarity: float
    decided_by: DecidedBy


@dataclass(frozen=True, slots=True)
class Standing:
    """Value of an identity's state register.

    Attributes:
        merged_into: Who took its faces; None unless it is merged.
    """

    state: IdentityState
    merged_into: IdentityId | None = None


Value = Membership | Standing | LinkKind | FaceId | str | bool | None
"""What a register can hold: of `FACE` a membership, of `STATE` a standing, of `LINK` a kind, of
`COVER` a face, of `LABEL` a text, of `SUPPRESSED` true or false. None: as if never written."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One register of one subject.

    Attributes:
        face_id: The subject of `FACE` and `SUPPRESSED`, the smaller one of `LINK`.
        other_face_id: The larger one of `LINK`.
        identity_id: The subject of `LABEL`, `STATE` and `COVER`.
    """

    register: Register
    face_id: FaceId | None = None
    other_face_id: FaceId | None = None
    identity_id: IdentityId | None = None


def face_cell(face_id: FaceId) -> Cell:
    """Name the register that says whose a face is."""
    return Cell(Register.FACE, face_id=face_id)


def suppressed_cell(face_id: FaceId) -> Cell:
    """Name the register that says whether a face is none."""
    return Cell(Register.SUPPRESSED, face_id=face_id)


def link_cell(one: FaceId, other: FaceId) -> Cell:
    """Name the register of two faces, given in any order."""
    low, high = pair(one, other)
    return Cell(Register.LINK, face_id=low, other_face_id=high)


def identity_cell(register: Register, identity_id: IdentityId) -> Cell:
    """Name an identity's label, state or cover."""
    return Cell(register, identity_id=identity_id)


@dataclass(frozen=True, slots=True)
class Beginning:
    """What an identity has from its first moment on.

    Attributes:
        number: Counts up from 1 and is never given twice.
        model: Whose vectors brought its faces together.
    """

    number: int
    model: str


@dataclass(frozen=True, slots=True)
class Write:
    """One register and its value afterwards; one row of the log.

    Attributes:
        left: Of a face: whose it was until then, so that both histories tell of it.
        begins: Of the first state of an identity.
    """

    cell: Cell
    value: Value
    left: IdentityId | None = None
    begins: Beginning | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """One act.

    Attributes:
        kind: What it did; a row that begins an identity says `found` whatever the decision is.
        actor: Who: `matcher`, `deletion`, or a person's name for themself.
        cause: The run, the command or the page that asked for it.
        undoes: The decision that this one takes back.
    """

    decision_id: DecisionId
    kind: EventKind
    actor: str
    cause: str
    writes: tuple[Write, ...]
    undoes: DecisionId | None = None

    @property
    def cells(self) -> frozenset[Cell]:
        """The registers that it wrote."""
        return frozenset(write.cell for write in self.writes)

    @property
    def begun(self) -> IdentityId | None:
        """The identity that began with it, if one did."""
        return next((w.cell.identity_id for w in self.writes if w.begins is not None), None)


@dataclass(frozen=True, slots=True)
class LoggedDecision:
    """A decision as the log has it.

    Attributes:
        position: Where its first row is in the log; later decisions have higher ones.
        decided_at: When.
        undone_by: The decision that took it back and holds; None while it holds itself.
    """

    position: int
    decided_at: datetime
    decision: Decision
    undone_by: DecisionId | None = None


def assigning(assignment: Assignment) -> Write:
    """Write what the matcher decided about a face that nobody had."""
    membership = Membership(assignment.identity_id, assignment.similarity, DecidedBy.MATCHER)
    return Write(face_cell(assignment.face_id), membership)


def beginning(identity_id: IdentityId, number: int, model: str) -> Write:
    """Write that an identity begins."""
    cell = identity_cell(Register.STATE, identity_id)
    return Write(cell, Standing(IdentityState.VISIBLE), begins=Beginning(number, model))
