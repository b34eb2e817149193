"""A pass: who begins a person, who joins one, who waits.

The order of the rules, and when to stop. What people said comes first: a face that must be with
another follows it, and none joins an identity it was parted from. Then cores are looked for among
the faces that no identity clearly claims; then faces join until no more do; and both again while
anything changes. So one pass over everything ends where repeated passes would, and a second pass
changes nothing.

A pass looks at the faces that are due and at those it wakes by what it changes (`matching`), and
ends where a pass over all would. What is so in between is ``situation``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from archive.identity.constraints import Links
from archive.identity.founding import FoundingGraph
from archive.identity.matching import Match, choose
from archive.identity.records import Assignment, Decisions, FaceSet, Founding
from archive.identity.rules import Rules
from archive.identity.situation import Joining, Situation
from archive.identity.standing import (
    Frame,
    Memory,
    Standing,
    Waiting,
    standing,
)
from archive.ids import FaceId, IdentityId


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
    """One pass over a situation."""

    def __init__(self, begin: Standing, rules: Rules, links: Links) -> None:
        self._begin = begin
        self._rules = rules
        self._links = links
        self._now = Situation(begin, rules, links)
        self._faces = self._now.faces
        self._board = self._now.board
        self._cores: dict[int, list[Joining]] = {}
        self._joined: list[Joining] = []
        # Faces whose situation changed since they were asked whom they join.
        self._unasked: set[int] = set()

    def run(self) -> None:
        """Found and match until nothing changes; every turn but the last closes faces."""
        self._now.wake(self._board.wake(self._begin.due))
        changed = self._begin.changed
        self._now.rescore([n for n, one in enumerate(self._begin.identities) if one in changed])
        self._unasked.update(self._board.awake())
        self._follow()
        while self._found() + self._match_all():
            pass

    def outcome(self, new_identity_id: Callable[[], IdentityId]) -> tuple[Decisions, Memory]:
        """Put names to rows and numbers; new identities go by their first face."""
        order = sorted(self._cores, key=lambda identity: min(j.row for j in self._cores[identity]))
        ids = dict(enumerate(self._begin.identities))
        ids |= {identity: new_identity_id() for identity in order}

        def named(joining: Joining) -> Assignment:
            face_id = self._faces.faces[joining.row].face_id
            return Assignment(face_id, ids[joining.identity], joining.similarity)

        decisions = Decisions(
            foundings=tuple(
                Founding(ids[identity], tuple(named(j) for j in sorted(self._cores[identity])))
                for identity in order
            ),
            assignments=tuple(named(joining) for joining in sorted(self._joined)),
            probes=len(self._now.decided),
        )
        waiting = (
            Waiting(
                self._faces.faces[row].face_id,
                tuple(ids[identity] for identity, _ in sorted(self._board.scores(row))),
            )
            for row in self._board.awake()
        )
        portraits = {ids[number]: one for number, one in self._now.portraits.items()}
        return decisions, Memory(portraits, tuple(waiting))

    def _join(self, joinings: Sequence[Joining]) -> set[int]:
        """Let faces be an identity's; whoever must be with them comes along.

        Returns:
            The faces whose situation this changed, the joined ones among them.
        """
        concerned = self._now.join(joinings)
        self._unasked |= concerned
        return concerned | self._follow() if joinings else concerned

    def _follow(self) -> set[int]:
        """Let every face that must be with somebody's join it, unless it is parted from it."""
        followers: list[Joining] = []
        for group in self._links.components():
            homes = self._now.homes(group)
            if len(homes) != 1:
                continue
            (home,) = homes
            followers += [
                Joining(row, home, self._now.likeness(row, home))
                for row in self._now.rows(group)
                if self._board.is_open(row) and home not in self._now.barred(row)
            ]
        self._joined += followers
        return self._join(followers) if followers else set()

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
            graph.allow(index, self._now.best(row))
        before = len(self._cores)
        for seed in graph.seeds():
            core = graph.core(seed)
            if core is None:
                continue

            def goes_elsewhere(match: Match) -> bool:
                if match.row not in place:
                    return False
                nearer = graph.nearer(place[match.row], match.score)
                return any(self._now.is_stranger(rows[index], match.identity) for index in nearer)

            concerned = self._grow(
                [rows[index] for index in core], graph.similarities(core), goes_elsewhere
            )
            for row in concerned & place.keys():
                if self._board.is_open(row):
                    graph.allow(place[row], self._now.best(row))
                else:
                    graph.forbid(place[row])
        return len(self._cores) - before

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
        identity = self._now.next_number()
        self._cores[identity] = [
            Joining(row, identity, similarity)
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
            joinings = [Joining(match.row, match.identity, match.score) for match in matches]
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
                match = choose(row, self._now.scores(row), need, self._rules.margin)
                if match is not None:
                    yield match
