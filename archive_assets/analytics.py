"""Analytics: snapshots of the archive's tables, and the marts that dbt makes of them.

Both are made by one run at a time (the pool of one writer), marts always all of them: a build
begins with an empty file. What the models say is in ``dbt_project/``, what Dagster shows of them
in ``dbt_graph``.
"""

from collections.abc import Iterator

import dagster as dg

from archive.errors import Permanent
from archive.warehouse.snapshots import bring_up_to_date
from archive_assets.dbt_build import dbt_build
from archive_assets.dbt_graph import MANIFEST, Check, Graph, Model, prepared
from archive_assets.outcomes import dagster_outcome, timed
from archive_assets.people import identity_clusters
from archive_assets.telegram import chat_history
from resources.toolbox import Toolbox
from resources.warehouse.building import building
from resources.warehouse.reading import warehouse_file

ANALYTICS_GROUP = "analytics"
ANALYTICS_JOB = "analytics"
WRITER_POOL = "duckdb_writer"


@dg.asset(
    deps=[
        identity_clusters,
        dg.AssetDep(chat_history, partition_mapping=dg.AllPartitionMapping()),
    ],
    group_name=ANALYTICS_GROUP,
    kinds={"postgres", "polars", "parquet"},
    pool=WRITER_POOL,
)
def warehouse_snapshots(
    toolbox: dg.ResourceParam[Toolbox],
) -> dg.MaterializeResult[None]:
    """Parquet files of ids, times, counts and labels: what the marts are made of.

    Only pieces that changed since the last time are written anew. No text of a message, no crop
    and no vector is in them, and what was erased is gone from them with the next run.
    """
    with dagster_outcome(), timed(toolbox, "warehouse_snapshots") as timing:
        result = bring_up_to_date(toolbox.snapshots, toolbox.snapshot_files)
        timing.items = result.written
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(result.rows.values()),
            "parts_written": result.written,
            "parts_kept": result.kept,
            **{f"rows_of_{table}": rows for table, rows in result.rows.items()},
        }
    )


def build_marts() -> dg.AssetsDefinition:
    """Make the assets of the dbt project as it lies beside this package.

    Raises:
        Permanent: dbt cannot read the project.
    """
    folder = prepared()
    graph = Graph.read(folder)

    @dg.multi_asset(
        name="warehouse_marts",
        specs=[_asset(model) for model in graph.models],
        check_specs=[_check(check) for check in graph.checks],
        pool=WRITER_POOL,
        # Tests of sources would be checks of another asset.
        allow_arbitrary_check_specs=True,
    )
    def warehouse_marts(
        context: dg.AssetExecutionContext, toolbox: dg.ResourceParam[Toolbox]
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        """Build every model into a new file and test it; then the file takes its place."""
        warehouse, snapshots = warehouse_file(toolbox.settings.data_dir), toolbox.snapshot_files
        with dagster_outcome(), timed(toolbox, "warehouse_marts") as timing:
            with building(warehouse) as build:
                done = dbt_build(context, folder / MANIFEST, build, snapshots.folder)
                yield from done.checks
                if done.error:
                    raise Permanent(f"The warehouse stays as it was. {done.error}")
                rows = build.row_counts()
            timing.items = len(done.made)
        # Only now can anybody read them.
        yield from done.materializations(rows)

    return warehouse_marts


def _asset(model: Model) -> dg.AssetSpec:
    columns = [
        dg.TableColumn(name, data_type, description=about)
        for name, data_type, about in model.columns
    ]
    return dg.AssetSpec(
        model.name,
        deps=model.deps,
        description=model.description,
        group_name=ANALYTICS_GROUP,
        kinds={"dbt", "duckdb"},
        metadata={"dagster/column_schema": dg.TableSchema(columns)},
    )


def _check(check: Check) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(check.name, asset=check.asset, description=check.description)


analytics_job = dg.define_asset_job(
    ANALYTICS_JOB,
    selection=dg.AssetSelection.groups(ANALYTICS_GROUP),
    description="Bring the snapshots up to date and build the warehouse from them.",
)

analytics_schedule = dg.ScheduleDefinition(
    name="analytics_schedule",
    job=analytics_job,
    cron_schedule="47 4 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="On by default, 04:47 UTC. Off: questions are answered from an old warehouse.",
)
