"""`face-archive identities recluster`: group all faces anew, and choose what to make of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from archive.errors import Permanent
from archive.identity.proposals import Part, PartKind, Proposal
from archive.ids import IdentityId
from archive.reclustering import Answer, Outcome, apply, propose
from cli.context import open_toolbox
from cli.deciding import act_of, person_of
from cli.identity_rows import Row, short, titled
from cli.output import emit, progress, say

if TYPE_CHECKING:
    from resources.toolbox import Toolbox

_FACES_NAMED = 3

_HOW_TO_APPLY = (
    "Nothing is changed yet. `face-archive identities recluster --apply all` carries it out, "
    "`--apply 1,3,7` parts of it."
)


def recluster_command(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print; keep no proposal to apply.")
    ] = False,
    identity: Annotated[
        str | None,
        typer.Option(metavar="PERSON", help="Look only at this person: is it several?"),
    ] = None,
    parts: Annotated[
        str | None,
        typer.Option("--apply", metavar="PARTS", help="Carry out the proposal: all, or 1,3,7."),
    ] = None,
) -> None:
    """Group all faces anew and propose, in numbered parts, what that would change.

    Named and hidden people keep their faces' identity, what you decided stays, and nothing is
    changed until you apply it. Each part that is applied is a correction that `undo` takes back;
    one that does not fit any more, because somebody was corrected meanwhile, is left out.

    For example:

    - `face-archive identities recluster`
    - `face-archive identities recluster --apply 1,3,7`
    - `face-archive identities recluster --identity 12 --dry-run`
    """
    if parts is not None and (dry_run or identity is not None):
        raise typer.BadParameter(
            "applies what was proposed before: give it alone", param_hint="--apply"
        )
    numbers = None if parts is None else _numbers(parts)
    with open_toolbox() as toolbox:
        if parts is None:
            _propose(toolbox, identity, keep=not dry_run)
        else:
            _apply(toolbox, numbers)


def _propose(toolbox: Toolbox, identity: str | None, *, keep: bool) -> None:
    only = person_of(toolbox, identity).identity.identity_id if identity else None
    model = toolbox.engine_spec.build().model
    with progress("Grouping faces"):
        proposal = propose(
            toolbox.people, toolbox.corrections, model, toolbox.identify_options, only=only
        )
    if keep:
        toolbox.proposals.keep(proposal)
    titles = _titles(toolbox, proposal)
    emit(
        (_row(part, titles) for part in proposal.parts),
        title=f"{proposal.faces} faces of {proposal.model}: {proposal.summary}",
        empty="Nothing would change.",
    )
    if proposal.parts and keep:
        say(_HOW_TO_APPLY)


def _apply(toolbox: Toolbox, numbers: list[int] | None) -> None:
    proposal = toolbox.proposals.kept()
    if proposal is None:
        raise Permanent("nothing is proposed: run `face-archive identities recluster` first")
    act = act_of("recluster")
    titles = _titles(toolbox, proposal)
    proposal, answers = apply(
        toolbox.corrections, proposal, numbers, actor=act.actor, cause=act.cause
    )
    toolbox.proposals.keep(proposal)
    emit((_answer_row(answer, titles) for answer in answers), title="Applied", empty="No parts.")
    counts = Counter(answer.outcome for answer in answers)
    if counts[Outcome.OUTDATED]:
        say(f"{counts[Outcome.OUTDATED]} parts are outdated: run `recluster` again to see more.")


def _numbers(text: str) -> list[int] | None:
    """Read `all` or numbers of parts.

    Raises:
        typer.BadParameter: It is neither.
    """
    if text.strip().lower() == "all":
        return None
    try:
        return [int(number) for number in text.split(",")]
    except ValueError as exc:
        raise typer.BadParameter("give `all`, or numbers like 1,3,7", param_hint="--apply") from exc


def _titles(toolbox: Toolbox, proposal: Proposal) -> dict[IdentityId, str]:
    cards = toolbox.register.cards(list(proposal.people))
    found = {card.identity.identity_id: titled(card) for card in cards}
    return {identity: f"#{number}" for identity, number in proposal.people.items()} | found


def _row(part: Part, titles: dict[IdentityId, str]) -> Row:
    sources = [titles[identity] for identity in part.sources]
    target = titles[part.target] if part.target else "somebody new"
    people = ", ".join(sources) or "nobody"
    count = f"{len(part.faces)} faces"
    what = f"{people} is {target}" if part.kind is PartKind.MERGE else f"{people} → {target}"
    return {
        "part": part.number,
        "kind": str(part.kind),
        "what": f"{what}: {count}",
        "faces": len(part.faces),
        "for_example": [short(face) for face in list(part.faces)[:_FACES_NAMED]],
    }


def _answer_row(answer: Answer, titles: dict[IdentityId, str]) -> Row:
    row = _row(answer.part, titles)
    return {
        "part": row["part"],
        "kind": row["kind"],
        "what": row["what"],
        "outcome": str(answer.outcome),
        "reason": answer.reason,
    }


def register(app: typer.Typer) -> None:
    """Add the command to the group."""
    app.command("recluster")(recluster_command)
