"""One hub after another is published to, and what stops one stops no other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from archive.errors import Transient
from archive.publishing.publish import PublishResult
from archive.publishing.records import Hub
from archive.publishing.rights import HubBlocked


@dataclass(frozen=True, slots=True)
class HubRun:
    """What became of publishing to one hub.

    Attributes:
        result: ``None`` where the hub is blocked.
    """

    hub: Hub
    result: PublishResult | None
    blocked_reason: str | None = None


async def publish_each(
    hubs: Iterable[Hub],
    publish_to: Callable[[Hub], Awaitable[PublishResult]],
    on_run: Callable[[HubRun], None] = lambda _: None,
) -> list[HubRun]:
    """Publish to each hub.

    Args:
        hubs: In use.
        publish_to: Does it for one.
        on_run: Told of each hub when it is done with or found to be blocked.

    Raises:
        Transient: Some hub has to wait; the others are done by then. The shortest wait.
        HubBlocked: No hub at all can be used; the reason of the first.
    """
    runs: list[HubRun] = []
    waits: list[Transient] = []
    blocked: list[HubBlocked] = []
    for hub in hubs:
        try:
            runs.append(HubRun(hub, await publish_to(hub)))
        except HubBlocked as reason:
            blocked.append(reason)
            runs.append(HubRun(hub, None, str(reason)))
        except Transient as wait:
            waits.append(wait)
            continue
        on_run(runs[-1])
    if waits:
        raise min(waits, key=lambda wait: wait.retry_after_seconds or 0.0)
    if blocked and len(blocked) == len(runs):
        raise blocked[0]
    return runs
