"""The reconciliation sensor, and the check that says how late live updates are answered."""

from __future__ import annotations

import dagster as dg
import pytest

from archive.ids import MessageId
from archive.listening import Change, Heard
from archive_assets.build import build_defs
from resources.store.locks import account_lane
from resources.telegram.sessions import Lane
from sensors.inbox import inbox_sensor
from sensors.reconcile import LIVE_LAG_CHECK, reconcile_sensor
from tests.fixtures.installation import Installation
from tests.fixtures.ticks import evaluated, submitted

CHECK = dg.AssetCheckKey(dg.AssetKey("chat_history"), LIVE_LAG_CHECK)


def compared(
    installation: Installation, check: dg.AssetCheckKey = CHECK
) -> dg.AssetCheckEvaluation:
    """Let the sensor tick; gives a check that it reports."""
    result = evaluated(reconcile_sensor, installation, installation.instance)
    assert isinstance(result, dg.SensorResult)
    assert not result.run_requests
    events = {
        event.asset_check_key: event
        for event in result.asset_events
        if isinstance(event, dg.AssetCheckEvaluation)
    }
    return events[check]


def wait_for(installation: Installation, seconds: int) -> None:
    """Let a live update wait for that long."""
    (chat,) = installation.toolbox.chats.allowed()
    heard = Heard((Change(chat.chat_id, MessageId(10_002), "new"),))
    installation.toolbox.inbox.keep(chat.account_id, heard)
    with installation.toolbox.database.transaction() as connection:
        connection.execute(
            "UPDATE inbox SET created_at = now() - make_interval(secs => %s)", (seconds,)
        )


def test_a_message_that_nobody_heard_becomes_a_live_run(
    gone_through: Installation, ephemeral: dg.DagsterInstance
) -> None:
    assert compared(gone_through).passed
    assert isinstance(evaluated(inbox_sensor, gone_through, ephemeral), dg.SkipReason)
    chat_id = gone_through.world.chats[0]

    def say(sandbox: object) -> None:
        handle = sandbox.state.chat(chat_id)  # type: ignore[attr-defined]
        handle.text(handle.messages[0].sender, "nobody heard this")

    gone_through.telegram.call(say)
    compared(gone_through)

    (run,) = submitted(evaluated(inbox_sensor, gone_through, ephemeral), ephemeral)
    assert run.tags["face-archive/lane"] == "live"
    gone_through.materialize([run.partition_key])
    assert isinstance(evaluated(inbox_sensor, gone_through, ephemeral), dg.SkipReason)


def test_updates_answered_long_ago_are_forgotten(opted_in: Installation) -> None:
    wait_for(opted_in, 1)
    database = opted_in.toolbox.database
    with database.transaction() as connection:
        connection.execute("UPDATE inbox SET applied_at = now() - interval '15 days'")

    compared(opted_in)

    with database.transaction() as connection:
        assert connection.execute(
            "SELECT count(*) FROM inbox WHERE applied_at < now()"
        ).fetchone() == (0,)


def test_an_account_that_is_busy_is_left_for_the_next_tick(opted_in: Installation) -> None:
    (account_id,) = opted_in.toolbox.sessions.accounts()
    asked = opted_in.requests("messages.getPeerDialogs")
    with account_lane(opted_in.toolbox.database, account_id, Lane.LIVE):
        assert compared(opted_in).passed
    assert opted_in.requests("messages.getPeerDialogs") == asked


@pytest.mark.parametrize(("seconds", "passed"), [(290, True), (310, False)])
def test_updates_that_wait_too_long_are_red_in_the_sensor_and_in_the_check(
    opted_in: Installation,
    ephemeral: dg.DagsterInstance,
    seconds: int,
    passed: bool,  # noqa: FBT001
) -> None:
    wait_for(opted_in, seconds)
    said = compared(opted_in)
    definitions = build_defs(resource_overrides={"toolbox": opted_in.toolbox})
    job = definitions.resolve_implicit_global_asset_job_def().get_subset(
        asset_selection=set(), asset_check_selection={CHECK}
    )
    result = job.execute_in_process(
        {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}, instance=ephemeral
    )
    (evaluation,) = result.get_asset_check_evaluations()

    assert said.passed == evaluation.passed == passed
    assert evaluation.metadata["updates_waiting"].value == 1
    assert evaluation.metadata["lag_seconds"].value == pytest.approx(seconds, abs=60)
