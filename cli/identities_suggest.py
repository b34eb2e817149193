"""`face-archive identities suggest` and `hide-strangers`: questions worth an answer.

Prints the queues, or asks one by one; which questions there are and what an answer does is
`archive.suggestions`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from archive.correcting import hide, undo
from archive.errors import Permanent
from archive.identity.doubting import FaceQuestion
from archive.identity.events import Decision
from archive.identity.suggesting import MergeQuestion, MixedQuestion
from archive.ids import IdentityId
from archive.suggestions import Question, Queue, answer, questions, strangers
from cli.context import open_toolbox
from cli.deciding import DryRun, Yes, act_of, decide, tell
from cli.identity_rows import card_row, short, titled
from cli.output import emit, progress, say
from resources.vision.models import look_up

if TYPE_CHECKING:
    from archive.finding import PersonCard
    from resources.toolbox import Toolbox

suggest_app = typer.Typer(
    no_args_is_help=True, help="Questions whose answers put most faces right, best first."
)

_FACES_SHOWN = 5
_ANSWERS = "[y]es, [n]o, [s]kip, [u]ndo the last answer, [q]uit"

Limit = Annotated[int, typer.Option(help="Most questions to give.", min=1)]
Answer = Annotated[
    bool, typer.Option("--answer", help="Ask one by one: yes, no, skip, undo or quit.")
]

Cards = dict[IdentityId, "PersonCard"]


@suggest_app.command("merges")
def merges_command(*, limit: Limit = 20, answers: Answer = False) -> None:
    """Who may be one person: yes merges them, no keeps them apart for good.

    For example:

    - `face-archive identities suggest merges`
    - `face-archive identities suggest merges --answer`
    """
    _suggest("merges", limit, answers=answers)


@suggest_app.command("mixed")
def mixed_command(*, limit: Limit = 20, answers: Answer = False) -> None:
    """Who looks like two people: yes splits the smaller part off, no keeps it for good.

    For example:

    - `face-archive identities suggest mixed --limit 5`
    """
    _suggest("mixed", limit, answers=answers)


@suggest_app.command("uncertain")
def uncertain_command(*, limit: Limit = 20, answers: Answer = False) -> None:
    """Which faces are near the threshold, or between two people: is it that person?

    For example:

    - `face-archive identities suggest uncertain --answer --limit 50`
    """
    _suggest("uncertain", limit, answers=answers)


def hide_strangers_command(
    *,
    seen_at_most: Annotated[
        int, typer.Option(help="Photos and videos that show a stranger at most.", min=1)
    ] = 2,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Hide everybody who was seen once or twice, small or behind somebody, and has no name.

    One decision for all of them, undone whole. Nobody about whom you decided anything is hidden.

    For example:

    - `face-archive identities hide-strangers --dry-run`
    - `face-archive identities hide-strangers --seen-at-most 1 --yes`
    """
    with open_toolbox() as toolbox:
        found = strangers(toolbox.asking, most=seen_at_most)
        cards = toolbox.register.cards(found)
        if not found or dry_run:
            emit(map(card_row, cards), title="Strangers", empty="Nobody to hide.",
                 hide=("identity_id", "version", "cover", "confirmed", "state"))  # fmt: skip
            say(f"{len(found)} would be hidden." if found else "")
            return
        if not yes:
            typer.confirm(f"Hide {len(found)} strangers?", default=False, abort=True, err=True)
        act = act_of("hide-strangers", *cards)
        hidden = decide(toolbox, lambda desk: hide(desk, found, act))
        say(f"{len(found)} strangers are hidden.")
        tell(toolbox, hidden)


def register(group: typer.Typer) -> None:
    """Add the commands to the group of people."""
    group.add_typer(suggest_app, name="suggest")
    group.command("hide-strangers")(hide_strangers_command)


def _suggest(queue: Queue, limit: int, *, answers: bool) -> None:
    with open_toolbox() as toolbox:
        model = toolbox.engine_spec.model_name
        rules = toolbox.identify_options.rules(look_up(model).thresholds)
        with progress("Looking for questions"):
            found = questions(toolbox.asking, model, rules, queue)
        asked = found[:limit]
        cards = _cards(toolbox, asked)
        if answers and asked:
            _ask(toolbox, queue, asked, cards)
        else:
            emit(
                (question_row(question, cards) for question in asked),
                title=f"{len(found)} questions, the most useful first",
                empty="Nothing to ask.",
                hide=("face_ids", "beside_ids"),
            )


def _cards(toolbox: Toolbox, asked: Sequence[Question]) -> Cards:
    named = {identity for question in asked for identity in _people_of(question)}
    return {card.identity.identity_id: card for card in toolbox.register.cards(named)}


def _people_of(question: Question) -> list[IdentityId]:
    match question:
        case MergeQuestion():
            return [question.larger, question.smaller]
        case MixedQuestion():
            return [question.identity]
        case FaceQuestion():
            return [question.identity, *([question.rival] if question.rival else [])]


def question_row(question: Question, cards: Cards) -> dict[str, object]:
    """Show a question; every queue has rows of its own kind."""
    row: dict[str, object] = {
        "question": asked_of(question, cards),
        "gain": round(question.gain, 2),
        "faces": question.faces,
        "uncertainty": f"{question.uncertainty:.2f}",
        "score": f"{question.score:.3f}",
    }
    if isinstance(question, MixedQuestion):
        row["face_ids"], row["beside_ids"] = list(question.part), list(question.rest)
    if isinstance(question, FaceQuestion):
        row["face_ids"] = [question.face_id]
    return row


def asked_of(question: Question, cards: Cards) -> str:
    """Put a question into words."""

    def title(identity: IdentityId) -> str:
        return titled(cards[identity]) if identity in cards else "somebody"

    match question:
        case MergeQuestion():
            return f"Is {title(question.smaller)} the same person as {title(question.larger)}?"
        case MixedQuestion():
            faces = ", ".join(map(short, question.part[:_FACES_SHOWN]))
            more = ", …" if question.faces > _FACES_SHOWN else ""
            return f"Are {faces}{more} of {title(question.identity)} somebody else?"
        case FaceQuestion():
            rival = f", not {title(question.rival)}" if question.rival else ""
            where = "who has it" if question.placed else "nobody's yet"
            whom = title(question.identity)
            return f"Is face {short(question.face_id)} ({where}) {whom}{rival}?"


class _Sitting:
    """One person answering: what was said so far, to take it back."""

    def __init__(self, toolbox: Toolbox, verb: str) -> None:
        self._toolbox = toolbox
        self._verb = verb
        self.made: list[tuple[int, Decision]] = []

    def say_of(self, number: int, question: Question, *, yes: bool) -> str:
        """Decide as was answered; what cannot be any more is said and left."""
        # Earlier answers of this sitting changed people since the question was found.
        act = act_of(self._verb)
        try:
            decision = decide(self._toolbox, lambda desk: answer(desk, question, act, yes=yes))
        except Permanent as exc:
            say(str(exc))
            return "refused"
        if decision is not None:
            self.made.append((number, decision))
        return "yes" if yes else "no"

    def undo(self) -> int | None:
        """Take the last answer back; gives the number of its question."""
        if not self.made:
            return None
        number, decision = self.made.pop()
        decide(self._toolbox, lambda desk: undo(desk, decision.decision_id, act_of(self._verb)))
        return number


def _ask(toolbox: Toolbox, queue: Queue, asked: Sequence[Question], cards: Cards) -> None:
    sitting = _Sitting(toolbox, f"suggest {queue}")
    said: Counter[str] = Counter()
    say(_ANSWERS)
    number = 0
    while number < len(asked):
        question = asked[number]
        typed = _typed(f"{number + 1}/{len(asked)} {asked_of(question, cards)}")
        if typed == "q":
            break
        if typed == "u":
            back = sitting.undo()
            say("There is nothing to undo." if back is None else "Undone.")
            said["undone"] += back is not None
            number = number if back is None else back
            continue
        if typed == "s":
            said["skipped"] += 1
        else:
            said[sitting.say_of(number, question, yes=typed == "y")] += 1
        number += 1
    emit([{name: said[name] for name in ("yes", "no", "skipped", "undone", "refused")}])
    if sitting.made:
        tell(toolbox, *(decision for _, decision in sitting.made))


def _typed(text: str) -> str:
    """Ask until one of the answers is typed; its first letter will do."""
    while True:
        answered = typer.prompt(text, err=True, default="s", show_default=False)
        typed = str(answered).strip().lower()[:1]
        if typed in {"y", "n", "s", "u", "q"}:
            return typed
        say(_ANSWERS)
