"""`face-archive publish check`: is the hub still what was written to it.

What differs is printed, and recorded where somebody says so; putting it right is the next
publishing's. Registered by `cli.publish`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from archive.heeding import heed
from archive.hubs import find_hub, require_hubs
from archive.ids import ChatId
from archive.publishing import ReadBackOptions, ReadBackResult, read_back
from cli.context import open_toolbox
from cli.output import emit, progress, say

if TYPE_CHECKING:
    from archive.publishing import Finding, Hub
    from resources.toolbox import Toolbox


HubName = Annotated[
    str | None, typer.Option("--hub", help="Title or marked id of one hub; all in use if absent.")
]


def check_command(
    *,
    hub: HubName = None,
    apply: Annotated[
        bool,
        typer.Option(
            "--apply/--dry-run", help="Record what differs, so that publishing puts it right."
        ),
    ] = False,
) -> None:
    """Hold the hub against what was last written to it; change nothing there.

    Topics and posts that somebody deleted, renamed, closed, edited or unpinned by hand are
    printed. With `--apply` the next publishing puts them right; a name or a command that nobody
    heard has its effect, if whoever gave it has a say. Messages of others stay as they are; posts
    of ours that no row knows, as after a restored backup, are only told: see `publish adopt`.

    For example:

    - `face-archive publish check`
    - `face-archive publish check --apply && face-archive publish apply`
    - `face-archive publish check --hub "Our family"`
    """
    with open_toolbox() as toolbox:
        drifted = sum(
            _shown(toolbox, each, apply=apply).drifted for each in hubs_named(toolbox, hub)
        )
        if apply and (heeded := heed(toolbox.remarks, toolbox.register).by_name):
            emit([dict(heeded)], title="Said there")
    if drifted:
        say(
            "Recorded: `face-archive publish plan` says how it is put right."
            if apply
            else "Nothing was recorded: run again with --apply to have it put right."
        )


def hubs_named(toolbox: Toolbox, name: str | None) -> list[Hub]:
    """Give the hubs that are meant: all in use, or one."""
    if name is not None:
        return [find_hub(name, toolbox.topics)]
    configured = toolbox.settings.hub_group_id
    return require_hubs(toolbox.topics, None if configured is None else ChatId(configured))


def _shown(toolbox: Toolbox, hub: Hub, *, apply: bool) -> ReadBackResult:
    lines: list[str] = []
    result = asyncio.run(_check(toolbox, hub, lines, dry_run=not apply))
    emit(({"found": line} for line in lines), title="Differences", empty="Nothing differs.")
    emit([_row(hub, result)], title="Checked")
    return result


async def _check(toolbox: Toolbox, hub: Hub, lines: list[str], *, dry_run: bool) -> ReadBackResult:
    from resources.telegram.sessions import Lane

    with progress("Checking") as advance:

        def keep(finding: Finding) -> None:
            lines.append(str(finding))
            advance(len(lines), None)

        async with toolbox.telegram(Lane.PUBLISH, hub.chat.account_id) as telegram:
            return await read_back(
                toolbox.topics,
                telegram.hub,
                hub,
                ReadBackOptions(dry_run=dry_run),
                remarks=toolbox.remarks,
                on_finding=keep,
            )


def _row(hub: Hub, result: ReadBackResult) -> dict[str, object]:
    return {
        "hub": hub.chat.title,
        **result.counts.by_name,
        "drifted": result.drifted,
        "messages": result.messages,
        "requests": result.requests,
    }
