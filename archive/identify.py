"""The use case that turns faces into people.

What it needs of a store, and the one call that the schedule, the CLI and a test make. The rules
are `archive.identity`; a database error passes through as the error it is, and nothing of a
failed call is stored: it never looks like "no match", which would found people out of thin air.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from archive.faces.records import ModelRecord, ModelThresholds
from archive.identity.constraints import Links
from archive.identity.deciding import decide_due
from archive.identity.records import (
    Assignment,
    Decisions,
    Identity,
    NewIdentity,
)
from archive.identity.rules import Rules
from archive.identity.standing import Basis, Memory, Standing
from archive.ids import IdentityId, new_identity_id

MATCHER: Final = "matcher"
"""The actor of everything that this module decides."""

NEW_FACES_A_PASS: Final = 20_000
"""New faces that are decided about in one transaction: some seconds of comparing, and all that a
killed run loses. An archive of a million new faces takes fifty; each heeds all before it."""


@dataclass(frozen=True, slots=True)
class IdentifyOptions:
    """What the owner set.

    Attributes:
        min_faces: Faces of different pictures that it takes to found an identity, 1–100.
        accept: Replaces the model's own acceptance threshold, a cosine; None keeps it.
        min_quality: Replaces the model's own lowest quality, 0–1; None keeps it.
    """

    min_faces: int = 3
    accept: float | None = None
    min_quality: float | None = None

    def rules(self, thresholds: ModelThresholds) -> Rules:
        """Join a model's thresholds with what the owner set."""
        return Rules.of(
            thresholds,
            min_faces=self.min_faces,
            accept=self.accept,
            min_quality=self.min_quality,
        )


@dataclass(frozen=True, slots=True)
class IdentifyResult:
    """What one call came to.

    Attributes:
        model: The model whose vectors were compared.
        probes: Faces without identity that were decided about: new ones, and ones near which
            something changed.
        assigned: Those of them that have one now, the founders of new identities among them.
        founded: New identities.
        unassigned: Faces without identity, to be tried again when something changes near them.
        identities: Identities there are now, hidden ones included.
        stopped_reason: Why it ended: nothing was left to decide.
    """

    model: str
    probes: int
    assigned: int
    founded: int
    unassigned: int
    identities: int
    stopped_reason: Literal["settled"] = "settled"


class PeopleDesk(Protocol):
    """The store while it is ours alone: what is read here stays true until it is written."""

    def due(self, basis: Basis, limit: int) -> Standing | None:
        """Give what a pass begins with; None where nothing is left to decide.

        Args:
            basis: What earlier passes' memory must have been made for; another is forgotten.
            limit: Most new faces, the oldest first.
        """
        ...

    def remember(self, memory: Memory) -> None:
        """Keep what the next pass needs, after what was decided is saved."""
        ...

    def count_waiting(self) -> int:
        """Give the number of faces that were decided about and joined nobody."""
        ...

    def links(self) -> Links:
        """Give what people said of faces."""
        ...

    def last_number(self) -> int:
        """Give the highest number that any identity ever had; 0 before the first."""
        ...

    def count_identities(self) -> int:
        """Give the number of identities that are visible or hidden."""
        ...

    def save(
        self,
        model: str,
        founded: tuple[NewIdentity, ...],
        assigned: tuple[Assignment, ...],
        *,
        actor: str,
        cause: str,
    ) -> None:
        """Write new identities, assignments and the events that say so."""
        ...


class PeopleStore(Protocol):
    """Where faces come from and decisions go."""

    def deciding(self) -> AbstractContextManager[PeopleDesk]:
        """Take the store for deciding: one transaction under the one lock of its kind.

        Raises:
            Transient: Somebody else is deciding, or the database does not answer.
        """
        ...


def identify(
    store: PeopleStore,
    model: ModelRecord,
    options: IdentifyOptions,
    *,
    cause: str,
    draw_id: Callable[[], IdentityId] = new_identity_id,
) -> IdentifyResult:
    """Match every face without identity, and found the people who are new.

    Only new faces are compared, and those near which something changed: faces, people, or what
    was said of them. The outcome depends on the store and the options alone but for the drawn ids;
    a second call changes nothing.

    Args:
        store: Where faces and people are.
        model: The model to compare by; faces without a vector of it take no part.
        options: What the owner set.
        cause: The run that asks, for the log of events.
        draw_id: Gives each new identity its id.

    Raises:
        Transient: The store is busy, does not answer, or goes by another model by now; nothing
            was written.
    """
    rules = options.rules(model.thresholds)
    basis = Basis(model.name, rules.min_quality, f"{model.embedding_version} {rules}")
    passes: list[Decisions] = []
    waiting = identities = 0
    settled = False
    while not settled:
        with store.deciding() as desk:
            begin = desk.due(basis, NEW_FACES_A_PASS)
            settled = begin is None
            if begin is None:
                waiting, identities = desk.count_waiting(), desk.count_identities()
            else:
                passes.append(_pass(desk, begin, rules, model.name, cause, draw_id))
    return IdentifyResult(
        model=model.name,
        probes=sum(decisions.probes for decisions in passes),
        assigned=sum(decisions.probes - decisions.unassigned for decisions in passes),
        founded=sum(len(decisions.foundings) for decisions in passes),
        unassigned=waiting,
        identities=identities,
    )


def _pass(
    desk: PeopleDesk,
    begin: Standing,
    rules: Rules,
    model: str,
    cause: str,
    draw_id: Callable[[], IdentityId],
) -> Decisions:
    decisions, memory = decide_due(begin, rules, draw_id, desk.links())
    founded = _numbered(decisions, desk.last_number())
    if founded or decisions.assignments:
        desk.save(model, founded, decisions.assignments, actor=MATCHER, cause=cause)
    desk.remember(memory)
    return decisions


def _numbered(decisions: Decisions, last_number: int) -> tuple[NewIdentity, ...]:
    return tuple(
        NewIdentity(Identity(founding.identity_id, number), founding.core)
        for number, founding in enumerate(decisions.foundings, start=last_number + 1)
    )
