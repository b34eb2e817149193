"""A store of corrections in memory: the log as a list, and what it comes to.

It keeps the same laws as the one in PostgreSQL, see `tests/fixtures/corrections.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from archive.correcting import Differences, HeldFace, Person
from archive.identity.constraints import Contradiction, Links
from archive.identity.events import (
    Cell,
    Decision,
    LoggedDecision,
    Membership,
    Standing,
)
from archive.identity.projection import Projection, undone
from archive.identity.records import Identity, IdentityState
from archive.ids import DecisionId, FaceId, IdentityId

SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)


class MemoryCorrections:
    """Corrections, and the desk they are done at: nobody else is here.

    Args:
        qualities: Of the faces that there are.
    """

    def __init__(self, qualities: Mapping[FaceId, float]) -> None:
        self.qualities = dict(qualities)
        self.log: list[Decision] = []
        self.state = Projection()
        self.versions: dict[IdentityId, int] = {}

    @contextmanager
    def correcting(self) -> Iterator[MemoryCorrections]:
        before, versions = len(self.log), dict(self.versions)
        try:
            yield self
        except BaseException:
            del self.log[before:]
            self.state, self.versions = Projection.replay(self.log), versions
            raise

    def person(self, identity_id: IdentityId) -> Person | None:
        begun = self.state.beginnings.get(identity_id)
        if begun is None:
            return None
        standing = self.state.standing(identity_id) or Standing(IdentityState.WITHDRAWN)
        label = self.state.label(identity_id)
        return Person(
            Identity(identity_id, begun.number, label, standing.state),
            self.versions.get(identity_id, 1),
            begun.model,
            standing.merged_into,
            self.state.cover(identity_id),
        )

    def faces(self, face_ids: Collection[FaceId]) -> dict[FaceId, HeldFace]:
        return {face: self._held(face) for face in face_ids if face in self.qualities}

    def members(self, identity_id: IdentityId) -> list[HeldFace]:
        return [self._held(face) for face in self.state.members(identity_id)]

    def links(self) -> Links:
        return self.state.links()

    def last_number(self) -> int:
        return max((begun.number for begun in self.state.beginnings.values()), default=0)

    def decision(self, decision_id: DecisionId) -> LoggedDecision | None:
        return next((d for d in self._logged() if d.decision.decision_id == decision_id), None)

    def writing(self, cells: Collection[Cell]) -> list[LoggedDecision]:
        found = []
        for logged in self._logged():
            writes = tuple(w for w in logged.decision.writes if w.cell in cells)
            if writes:
                found.append(replace(logged, decision=replace(logged.decision, writes=writes)))
        return found

    def append(self, decision: Decision) -> None:
        self.log.append(decision)
        self.state.apply(decision)
        if decision.kind.by_person:
            for identity_id in _named(decision):
                self.versions[identity_id] = self.versions.get(identity_id, 1) + 1

    def history(
        self,
        *,
        identity_id: IdentityId | None = None,
        face_id: FaceId | None = None,
        limit: int = 50,
    ) -> Sequence[LoggedDecision]:
        raise NotImplementedError

    def conflicts(self) -> Sequence[Contradiction]:
        return self.links().contradictions()

    def check(self) -> Differences:
        same = self.state == Projection.replay(self.log)
        return Differences(0, 0 if same else 1, 0, 0)

    def rebuild(self) -> Differences:
        raise NotImplementedError

    def _held(self, face_id: FaceId) -> HeldFace:
        membership, suppressed = self.state.membership(face_id), self.state.suppressed(face_id)
        return HeldFace(face_id, membership, self.qualities[face_id], suppressed)

    def _logged(self) -> list[LoggedDecision]:
        undoings = {d.decision_id: d.undoes for d in self.log if d.undoes is not None}
        taken_back = undone(undoings)
        return [
            LoggedDecision(position, SOME_DAY, decision, taken_back.get(decision.decision_id))
            for position, decision in enumerate(self.log)
        ]


def _named(decision: Decision) -> set[IdentityId]:
    named: set[IdentityId | None] = set()
    for write in decision.writes:
        named |= {write.cell.identity_id, write.left}
        if isinstance(write.value, Membership):
            named.add(write.value.identity_id)
        if isinstance(write.value, Standing):
            named.add(write.value.merged_into)
    return {identity_id for identity_id in named if identity_id is not None}
