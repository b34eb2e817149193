"""`face-archive identify` and `publish`: faces become people, people become topics, now.

The same use cases that the schedule runs, in this process, under the same locks.
"""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from archive.hubs import require_hub
from archive.identify import identify
from archive.ids import ChatId
from archive.publishing import Hub, Plan, PublishOptions, PublishResult, plan, publish
from cli.context import open_toolbox
from cli.output import emit, progress, say
from resources.store.search_index import make_missing_index

if TYPE_CHECKING:
    from resources.toolbox import Toolbox


def identify_command() -> None:
    """Match every face without a person, and found the people who are new.

    Deterministic for what is stored; a second run changes nothing. The row says which model's
    vectors were compared.

    For example:

    - `face-archive identify`
    """
    started = monotonic()
    with open_toolbox() as toolbox:
        model = toolbox.engine_spec.build().model
        with progress("Comparing faces"):
            result = identify(
                toolbox.people, model, toolbox.identify_options, cause="face-archive identify"
            )
        with progress("Making the index of search, where it is missing"):
            make_missing_index(toolbox.database, result.model)
        seconds = monotonic() - started
        toolbox.overview.record_stage("identity_clusters", None, seconds, result.probes)
    emit([{**dataclasses.asdict(result), "licence": model.licence}], title="People")


def publish_command(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be done, and how long it takes.")
    ] = False,
    max_operations: Annotated[
        int | None,
        typer.Option(help="Most topics and posts to make now; the rest waits.", min=1),
    ] = None,
) -> None:
    """Bring the hub up to what it should hold: a topic a person, each content once.

    Only chats that allow publishing are shown. Run again it goes on where it stopped, and sends
    nothing once the hub is complete.

    For example:

    - `face-archive publish --dry-run`
    - `face-archive publish --max-operations 50`
    """
    with open_toolbox() as toolbox:
        configured = toolbox.settings.hub_group_id
        hub = require_hub(toolbox.topics, None if configured is None else ChatId(configured))
        drawn = plan(toolbox.topics, hub, now=datetime.now(UTC))
        if dry_run:
            show_plan(drawn, toolbox.settings.hub_operations_per_minute, max_operations)
            return
        started = monotonic()
        due = min(len(drawn.operations), max_operations or len(drawn.operations))
        result = asyncio.run(_publish(toolbox, hub, PublishOptions(max_operations), due))
        seconds = monotonic() - started
        toolbox.overview.record_stage("published_topics", None, seconds, result.sent)
        emit([_row(toolbox, hub, result)], title="Published")
    if result.remaining:
        say(f"{result.remaining} are left: run it again.")


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("identify")(identify_command)
    app.command("publish")(publish_command)


async def _publish(toolbox: Toolbox, hub: Hub, options: PublishOptions, due: int) -> PublishResult:
    from resources.telegram.sessions import Lane

    done = 0
    with progress("Publishing") as advance:

        def count(_: object) -> None:
            nonlocal done
            done += 1
            advance(done, due)

        async with toolbox.telegram(Lane.PUBLISH, hub.chat.account_id) as telegram:
            return await publish(
                toolbox.topics,
                telegram.hub,
                telegram.media,
                hub,
                options,
                pace=toolbox.pace(),
                on_operation=count,
            )


def show_plan(drawn: Plan, per_minute: int, max_operations: int | None) -> None:
    """Print each operation in its order, then what all of them come to."""
    lines = drawn.lines()[:max_operations]
    emit(({"operation": line} for line in lines), title="Plan", empty="The hub is complete.")
    summary: dict[str, object] = {
        "operations": len(lines),
        "minutes": round(len(lines) / per_minute, 1),
        "left_for_later": len(drawn.operations) - len(lines),
    }
    emit([summary | dict(drawn.counts.by_name)], title="Sum")


def _row(toolbox: Toolbox, hub: Hub, result: PublishResult) -> dict[str, object]:
    return {
        "hub": hub.chat.title,
        **result.counts.by_name,
        "sent": result.sent,
        "remaining": result.remaining,
        "stopped": result.stopped_reason,
        "model": toolbox.engine_spec.model_name,
    }
