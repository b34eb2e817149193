"""`face-archive publish adopt`: what a restored backup does not know of a hub.

Shows, asks and hands over; what can be told for certain is `archive.publishing.recognising`'s.
Registered by `cli.publish`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from archive.publishing import adopt, remove_strays
from cli.context import open_toolbox
from cli.output import emit, say
from cli.publish_check import HubName, hubs_named

if TYPE_CHECKING:
    from archive.publishing import Hub
    from archive.publishing.recognising import Recognised, Stray
    from resources.toolbox import Toolbox


def adopt_command(
    *,
    hub: HubName = None,
    apply: Annotated[
        bool, typer.Option("--apply/--dry-run", help="Adopt what is certainly ours.")
    ] = False,
    remove_unknown: Annotated[
        bool,
        typer.Option(
            "--remove-unknown", help="With --apply: delete our posts that nobody can tell, too."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before deleting.")] = False,
) -> None:
    """Take back topics and posts that a restored backup does not know.

    Only what the hub's own account made is looked at. A topic is adopted by its title and what it
    shows, a post by its file or the source that it links to, a summary by its first line; the next
    publishing brings their texts up to date. What cannot be told is listed with `remove`, and stays
    unless you say so. What others wrote, or you by hand, is never touched.

    For example:

    - `face-archive publish adopt`
    - `face-archive publish adopt --apply`
    - `face-archive publish adopt --apply --remove-unknown`
    """
    with open_toolbox() as toolbox:
        for each in hubs_named(toolbox, hub):
            found = asyncio.run(_adopt(toolbox, each, dry_run=not apply))
            _show(each, found)
            if apply and remove_unknown and found.strays:
                if not yes:
                    question = f"Delete {len(found.strays)} of ours in {each.chat.title}?"
                    typer.confirm(question, default=False, abort=True, err=True)
                removed = asyncio.run(_remove(toolbox, each, found.strays))
                emit([{"hub": each.chat.title, "removed": removed}], title="Removed")
    if not apply:
        say("Nothing was changed: run again with --apply, and --remove-unknown for the rest.")


def _show(hub: Hub, found: Recognised) -> None:
    lines = [*found.lost, *found.strays]
    emit(({"found": str(line)} for line in lines), title="Unknown", empty="Every row is there.")
    counted = {"hub": hub.chat.title, "adopt": len(found.lost), "remove": len(found.strays)}
    emit([counted], title="Sum")


async def _adopt(toolbox: Toolbox, hub: Hub, *, dry_run: bool) -> Recognised:
    from resources.telegram.sessions import Lane

    async with toolbox.telegram(Lane.PUBLISH, hub.chat.account_id) as telegram:
        return await adopt(toolbox.topics, telegram.hub, hub, dry_run=dry_run)


async def _remove(toolbox: Toolbox, hub: Hub, strays: tuple[Stray, ...]) -> int:
    from resources.telegram.sessions import Lane

    async with toolbox.telegram(Lane.PUBLISH, hub.chat.account_id) as telegram:
        pace = toolbox.pace(hub.hub_no)
        return await remove_strays(
            toolbox.topics, telegram.hub, telegram.hub, hub, strays, pace=pace
        )
