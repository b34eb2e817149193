"""What every correction must keep, and the refusals that say so.

Nobody is corrected who was corrected meanwhile; no two statements of persons contradict each
other; faces that must be together stay so, and those that must not never meet in one identity. The
matcher's decisions give way, a person's are named and stay until that person takes them back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from archive.correcting.ports import (
    Act,
    Conflict,
    CorrectionDesk,
    HeldFace,
    Outdated,
    Person,
)
from archive.errors import Permanent
from archive.identity.constraints import Link, LinkKind, Links
from archive.identity.events import (
    Cell,
    DecidedBy,
    Decision,
    EventKind,
    LoggedDecision,
    Membership,
    Register,
    Write,
    face_cell,
    suppressed_cell,
)
from archive.ids import DecisionId, FaceId, IdentityId, new_decision_id

Places = Mapping[FaceId, IdentityId | None]


def live(desk: CorrectionDesk, identity_id: IdentityId) -> Person:
    """Give an identity that can have faces; a merged one leads to who took its faces.

    Raises:
        Permanent: There is none.
    """
    person = desk.person(identity_id)
    while person is not None and person.merged_into is not None:
        person = desk.person(person.merged_into)
    if person is None:
        raise Permanent("there is no such identity")
    if not person.identity.state.live:
        raise Permanent(f"{person.identity.title} is {person.identity.state}")
    return person


def live_people(desk: CorrectionDesk, identity_ids: Iterable[IdentityId]) -> list[Person]:
    """Give identities as `live` does, each once."""
    people = (live(desk, identity_id) for identity_id in identity_ids)
    return list({person.identity.identity_id: person for person in people}.values())


def enacted(
    desk: CorrectionDesk,
    act: Act,
    kind: EventKind,
    writes: Sequence[Write],
    *,
    undoes: DecisionId | None = None,
    replacing: bool = False,
) -> Decision | None:
    """Write a decision after all that could speak against it.

    Args:
        desk: The store, ours alone.
        act: Who decides.
        kind: What it does.
        writes: Of two to one register the later one holds; links that are so already are left out.
        undoes: The decision that it takes back.
        replacing: Whether a link may take the place of its opposite.

    Returns:
        What was decided; None where nothing changes.

    Raises:
        Conflict: A person had said otherwise.
        Outdated: Somebody else corrected one of them meanwhile.
        Transient: A face was erased since it was read.
    """
    require_current(desk, act)
    links = desk.links()
    news = _news(writes, links)
    if not news:
        return None
    decision = Decision(new_decision_id(), kind, act.actor, act.cause, tuple(news), undoes)
    _require_faces(desk, decision)
    _require_harmony(desk, links, decision, replacing=replacing)
    desk.append(decision)
    return decision


def require_current(desk: CorrectionDesk, act: Act) -> None:
    """Refuse an act on what has changed since the caller saw it.

    Raises:
        Outdated: It has.
    """
    for identity_id, version in act.expected.items():
        person = desk.person(identity_id)
        if person is None or person.version != version:
            name = "the identity" if person is None else person.identity.title
            raise Outdated(f"{name} was corrected meanwhile: look again")


def require_undecided(desk: CorrectionDesk, faces: Iterable[HeldFace]) -> None:
    """Refuse to move, by the way, what a person put where it is.

    Raises:
        Conflict: A person did.
    """
    cells = [
        face_cell(face.face_id)
        for face in faces
        if face.membership is not None and face.membership.decided_by is DecidedBy.PERSON
    ]
    if cells:
        raise refusal(desk, "a person put a face where it is", last_writers(desk, cells))


def _require_faces(desk: CorrectionDesk, decision: Decision) -> None:
    """Refuse to say whose something is that a person said is no face."""
    joining = {
        write.cell.face_id
        for write in decision.writes
        if isinstance(write.value, Membership) and write.cell.face_id is not None
    }
    suppressed = {face_id for face_id, face in desk.faces(joining).items() if face.suppressed}
    for write in decision.writes:
        if write.cell.register is Register.SUPPRESSED and write.cell.face_id is not None:
            (suppressed.add if write.value else suppressed.discard)(write.cell.face_id)
    if none := suppressed & joining:
        cells = [suppressed_cell(face_id) for face_id in none]
        raise refusal(desk, "a person said that it is no face", last_writers(desk, cells))


def last_writers(desk: CorrectionDesk, cells: Collection[Cell]) -> set[DecisionId]:
    """Name the decisions that gave registers their values."""
    last = {w.cell: logged for logged in desk.writing(cells) for w in logged.decision.writes}
    return {logged.decision.decision_id for logged in last.values()}


def refusal(desk: CorrectionDesk, what: str, decision_ids: Iterable[DecisionId | None]) -> Conflict:
    """Say what is in the way, in the order of the log, and how to clear it."""
    found = {each: desk.decision(each) for each in decision_ids if each is not None}
    logged = sorted((d for d in found.values() if d is not None), key=lambda d: d.position)
    names = "; ".join(_named(each) for each in logged)
    return Conflict(f"{what}: {names}. Undo that first." if names else what, logged)


def _named(logged: LoggedDecision) -> str:
    decision = logged.decision
    when = f"{logged.decided_at:%Y-%m-%d %H:%M}"
    return f"{decision.kind} by {decision.actor} at {when} (decision {decision.decision_id})"


def _news(writes: Sequence[Write], links: Links) -> list[Write]:
    said = {(link.face_id, link.other_face_id): link.kind for link in links}
    latest = {write.cell: write for write in writes}
    return [
        write
        for cell, write in latest.items()
        if cell.register is not Register.LINK
        or cell.face_id is None
        or cell.other_face_id is None
        or said.get((cell.face_id, cell.other_face_id)) != write.value
    ]


def _require_harmony(
    desk: CorrectionDesk, links: Links, decision: Decision, *, replacing: bool
) -> None:
    fresh = [
        Link(write.cell.face_id, write.cell.other_face_id, write.value, decision.decision_id)
        for write in decision.writes
        if isinstance(write.value, LinkKind)
        and write.cell.face_id is not None
        and write.cell.other_face_id is not None
    ]
    gone = {
        (write.cell.face_id, write.cell.other_face_id)
        for write in decision.writes
        if write.cell.register is Register.LINK and (replacing or write.value is None)
    }
    kept = links
    if gone:
        kept = Links(link for link in links if (link.face_id, link.other_face_id) not in gone)
    contradictions = kept.against(fresh) if fresh else []
    if contradictions:
        earlier = {d for each in contradictions for d in each.decisions} - {decision.decision_id}
        raise refusal(desk, "this contradicts what was decided before", earlier)
    after = Links([*kept, *fresh]) if fresh else kept
    _require_places(desk, links, after, decision, fresh)


def _require_places(
    desk: CorrectionDesk, links: Links, after: Links, decision: Decision, fresh: Sequence[Link]
) -> None:
    """Refuse to part what must be together, or to put together what must not be."""
    if not after:
        return
    moves: dict[FaceId, IdentityId | None] = {
        write.cell.face_id: write.value.identity_id if isinstance(write.value, Membership) else None
        for write in decision.writes
        if write.cell.register is Register.FACE and write.cell.face_id is not None
    }
    asked = {*moves, *(end for link in fresh for end in (link.face_id, link.other_face_id))}
    concerned = {
        other for face in asked for other in (*after.together(face), *after.parted_from(face))
    }
    places = {face: held.identity_id for face, held in desk.faces(concerned | asked).items()}
    broken = _broken(after, places | moves, asked) - _broken(links, places, asked)
    reasons = {link.decision_id for pair in broken for link in after.reasons(*pair)}
    if broken:
        raise refusal(
            desk,
            "faces that a person said belong together, or do not, would be where they must not",
            reasons - {decision.decision_id},
        )


def _broken(links: Links, places: Places, asked: Collection[FaceId]) -> set[tuple[FaceId, FaceId]]:
    """Give the pairs of faces whose places are not as the links say."""
    placed = [(face, place) for face in asked if (place := places.get(face)) is not None]
    apart = {
        (face, other)
        for face, place in placed
        for other in links.together(face)
        if places.get(other) not in {place, None}
    }
    met = {
        (face, other)
        for face, place in placed
        for other in links.parted_from(face)
        if places.get(other) == place
    }
    return apart | met
