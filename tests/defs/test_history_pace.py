"""What a run says of its requests, and what backfills wait for while Telegram is slow."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import dagster as dg

from archive.history.pace import PROBE_AFTER, Pace
from archive_assets.build import build_defs
from archive_assets.telegram import chat_history
from sensors.backfill import backfill_sensor
from tests.fixtures.installation import Installation


def evaluated(
    installation: Installation, instance: dg.DagsterInstance
) -> dg.SensorResult | dg.SkipReason:
    context = dg.build_sensor_context(
        instance=instance, resources={"toolbox": installation.toolbox}
    )
    result = cast(Any, backfill_sensor)(context)
    assert isinstance(result, dg.SensorResult | dg.SkipReason)
    return result


def slow(installation: Installation, minutes_ago: float = 0) -> Pace:
    """Let Telegram have answered slowly so long ago."""
    (account_id,) = installation.toolbox.sessions.accounts()
    at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    pace = Pace(account_id, (0.9,) * 100, 0.1, slow_since=at, measured_at=at)
    installation.toolbox.paces.save(pace)
    return pace


def test_while_telegram_is_slow_no_backfill_is_submitted_and_the_reason_is_said(
    opted_in: Installation, ephemeral: dg.DagsterInstance
) -> None:
    slow(opted_in)

    skipped = evaluated(opted_in, ephemeral)

    assert isinstance(skipped, dg.SkipReason)
    assert "Telegram answers in 900 ms, usual is 100 ms" in str(skipped.skip_message)


def test_after_a_pause_one_window_finds_out_whether_it_still_is(
    opted_in: Installation, ephemeral: dg.DagsterInstance
) -> None:
    slow(opted_in, minutes_ago=PROBE_AFTER.total_seconds() / 60 + 1)

    result = evaluated(opted_in, ephemeral)

    assert isinstance(result, dg.SensorResult)
    assert len(result.run_requests or ()) == 1


def test_fast_answers_lift_the_pause(opted_in: Installation, ephemeral: dg.DagsterInstance) -> None:
    opted_in.toolbox.paces.save(replace(slow(opted_in), slow_since=None))

    result = evaluated(opted_in, ephemeral)

    assert isinstance(result, dg.SensorResult)
    assert len(result.run_requests or ()) == 2


def test_a_run_says_how_many_requests_it_took_how_slow_they_were_and_how_long_it_waited(
    opted_in: Installation, ephemeral: dg.DagsterInstance
) -> None:
    keys = opted_in.toolbox.history.known_window_keys()
    ephemeral.add_dynamic_partitions("chat_window", list(keys))
    resources = dict(build_defs().resources or {}) | {"toolbox": opted_in.toolbox}

    result = dg.materialize(
        [chat_history], instance=ephemeral, partition_key=keys[0], resources=resources
    )

    (event,) = result.asset_materializations_for_node("chat_history")
    said = {name: value.value for name, value in event.metadata.items()}
    assert cast(int, said["telegram_requests"]) >= 1
    assert said["floods"] == 0
    assert said["waited_seconds"] == 0
    assert 0 < cast(float, said["latency_p50_ms"]) <= cast(float, said["latency_p95_ms"])
    assert (said["in_flight"], said["takeout"], said["stopped_reason"]) == (2, "off", "done")
    (account_id,) = opted_in.toolbox.sessions.accounts()
    assert len(opted_in.toolbox.paces.get(account_id).newest_seconds) >= 1
