"""People and their topics: incremental over everything there is, so without partitions."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

import dagster as dg

from archive.deletions import erase_lost
from archive.identify import identify
from archive.publishing import Hub, PublishOptions, PublishResult, publish, publish_each
from archive.publishing.doubts import Doubt
from archive_assets.media import face_embeddings_key
from archive_assets.outcomes import dagster_outcome, timed
from resources.store.search_index import make_missing_index
from resources.store.topics import TopicStore
from resources.telegram.sessions import Lane
from resources.toolbox import Toolbox


@dg.asset(
    deps=[dg.AssetDep(face_embeddings_key, partition_mapping=dg.AllPartitionMapping())],
    group_name="people",
    kinds={"postgres", "numpy"},
)
def identity_clusters(
    context: dg.AssetExecutionContext, toolbox: dg.ResourceParam[Toolbox]
) -> dg.MaterializeResult[None]:
    """Who is who: faces without identity are matched, and people who are new are founded.

    Under one lock, exactly, against the gallery of known people; a face that matches nobody
    well enough stays unassigned and is tried again. Before that, faces are erased whose chats
    erase what was deleted.
    """
    with dagster_outcome(), timed(toolbox, "identity_clusters") as timing:
        erased = erase_lost(toolbox.deletions, toolbox.blobs, now=datetime.now(UTC))
        model = toolbox.engine_spec.build().model
        result = identify(
            toolbox.people, model, toolbox.identify_options, cause=f"run {context.run.run_id}"
        )
        timing.items = result.probes
        # After the deciding, which it would wait for.
        make_missing_index(toolbox.database, result.model)
    return dg.MaterializeResult(
        metadata={
            "probes": result.probes,
            "assigned": result.assigned,
            "founded": result.founded,
            "unassigned": result.unassigned,
            "identities": result.identities,
            "erased_contents": erased.contents,
            "erased_faces": erased.faces,
            "model": result.model,
        }
    )


@dg.asset(deps=[identity_clusters], group_name="people", kinds={"telegram", "postgres"})
def published_topics(
    context: dg.AssetExecutionContext, toolbox: dg.ResourceParam[Toolbox]
) -> dg.MaterializeResult[None]:
    """One topic a person in the hub, each content once, from chats that allow publishing.

    Without a hub there is nothing to do, and the run says so. A run writes for a quarter of an
    hour at most; what it leaves over is carried on by the next.
    """
    with dagster_outcome():
        hubs = toolbox.hubs()
    if not hubs:
        context.log.info("No hub is configured: nothing is published (`face-archive hub create`).")
        return dg.MaterializeResult(metadata={"hub": False})
    with dagster_outcome(), timed(toolbox, "published_topics") as timing:
        # Once for all hubs: for it all faces are compared.
        store, doubts = toolbox.topics_of_run(), toolbox.doubts()
        publish_to = partial(_publish, toolbox, store, len(hubs), doubts)
        runs = asyncio.run(publish_each(hubs, publish_to))
        results = [run.result for run in runs if run.result is not None]
        timing.items = sum(result.done for result in results)
    return dg.MaterializeResult(
        metadata={
            # A StrEnum is no string to Dagster's serializer.
            **{str(name): count for name, count in _total(results).items()},
            "hub": True,
            "hubs_blocked": len(runs) - len(results),
            "remaining": sum(result.remaining for result in results),
        }
    )


def _total(results: list[PublishResult]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for result in results:
        counts.update(result.counts.by_name)
    return counts


async def _publish(
    toolbox: Toolbox, store: TopicStore, hubs: int, doubts: Sequence[Doubt] | None, hub: Hub
) -> PublishResult:
    """Publish to one of several hubs, which share the minutes of a run."""
    budget = toolbox.run_budget and max(1, toolbox.run_budget // hubs)
    async with (
        toolbox.telegram(Lane.PUBLISH, hub.chat.account_id) as account,
        toolbox.media_of(account) as media,
    ):
        return await publish(
            store,
            account.hub,
            media,
            hub,
            PublishOptions(budget, toolbox.publish_policy, doubts),
            pace=toolbox.pace(hub.hub_no),
            crops=toolbox.crops,
            faces=toolbox.faces,
        )
