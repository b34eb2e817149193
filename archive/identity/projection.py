"""What a log of decisions comes to: the last write of each register, and nothing else.

The same rule as the views `replayed_*` of the store, which hold millions of rows; this one says
what they must give. An erased face takes every register that names it with it, whatever was
written later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self

from archive.identity.constraints import Link, LinkKind, Links
from archive.identity.events import (
    Beginning,
    Cell,
    Decision,
    EventKind,
    Membership,
    Register,
    Standing,
    Value,
    face_cell,
    identity_cell,
    suppressed_cell,
)
from archive.ids import DecisionId, FaceId, IdentityId


class Projection:
    """The state of all registers after some decisions."""

    def __init__(self) -> None:
        """Begin before the first decision."""
        self._written: dict[Cell, tuple[Value, DecisionId]] = {}
        self._erased: set[FaceId] = set()
        self.beginnings: dict[IdentityId, Beginning] = {}

    @classmethod
    def replay(cls, decisions: Iterable[Decision]) -> Self:
        """Apply decisions in the order of the log."""
        projection = cls()
        for decision in decisions:
            projection.apply(decision)
        return projection

    def apply(self, decision: Decision) -> None:
        """Write what a decision writes."""
        for write in decision.writes:
            cell = write.cell
            if decision.kind is EventKind.ERASED and cell.face_id is not None:
                self._erased.add(cell.face_id)
            if write.begins is not None and cell.identity_id is not None:
                self.beginnings[cell.identity_id] = write.begins
            self._written[cell] = (write.value, decision.decision_id)

    def __eq__(self, other: object) -> bool:
        """Tell whether both hold the same values; who wrote them is not asked."""
        return isinstance(other, Projection) and self.values() == other.values()

    __hash__ = None  # type: ignore[assignment]  # it changes

    def values(self) -> dict[Cell, Value]:
        """Give every register that holds something."""
        return {
            cell: value
            for cell, (value, _) in self._written.items()
            if value not in {None, False} and not self._names_erased(cell, value)
        }

    def membership(self, face_id: FaceId) -> Membership | None:
        """Say whose a face is."""
        value = self._value(face_cell(face_id))
        return value if isinstance(value, Membership) else None

    def standing(self, identity_id: IdentityId) -> Standing | None:
        """Say how an identity stands; None where it never began or its beginning was undone."""
        value = self._value(identity_cell(Register.STATE, identity_id))
        return value if isinstance(value, Standing) else None

    def label(self, identity_id: IdentityId) -> str | None:
        """Say what a person called an identity."""
        value = self._value(identity_cell(Register.LABEL, identity_id))
        return value if isinstance(value, str) else None

    def cover(self, identity_id: IdentityId) -> FaceId | None:
        """Say which face a person chose to show an identity by."""
        value = self._value(identity_cell(Register.COVER, identity_id))
        return FaceId(value) if value is not None else None  # type: ignore[arg-type]

    def suppressed(self, face_id: FaceId) -> bool:
        """Tell whether a face is none."""
        return self._value(suppressed_cell(face_id)) is True

    def members(self, identity_id: IdentityId) -> dict[FaceId, Membership]:
        """Give an identity's faces."""
        return {
            cell.face_id: value
            for cell, value in self.values().items()
            if cell.register is Register.FACE
            and cell.face_id is not None
            and isinstance(value, Membership)
            and value.identity_id == identity_id
        }

    def links(self) -> Links:
        """Give what holds between faces."""
        return Links(
            Link(cell.face_id, cell.other_face_id, value, self._written[cell][1])
            for cell, value in self.values().items()
            if isinstance(value, LinkKind)
            and cell.face_id is not None
            and cell.other_face_id is not None
        )

    def _value(self, cell: Cell) -> Value:
        value = self._written.get(cell, (None, None))[0]
        return None if self._names_erased(cell, value) else value

    def _names_erased(self, cell: Cell, value: Value) -> bool:
        named = {cell.face_id, cell.other_face_id}
        if cell.register is Register.COVER:
            named.add(value)  # type: ignore[arg-type]
        return not self._erased.isdisjoint(named)


def undone(undoings: Mapping[DecisionId, DecisionId]) -> dict[DecisionId, DecisionId]:
    """Say which decisions do not hold.

    Args:
        undoings: Undoing decision → what it takes back, in the order of the log.

    Returns:
        Decision that was taken back → the one that took it back and holds itself.
    """
    taken_back: dict[DecisionId, DecisionId] = {}
    for undoing, target in reversed(list(undoings.items())):
        if undoing not in taken_back:
            taken_back[target] = undoing
    return taken_back
