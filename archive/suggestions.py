"""The use cases that ask a person: questions about people, what an answer does, and strangers.

What they need of a store, and which correction each answer is. Which questions there are and what
they are worth is `archive.identity.suggesting`; an answer is a decision like any other, in the log
and undone like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from archive.correcting import Act, CorrectionDesk, merge, split
from archive.correcting.answering import apart, together, whose
from archive.identity.constraints import Links
from archive.identity.doubting import FaceQuestion, uncertain
from archive.identity.events import Decision
from archive.identity.gathering import Gathering
from archive.identity.records import FaceSet
from archive.identity.rules import Rules
from archive.identity.strangers import RarelySeen
from archive.identity.suggesting import MergeQuestion, MixedQuestion, merges, mixed
from archive.ids import FaceId, IdentityId
from archive.publishing.doubts import Doubt

Question = MergeQuestion | MixedQuestion | FaceQuestion
Queue = Literal["merges", "mixed", "uncertain"]

_QUEUES: Final[Mapping[Queue, Callable[[Gathering, Rules], Sequence[Question]]]] = {
    "merges": merges,
    "mixed": mixed,
    "uncertain": uncertain,
}


@dataclass(frozen=True, slots=True, eq=False)
class Everybody:
    """Who is visible, as it stood at one moment.

    Attributes:
        faces: Faces of visible people, and of nobody.
        by_hand: Those that a person put where they are.
        links: What people said of faces.
    """

    faces: FaceSet
    by_hand: frozenset[FaceId]
    links: Links


class Asking(Protocol):
    """Where those are whom one could ask about."""

    def everybody(self, model: str, min_quality: float) -> Everybody:
        """Give the faces that may be compared.

        Args:
            model: Only vectors of this model.
            min_quality: Only faces of at least this quality.
        """
        ...

    def rarely_seen(self, most: int) -> Sequence[RarelySeen]:
        """Give visible people without a name or a decided face, seen in at most so many contents.

        A face on a content that no allowed chat shows counts as a face all the same.
        """
        ...


def questions(store: Asking, model: str, rules: Rules, queue: Queue) -> Sequence[Question]:
    """Give the questions of a queue that nobody has answered, the most useful first.

    Raises:
        Transient: The store does not answer.
    """
    found = store.everybody(model, rules.min_quality)
    everybody = Gathering.of(found.faces, rules, by_hand=found.by_hand, links=found.links)
    return _QUEUES[queue](everybody, rules)


def doubts(store: Asking, model: str, rules: Rules) -> list[Doubt]:
    """Give the questions about single faces as a hub may ask them, the most useful first.

    Raises:
        Transient: The store does not answer.
    """
    found = questions(store, model, rules, "uncertain")
    return [
        Doubt(each.face_id, each.identity, each.placed)
        for each in found
        if isinstance(each, FaceQuestion)
    ]


def answer(desk: CorrectionDesk, question: Question, act: Act, *, yes: bool) -> Decision | None:
    """Do what a person says to a question.

    Args:
        desk: The store, ours alone.
        question: As it was asked.
        act: Who answers.
        yes: They are one; the part is somebody else's; the face is that person's.

    Returns:
        What was decided; None where that was said already.

    Raises:
        Conflict: A person had said otherwise; it names when.
        Outdated: Somebody else corrected one of them meanwhile.
        Permanent: Somebody or something of the question is no more.
    """
    match question:
        case MergeQuestion(larger=larger, smaller=smaller):
            if yes:
                return merge(desk, [smaller], larger, act)
            return apart(desk, smaller, larger, act)
        case MixedQuestion(identity=identity, part=part):
            if yes:
                return split(desk, identity, part, act)
            return together(desk, identity, part, act)
        case FaceQuestion(face_id=face_id, identity=identity):
            return whose(desk, face_id, identity, act, yes=yes)


def strangers(store: Asking, *, most: int) -> list[IdentityId]:
    """Give those who may be hidden in one go: rarely seen, and never but in the background.

    Args:
        store: Where they are.
        most: Photos and videos that show a stranger at most.
    """
    return [each.identity_id for each in store.rarely_seen(most) if each.is_stranger]
