"""Taking a decision back: its registers get the values they had before it.

An undoing is a decision too, so taking it back brings everything again. What the matcher wrote
in between gives way; what a person did is named, and must be taken back first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from archive.correcting.checking import (
    enacted,
    last_writers,
    refusal,
    require_undecided,
)
from archive.correcting.ports import Act, CorrectionDesk, HeldFace, Person
from archive.errors import Permanent
from archive.identity.events import (
    Cell,
    DecidedBy,
    Decision,
    EventKind,
    LoggedDecision,
    Membership,
    Register,
    Standing,
    Value,
    Write,
    face_cell,
    identity_cell,
)
from archive.identity.records import IdentityState
from archive.ids import DecisionId, IdentityId


def undo(desk: CorrectionDesk, decision_id: DecisionId, act: Act) -> Decision:
    """Take back what a person decided, at any depth, or take an undoing back.

    What was erased since stays so.

    Args:
        desk: The store, ours alone.
        decision_id: Of a correction, or of an undoing.
        act: Who takes it back.

    Raises:
        Conflict: Later decisions of persons are in the way; it names them.
        Outdated: Somebody else corrected one of them meanwhile.
        Permanent: There is no such decision, the matcher made it, or nothing is left of it.
    """
    logged = desk.decision(decision_id)
    if logged is None:
        raise Permanent("there is no such decision")
    decision = logged.decision
    if not decision.kind.by_person:
        raise Permanent("only what a person decided is undone; the matcher is corrected")
    if logged.undone_by is not None:
        raise refusal(desk, "it is undone already", [logged.undone_by])
    earlier = _values_before(desk, logged)
    values = _restorable(desk, {write.cell: earlier.get(write.cell) for write in decision.writes})
    if decision.kind is EventKind.FACE_DRAWN:
        values = {cell: _undrawn(cell, value) for cell, value in values.items()}
    if not values:
        raise Permanent("nothing is left of what it decided")
    _require_live(desk, values)
    values |= _left_over(desk, values)
    return _undone(desk, act, decision_id, values)


def _undone(
    desk: CorrectionDesk, act: Act, decision_id: DecisionId, values: Mapping[Cell, Value]
) -> Decision:
    faces = desk.faces({cell.face_id for cell in values if cell.face_id is not None})
    writes = []
    for cell, value in values.items():
        moving = cell.register is Register.FACE and cell.face_id is not None
        left = faces[cell.face_id].identity_id if moving and cell.face_id else None
        writes.append(Write(cell, value, left))
    decision = enacted(desk, act, EventKind.UNDONE, writes, undoes=decision_id, replacing=True)
    if decision is None:
        raise Permanent("nothing is left of what it decided")
    return decision


def _values_before(desk: CorrectionDesk, logged: LoggedDecision) -> dict[Cell, Value]:
    """Give what its registers held before it, unless a person has written them since."""
    history = desk.writing(logged.decision.cells)
    in_the_way = [
        each.decision.decision_id
        for each in history
        if each.position > logged.position
        and _speaks(each)
        and each.decision.decision_id != logged.decision.decision_id
    ]
    if in_the_way:
        raise refusal(desk, "later decisions are in the way", in_the_way)
    return {
        write.cell: write.value
        for each in history
        if each.position < logged.position
        for write in each.decision.writes
    }


def _speaks(logged: LoggedDecision) -> bool:
    kind = logged.decision.kind
    return kind.by_person and kind is not EventKind.UNDONE and logged.undone_by is None


def _restorable(desk: CorrectionDesk, values: Mapping[Cell, Value]) -> dict[Cell, Value]:
    """Leave out what was erased: faces, and whoever they were."""
    faces = desk.faces(
        {face for cell in values for face in (cell.face_id, cell.other_face_id) if face}
    )
    people = _people(desk, values)
    kept: dict[Cell, Value] = {}
    for cell, value in values.items():
        named = {face for face in (cell.face_id, cell.other_face_id) if face}
        if not named <= faces.keys() or _erased(people.get(cell.identity_id)):
            continue
        gone = isinstance(value, Membership) and _erased(people.get(value.identity_id))
        kept[cell] = None if gone else value
    return kept


def _people(
    desk: CorrectionDesk, values: Mapping[Cell, Value]
) -> dict[IdentityId | None, Person | None]:
    named = {cell.identity_id for cell in values if cell.identity_id is not None}
    for value in values.values():
        if isinstance(value, Membership):
            named.add(value.identity_id)
        if isinstance(value, Standing) and value.merged_into is not None:
            named.add(value.merged_into)
    return {identity_id: desk.person(identity_id) for identity_id in named}


def _erased(person: Person | None) -> bool:
    return person is not None and person.identity.state is IdentityState.ERASED


def _undrawn(cell: Cell, value: Value) -> Value:
    """A face that was drawn was none before."""
    return True if cell.register is Register.SUPPRESSED else value


def _require_live(desk: CorrectionDesk, values: Mapping[Cell, Value]) -> None:
    """Refuse to give faces or numbers back to who cannot have them."""
    people = _people(desk, values)
    standing = {
        identity_id: person.identity.state.live
        for identity_id, person in people.items()
        if person is not None
    } | _standing(values)
    goals = {value.identity_id for value in values.values() if isinstance(value, Membership)} | {
        value.merged_into for value in values.values() if isinstance(value, Standing)
    }
    gone = [goal for goal in goals if goal is not None and not standing.get(goal, False)]
    if gone:
        cells = [identity_cell(Register.STATE, identity_id) for identity_id in gone]
        raise refusal(desk, "whose faces they were is no more", last_writers(desk, cells))


def _standing(values: Mapping[Cell, Value]) -> dict[IdentityId | None, bool]:
    """Say who can have faces after the registers are written."""
    return {
        cell.identity_id: isinstance(value, Standing) and value.state.live
        for cell, value in values.items()
        if cell.register is Register.STATE
    }


def _left_over(desk: CorrectionDesk, values: Mapping[Cell, Value]) -> dict[Cell, Value]:
    """Give the faces a place that joined, in between, who ceases now, or that are none again."""
    moved: dict[Cell, Value] = {}
    for cell, value in values.items():
        if cell.register is Register.STATE and cell.identity_id is not None:
            standing = value if isinstance(value, Standing) else None
            if standing is None or not standing.state.live:
                goal = None if standing is None else standing.merged_into
                moved |= _displaced(desk, desk.members(cell.identity_id), goal, values)
        if cell.register is Register.SUPPRESSED and value is True and cell.face_id is not None:
            moved |= _displaced(desk, desk.faces([cell.face_id]).values(), None, values)
    return moved


def _displaced(
    desk: CorrectionDesk,
    faces: Iterable[HeldFace],
    goal: IdentityId | None,
    values: Mapping[Cell, Value],
) -> dict[Cell, Value]:
    displaced: Sequence[HeldFace] = [
        face
        for face in faces
        if face.membership is not None and face_cell(face.face_id) not in values
    ]
    require_undecided(desk, displaced)
    return {
        face_cell(face.face_id): Membership(goal, face.membership.similarity, DecidedBy.MATCHER)
        if goal is not None and face.membership is not None
        else None
        for face in displaced
    }
