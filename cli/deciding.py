"""How a correction is made from the command line: who decides, trying it first, telling of it.

What each correction does is `archive.correcting`; which there are is `cli.identities`.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Final

import typer

from archive.correcting import Act, CorrectionDesk
from archive.finding import PersonCard, find_identity
from archive.identity.events import Decision, Register
from archive.ids import FaceId, IdentityId
from archive.searching import find_face
from cli.identity_rows import decision_row, named_in, titled, undo_command
from cli.output import emit, say

if TYPE_CHECKING:
    from resources.toolbox import Toolbox

ASK_FROM: Final = 20
"""So many faces that change hands are asked about."""

Correction = Callable[[CorrectionDesk], Decision | None]

PersonName = Annotated[
    str, typer.Argument(metavar="PERSON", help="Number (12 or #12), name, or id.")
]
PersonNames = Annotated[
    list[str], typer.Argument(metavar="PERSON...", help="Numbers (12 or #12), names, or ids.")
]
FaceNames = Annotated[
    list[str],
    typer.Argument(metavar="FACE...", help="As `identities show` and `why` print them."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be decided.")]
Instead = Annotated[
    bool, typer.Option("--instead", help="Take back what was said of these faces before.")
]


def person_of(toolbox: Toolbox, text: str) -> PersonCard:
    """Find a person.

    Raises:
        Permanent: None or several are meant.
    """
    return find_identity(toolbox.register, text)


def faces_of(toolbox: Toolbox, texts: Sequence[str]) -> list[FaceId]:
    """Find faces, each once.

    Raises:
        Permanent: One of the texts means none or several.
    """
    return list(dict.fromkeys(find_face(toolbox.face_search, text) for text in texts))


def act_of(verb: str, *seen: PersonCard) -> Act:
    """Say who decides, and that it is about these people as they were found.

    Args:
        verb: The command within the group.
        seen: Should one of them be corrected until then, nothing is decided.
    """
    expected = {card.identity.identity_id: card.version for card in seen}
    return Act(_actor(), f"face-archive identities {verb}", expected)


def decide(toolbox: Toolbox, correction: Correction) -> Decision | None:
    """Make a correction.

    Raises:
        Conflict: A person had said otherwise, or corrected one of them meanwhile.
        Transient: Somebody else is deciding.
    """
    with toolbox.corrections.correcting() as desk:
        return correction(desk)


def attempt(toolbox: Toolbox, correction: Correction) -> Decision | None:
    """Make a correction and take all of it back: what it would do, refusals included."""
    tried: list[Decision | None] = []
    with suppress(_OnlyTried), toolbox.corrections.correcting() as desk:
        tried.append(correction(desk))
        raise _OnlyTried
    return tried[0]


def decide_carefully(toolbox: Toolbox, correction: Correction, *, yes: bool, dry_run: bool) -> None:
    """Try a correction that may be large, ask, make it, and tell of it.

    Args:
        toolbox: Ours.
        correction: Called twice, each time at a desk of its own.
        yes: Do not ask.
        dry_run: Only tell what would be decided.
    """
    tried = attempt(toolbox, correction)
    if tried is None or dry_run:
        tell(toolbox, tried, title="Would be decided", undo=False)
        return
    moved = sum(write.cell.register is Register.FACE for write in tried.writes)
    if moved >= ASK_FROM and not yes:
        tell(toolbox, tried, title="To be decided", undo=False, remark=True)
        typer.confirm(f"{moved} faces are touched. Go on?", default=False, abort=True, err=True)
    tell(toolbox, decide(toolbox, correction))


def tell(
    toolbox: Toolbox,
    *decisions: Decision | None,
    title: str = "Decided",
    undo: bool = True,
    remark: bool = False,
) -> None:
    """Print decisions, and how each is taken back.

    Args:
        toolbox: Ours.
        decisions: None where nothing changed.
        title: Above them.
        undo: They were made.
        remark: Say them on stderr: they are no result yet.
    """
    made = [decision for decision in decisions if decision is not None]
    if not made:
        say("Nothing changes: it is so already.")
        return
    titles = _titles(toolbox, made)
    rows = [decision_row(decision, titles) for decision in made]
    if remark:
        say(*(f"{title}: {row['what']}" for row in rows))
        return
    for row, decision in zip(rows, made, strict=True):
        row["undo"] = undo_command(decision.decision_id) if undo else None
    emit(rows, title=title, hide=("decision", "undo"))
    if undo:
        # The latest first: what came later is in the way of what came before.
        say(*(f"To take it back: {undo_command(each.decision_id)}" for each in reversed(made)))


def _titles(toolbox: Toolbox, decisions: Sequence[Decision]) -> dict[IdentityId, str]:
    named = set().union(*map(named_in, decisions))
    titles = {card.identity.identity_id: titled(card) for card in toolbox.register.cards(named)}
    begun = {each.begun for each in decisions if each.begun is not None}
    return dict.fromkeys(begun, "a new person") | titles


def _actor() -> str:
    """Name who types: their account on this machine, where it has a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "owner"


class _OnlyTried(Exception):
    """Ends a desk without keeping what was done at it."""
