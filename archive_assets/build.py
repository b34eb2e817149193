"""Puts the graph together; a test gives resources of its own."""

from collections.abc import Mapping

import dagster as dg

from archive_assets import (
    analytics,
    checks,
    hub_check,
    media,
    migrating,
    people,
    pictures,
    telegram,
)
from archive_assets.jobs import people_job, window_job
from archive_assets.presentation import shown
from archive_assets.upkeep import upkeep_job, upkeep_schedule
from resources.wiring import ToolboxResource
from sensors.backfill import backfill_sensor
from sensors.inbox import inbox_sensor
from sensors.people import people_sensor
from sensors.reconcile import reconcile_sensor
from sensors.remarks import remarks_sensor


def build_defs(*, resource_overrides: Mapping[str, object] | None = None) -> dg.Definitions:
    """Build the definitions of the code location.

    Args:
        resource_overrides: Instead of the resource of that name; a plain object will do.
    """
    return dg.Definitions(
        assets=shown(
            [
                telegram.chat_history,
                media.media_pass,
                migrating.migrated_embeddings,
                people.identity_clusters,
                people.published_topics,
                analytics.warehouse_snapshots,
                analytics.build_marts(),
                pictures.people_plots,
            ]
        ),
        asset_checks=[
            checks.live_updates_are_answered_in_time,
            checks.no_account_has_to_log_in_again,
            checks.every_medium_has_ledger_rows,
            checks.embeddings_have_unit_norm_and_right_dims,
            checks.the_model_in_use_has_seen_every_face,
            checks.the_threshold_fits_the_labels,
            checks.people_are_what_their_log_comes_to,
            checks.nothing_is_published_without_a_switch,
            checks.every_hub_can_be_written_to,
            hub_check.the_hub_is_what_was_last_written,
        ],
        jobs=[
            window_job,
            people_job,
            migrating.migration_job,
            analytics.analytics_job,
            upkeep_job,
            hub_check.hub_check_job,
        ],
        schedules=[
            migrating.migration_schedule,
            analytics.analytics_schedule,
            upkeep_schedule,
            hub_check.hub_check_schedule,
        ],
        sensors=[inbox_sensor, backfill_sensor, reconcile_sensor, remarks_sensor, people_sensor],
        resources={"toolbox": ToolboxResource(), **(resource_overrides or {})},
        # A step is minutes of work in one process that has loaded its model: a process a step
        # costs 3 s, in-process 0.2 s (DAGSTER notes, measured).
        executor=dg.in_process_executor,
    )
