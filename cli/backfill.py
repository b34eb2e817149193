"""`face-archive backfill`: the windows of chats as one Dagster backfill, as the UI launches it.

Chooses the windows and shows how it goes. Running them is Dagster's business, reaching it that of
`cli.dagster_api`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from archive.errors import Permanent
from archive.records import Chat
from archive.windows import WindowRow
from cli.context import load_settings, open_toolbox
from cli.dagster_api import BackfillState, DagsterApi
from cli.exits import ExitCode
from cli.output import emit, progress, say
from cli.windows import plan_chats

if TYPE_CHECKING:
    from resources.toolbox import Toolbox

_POLL_SECONDS = 2.0


def backfill_command(
    chats: Annotated[
        list[str] | None,
        typer.Argument(metavar="CHAT", help="Which chats; all allowed ones, if none is named."),
    ] = None,
    *,
    unread: Annotated[
        bool, typer.Option("--unread", help="Only windows that history has not read to the end.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Show the progress until it is over.")
    ] = False,
) -> None:
    """Read the windows of chats and find the faces in them, newest first, as one backfill.

    It is the same backfill that the Dagster UI launches and shows, so `face-archive up` has to
    be running. Windows that are done already cost seconds. With `--wait` it exits with 1 if a
    window failed.

    For example:

    - `face-archive backfill`
    - `face-archive backfill @name --wait`
    """
    settings = load_settings()
    api = DagsterApi(settings.webserver_port)
    api.check()
    with open_toolbox(settings) as toolbox:
        chosen = _chosen(toolbox, chats or [])
        with progress("Planning windows") as advance:
            asyncio.run(plan_chats(toolbox, chosen, advance))
        keys = _keys(toolbox, chosen, unread=unread)
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
    if not names:
        return list(toolbox.chats.allowed())
    found = [toolbox.chats.find(name) for name in names]
    for chat in found:
        if not chat.switches.archive:
            raise Permanent(
                f"{chat.title!r} may not be archived: run `face-archive chats allow "
                f"{chat.chat_no} --archive` first."
            )
    return found


def _keys(toolbox: Toolbox, chats: Sequence[Chat], *, unread: bool) -> list[str]:
    """Return the windows' keys in the order in which they should run: newest of each chat first."""
    rows = [toolbox.chats.windows(chat.chat_no) for chat in chats]
    ranked = sorted(
        (rank, order, row)
        for order, of_chat in enumerate(rows)
        for rank, row in enumerate(of_chat)
        if not unread or _is_unread(row)
    )
    return [row.window.key for _, _, row in ranked]


def _is_unread(row: WindowRow) -> bool:
    return row.read_at is None or row.dirty or row.descent is not None


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
