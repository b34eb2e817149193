"""`face-archive failures`: the media that have no result, why, and what to do about them.

Shows and asks; when a file is tried again by itself, and when no more, is `archive.ledger`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from archive.errors import Permanent
from cli.context import open_toolbox
from cli.output import emit, say

if TYPE_CHECKING:
    from resources.store.media_failures import Failure
    from resources.toolbox import Toolbox

failures_app = typer.Typer(
    no_args_is_help=True, help="Files that failed: why, and when they are tried again."
)

_Refs = Annotated[
    list[str] | None,
    typer.Argument(metavar="MEDIUM", help="As `failures list` names it, such as photo:123."),
]
_All = Annotated[bool, typer.Option("--all", help="Every file that was given up.")]


@failures_app.command("list")
def list_command(
    *,
    ignored: Annotated[
        bool, typer.Option("--ignored", help="Those that somebody chose to ignore, too.")
    ] = False,
    limit: Annotated[int, typer.Option(help="Most rows to print.", min=1)] = 100,
) -> None:
    """List the files that failed, newest first: those that wait, and those given up.

    One that waits is tried again by itself at its next try; one given up is not.

    For example:

    - `face-archive failures list`
    - `face-archive failures list --ignored --limit 1000`
    """
    with open_toolbox() as toolbox:
        failures = toolbox.failures.list()
    states = Counter(failure.state.value for failure in failures)
    shown = [each for each in failures if ignored or each.state.value != "ignored"]
    emit(
        map(_row, shown[:limit]),
        title="Failed",
        empty="No file failed.",
        hide=("chat_no", "size_bytes", "error", "failed_at", "given_up_at"),
    )
    if len(shown) > limit:
        say(f"{len(shown) - limit} more: raise --limit.")
    if states["given_up"]:
        say("Given up: `face-archive failures retry MEDIUM`, or `ignore`; `show` says more.")


@failures_app.command("show")
def show_command(refs: _Refs = None) -> None:
    """Show all that is known of failed files, with what exactly went wrong.

    For example:

    - `face-archive failures show photo:5301442900000000001`
    """
    with open_toolbox() as toolbox:
        emit(map(_row, _chosen(toolbox, refs, every=False)), title="Failed")


@failures_app.command("retry")
def retry_command(refs: _Refs = None, *, every: _All = False) -> None:
    """Have files tried again, with all their attempts; also those that wait or are ignored.

    `up` asks for their windows within a quarter of an hour; `backfill` at once.

    For example:

    - `face-archive failures retry photo:5301442900000000001`
    - `face-archive failures retry --all`
    """
    with open_toolbox() as toolbox:
        chosen = _chosen(toolbox, refs, every=every)
        toolbox.failures.retry([each.media_id for each in chosen])
    emit(({"medium": each.media_id, "chat": each.chat_title} for each in chosen), title="To retry")
    say("Their windows come by themselves; at once: `face-archive backfill CHAT`.")


@failures_app.command("ignore")
def ignore_command(refs: _Refs = None, *, every: _All = False) -> None:
    """Leave files out for good, whatever changes; `retry` takes them back.

    For example:

    - `face-archive failures ignore photo:5301442900000000001`
    """
    with open_toolbox() as toolbox:
        chosen = _chosen(toolbox, refs, every=every)
        toolbox.failures.ignore([each.media_id for each in chosen])
    emit(({"medium": each.media_id, "chat": each.chat_title} for each in chosen), title="Ignored")


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.add_typer(failures_app, name="failures")


def _chosen(toolbox: Toolbox, refs: Sequence[str] | None, *, every: bool) -> list[Failure]:
    """Find what a person named.

    Raises:
        typer.BadParameter: Nothing was named.
        Permanent: One of the names is of no failed medium.
    """
    if not refs and not every:
        raise typer.BadParameter("name a file that `face-archive failures list` shows")
    failures = toolbox.failures.list()
    known = {each.media_id: each for each in failures}
    if unknown := [ref for ref in refs or () if ref not in known]:
        raise Permanent(f"{unknown[0]} did not fail: see `face-archive failures list`.")
    if every:
        return [each for each in failures if each.state.value == "given_up"]
    return [each for each in failures if each.media_id in (refs or ())]


def _row(failure: Failure) -> dict[str, object]:
    return {
        "medium": failure.media_id,
        "chat_no": failure.chat_no,
        "chat": failure.chat_title,
        "topic": failure.topic_title,
        "message_id": failure.message_id,
        "kind": failure.kind,
        "size_bytes": failure.size_bytes,
        "state": failure.state.value,
        "reason": failure.reason,
        "attempts": failure.attempts,
        "next_try": failure.retry_at and f"{failure.retry_at:%Y-%m-%d %H:%M %Z}",
        "error": failure.error,
        "failed_at": f"{failure.failed_at:%Y-%m-%d %H:%M %Z}",
        "given_up_at": failure.given_up_at and f"{failure.given_up_at:%Y-%m-%d %H:%M %Z}",
    }
