"""`face-archive catch-up --once`: everything that is missing by now, then the end.

For cron and CI, where nothing runs all the time. The steps are those of `up`, in its order, through
the same Dagster jobs; what each does is the archive's business, running one job `cli.runs`'.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from archive.accounts import AccountHeld, AccountState
from archive.errors import Permanent, Transient
from archive.heeding import heed
from archive.listening import due_windows
from archive.windows import WindowKey
from cli.context import load_settings
from cli.exits import ExitCode
from cli.output import emit, progress, say
from cli.unsupervised import alone
from resources.settings import Settings

if TYPE_CHECKING:
    from cli.runs import Outcome, Runner
    from resources.toolbox import Toolbox
    from sensors.runs import Urgency


@dataclass(slots=True)
class _Tally:
    """What one catching up came to."""

    accounts: int = 0
    windows: int = 0
    items: int = 0
    failed: int = 0
    left: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count a run in."""
        self.items += outcome.items
        self.failed += outcome.failed
        self.left += outcome.left


def catch_up_command(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Catch up and exit; `up` does so all the time.")
    ] = False,
    max_items: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Begin no further window once that many messages and files were done; the rest "
            "is left to the next time.",
        ),
    ] = None,
) -> None:
    """Fetch what happened since the last time, find the faces in it, publish, and exit.

    For cron or CI, instead of `up`: differences, live updates, windows that are new or have
    something to do again, people, posts. Exits with 0 if nothing is left, with 3 if something is
    left for another time, with 1 if a window failed: the log says why.

    For example:

    - `face-archive catch-up --once`
    - `face-archive catch-up --once --max-items 2000`
    """
    if not once:
        raise typer.BadParameter("Say --once: what catches up all the time is `face-archive up`.")
    settings = load_settings()
    with alone(settings) as environment:
        tally = _catch_up(Settings.load(environ=environment), max_items)
    emit([asdict(tally)], title="Caught up")
    if tally.failed:
        raise typer.Exit(ExitCode.FAILED)
    if tally.left:
        say("Something is left: run it again.")
        raise typer.Exit(ExitCode.TRY_LATER)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("catch-up")(catch_up_command)


def _catch_up(settings: Settings, max_items: int | None) -> _Tally:
    """Do every step; what one account lacks does not keep the others waiting."""
    from cli.runs import runner
    from resources.toolbox import Toolbox

    tally = _Tally()
    with Toolbox.open(settings) as toolbox, runner() as dagster:
        refusals = _hear(toolbox, tally)
        _heed(toolbox, tally)
        toolbox.inbox.prune()
        _read(toolbox, dagster, tally, max_items)
        tally.add(dagster.people())
    for refusal in refusals:
        say(str(refusal))
    if refusals and not tally.failed:
        raise refusals[0]
    return tally


def _heed(toolbox: Toolbox, tally: _Tally) -> None:
    """Let what was said in hubs have its effect before people are published."""
    try:
        tally.left += heed(toolbox.remarks, toolbox.register)["waiting"]
    except Transient as busy:
        say(f"What was said in a hub is left for another time: {busy}.")
        tally.left += 1


def _hear(toolbox: Toolbox, tally: _Tally) -> list[Permanent]:
    """Fetch each account's differences; return why some could not be asked for."""
    from sensors.ear import listening

    async def hear() -> list[Permanent]:
        refusals: list[Permanent] = []
        for account_id in toolbox.sessions.accounts():
            try:
                async with listening(toolbox, account_id) as ear:
                    await ear.catch_up()
                tally.accounts += 1
            except Transient as error:
                say(f"An account is left for another time: {error}")
                tally.left += 1
            except Permanent as error:
                if isinstance(error, AccountHeld) and error.state is AccountState.PAUSED:
                    say(f"Left out: {error}")
                else:
                    refusals.append(error)
        return refusals

    if not toolbox.sessions.accounts() and not _only_imports(toolbox):
        raise Permanent("No account is logged in: run `face-archive login`.")
    return asyncio.run(hear())


def _only_imports(toolbox: Toolbox) -> bool:
    """Whether all that may be archived came out of exports, which need no account."""
    chats = toolbox.chats.allowed()
    return bool(chats) and not any(toolbox.exports.is_readable(each.chat_no) for each in chats)


def _read(toolbox: Toolbox, dagster: Runner, tally: _Tally, max_items: int | None) -> None:
    """Run each window that asks for it, once."""
    toolbox.accounts.hand_over()
    due = windows_due(toolbox)
    with progress("Windows") as advance:
        for number, (key, urgency) in enumerate(due.items()):
            if max_items is not None and tally.items >= max_items:
                tally.left += len(due) - number
                return
            advance(number, len(due))
            tally.windows += 1
            tally.add(dagster.window(key, urgency))


def windows_due(toolbox: Toolbox) -> dict[WindowKey, Urgency]:
    """Return the windows to read: what was just said before what is old, gaps last."""
    from sensors.runs import Urgency

    live = due_windows(toolbox.inbox)
    keys = [each.window.key for each in live if not each.is_repair]
    keys += [row.window.key for row in toolbox.history.windows_to_submit()]
    keys += [each.window.key for each in live if each.is_repair]
    urgent = {each.window.key for each in live if not each.is_repair}
    return {key: Urgency.LIVE if key in urgent else Urgency.BACKFILL for key in keys}
