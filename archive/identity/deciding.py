"""A pass over all faces: who begins a person, who joins one, who waits.

The order of the two rules, and when to stop. Cores are looked for first, among the faces that no
identity clearly claims; then faces join until no more do; and both again while anything changes.
So one pass over everything ends where repeated passes would, and a second pass changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archive.identity.founding import FoundingGraph
from archive.identity.matching import ScoreBoard
from archive.identity.records import Assignment, Decisions, FaceSet, Founding
from archive.identity.rules import Rules
from archive.ids import IdentityId


@dataclass(frozen=True, slots=True, order=True)
class _Joining:
    """A face, by its row, that becomes an identity's, by its number."""

    row: int
    identity: int
    similarity: float


def decide(faces: FaceSet, rules: Rules, new_identity_id: Callable[[], IdentityId]) -> Decisions:
    """Decide about every face that has no identity.

    Args:
        faces: All usable faces, with and without identity, in any order.
        rules: The numbers to decide by.
        new_identity_id: Draws the id of an identity that begins.

    Returns:
        What changes. The same faces give the same decisions but for the drawn ids, whatever the
        order in which they come.
    """
    decision = _Pass(faces.in_order(), rules)
    decision.run()
    return decision.decisions(new_identity_id)


class _Pass:
    """One pass. Identities are numbers here: first those that exist, by their first face."""

    def __init__(self, faces: FaceSet, rules: Rules) -> None:
        self._faces = faces
        self._rules = rules
        self._known = list(dict.fromkeys(i for i in faces.assigned if i is not None))
        number_of = {identity: number for number, identity in enumerate(self._known)}
        self._members: list[list[int]] = [[] for _ in self._known]
        for row, identity in enumerate(faces.assigned):
            if identity is not None:
                self._members[number_of[identity]].append(row)
        open_rows = [row for row, identity in enumerate(faces.assigned) if identity is None]
        self._probes = len(open_rows)
        frames = _numbered([face.frame for face in faces.faces])
        self._board = ScoreBoard(faces.vectors, frames, open_rows, rules)
        self._cores: dict[int, list[_Joining]] = {}
        self._joined: list[_Joining] = []

    def run(self) -> None:
        """Found and match until nothing changes; every turn but the last closes faces."""
        for identity in range(len(self._members)):
            self._score(identity)
        while self._found() + self._match():
            pass

    def decisions(self, new_identity_id: Callable[[], IdentityId]) -> Decisions:
        """Put names to rows and numbers; new identities go by their first face."""
        order = sorted(self._cores, key=lambda identity: min(j.row for j in self._cores[identity]))
        ids = dict(enumerate(self._known)) | {identity: new_identity_id() for identity in order}

        def named(joining: _Joining) -> Assignment:
            face_id = self._faces.faces[joining.row].face_id
            return Assignment(face_id, ids[joining.identity], joining.similarity)

        return Decisions(
            foundings=tuple(
                Founding(ids[identity], tuple(named(j) for j in sorted(self._cores[identity])))
                for identity in order
            ),
            assignments=tuple(named(joining) for joining in sorted(self._joined)),
            probes=self._probes,
        )

    def _score(self, identity: int) -> list[int]:
        return self._board.score(identity, sorted(self._members[identity]))

    def _found(self) -> int:
        """Found every identity that can begin now; return how many.

        The faces are compared anew in every turn, so that the last turn sees what a later pass
        will see, and agrees with it that nothing is left to do.
        """
        faces = self._faces
        rows = [row for row in self._board.open_rows if self._rules.may_found(faces.faces[row])]
        place = {row: index for index, row in enumerate(rows)}
        founders = faces.take(rows)
        graph = FoundingGraph(founders.faces, founders.vectors, self._rules)
        for row, index in place.items():
            graph.allow(index, self._board.best(row))
        before = len(self._cores)
        for seed in graph.seeds():
            core = graph.core(seed)
            if core is None:
                continue
            for index in core:
                graph.forbid(index)
            for row in self._begin([rows[index] for index in core], graph.similarities(core)):
                if row in place:
                    graph.allow(place[row], self._board.best(row))
        return len(self._cores) - before

    def _begin(self, rows: list[int], similarities: list[float]) -> list[int]:
        """Begin an identity with the faces at `rows`; return the open ones that are like it."""
        identity = len(self._members)
        self._members.append(rows)
        self._cores[identity] = [
            _Joining(row, identity, similarity)
            for row, similarity in zip(rows, similarities, strict=True)
        ]
        self._board.close(rows)
        return self._score(identity)

    def _match(self) -> int:
        """Let faces join until no more do; return how many did."""
        before = len(self._joined)
        while matches := self._board.matches():
            for match in matches:
                self._members[match.identity].append(match.row)
                self._joined.append(_Joining(match.row, match.identity, match.score))
            self._board.close([match.row for match in matches])
            for identity in sorted({match.identity for match in matches}):
                self._score(identity)
        return len(self._joined) - before


def _numbered(things: Sequence[Hashable]) -> NDArray[np.intp]:
    """Give equal things equal numbers, (n,), in the order in which they come."""
    numbers: dict[Hashable, int] = {}
    return np.asarray([numbers.setdefault(t, len(numbers)) for t in things], dtype=np.intp)
