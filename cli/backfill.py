"""`face-archive backfill`: the windows of chats as one Dagster backfill, as the UI launches it.

Chooses the windows and shows how it goes. Running them is Dagster's business, reaching it that of
`cli.dagster_api`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from archive.accounts import AccountHeld
from archive.history.jumps import Estimate
from archive.ids import ChatNo
from archive.records import Chat
from cli.backfill_plan import ChatPart, cost_row, estimates_of, linked, parts_of, span_of
from cli.context import load_settings, open_toolbox
from cli.dagster_api import BackfillState, DagsterApi
from cli.exits import ExitCode
from cli.output import emit, progress, say
from cli.windows import plan_chats, require_archived

if TYPE_CHECKING:
    from resources.toolbox import Toolbox

_POLL_SECONDS = 2.0
_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


def backfill_command(
    chats: Annotated[
        list[str] | None,
        typer.Argument(metavar="CHAT", help="Which chats; all allowed ones, if none is named."),
    ] = None,
    *,
    unread: Annotated[
        bool, typer.Option("--unread", help="Only windows that history has not read to the end.")
    ] = False,
    since: Annotated[
        datetime | None,
        typer.Option(formats=_FORMATS, help="Only windows with messages from this day or time on."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=_FORMATS, help="Only windows with messages up to this day or time."),
    ] = None,
    last: Annotated[
        int | None, typer.Option(help="Only the windows of the newest so many messages.", min=1)
    ] = None,
    from_link: Annotated[
        str | None,
        typer.Option("--from", metavar="LINK", help="Only from the message of this link on."),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Show what it would take, as an estimate; start nothing."),
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Show the progress until it is over.")
    ] = False,
) -> None:
    """Read the windows of chats and find the faces in them, newest first, as one backfill.

    It is the same backfill that the Dagster UI launches and shows, so `face-archive up` has to
    be running. Windows that are done already cost seconds. With `--wait` it exits with 1 if a
    window failed.

    Dates are UTC. A window is read whole, so its other messages come with it. Photos and videos
    of a part of a chat are its share of what Telegram counts for the whole.

    For example:

    - `face-archive backfill`
    - `face-archive backfill @name --wait`
    - `face-archive backfill @name --since 2024-01-01 --until 2024-12-31 --dry-run`
    - `face-archive backfill --from https://t.me/c/1234567890/5`
    """
    settings = load_settings()
    api = DagsterApi(settings.webserver_port)
    if not dry_run:
        api.check()
    with open_toolbox(settings) as toolbox:
        span = span_of(since, until, last)
        chosen = _chosen(toolbox, chats or []) if chats or not from_link else []
        if from_link is not None:
            chat, span = linked(toolbox, chosen, from_link, span)
            chosen = _chosen(toolbox, [str(chat.chat_no)])
        with progress("Planning windows") as advance:
            asyncio.run(plan_chats(toolbox, chosen, advance))
        parts = asyncio.run(parts_of(toolbox, chosen, span, unread=unread))
        if dry_run:
            estimates = asyncio.run(estimates_of(toolbox, parts))
            emit((_estimate_row(part, estimates) for part in parts), title="Would be read")
            return
        keys = _keys(parts)
    if not keys:
        say("There is no window to read.")
        return
    backfill_id = _launch(api, keys, chosen)
    say(f"Shown at {api.url(backfill_id)}")
    state = _wait(api, backfill_id) if wait else api.state(backfill_id)
    emit([_row(backfill_id, len(keys), state)], title="Backfill")
    if wait and not state.went_well:
        say(state.error or "Some windows failed: the UI says why. Run it again to retry them.")
        raise typer.Exit(ExitCode.FAILED)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("backfill", context_settings={"ignore_unknown_options": True})(backfill_command)


def _chosen(toolbox: Toolbox, names: Sequence[str]) -> list[Chat]:
    """Return the chats that are named, else all whose account may be used, and say of the others.

    Raises:
        AccountHeld: The account of a named chat rests.
    """
    if not names:
        held = [row for row in toolbox.accounts.list() if not row.is_active]
        for row in held:
            say(f"Left out: {AccountHeld(row.account_id, row.state, row.state_reason)}")
        resting = {row.account_id for row in held}
        return [chat for chat in toolbox.chats.allowed() if chat.account_id not in resting]
    found = [toolbox.chats.find(name) for name in names]
    for chat in found:
        require_archived(chat)
        toolbox.accounts.require_active(chat.account_id)
    return found


def _keys(parts: Sequence[ChatPart]) -> list[str]:
    """Return the windows' keys in the order in which they should run: newest of each chat first."""
    ranked = sorted(
        (rank, order, row.window.key)
        for order, part in enumerate(parts)
        for rank, row in enumerate(part.windows)
    )
    return [key for _, _, key in ranked]


def _estimate_row(part: ChatPart, estimates: Mapping[ChatNo, Estimate | None]) -> dict[str, object]:
    """Show what a part of a chat will take."""
    return {
        "chat_no": part.chat.chat_no,
        "title": part.chat.title,
        "windows": len(part.windows),
        **cost_row(estimates[part.chat.chat_no]),
    }


def _launch(api: DagsterApi, keys: Sequence[str], chats: Sequence[Chat]) -> str:
    # Dagster's own modules take a second to load, which only this needs.
    from sensors.runs import CHAT_WINDOW, WINDOW_ASSETS, Urgency, window_run

    api.add_partitions(CHAT_WINDOW, keys, asset=WINDOW_ASSETS[0])
    tags = window_run(keys[0], Urgency.BACKFILL, "backfill").tags
    title = f"{len(keys)} windows of {len(chats)} chats"
    return api.launch(WINDOW_ASSETS, keys, title=title, tags=tags)


def _wait(api: DagsterApi, backfill_id: str) -> BackfillState:
    with progress("Windows") as advance:
        while not (state := api.state(backfill_id)).is_over:
            advance(state.done + state.failed, state.total)
            time.sleep(_POLL_SECONDS)
    return state


def _row(backfill_id: str, windows: int, state: BackfillState) -> dict[str, object]:
    return {
        "backfill": backfill_id,
        "windows": windows,
        "status": state.status,
        "done": state.done,
        "failed": state.failed,
    }
