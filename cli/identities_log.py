"""`face-archive identities undo | history | conflicts | rebuild`: the log of people.

What was decided, taking it back, what contradicts itself, and whether the tables are what the log
says.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from archive.correcting import Differences, undo
from archive.errors import Permanent
from archive.identity.constraints import Contradiction
from archive.identity.events import LoggedDecision
from archive.ids import DecisionId, IdentityId
from cli.context import open_toolbox
from cli.deciding import act_of, decide, faces_of, person_of, tell
from cli.exits import ExitCode
from cli.identity_rows import logged_row, named_in, short, titled
from cli.output import emit, say

if TYPE_CHECKING:
    from resources.toolbox import Toolbox


def undo_decision_command(
    decision: Annotated[
        str, typer.Argument(metavar="DECISION", help="As it was printed, or by `history`.")
    ],
) -> None:
    """Take a correction back, however long ago; taking that back brings it again.

    Refused where a later correction stands on it, which is then named. What the matcher decided
    is not undone but corrected.

    For example:

    - `face-archive identities undo 5b1f3a0e-7c1d-4f0a-9a52-0d1f6f5b8f11`
    """
    with open_toolbox() as toolbox:
        decision_id, act = _decision_id(decision), act_of("undo")
        tell(toolbox, decide(toolbox, lambda desk: undo(desk, decision_id, act)))


def history_command(
    person: Annotated[
        str | None, typer.Argument(metavar="[PERSON]", help="Only what touches this person.")
    ] = None,
    *,
    face: Annotated[str | None, typer.Option(help="Only what touches this face.")] = None,
    limit: Annotated[int, typer.Option(help="Most decisions to show.", min=1)] = 50,
) -> None:
    """Show what was decided, latest first: by the matcher, by people, by an erasure.

    For example:

    - `face-archive identities history`
    - `face-archive identities history 12 --limit 10`
    - `face-archive identities history --face 3fa94c21`
    """
    with open_toolbox() as toolbox:
        logged = toolbox.corrections.history(
            identity_id=person_of(toolbox, person).identity.identity_id if person else None,
            face_id=faces_of(toolbox, [face])[0] if face else None,
            limit=limit,
        )
        titles = _titles(toolbox, logged)
    emit(
        (logged_row(each, titles) for each in logged),
        title="Decisions",
        empty="Nothing was decided yet.",
        hide=("undoes", "cause"),
    )


def conflicts_command() -> None:
    """Show where two things that you said of faces cannot both be true, and what to undo.

    Corrections that contradict each other are refused; an import or an erasure can still leave
    some. Until you undo one of them, keeping apart goes before putting together.

    For example:

    - `face-archive identities conflicts`
    """
    with open_toolbox() as toolbox:
        contradictions = toolbox.corrections.conflicts()
    emit(
        map(_contradiction_row, contradictions),
        title="Contradictions",
        empty="No contradiction.",
    )
    if contradictions:
        say("Undo one decision of each: `face-archive identities undo DECISION`.")


def rebuild_command(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; end with 1 if anything differs.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing; only say what differs.")
    ] = False,
) -> None:
    """Bring people, their faces and what was said of them in line with the log.

    The log is the truth; the tables beside it are what it comes to. Should they ever differ, a
    defect or a hand in the database did it.

    For example:

    - `face-archive identities rebuild --check`
    """
    with open_toolbox() as toolbox:
        only_look = check or dry_run
        found = toolbox.corrections.check() if only_look else toolbox.corrections.rebuild()
    emit([_differences_row(found)], title="Rows that differ" if only_look else "Rows put right")
    if check and found.total:
        say("Put them right with `face-archive identities rebuild`.")
        raise typer.Exit(ExitCode.FAILED)


def register(app: typer.Typer) -> None:
    """Add the commands to the group."""
    app.command("undo")(undo_decision_command)
    app.command("history")(history_command)
    app.command("conflicts")(conflicts_command)
    app.command("rebuild")(rebuild_command)


def _decision_id(text: str) -> DecisionId:
    try:
        return DecisionId(UUID(text.strip()))
    except ValueError as exc:
        raise Permanent(
            f"{text!r} is no decision: `face-archive identities history` shows their ids."
        ) from exc


def _titles(toolbox: Toolbox, logged: Sequence[LoggedDecision]) -> dict[IdentityId, str]:
    named = {each for one in logged for each in named_in(one.decision)}
    return {card.identity.identity_id: titled(card) for card in toolbox.register.cards(named)}


def _contradiction_row(found: Contradiction) -> dict[str, object]:
    return {
        "apart": [short(found.cannot.face_id), short(found.cannot.other_face_id)],
        "said_by": found.cannot.decision_id,
        "together_by": sorted({str(link.decision_id) for link in found.musts}),
    }


def _differences_row(found: Differences) -> dict[str, object]:
    return {**dataclasses.asdict(found), "total": found.total}
