"""The use case that groups all faces anew and lets a person choose what to make of it.

`propose` changes nothing; `apply` carries out parts of a proposal as corrections like any other,
so each is in the log and can be undone. A part that does not fit any more – somebody corrected an
identity that it names, or a face is somebody else's by now – is left out and named. Applying a
part again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from archive.correcting import (
    Act,
    CorrectionDesk,
    Corrections,
    Outdated,
    begin,
    merge,
    move,
    split,
)
from archive.errors import Permanent
from archive.faces.records import ModelRecord
from archive.identify import IdentifyOptions
from archive.identity.clustering import cluster
from archive.identity.constraints import Links
from archive.identity.events import DecidedBy
from archive.identity.proposals import Part, PartKind, Proposal, compare
from archive.identity.records import FaceSet, IdentityState
from archive.identity.stability import succeed
from archive.ids import FaceId, IdentityId


class FacesDesk(Protocol):
    """The store while nobody decides about people."""

    def usable_faces(self, model: str, min_quality: float) -> FaceSet:
        """Give the faces that may be compared, with and without identity.

        Args:
            model: Only vectors of this model.
            min_quality: Only faces of at least this quality.
        """
        ...


class FacesStore(Protocol):
    """Where all faces are."""

    def deciding(self) -> AbstractContextManager[FacesDesk]:
        """Take the store, so that what is read is of one moment.

        Raises:
            Transient: Somebody else is deciding, or the database does not answer.
        """
        ...


class Outcome(StrEnum):
    """What became of a part."""

    APPLIED = "applied"
    ALREADY = "applied before"
    OUTDATED = "outdated"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one part, and why."""

    part: Part
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Standing:
    """What has to be known about people before faces are grouped."""

    links: Links
    versions: Mapping[IdentityId, int]
    numbers: Mapping[IdentityId, int]
    pinned: frozenset[IdentityId]
    held: frozenset[FaceId]


def propose(
    people: FacesStore,
    corrections: Corrections,
    model: ModelRecord,
    options: IdentifyOptions,
    *,
    only: IdentityId | None = None,
) -> Proposal:
    """Group faces anew and say what that would change.

    The store is free while faces are compared; what changes meanwhile makes parts outdated.

    Args:
        people: Where faces are.
        corrections: Where people and links are.
        model: The model to compare by.
        options: What the owner set.
        only: Look at the faces of this identity alone: is it several people?

    Raises:
        Transient: Somebody else is deciding, or the database does not answer.
    """
    rules = options.rules(model.thresholds)
    with people.deciding() as desk:
        faces = desk.usable_faces(model.name, rules.min_quality)
    if only is not None:
        faces = faces.take([row for row, old in enumerate(faces.assigned) if old == only])
    faces = faces.in_order()
    with corrections.correcting() as correcting:
        standing = _standing(correcting, faces)
    groups = cluster(faces, rules, standing.links).tolist()
    succession = succeed(
        faces, groups, rules, standing.links, pinned=standing.pinned, held=standing.held
    )
    parts = compare(faces, succession)
    named = {identity for part in parts for identity in part.identities}
    return Proposal(
        model.name,
        len(faces),
        parts,
        {identity: standing.versions[identity] for identity in named},
        {identity: standing.numbers[identity] for identity in named},
    )


def apply(
    corrections: Corrections,
    proposal: Proposal,
    numbers: Sequence[int] | None,
    *,
    actor: str,
    cause: str,
) -> tuple[Proposal, list[Answer]]:
    """Carry out parts of a proposal: in one transaction, each as one decision.

    Args:
        corrections: Where people are.
        proposal: As it was made, or as an earlier call left it.
        numbers: Of the parts; None: all.
        actor: Who applies it.
        cause: The command or page.

    Returns:
        The proposal with what was applied noted, and what became of each part.

    Raises:
        Permanent: There is no part of such a number.
        Transient: Somebody else is deciding, or the database does not answer.
    """
    try:
        chosen = proposal.chosen(numbers)
    except KeyError as exc:
        raise Permanent(f"the proposal has no part {exc.args[0]}") from exc
    answers = []
    with corrections.correcting() as desk:
        for part in chosen:
            proposal, answer = _applied(desk, proposal, part, actor, cause)
            answers.append(answer)
    return proposal, answers


def _standing(desk: CorrectionDesk, faces: FaceSet) -> _Standing:
    people = {
        identity: person
        for identity in dict.fromkeys(faces.assigned)
        if identity is not None and (person := desk.person(identity)) is not None
    }
    assigned = [
        face.face_id
        for face, identity in zip(faces.faces, faces.assigned, strict=True)
        if identity is not None
    ]
    return _Standing(
        links=desk.links(),
        versions={identity: person.version for identity, person in people.items()},
        numbers={identity: person.identity.number for identity, person in people.items()},
        pinned=frozenset(
            identity
            for identity, person in people.items()
            if person.identity.label is not None or person.identity.state is IdentityState.HIDDEN
        ),
        held=frozenset(
            face_id
            for face_id, face in desk.faces(assigned).items()
            if face.membership is not None and face.membership.decided_by is DecidedBy.PERSON
        ),
    )


def _applied(
    desk: CorrectionDesk, proposal: Proposal, part: Part, actor: str, cause: str
) -> tuple[Proposal, Answer]:
    if part.number in proposal.applied:
        return proposal, Answer(part, Outcome.ALREADY)
    seen = {identity: proposal.versions[identity] for identity in part.identities}
    try:
        _require_in_place(desk, part)
        _carry_out(desk, part, proposal.model, Act(actor, cause, seen))
    except Outdated as exc:
        return proposal, Answer(part, Outcome.OUTDATED, str(exc))
    except Permanent as exc:
        return proposal, Answer(part, Outcome.REFUSED, str(exc))
    return proposal.after(part, _versions(desk, part.identities)), Answer(part, Outcome.APPLIED)


def _require_in_place(desk: CorrectionDesk, part: Part) -> None:
    """Refuse a part whose faces or identities are not where it saw them.

    Raises:
        Outdated: So it is.
    """
    for identity in part.identities:
        person = desk.person(identity)
        if person is None or not person.identity.state.live:
            raise Outdated("an identity that it names is no more")
    if part.kind is PartKind.MERGE:
        # Whoever joined meanwhile is the same person, and goes along.
        return
    faces = desk.faces(part.faces.keys())
    gone = sum(
        face_id not in faces or faces[face_id].identity_id != old
        for face_id, old in part.faces.items()
    )
    if gone:
        raise Outdated(f"{gone} of its {len(part.faces)} faces are elsewhere by now")


def _carry_out(desk: CorrectionDesk, part: Part, model: str, act: Act) -> None:
    faces = list(part.faces)
    if part.kind is PartKind.MERGE and part.target is not None:
        merge(desk, part.sources, part.target, act, binding=False)
    elif part.target is not None:
        move(desk, dict.fromkeys(faces, part.target), act)
    elif len(part.sources) == 1 and None not in part.faces.values():
        split(desk, part.sources[0], faces, act, binding=False)
    else:
        begin(desk, faces, model, act, binding=False)


def _versions(desk: CorrectionDesk, identities: Iterable[IdentityId]) -> dict[IdentityId, int]:
    people = (desk.person(identity) for identity in identities)
    return {person.identity.identity_id: person.version for person in people if person is not None}
