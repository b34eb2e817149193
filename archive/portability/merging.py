"""Two archives' words about the same faces, brought together: the writes of one decision.

A person's word here stands first, then the file's, then the matcher's here. Nothing of the file is
taken that would break what persons said of faces here; what cannot be taken is told in words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from archive.correcting import CorrectionDesk, HeldFace, Person
from archive.identity.constraints import Link, LinkKind, Links, pair
from archive.identity.events import (
    Beginning,
    DecidedBy,
    Membership,
    Register,
    Standing,
    Write,
    face_cell,
    identity_cell,
    link_cell,
    suppressed_cell,
)
from archive.identity.records import IdentityState
from archive.ids import FaceId, IdentityId, new_decision_id, new_identity_id
from archive.portability.matching import Ours, match_people
from archive.portability.records import PortedFace, PortedPeople, PortedPerson


class Merge:
    """One import, worked out at a desk; `writes` is called once.

    Attributes:
        begun: People who begin.
        named: Names that are given.
        moved: Faces that become somebody's who they were not.
        linked: Links that are taken over.
        differences: What stays as it is here, in words.
    """

    def __init__(self, desk: CorrectionDesk, ported: PortedPeople, ours: Ours, model: str) -> None:
        """Begin with nothing decided.

        Args:
            desk: The store, ours alone.
            ported: What the file says.
            ours: Which of its faces are here.
            model: For people who begin.
        """
        self._desk = desk
        self._ported = ported
        self._ours = ours
        self._model = model
        self._links = desk.links()
        self._people = match_people(desk, ported, ours)
        self._goals = {
            person.number: self._people[person.number].identity.identity_id
            if person.number in self._people
            else new_identity_id()
            for person in ported.people
        }
        self._held: dict[FaceId, HeldFace] = {face.face_id: face for face in ours.values()}
        self._moves: dict[FaceId, Membership | None] = {}
        self._wanted: dict[FaceId, IdentityId] = {}
        self._theirs: defaultdict[int, list[FaceId]] = defaultdict(list)
        for place, face in ours.items():
            number = ported.faces[place].person
            if number is not None:
                self._theirs[number].append(face.face_id)
                self._wanted[face.face_id] = self._goals[number]
        self._last_number = desk.last_number()
        self.begun = self.named = self.moved = self.linked = 0
        self.differences: list[str] = []

    def writes(self) -> list[Write]:
        """Work out what to write; nothing where the archive says the same already."""
        suppressed = [
            face.face_id
            for place, face in sorted(self._ours.items())
            if self._place(self._ported.faces[place], face)
        ]
        links = self._settled(self._fresh_links())
        self.linked = len(links)
        people = sorted(self._ported.people, key=lambda person: person.number)
        return [
            *(write for person in people for write in self._of_person(person)),
            *(Write(suppressed_cell(face_id), True) for face_id in suppressed),
            *self._face_writes(),
            *(Write(link_cell(each.face_id, each.other_face_id), each.kind) for each in links),
            *self._emptied(),
        ]

    def _place(self, theirs: PortedFace, ours: HeldFace) -> bool:
        """Decide where a face goes; tell whether it becomes none."""
        held = ours.membership
        if theirs.suppressed or theirs.person is None:
            wanted = None
        else:
            wanted = Membership(self._goals[theirs.person], theirs.similarity, theirs.decided_by)
        if ours.suppressed:
            if wanted is not None:
                self._differ(ours, "is no face here")
            return False
        by_person = held is not None and held.decided_by is DecidedBy.PERSON
        if theirs.suppressed:
            if by_person:
                self._differ(ours, "is no face there, and a person said here whose it is")
            elif held is not None:
                self._moves[ours.face_id] = None
            return not by_person
        if wanted is None or held == wanted:
            return False
        if held is None or held.identity_id != wanted.identity_id:
            if by_person:
                self._differ(ours, "is somebody else's here, as a person said")
            else:
                self._moves[ours.face_id] = wanted
        elif wanted.decided_by is DecidedBy.PERSON and not by_person:
            kept = Membership(held.identity_id, held.similarity, DecidedBy.PERSON)
            self._moves[ours.face_id] = kept
        return False

    def _fresh_links(self) -> list[Link]:
        """Give the links of the file that are news here and contradict nothing."""
        said = {(link.face_id, link.other_face_id): link.kind for link in self._links}
        decision_id = new_decision_id()
        fresh: dict[tuple[FaceId, FaceId], Link] = {}
        for link in self._ported.links:
            if link.face not in self._ours or link.other not in self._ours:
                continue
            one, other = self._ours[link.face].face_id, self._ours[link.other].face_id
            known = said.get(pair(one, other))
            if known is None:
                fresh[pair(one, other)] = Link.between(one, other, link.kind, decision_id)
            elif known is not link.kind:
                self._differ_on_link(one, other, link.kind)
        while contradictions := self._links.against(fresh.values()):
            gone = {link for each in contradictions for link in (each.cannot, *each.musts)}
            dropped = [key for key, link in fresh.items() if link in gone]
            for key in dropped:
                self._differ_on_link(*key, fresh.pop(key).kind)
        return list(fresh.values())

    def _settled(self, fresh: list[Link]) -> list[Link]:
        """Let faces be where links allow it: whom only the matcher here put in the way leaves.

        Args:
            fresh: The links of the file; those that cannot hold are dropped.

        Returns:
            Those that can.
        """
        after = Links([*self._links, *fresh])
        ends = {end for link in fresh for end in (link.face_id, link.other_face_id)}
        faces = ends | {*self._moves}
        around = {o for f in faces for o in (*after.together(f), *after.parted_from(f))}
        self._held |= self._desk.faces(around - self._held.keys())
        self._clear(self._held, after)
        self._yield(after)
        self._clear(self._held, after)
        return self._holding(fresh, after)

    def _clear(self, faces: Iterable[FaceId], links: Links) -> None:
        """Make nobody's those of the faces that only the matcher here put in somebody's way."""
        for face_id in sorted(faces):
            if self._is_loose(face_id) and self._foes(face_id, links):
                self._moves[face_id] = None

    def _yield(self, after: Links) -> None:
        """Take back the moves that persons' links here forbid, until none is left.

        In an order that no outcome changes, so that importing again comes to the same.
        """
        order = sorted(self._moves, key=lambda face: (_is_persons(self._moves[face]), face))
        while refused := [f for f in order if f in self._moves and self._foes(f, self._links)]:
            for face_id in refused:
                # Whoever yielded before it may have made room.
                if self._foes(face_id, self._links):
                    del self._moves[face_id]
                    what = "cannot be where the file has it, by what was said here"
                    self._differ(self._held[face_id], what)
                    self._clear([face_id], after)

    def _holding(self, fresh: list[Link], after: Links) -> list[Link]:
        """Drop the links of the file that faces here, who stay where they are, cannot keep."""
        kept = {pair(link.face_id, link.other_face_id): link for link in fresh}
        while broken := [(f, o) for f in sorted(self._held) for o in self._foes_of(f, after)]:
            reasons = {link for one, other in broken for link in after.reasons(one, other)}
            dropped = [key for key, link in kept.items() if link in reasons]
            if not dropped:
                break  # It was so before: a contradiction of this archive's own.
            for key in dropped:
                self._differ_on_link(*key, kept.pop(key).kind)
            after = Links([*self._links, *kept.values()])
        return list(kept.values())

    def _foes(self, face_id: FaceId, links: Links) -> bool:
        """Tell whether a face is where links forbid it to be."""
        return next(self._foes_of(face_id, links), None) is not None

    def _foes_of(self, face_id: FaceId, links: Links) -> Iterator[FaceId]:
        """Give the faces with which it must not be, or without which it must not."""
        place = self._place_of(face_id)
        if place is None:
            return
        yield from (o for o in links.together(face_id) if self._place_of(o) not in {place, None})
        yield from (o for o in links.parted_from(face_id) if self._place_of(o) == place)

    def _is_loose(self, face_id: FaceId) -> bool:
        """Tell whether nobody but the matcher here says that a face is where it is."""
        final = self._final(face_id)
        if final is None or final.decided_by is DecidedBy.PERSON:
            return False
        return final.identity_id != self._wanted.get(face_id)

    def _final(self, face_id: FaceId) -> Membership | None:
        """Say whose a face will be, as far as that is decided."""
        held = self._held.get(face_id)
        return self._moves.get(face_id, held.membership if held else None)

    def _place_of(self, face_id: FaceId) -> IdentityId | None:
        final = self._final(face_id)
        return None if final is None else final.identity_id

    def _face_writes(self) -> list[Write]:
        writes = []
        for face_id, membership in self._moves.items():
            held = self._held[face_id]
            if membership == held.membership:
                continue
            writes.append(Write(face_cell(face_id), membership, held.identity_id))
            changes = membership is not None and membership.identity_id != held.identity_id
            self.moved += changes
        return writes

    def _of_person(self, theirs: PortedPerson) -> list[Write]:
        """Write what a person is called, whether they are shown, and by which face."""
        goal = self._goals[theirs.number]
        if all(self._place_of(face) != goal for face in self._theirs[theirs.number]):
            return []
        ours = self._people.get(theirs.number)
        writes = self._standing(theirs, ours, goal)
        known = ours.identity.label if ours else None
        if theirs.label and not known:
            writes.append(Write(identity_cell(Register.LABEL, goal), theirs.label))
            self.named += 1
        elif theirs.label and known != theirs.label:
            self.differences.append(f"{theirs.label!r} is called {known!r} here")
        face = self._ours.get(-1 if theirs.cover is None else theirs.cover)
        if face and self._place_of(face.face_id) == goal and (ours is None or ours.cover is None):
            writes.append(Write(identity_cell(Register.COVER, goal), face.face_id))
        return writes

    def _standing(self, theirs: PortedPerson, ours: Person | None, goal: IdentityId) -> list[Write]:
        cell = identity_cell(Register.STATE, goal)
        if ours is None:
            number = self._next_number(theirs.number)
            begins = Beginning(number, self._model)
            return [Write(cell, Standing(theirs.state), begins=begins)]
        hides = theirs.state is IdentityState.HIDDEN
        if hides and ours.identity.state is IdentityState.VISIBLE:
            return [Write(cell, Standing(IdentityState.HIDDEN))]
        return []

    def _next_number(self, wanted: int) -> int:
        """Give the number a person had, where nobody here had it or a higher one."""
        self._last_number = max(self._last_number + 1, wanted)
        self.begun += 1
        return self._last_number

    def _emptied(self) -> list[Write]:
        """Let people whose faces all went to one other lead there; a name keeps its own."""
        left = {self._held[face].identity_id for face in self._moves} - {*self._goals.values()}
        writes = []
        for identity_id in sorted(each for each in left if each is not None):
            places = {self._place_of(f.face_id) for f in self._members(identity_id)}
            person = self._desk.person(identity_id)
            goal = places.pop() if len(places) == 1 else identity_id
            if goal not in {None, identity_id} and person and not person.identity.label:
                standing = Standing(IdentityState.MERGED, goal)
                writes.append(Write(identity_cell(Register.STATE, identity_id), standing))
        return writes

    def _members(self, identity_id: IdentityId) -> list[HeldFace]:
        members = list(self._desk.members(identity_id))
        self._held |= {face.face_id: face for face in members}
        return members

    def _differ_on_link(self, one: FaceId, other: FaceId, kind: LinkKind) -> None:
        there = f"{kind} be with {str(other)[:8]} there, against what was said here"
        self._differ(self._held[one], there)

    def _differ(self, face: HeldFace, what: str) -> None:
        self.differences.append(f"face {str(face.face_id)[:8]} {what}")


def _is_persons(membership: Membership | None) -> bool:
    return membership is not None and membership.decided_by is DecidedBy.PERSON
