"""A long flood: the run that meets it ends, its place is free, and its work comes back in time."""

from __future__ import annotations

import time

import dagster as dg
import pytest
from dagster import DagsterEventType, DagsterRunStatus

from archive.windows import parse_key
from resources.store.database import Database
from sensors.backfill import backfill_sensor
from sensors.people import people_sensor
from tests.defs.test_assets import retries, run_window, windows_of
from tests.fixtures.installation import Installation
from tests.fixtures.ticks import evaluated, submitted

HOUR = 3600


def flood(installation: Installation, seconds: int = HOUR) -> None:
    """Let Telegram answer the next reading of history with a wait."""
    installation.telegram.call(
        lambda sandbox: sandbox.faults.error("messages.getHistory", f"FLOOD_WAIT_{seconds}")
    )


def let_pass(database: Database, seconds: int) -> None:
    """Move what the store knows of the future nearer."""
    with database.transaction() as connection:
        connection.execute(
            "UPDATE accounts SET flood_until = flood_until - make_interval(secs => %s)", (seconds,)
        )
        connection.execute(
            "UPDATE windows SET resume_at = resume_at - make_interval(secs => %s)", (seconds,)
        )


def test_an_hours_flood_ends_the_run_at_once_and_says_when_it_goes_on(
    opted_in: Installation, ephemeral: dg.DagsterInstance
) -> None:
    (key, _) = windows_of(opted_in)
    flood(opted_in)
    began = time.monotonic()

    result = run_window(opted_in, ephemeral, key)

    assert time.monotonic() - began < HOUR / 10
    assert retries(result) == []
    (run,) = ephemeral.get_runs()
    assert run.status is DagsterRunStatus.FAILURE
    (failure,) = [e for e in result.all_events if e.event_type is DagsterEventType.STEP_FAILURE]
    data = failure.step_failure_data.user_failure_data
    assert data is not None
    assert data.description is not None
    assert "wait 3600 s before messages.getHistory" in data.description
    due = data.metadata["retry_at"].value
    assert due == pytest.approx(time.time() + HOUR, abs=120)


def test_the_window_is_asked_for_again_once_when_the_flood_is_over(
    opted_in: Installation, ephemeral: dg.DagsterInstance
) -> None:
    newest, oldest = windows_of(opted_in)
    first = evaluated(backfill_sensor, opted_in, ephemeral)
    assert isinstance(first, dg.SensorResult)
    before = {run.partition_key: run.run_key for run in submitted(first, ephemeral)}
    flood(opted_in)
    run_window(opted_in, ephemeral, newest)
    asked = opted_in.requests("messages.getHistory")

    # The other run was in the queue already: it ends without asking Telegram anything.
    assert not run_window(opted_in, ephemeral, oldest).success
    assert opted_in.requests("messages.getHistory") == asked
    waiting = evaluated(backfill_sensor, opted_in, ephemeral, first.cursor)
    assert isinstance(waiting, dg.SkipReason)

    let_pass(opted_in.toolbox.database, HOUR)
    again = evaluated(backfill_sensor, opted_in, ephemeral, first.cursor)
    assert isinstance(again, dg.SensorResult)
    runs = {run.partition_key: run.run_key for run in submitted(again, ephemeral)}
    assert runs.keys() == {newest, oldest}
    assert not set(runs.values()) & set(before.values())
    assert isinstance(evaluated(backfill_sensor, opted_in, ephemeral, again.cursor), dg.SkipReason)

    assert run_window(opted_in, ephemeral, newest).success
    assert run_window(opted_in, ephemeral, oldest).success
    assert isinstance(evaluated(backfill_sensor, opted_in, ephemeral, again.cursor), dg.SkipReason)


def test_what_a_held_backfill_has_begun_comes_back_too(
    opted_in: Installation, ephemeral: dg.DagsterInstance
) -> None:
    newest, _ = windows_of(opted_in)
    with opted_in.toolbox.database.transaction() as connection:
        connection.execute("UPDATE chats SET hold_backfill = true")
    flood(opted_in)
    run_window(opted_in, ephemeral, newest)
    let_pass(opted_in.toolbox.database, HOUR)

    (run,) = submitted(evaluated(backfill_sensor, opted_in, ephemeral), ephemeral)

    assert run.partition_key == newest


def test_people_are_found_during_a_flood_and_posted_after_it(
    opted_in: Installation, ephemeral: dg.DagsterInstance
) -> None:
    (account_id,) = opted_in.toolbox.sessions.accounts()
    before = evaluated(people_sensor, opted_in, ephemeral)
    assert isinstance(before, dg.SensorResult)
    opted_in.toolbox.budget(account_id).flooded("messages.sendMedia", HOUR)

    during = evaluated(people_sensor, opted_in, ephemeral, before.cursor)
    assert isinstance(during, dg.SensorResult)
    assert during.run_requests is not None
    assert [request.asset_selection for request in during.run_requests] == [
        [dg.AssetKey("identity_clusters")]
    ]
    assert isinstance(evaluated(people_sensor, opted_in, ephemeral, during.cursor), dg.SkipReason)

    let_pass(opted_in.toolbox.database, HOUR)
    after = evaluated(people_sensor, opted_in, ephemeral, during.cursor)
    assert isinstance(after, dg.SensorResult)
    assert after.run_requests is not None
    assert [request.asset_selection for request in after.run_requests] == [None]


def test_a_wait_for_media_holds_up_nothing_else_that_the_window_has_to_do(
    gone_through: Installation, ephemeral: dg.DagsterInstance
) -> None:
    (newest, _) = windows_of(gone_through)
    gone_through.toolbox.history.postpone(parse_key(newest), 8 * HOUR)
    assert isinstance(evaluated(backfill_sensor, gone_through, ephemeral), dg.SkipReason)

    with gone_through.toolbox.database.transaction() as connection:
        connection.execute(
            "UPDATE windows SET dirty = true, demands = demands + 1 WHERE window_key = %s",
            (newest,),
        )
    first = evaluated(backfill_sensor, gone_through, ephemeral)
    assert isinstance(first, dg.SensorResult)
    assert [run.partition_key for run in submitted(first, ephemeral)] == [newest]

    gone_through.toolbox.history.postpone(parse_key(newest), 8 * HOUR)
    assert isinstance(
        evaluated(backfill_sensor, gone_through, ephemeral, first.cursor), dg.SkipReason
    )
