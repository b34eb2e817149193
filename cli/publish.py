"""`face-archive publish`: people become topics, now, and what that would take.

The same use case that the schedule runs, in this process, under the same lock.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from archive.publishing import (
    Hub,
    HubRun,
    Plan,
    PublishOptions,
    PublishResult,
    plan,
    publish,
    publish_each,
)
from archive.publishing.doubts import Doubt
from cli.context import open_toolbox
from cli.output import emit, progress, say
from cli.publish_adopt import adopt_command
from cli.publish_check import HubName, check_command, hubs_named

if TYPE_CHECKING:
    from resources.store.topics import TopicStore
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
    hub: HubName = None,
    max_operations: MaxOperations = None,
) -> None:
    """Bring the hub up to what it should be: a topic a person, each content once.

    Without a subcommand: `apply`, or `plan` with `--dry-run`.

    For example:

    - `face-archive publish --dry-run`
    - `face-archive publish --max-operations 50`
    """
    if context.invoked_subcommand is None:
        (plan_command if dry_run else apply_command)(hub=hub, max_operations=max_operations)


@publish_app.command("plan")
def plan_command(*, hub: HubName = None, max_operations: MaxOperations = None) -> None:
    """Print what `apply` would do, in its order, and how long that takes; send nothing.

    For example:

    - `face-archive publish plan`
    - `face-archive publish plan --hub "Our family"`
    """
    with open_toolbox() as toolbox:
        hubs, doubts, store = hubs_named(toolbox, hub), _doubts(toolbox), toolbox.topics_of_run()
        for each in hubs:
            drawn = _plan(toolbox, store, each, doubts)
            per_minute = toolbox.settings.hub_operations_per_minute
            show_plan(each.chat.title, drawn, per_minute, max_operations)


@publish_app.command("apply")
def apply_command(*, hub: HubName = None, max_operations: MaxOperations = None) -> None:
    """Make, change and delete what the hubs need, no faster than Telegram allows.

    Only chats that allow publishing are shown. Run again it goes on where it stopped, and sends
    nothing once every hub is complete. A hub that is blocked holds up no other.

    For example:

    - `face-archive publish apply`
    - `face-archive publish apply --max-operations 50`
    - `face-archive publish apply --hub "Our family"`
    """
    with open_toolbox() as toolbox:
        done: list[HubRun] = []
        hubs, doubts, store = hubs_named(toolbox, hub), _doubts(toolbox), toolbox.topics_of_run()
        publish_to = partial(_publish, toolbox, store, max_operations, doubts)
        runs = publish_each(hubs, publish_to, done.append)
        try:
            asyncio.run(runs)
        finally:
            if done:
                emit([_row(toolbox, run) for run in done], title="Published")
    remaining = sum(run.result.remaining for run in done if run.result is not None)
    if remaining:
        say(f"{remaining} are left: run it again.")


@publish_app.command("status")
def status_command(*, hub: HubName = None) -> None:
    """Count what is in each hub and what is left to do; say what is wrong with one.

    No new question about faces is looked for, which takes long in a large archive.

    `said` counts names and commands that were given in it, by what came of them.

    For example:

    - `face-archive publish status`
    """
    with open_toolbox() as toolbox:
        store = toolbox.topics_of_run()
        rows = [_status(toolbox, store, each) for each in hubs_named(toolbox, hub)]
    emit(rows, title="Hubs")


def register(app: typer.Typer) -> None:
    """Add the group to the application."""
    publish_app.command("check")(check_command)
    publish_app.command("adopt")(adopt_command)
    app.add_typer(publish_app, name="publish")


def show_plan(title: str, drawn: Plan, per_minute: int, max_operations: int | None) -> None:
    """Print each operation in its order, then what all of them come to."""
    lines = drawn.lines(max_operations)
    emit(({"operation": line} for line in lines), title=f"Plan: {title}", empty="It is complete.")
    summary: dict[str, object] = {
        "hub": title,
        "operations": len(lines),
        "minutes": round(len(lines) / per_minute, 1),
        "left_for_later": len(drawn.operations) - len(lines),
    }
    emit([summary | dict(drawn.counts.by_name)], title="Sum")


def _doubts(toolbox: Toolbox) -> Sequence[Doubt] | None:
    if not toolbox.settings.publish_uncertain:
        return None
    with progress("Looking for questions"):
        return toolbox.doubts()


def _plan(toolbox: Toolbox, store: TopicStore, hub: Hub, doubts: Sequence[Doubt] | None) -> Plan:
    policy = toolbox.publish_policy
    return plan(store, hub, now=datetime.now(UTC), policy=policy, doubts=doubts)


def _status(toolbox: Toolbox, store: TopicStore, hub: Hub) -> dict[str, object]:
    actual = store.projection(hub.hub_no).actual
    drawn = _plan(toolbox, store, hub, toolbox.doubts(look=False))
    return {
        "hub": hub.chat.title,
        "state": hub.state,
        "reason": hub.reason,
        "waits_until": hub.waits_until and f"{hub.waits_until:%Y-%m-%d %H:%M:%S} UTC",
        "topics": dict(Counter(row.state for row in actual.topics.values())),
        "posts": dict(Counter(row.state for row in actual.posts)),
        "said": toolbox.remarks.fates(hub.hub_no),
        "operations": len(drawn.operations),
        "minutes": _minutes(drawn, toolbox.settings.hub_operations_per_minute),
        "without_room": drawn.counts["without_room"],
    }


def _minutes(drawn: Plan, per_minute: int) -> float:
    return round(drawn.minutes(per_minute), 1)


async def _publish(
    toolbox: Toolbox,
    store: TopicStore,
    max_operations: int | None,
    doubts: Sequence[Doubt] | None,
    hub: Hub,
) -> PublishResult:
    from resources.telegram.sessions import Lane

    due = len(_plan(toolbox, store, hub, doubts).operations[:max_operations])
    minutes = due / toolbox.settings.hub_operations_per_minute
    say(f"{hub.chat.title}: {due} operations, about {minutes:.0f} minutes.")
    started = monotonic()
    with progress("Publishing") as advance:
        done = itertools.count(1)
        async with (
            toolbox.telegram(Lane.PUBLISH, hub.chat.account_id) as telegram,
            toolbox.media_of(telegram) as media,
        ):
            result = await publish(
                store,
                telegram.hub,
                media,
                hub,
                PublishOptions(max_operations, toolbox.publish_policy, doubts),
                pace=toolbox.pace(hub.hub_no),
                crops=toolbox.crops,
                faces=toolbox.faces,
                on_operation=lambda _: advance(next(done), due),
            )
    seconds = monotonic() - started
    toolbox.overview.record_stage("published_topics", None, seconds, result.done)
    return result


def _row(toolbox: Toolbox, run: HubRun) -> dict[str, object]:
    if run.result is None:
        return {"hub": run.hub.chat.title, "blocked": run.blocked_reason}
    return {
        "hub": run.hub.chat.title,
        **run.result.counts.by_name,
        "sent": run.result.sent,
        "done": run.result.done,
        "remaining": run.result.remaining,
        "stopped": run.result.stopped_reason,
        "model": toolbox.engine_spec.model_name,
    }
