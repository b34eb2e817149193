"""`face-archive publish`: people become topics, now, and what that would take.

The same use case that the schedule runs, in this process, under the same lock.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from archive.hubs import require_hub
from archive.ids import ChatId
from archive.publishing import Hub, Plan, PublishOptions, PublishResult, plan, publish
from cli.context import open_toolbox
from cli.output import emit, progress, say

if TYPE_CHECKING:
    from resources.toolbox import Toolbox

publish_app = typer.Typer(
    invoke_without_command=True,
    help="Bring the hub up to what it should be: a topic a person, each content once.",
)

MaxOperations = Annotated[
    int | None, typer.Option(help="Most writes of any kind now; the rest waits.", min=1)
]


@publish_app.callback()
def publish_command(
    context: typer.Context,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print, as `plan` does.")] = False,
    max_operations: MaxOperations = None,
) -> None:
    """Bring the hub up to what it should be: a topic a person, each content once.

    Without a subcommand: `apply`, or `plan` with `--dry-run`.

    For example:

    - `face-archive publish --dry-run`
    - `face-archive publish --max-operations 50`
    """
    if context.invoked_subcommand is None:
        (plan_command if dry_run else apply_command)(max_operations=max_operations)


@publish_app.command("plan")
def plan_command(*, max_operations: MaxOperations = None) -> None:
    """Print what `apply` would do, in its order, and how long that takes; send nothing.

    For example:

    - `face-archive publish plan`
    """
    with open_toolbox() as toolbox:
        drawn = _plan(toolbox, _hub(toolbox))
        show_plan(drawn, toolbox.settings.hub_operations_per_minute, max_operations)


@publish_app.command("apply")
def apply_command(*, max_operations: MaxOperations = None) -> None:
    """Make, change and delete what the hub needs, no faster than Telegram allows.

    Only chats that allow publishing are shown. Run again it goes on where it stopped, and sends
    nothing once the hub is complete.

    For example:

    - `face-archive publish apply`
    - `face-archive publish apply --max-operations 50`
    """
    with open_toolbox() as toolbox:
        hub, started = _hub(toolbox), monotonic()
        operations = _plan(toolbox, hub).operations[:max_operations]
        minutes = len(operations) / toolbox.settings.hub_operations_per_minute
        say(f"{len(operations)} operations, about {minutes:.0f} minutes.")
        options = PublishOptions(max_operations, toolbox.publish_policy)
        result = asyncio.run(_apply(toolbox, hub, options, len(operations)))
        seconds = monotonic() - started
        toolbox.overview.record_stage("published_topics", None, seconds, result.done)
        emit([_row(toolbox, hub, result)], title="Published")
    if result.remaining:
        say(f"{result.remaining} are left: run it again.")


@publish_app.command("status")
def status_command() -> None:
    """Count what is in the hub, what is on its way, and what is left to do.

    For example:

    - `face-archive publish status`
    """
    with open_toolbox() as toolbox:
        hub = _hub(toolbox)
        actual = toolbox.topics.projection(hub.hub_no).actual
        drawn = _plan(toolbox, hub)
        emit(
            [
                {
                    "hub": hub.chat.title,
                    "topics": dict(Counter(row.state for row in actual.topics.values())),
                    "posts": dict(Counter(row.state for row in actual.posts)),
                    "operations": len(drawn.operations),
                    "minutes": _minutes(drawn, toolbox.settings.hub_operations_per_minute),
                    "blocked": hub.blocked_reason,
                }
            ],
            title="Hub",
        )


def register(app: typer.Typer) -> None:
    """Add the group to the application."""
    app.add_typer(publish_app, name="publish")


def show_plan(drawn: Plan, per_minute: int, max_operations: int | None) -> None:
    """Print each operation in its order, then what all of them come to."""
    lines = drawn.lines(max_operations)
    emit(({"operation": line} for line in lines), title="Plan", empty="The hub is complete.")
    summary: dict[str, object] = {
        "operations": len(lines),
        "minutes": round(len(lines) / per_minute, 1),
        "left_for_later": len(drawn.operations) - len(lines),
    }
    emit([summary | dict(drawn.counts.by_name)], title="Sum")


def _hub(toolbox: Toolbox) -> Hub:
    configured = toolbox.settings.hub_group_id
    return require_hub(toolbox.topics, None if configured is None else ChatId(configured))


def _plan(toolbox: Toolbox, hub: Hub) -> Plan:
    return plan(toolbox.topics, hub, now=datetime.now(UTC), policy=toolbox.publish_policy)


def _minutes(drawn: Plan, per_minute: int) -> float:
    return round(drawn.minutes(per_minute), 1)


async def _apply(toolbox: Toolbox, hub: Hub, options: PublishOptions, due: int) -> PublishResult:
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
                toolbox.media_of(telegram),
                hub,
                options,
                pace=toolbox.pace(),
                on_operation=count,
            )


def _row(toolbox: Toolbox, hub: Hub, result: PublishResult) -> dict[str, object]:
    return {
        "hub": hub.chat.title,
        **result.counts.by_name,
        "sent": result.sent,
        "done": result.done,
        "remaining": result.remaining,
        "stopped": result.stopped_reason,
        "model": toolbox.engine_spec.model_name,
    }
