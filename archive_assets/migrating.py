"""A change of models that was begun, carried on by itself in runs of bounded time.

`face-archive models migrate` begins it and does the same in its own process; whoever is second
leaves it to the first.
"""

import asyncio
from time import monotonic
from typing import Any

import dagster as dg

from archive.errors import Transient
from archive.migrating.looking_again import open_pictures
from archive.migrating.ports import Migration, MigrationState
from archive.migrating.switching import Carried, Stop, carry_on, waits_for_owner
from archive.off_loop import off_loop
from archive_assets.media import face_embeddings_key
from archive_assets.outcomes import dagster_outcome, timed
from resources.migrating import all_windows, migration_tools, other_engine
from resources.toolbox import Toolbox

# Shorter than the time between two runs: the place among the runs is free again for live windows.
RUN_SECONDS = 480.0


@dg.asset(
    deps=[dg.AssetDep(face_embeddings_key, partition_mapping=dg.AllPartitionMapping())],
    group_name="people",
    kinds={"postgres", "numpy"},
)
def migrated_embeddings(
    context: dg.AssetExecutionContext, toolbox: dg.ResourceParam[Toolbox]
) -> dg.MaterializeResult[None]:
    """One vector a face of the model that the archive changes to, made from crops beside live work.

    When no face lacks one, both models are compared on the owner's decisions, and the other is in
    use from then on; a worse one waits for the owner. Without such a change there is nothing to do.
    """
    with dagster_outcome(), timed(toolbox, "migrated_embeddings") as timing:
        migration = toolbox.migrations.under_way()
        if migration is None:
            return dg.MaterializeResult(metadata=_open_pictures(toolbox))
        if _is_held(toolbox):
            context.log.info("Another process carries it on.")
            return dg.MaterializeResult(metadata={"outcome": "elsewhere"})
        carried = asyncio.run(_carry(toolbox, migration))
        timing.items = carried.embedded
        opened = _open_pictures(toolbox) if carried.stop is Stop.SWITCHED else {}
    return dg.MaterializeResult(
        metadata={
            "from": migration.from_model,
            "to": migration.to_model,
            "embedded": carried.embedded,
            "by_estimated_landmarks": carried.estimated,
            "refused": carried.refused,
            "outcome": str(carried.stop),
            **_figures(carried),
            **opened,
        }
    )


def _is_held(toolbox: Toolbox) -> bool:
    """Whether a command carries it on, for hours perhaps: a run that waits would only fail."""
    try:
        with toolbox.migrations.alone():
            return False
    except Transient:
        return True


async def _carry(toolbox: Toolbox, migration: Migration) -> Carried:
    until = monotonic() + RUN_SECONDS
    spec = other_engine(toolbox, migration.to_model)
    async with migration_tools(toolbox, spec) as tools, off_loop(tools.store.alone()):
        return await carry_on(tools, migration, is_over=lambda: monotonic() > until)


def _figures(carried: Carried) -> dict[str, Any]:
    return carried.evaluation.shown() if carried.evaluation else {}


def _open_pictures(toolbox: Toolbox) -> dict[str, int]:
    """Open what the new model has to look at, where its owner asked for that; once a change."""
    latest = toolbox.migrations.latest()
    if latest is None or not _asks_to_look(latest):
        return {"pictures_opened": 0}
    model = toolbox.engine_spec.build().model
    limits = toolbox.media_pass_options.limits
    opened = open_pictures(toolbox.media, all_windows(toolbox), model, limits)
    toolbox.migrations.opened(latest)
    return {"pictures_opened": opened.files}


def _asks_to_look(migration: Migration) -> bool:
    is_switched = migration.state is MigrationState.SWITCHED
    return is_switched and migration.wishes.redetect and migration.opened_at is None


migration_job = dg.define_asset_job(
    "migration",
    selection=dg.AssetSelection.assets(migrated_embeddings),
    description="Carry a change of models on.",
)


@dg.schedule(
    job=migration_job,
    cron_schedule="*/10 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=(
        "On by default, every ten minutes: carries on what `face-archive models migrate` began. "
        "Off: run that command again."
    ),
)
def migration_schedule(
    context: dg.ScheduleEvaluationContext, toolbox: dg.ResourceParam[Toolbox]
) -> dg.RunRequest | dg.SkipReason:
    """Ask for a run while there is something that it can do."""
    migration = toolbox.migrations.under_way()
    if migration is None:
        latest = toolbox.migrations.latest()
        if latest is not None and _asks_to_look(latest):
            return dg.RunRequest()
        return dg.SkipReason("The model is not being changed.")
    waits = waits_for_owner(toolbox.migrations, migration)
    if waits is not None:
        return dg.SkipReason(
            f"It waits for its owner, because {waits}: `face-archive models migrate --status`."
        )
    return dg.RunRequest()
