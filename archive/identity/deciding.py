"""A pass: who begins a person, who joins one, who waits.

The order of the rules, and when to stop. What people said comes first: a face that must be with
another follows it, and none joins an identity it was parted from. Then cores are looked for among
the faces that no identity clearly claims; then faces join until no more do; and both again while
anything changes. So one pass over everything ends where repeated passes would, and a second pass
changes nothing.

A pass looks at the faces that are due and at those it wakes by what it changes (`matching`), and
ends where a pass over all would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from archive.identity.constraints import Links
from archive.identity.founding import FoundingGraph
from archive.identity.gallery import Gallery, portrait
from archive.identity.matching import Match, ScoreBoard, choose, identity_scores
from archive.identity.records import Assignment, Decisions, FaceSet, Founding
from archive.identity.rules import Rules
from archive.identity.standing import (
    Frame,
    Memory,
    Remembered,
    Standing,
    Waiting,
    remembered,
    standing,
)
from archive.ids import FaceId, IdentityId

_ROWS = 1024


@dataclass(frozen=True, slots=True, order=True)
class _Joining:
    """A face, by its row, that becomes an identity's, by its number."""

    row: int
    identity: int
    similarity: float


def decide(
    faces: FaceSet,
    rules: Rules,
    new_identity_id: Callable[[], IdentityId],
    links: Links | None = None,
) -> Decisions:
    """Decide about every face that has no identity.

    Args:
        faces: All usable faces, with and without identity, in any order.
        rules: The numbers to decide by.
        new_identity_id: Draws the id of an identity that begins.
        links: What people said about faces; None: nothing.

    Returns:
        What changes. The same faces give the same decisions but for the drawn ids, whatever the
        order in which they come.
    """
    return decide_due(standing(faces), rules, new_identity_id, links)[0]


def decide_due(
    begin: Standing,
    rules: Rules,
    new_identity_id: Callable[[], IdentityId],
    links: Links | None = None,
) -> tuple[Decisions, Memory]:
    """Decide about the faces that are due, and about whichever these concern.

    Args:
        begin: Who is who so far.
        rules: The numbers to decide by.
        new_identity_id: Draws the id of an identity that begins.
        links: What people said about faces; None: nothing.

    Returns:
        What changes, and what the next pass needs to know.
    """
    decision = _Pass(begin, rules, links or Links())
    decision.run()
    return decision.outcome(new_identity_id)


class _Pass:
    """One pass. Identities are numbers here: first those that exist, then those that begin."""

    def __init__(self, begin: Standing, rules: Rules, links: Links) -> None:
        self._begin = begin
        self._faces = begin.faces
        self._rules = rules
        self._links = links
        number_of = {identity: number for number, identity in enumerate(begin.identities)}
        self._beside: dict[Frame, set[int]] = {
            frame: {number_of[one] for one in identities if one in number_of}
            for frame, identities in begin.beside.items()
        }
        self._where: dict[FaceId, int] = {
            face_id: number_of[identity]
            for face_id, identity in begin.where.items()
            if identity in number_of
        }
        self._row_of = {face.face_id: row for row, face in enumerate(self._faces.faces)}
        self._in_frame: dict[Frame, list[int]] = {}
        for row, face in enumerate(self._faces.faces):
            self._in_frame.setdefault(face.frame, []).append(row)
        self._sleepers_near: dict[int, list[int]] = {}
        for row, identities in enumerate(begin.near):
            for identity in identities:
                if identity in number_of:
                    self._sleepers_near.setdefault(number_of[identity], []).append(row)
        self._gallery = Gallery(begin.portraits, self._dims())
        self._board = ScoreBoard(self._faces.vectors, self._gallery, rules)
        self._known: dict[int, FaceSet] = {}
        self._rows: dict[int, list[int]] = {}
        self._portraits: dict[int, Remembered] = {}
        self._cores: dict[int, list[_Joining]] = {}
        self._joined: list[_Joining] = []
        self._decided: set[int] = set()
        # Faces whose situation changed since they were asked whom they join.
        self._unasked: set[int] = set()

    def _dims(self) -> int:
        portraits = self._begin.portraits
        return len(portraits[0].centre) if portraits else self._faces.vectors.shape[1]

    def run(self) -> None:
        """Found and match until nothing changes; every turn but the last closes faces."""
        self._wake(self._board.wake(self._begin.due))
        changed = self._begin.changed
        self._rescore([n for n, one in enumerate(self._begin.identities) if one in changed])
        self._unasked.update(self._board.awake())
        self._follow()
        while self._found() + self._match_all():
            pass

    def outcome(self, new_identity_id: Callable[[], IdentityId]) -> tuple[Decisions, Memory]:
        """Put names to rows and numbers; new identities go by their first face."""
        order = sorted(self._cores, key=lambda identity: min(j.row for j in self._cores[identity]))
        ids = dict(enumerate(self._begin.identities))
        ids |= {identity: new_identity_id() for identity in order}

        def named(joining: _Joining) -> Assignment:
            face_id = self._faces.faces[joining.row].face_id
            return Assignment(face_id, ids[joining.identity], joining.similarity)

        decisions = Decisions(
            foundings=tuple(
                Founding(ids[identity], tuple(named(j) for j in sorted(self._cores[identity])))
                for identity in order
            ),
            assignments=tuple(named(joining) for joining in sorted(self._joined)),
            probes=len(self._decided),
        )
        waiting = (
            Waiting(
                self._faces.faces[row].face_id,
                tuple(ids[identity] for identity, _ in sorted(self._board.scores(row))),
            )
            for row in self._board.awake()
        )
        portraits = {ids[number]: one for number, one in self._portraits.items()}
        return decisions, Memory(portraits, tuple(waiting))

    def _wake(self, causes: Sequence[int]) -> None:
        """Wake the faces that could found with faces that are new or in a new situation."""
        self._decided.update(causes)
        sleepers = set(self._board.open_rows().tolist()) - set(self._board.awake())
        if not sleepers or self._rules.min_faces == 1:
            return
        rows = np.asarray(sorted(sleepers), dtype=np.intp)
        vectors = self._faces.vectors
        near = np.zeros(len(rows), dtype=np.bool_)
        for start in range(0, len(causes), _ROWS):
            some = vectors[np.asarray(causes[start : start + _ROWS], dtype=np.intp)]
            near |= (vectors[rows] @ some.T).max(axis=1) >= self._rules.found
        self._decided.update(self._board.wake(rows[near].tolist()))

    def _join(self, joinings: Sequence[_Joining]) -> set[int]:
        """Let faces be an identity's; whoever must be with them comes along.

        Returns:
            The faces whose situation this changed, the joined ones among them.
        """
        concerned: set[int] = set()
        for joining in joinings:
            face = self._faces.faces[joining.row]
            self._rows.setdefault(joining.identity, []).append(joining.row)
            self._beside.setdefault(face.frame, set()).add(joining.identity)
            self._where[face.face_id] = joining.identity
            parted = self._links.parted_from(face.face_id)
            concerned.update(self._row_of[other] for other in parted if other in self._row_of)
            concerned.update(self._in_frame[face.frame])
        rows = [joining.row for joining in joinings]
        self._board.close(rows)
        self._decided.update(rows)
        concerned |= self._portray({joining.identity for joining in joinings})
        self._unasked |= concerned
        return concerned | self._follow() if joinings else concerned

    def _portray(self, identities: Iterable[int]) -> set[int]:
        """Portray identities that got faces, and score everybody for them; return whom."""
        changed = sorted(identities)
        self._read(changed)
        concerned = {row for number in changed for row in self._board.like(number)}
        for number in changed:
            members = self._faces.take(self._rows[number])
            if number in self._known:
                members = self._known[number].joined_by(members)
            members = members.in_order()
            one = portrait(members)
            self._gallery.put(number, one)
            self._portraits[number] = remembered(one, members)
        self._rescore(changed)
        return concerned.union(*(self._board.like(number) for number in changed))

    def _rescore(self, identities: Sequence[int]) -> None:
        """Score everybody for identities that changed; wake whoever is or was like them."""
        was_like = (row for number in identities for row in self._sleepers_near.get(number, ()))
        self._wake([*self._board.wake(was_like), *self._board.changed(identities)])

    def _read(self, identities: Sequence[int]) -> None:
        """Read the faces of identities that were there before the pass, once."""
        unread = [n for n in identities if n not in self._known and n not in self._cores]
        names = [self._begin.identities[number] for number in unread]
        if names:
            read = self._begin.members(names)
            self._known |= {n: read[name] for n, name in zip(unread, names, strict=True)}

    def _follow(self) -> set[int]:
        """Let every face that must be with somebody's join it, unless it is parted from it."""
        followers: list[_Joining] = []
        for group in self._links.components():
            homes = {self._where[face_id] for face_id in group if face_id in self._where}
            if len(homes) != 1:
                continue
            (home,) = homes
            rows = sorted(self._row_of[face_id] for face_id in group if face_id in self._row_of)
            followers += [
                _Joining(row, home, self._likeness(row, home))
                for row in rows
                if self._board.is_open(row) and home not in self._barred(row)
            ]
        self._joined += followers
        return self._join(followers) if followers else set()

    def _likeness(self, row: int, identity: int) -> float:
        exemplars = self._gallery.exemplars[identity, : self._gallery.sizes[identity]]
        return float(identity_scores(self._faces.vectors[row : row + 1], exemplars)[0])

    def _barred(self, row: int) -> set[int]:
        """Give the identities that people parted a face from."""
        parted = self._links.parted_from(self._faces.faces[row].face_id)
        return {self._where[face_id] for face_id in parted if face_id in self._where}

    def _scores(self, row: int) -> list[tuple[int, float]]:
        """Give an awake face's scores for the identities that it may join."""
        barred = self._barred(row)
        beside = self._beside.get(self._faces.faces[row].frame, ())
        scores = []
        for identity, value in self._board.scores(row):
            value -= self._rules.same_frame_penalty if identity in beside else 0.0
            if value >= self._rules.floor and identity not in barred:
                scores.append((identity, value))
        return scores

    def _best(self, row: int) -> float:
        """Return an awake face's highest score; −1 where none could decide anything."""
        return max((value for _, value in self._scores(row)), default=-1.0)

    def _found(self) -> int:
        """Found every identity that can begin now; return how many.

        The faces are compared anew in every turn, so that the last turn sees what a later pass
        will see, and agrees with it that nothing is left to do.
        """
        faces = self._faces
        rows = [row for row in self._board.awake() if self._rules.may_found(faces.faces[row])]
        place = {row: index for index, row in enumerate(rows)}
        founders = faces.take(rows)
        graph = FoundingGraph(founders.faces, founders.vectors, self._rules, self._links)
        for row, index in place.items():
            graph.allow(index, self._best(row))
        before = len(self._cores)
        for seed in graph.seeds():
            core = graph.core(seed)
            if core is None:
                continue

            def goes_elsewhere(match: Match) -> bool:
                if match.row not in place:
                    return False
                nearer = graph.nearer(place[match.row], match.score)
                return any(self._is_stranger(rows[index], match.identity) for index in nearer)

            concerned = self._grow(
                [rows[index] for index in core], graph.similarities(core), goes_elsewhere
            )
            for row in concerned & place.keys():
                if self._board.is_open(row):
                    graph.allow(place[row], self._best(row))
                else:
                    graph.forbid(place[row])
        return len(self._cores) - before

    def _is_stranger(self, row: int, identity: int) -> bool:
        """Tell whether an open face is so unlike an identity that it cannot join."""
        return self._board.is_awake(row) and self._rules.accept > dict(self._board.scores(row)).get(
            identity, -1.0
        )

    def _grow(
        self,
        rows: list[int],
        similarities: list[float],
        goes_elsewhere: Callable[[Match], bool],
    ) -> set[int]:
        """Begin an identity, and let everybody join who is surely the same.

        Before the next one begins: else somebody of many looks begins several times, and the
        faces in between are too much like each of them to join one. Whoever is nearer to a
        stranger waits until that one has begun, too.
        """
        identity = len(self._gallery)
        self._cores[identity] = [
            _Joining(row, identity, similarity)
            for row, similarity in zip(rows, similarities, strict=True)
        ]
        return self._match(self._join(self._cores[identity]), self._rules.sure, goes_elsewhere)

    def _match_all(self) -> int:
        """Let faces join until no more do; return how many did."""
        before = len(self._joined)
        self._match(self._unasked, self._rules.accept)
        self._unasked = set()
        return len(self._joined) - before

    def _match(
        self,
        asked: set[int],
        least: float,
        goes_elsewhere: Callable[[Match], bool] = lambda _: False,
    ) -> set[int]:
        """Ask faces, and again whomever their joining concerns, until no more join.

        Args:
            asked: Rows; those that are asleep or have joined are passed over.
            least: The lowest score to join at, should a face need less.
            goes_elsewhere: Whether a face that may join should wait.

        Returns:
            All that were asked.
        """
        everybody = set(asked)
        while matches := self._matches(asked, least, goes_elsewhere):
            joinings = [_Joining(match.row, match.identity, match.score) for match in matches]
            self._joined += joinings
            asked = self._join(joinings)
            everybody |= asked
        return everybody

    def _matches(
        self, asked: Iterable[int], least: float, goes_elsewhere: Callable[[Match], bool]
    ) -> list[Match]:
        """Return the faces that may join now, in the order of their rows.

        Of several faces in one frame, or parted faces, that would join one identity only the best
        does, and of faces that must be together; the others are asked again when it has.
        """
        chosen: list[Match] = []
        frames: set[tuple[Frame, int]] = set()
        groups: set[FaceId] = set()
        joining: dict[int, list[FaceId]] = {}
        candidates = [c for c in self._candidates(asked, least) if not goes_elsewhere(c)]
        for match in sorted(candidates, key=lambda match: (-match.score, match.row)):
            face = self._faces.faces[match.row]
            company = joining.setdefault(match.identity, [])
            group = self._links.group(face.face_id)
            if (face.frame, match.identity) in frames or group in groups:
                continue
            if self._links.barred(face.face_id, company):
                continue
            groups.add(group)
            frames.add((face.frame, match.identity))
            company.append(face.face_id)
            chosen.append(match)
        return sorted(chosen, key=lambda match: match.row)

    def _candidates(self, asked: Iterable[int], least: float) -> Iterator[Match]:
        for row in asked:
            if self._board.is_awake(row):
                need = max(least, self._rules.need(self._faces.faces[row]))
                match = choose(row, self._scores(row), need, self._rules.margin)
                if match is not None:
                    yield match
