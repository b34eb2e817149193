"""`face-archive status`: how far every chat is, how fast it goes, and what is running.

Shows what `resources.store.overview` counts; a rate is that of the last twenty media passes.
"""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from archive.history.pace import Pace
from archive.ids import ChatNo
from cli.accounts import account_row
from cli.context import load_settings, open_toolbox
from cli.output import Row, emit, say
from resources.settings import Settings

if TYPE_CHECKING:
    from resources.store.overview import ChatProgress, MediaCount
    from resources.store.update_states import Pulse
    from resources.toolbox import Toolbox

_OPEN = "pending"
# Four heartbeats: one may come late while a burst is stored.
_SILENT_SECONDS = 60.0


def status_command(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, also on a terminal.")
    ] = False,
) -> None:
    """Show each chat's messages, windows, media, faces, rate and time left; floods; processes.

    `Live` says of each account whether its listener is alive, how many live updates wait for their
    reading, how long the oldest does, and whether that is in time.

    `known` is the largest message id of a channel or supergroup, so a few more than there are
    messages; private chats and basic groups do not tell.

    For example:

    - `face-archive status`
    - `face-archive status --json`
    """
    settings = load_settings()
    with open_toolbox(settings) as toolbox:
        rows, totals = _chat_rows(toolbox), toolbox.overview.totals()
        times = [dataclasses.asdict(each) for each in toolbox.overview.stage_times()]
        model = toolbox.engine_spec.model_name
        live = [_live_row(pulse, settings) for pulse in toolbox.updates.pulses()]
        accounts = [_row("account", account_row(each)) for each in toolbox.accounts.list()]
        slow = [_slow_row(pace) for pace in toolbox.paces.slow()]
    processes = _process_rows(settings)

    def show(rows: Iterable[Row], title: str, empty: str = "") -> None:
        emit(rows, title=title, empty=empty, hide=("row",), as_json=as_json or None)

    show(rows, "Chats", "No chat yet: `face-archive chats add @name`.")
    show([_row("totals", {**dataclasses.asdict(totals), "model": model})], "Archive")
    show(accounts, "Accounts")
    show(live, "Live")
    show((_row("stage", each) for each in times), "Stages")
    show(slow, "Telegram is slow")
    show(processes, "Processes")
    if not processes:
        say("`face-archive up` is not running here.")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("status")(status_command)


def _chat_rows(toolbox: Toolbox) -> list[Row]:
    overview = toolbox.overview
    media = _by_chat(overview.media())
    faces = {each.chat_no: each.faces for each in overview.faces()}
    held = {each.chat_no: each.messages for each in toolbox.deletions.waiting()}
    added = {chat.chat_no for chat in toolbox.chats.list()}
    rate = overview.media_per_second()
    return [
        {
            **_chat_row(chat, media[chat.chat_no], faces.get(chat.chat_no, 0), rate),
            "deletions_waiting": held.get(chat.chat_no, 0),
        }
        for chat in overview.chats()
        if chat.chat_no in added
    ]


def _by_chat(counts: Iterable[MediaCount]) -> defaultdict[ChatNo, Counter[str]]:
    """Gather counts by chat, a skipped or failed medium under its reason."""
    media: defaultdict[ChatNo, Counter[str]] = defaultdict(Counter)
    for each in counts:
        name = f"{each.state} ({each.reason})" if each.reason else each.state
        media[each.chat_no][name] += each.media
    return media


def _chat_row(
    chat: ChatProgress, media: Counter[str], faces: int, rate: float | None
) -> dict[str, object]:
    switches = ((name, getattr(chat, f"allow_{name}")) for name in ("archive", "faces", "publish"))
    left = media[_OPEN]
    return _row(
        "chat",
        {
            "chat_no": chat.chat_no,
            "title": chat.title,
            "state": chat.state if chat.state_reason is None else f"lost: {chat.state_reason}",
            "allowed": [name for name, allowed in switches if allowed],
            "messages": chat.messages,
            "known": chat.top_message_id if chat.dense else None,
            "windows_read": chat.windows_read,
            "windows": chat.windows,
            "media": {name: count for name, count in sorted(media.items()) if count},
            "faces": faces,
            "media_per_second": None if rate is None else round(rate, 2),
            "minutes_left": round(left / rate / 60, 1) if rate else None,
        },
    )


def _live_row(pulse: Pulse, settings: Settings) -> Row:
    silent = pulse.heartbeat_seconds_ago
    return _row(
        "live",
        {
            "account": pulse.name,
            "listening": silent is not None and silent < _SILENT_SECONDS,
            "heartbeat_seconds_ago": None if silent is None else round(silent, 1),
            "updates_waiting": pulse.updates_waiting,
            "lag_seconds": round(pulse.lag_seconds, 1),
            "in_time": pulse.lag_seconds <= settings.live_lag_limit_seconds,
        },
    )


def _slow_row(pace: Pace) -> Row:
    """Show what an account's backfills wait for."""
    return _row(
        "slow",
        {
            "account": pace.account_id,
            "why": pace.explain(),
            "since": pace.slow_since,
            "one_window_is_tried_at": pace.resumes_at,
        },
    )


def _process_rows(settings: Settings) -> list[Row]:
    from cli.up import running_children

    children = running_children(settings)
    return [_row("process", {"name": name, "alive": alive}) for name, alive in children.items()]


def _row(what: str, values: dict[str, object]) -> dict[str, object]:
    """Mark a row by what it is about: several kinds share one stream of JSON lines."""
    return {"row": what, **values}
