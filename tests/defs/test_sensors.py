"""When sensors ask for runs, for which, and when they keep quiet."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster import DagsterRunStatus

from archive.chats import allow, deny
from archive.ids import ChatId, MessageId, UserId
from archive.listening import Change, Heard
from archive.publishing import HubState
from archive.records import Chat, Switches
from archive.remarks import Remark, RemarkKind
from archive_assets.build import build_defs
from sensors import again
from sensors.backfill import backfill_sensor
from sensors.inbox import inbox_sensor
from sensors.people import people_sensor
from sensors.remarks import remarks_sensor
from sensors.runs import CHAT_WINDOW, PEOPLE_JOB, WINDOW_JOB
from tests.fixtures.installation import Installation
from tests.fixtures.ticks import evaluated, submitted

FACES = Switches(faces=True)
ALL = Switches(archive=True, faces=True, publish=True)


def only_chat(installation: Installation) -> Chat:
    (chat,) = installation.toolbox.chats.allowed()
    return chat


def hear(installation: Installation, message_id: int) -> None:
    """Let the listener hear that a message is new."""
    chat = only_chat(installation)
    change = Change(ChatId(chat.chat_id), MessageId(message_id), "new")
    assert installation.toolbox.inbox.keep(chat.account_id, Heard((change,))) == 1


# Live updates


def test_without_live_updates_the_inbox_asks_for_nothing(
    opted_in: Installation, ephemeral: dg.DagsterInstance
) -> None:
    assert isinstance(evaluated(inbox_sensor, opted_in, ephemeral), dg.SkipReason)


def test_live_updates_of_a_window_become_one_urgent_run(
    opted_in: Installation, ephemeral: dg.DagsterInstance
) -> None:
    hear(opted_in, 10_004)
    hear(opted_in, 10_005)

    (run,) = submitted(evaluated(inbox_sensor, opted_in, ephemeral), ephemeral)

    window = f"{only_chat(opted_in).chat_no}_0000010001_0000020000"
    assert run.partition_key == window
    assert run.run_key == f"{window}:live:2"
    assert run.tags == {"face-archive/lane": "live", "dagster/priority": "10"}
    assert ephemeral.get_dynamic_partitions(CHAT_WINDOW) == [window]


def test_the_same_updates_ask_with_the_same_run_key_and_a_further_one_with_another(
    opted_in: Installation, ephemeral: dg.DagsterInstance
) -> None:
    hear(opted_in, 10_004)
    keys = []
    for _ in range(2):
        (run,) = submitted(evaluated(inbox_sensor, opted_in, ephemeral), ephemeral)
        keys.append(run.run_key)
    hear(opted_in, 10_005)
    (run,) = submitted(evaluated(inbox_sensor, opted_in, ephemeral), ephemeral)

    assert keys[0] == keys[1] != run.run_key


def test_live_updates_that_are_asked_for_are_not_asked_for_again(
    opted_in: Installation, ephemeral: dg.DagsterInstance
) -> None:
    hear(opted_in, 10_004)
    first = evaluated(inbox_sensor, opted_in, ephemeral)
    assert isinstance(first, dg.SensorResult)
    assert isinstance(evaluated(inbox_sensor, opted_in, ephemeral, first.cursor), dg.SkipReason)
    hear(opted_in, 10_005)
    assert submitted(evaluated(inbox_sensor, opted_in, ephemeral, first.cursor), ephemeral)


def test_windows_in_which_updates_were_lost_are_read_behind_the_backfill(
    gone_through: Installation, ephemeral: dg.DagsterInstance
) -> None:
    chat = only_chat(gone_through)
    lost = Heard(lost_in=frozenset({ChatId(chat.chat_id)}))
    gone_through.toolbox.inbox.keep(chat.account_id, lost)
    hear(gone_through, 10_004)

    runs = submitted(evaluated(inbox_sensor, gone_through, ephemeral), ephemeral)

    assert [(run.partition_key[-10:], run.tags["face-archive/lane"]) for run in runs] == [
        ("0000020000", "live"),
        ("0000010000", "backfill"),
    ]
    with gone_through.toolbox.database.transaction() as connection:
        connection.execute("DELETE FROM inbox")


def test_a_message_beyond_every_window_brings_its_new_window_with_it(
    opted_in: Installation, ephemeral: dg.DagsterInstance
) -> None:
    hear(opted_in, 20_001)
    (run,) = submitted(evaluated(inbox_sensor, opted_in, ephemeral), ephemeral)
    assert run.partition_key.endswith("_0000020001_0000030000")
    assert run.partition_key in ephemeral.get_dynamic_partitions(CHAT_WINDOW)


def test_a_partition_that_dagster_knows_is_not_added_again(
    opted_in: Installation, ephemeral: dg.DagsterInstance
) -> None:
    hear(opted_in, 10_004)
    submitted(evaluated(inbox_sensor, opted_in, ephemeral), ephemeral)
    again = evaluated(inbox_sensor, opted_in, ephemeral)
    assert isinstance(again, dg.SensorResult)
    assert not again.dynamic_partitions_requests


# Backfill


def test_windows_never_read_are_asked_for_newest_first_and_behind_live_runs(
    opted_in: Installation, ephemeral: dg.DagsterInstance
) -> None:
    runs = submitted(evaluated(backfill_sensor, opted_in, ephemeral), ephemeral)
    assert [run.partition_key.partition("_")[2] for run in runs] == [
        "0000010001_0000020000",
        "0000000001_0000010000",
    ]
    assert {run.tags["dagster/priority"] for run in runs} == {"-10"}
    assert {run.tags["face-archive/lane"] for run in runs} == {"backfill"}
    assert ephemeral.get_dynamic_partitions(CHAT_WINDOW) == [run.partition_key for run in runs]


def test_a_window_is_asked_for_once_however_long_it_waits(
    opted_in: Installation, ephemeral: dg.DagsterInstance
) -> None:
    first = evaluated(backfill_sensor, opted_in, ephemeral)
    assert isinstance(first, dg.SensorResult)
    assert isinstance(evaluated(backfill_sensor, opted_in, ephemeral, first.cursor), dg.SkipReason)


def begin_run(instance: dg.DagsterInstance, window_key: str) -> dg.DagsterRun:
    job = build_defs().resolve_job_def(WINDOW_JOB)
    return instance.create_run_for_job(
        job, status=DagsterRunStatus.STARTED, tags={"dagster/partition": window_key}
    )


def test_a_window_whose_run_failed_for_good_is_asked_for_again_an_hour_later(
    opted_in: Installation, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = evaluated(backfill_sensor, opted_in, ephemeral)
    newest, _ = submitted(first, ephemeral)
    assert isinstance(first, dg.SensorResult)

    def asked_again() -> list[str]:
        result = evaluated(backfill_sensor, opted_in, ephemeral, first.cursor)
        runs = [] if isinstance(result, dg.SkipReason) else submitted(result, ephemeral)
        assert all(run.partition_key == newest.partition_key for run in runs)
        return [run.run_key for run in runs]

    ephemeral.report_run_failed(begin_run(ephemeral, newest.partition_key))
    assert asked_again() == []

    monkeypatch.setattr(again, "AGAIN_AFTER", timedelta(0))
    (second,) = asked_again()
    assert second.startswith(newest.run_key)
    under_way = begin_run(ephemeral, newest.partition_key)
    assert asked_again() == []

    ephemeral.report_run_failed(under_way)
    (third,) = asked_again()
    assert len({newest.run_key, second, third}) == 3


def test_live_updates_whose_run_failed_for_good_are_asked_for_again_an_hour_later(
    opted_in: Installation, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    hear(opted_in, 10_004)
    first = evaluated(inbox_sensor, opted_in, ephemeral)
    (asked,) = submitted(first, ephemeral)
    assert isinstance(first, dg.SensorResult)
    ephemeral.report_run_failed(begin_run(ephemeral, asked.partition_key))
    assert isinstance(evaluated(inbox_sensor, opted_in, ephemeral, first.cursor), dg.SkipReason)

    monkeypatch.setattr(again, "AGAIN_AFTER", timedelta(0))

    (run,) = submitted(evaluated(inbox_sensor, opted_in, ephemeral, first.cursor), ephemeral)
    assert (run.partition_key, run.tags) == (asked.partition_key, asked.tags)
    assert run.run_key != asked.run_key


@pytest.mark.parametrize("reason", ["held", "denied"])
def test_nothing_is_asked_of_a_chat_that_is_held_or_denied(
    opted_in: Installation, ephemeral: dg.DagsterInstance, reason: str
) -> None:
    chat, chats = only_chat(opted_in), opted_in.toolbox.chats
    if reason == "held":
        allow(chat, Switches(), chats, hold_backfill=True)
    else:
        deny(chat, Switches(archive=True), chats)
    assert isinstance(evaluated(backfill_sensor, opted_in, ephemeral), dg.SkipReason)


def test_windows_that_became_dirty_are_asked_for_again_with_another_run_key(
    gone_through: Installation, ephemeral: dg.DagsterInstance
) -> None:
    chats = gone_through.toolbox.chats
    keys: list[list[str]] = []
    cursor = None
    assert isinstance(evaluated(backfill_sensor, gone_through, ephemeral), dg.SkipReason)
    for _ in range(2):
        deny(only_chat(gone_through), FACES, chats)
        allow(only_chat(gone_through), ALL, chats)
        result = evaluated(backfill_sensor, gone_through, ephemeral, cursor)
        keys.append([run.run_key for run in submitted(result, ephemeral)])
        assert isinstance(result, dg.SensorResult)
        cursor = result.cursor
        assert len(json.loads(cursor or "{}")) == 2

    assert [len(each) for each in keys] == [2, 2]
    assert not set(keys[0]) & set(keys[1])


# What is said in a hub


def say(installation: Installation, text: str) -> None:
    """Let the listener hear the hub's owner say something in a person's topic."""
    (hub,) = installation.toolbox.topics.hubs()
    topic, *_ = installation.toolbox.topics.projection(hub.hub_no).actual.topics.values()
    assert topic.topic_id is not None
    remark = Remark(
        chat_id=hub.chat.chat_id,
        topic_id=topic.topic_id,
        message_id=MessageId(9_999),
        sender_id=UserId(hub.chat.account_id),
        kind=RemarkKind.COMMAND,
        text=text,
        sent_at=datetime.now(UTC),
    )
    installation.toolbox.inbox.keep(hub.chat.account_id, Heard(remarks=(remark,)))


def test_what_is_said_in_a_hub_waits_for_who_decides_and_then_asks_for_one_run(
    gone_through: Installation, ephemeral: dg.DagsterInstance
) -> None:
    quiet = evaluated(remarks_sensor, gone_through, ephemeral)
    assert isinstance(quiet, dg.SkipReason)
    assert quiet.skip_message == "Nothing was said in a hub."
    before = evaluated(people_sensor, gone_through, ephemeral)
    assert isinstance(before, dg.SensorResult)

    say(gone_through, "/name Ada")
    with gone_through.toolbox.corrections.correcting():
        busy = evaluated(remarks_sensor, gone_through, ephemeral)
    assert isinstance(busy, dg.SkipReason)
    assert "another run is deciding about people" in (busy.skip_message or "")
    heeded = evaluated(remarks_sensor, gone_through, ephemeral)
    assert isinstance(heeded, dg.SkipReason)
    assert heeded.skip_message == "Heeded: 1 decided."

    assert submitted(evaluated(people_sensor, gone_through, ephemeral, before.cursor), ephemeral)


# People


def test_people_are_asked_for_once_until_something_changes(
    gone_through: Installation, ephemeral: dg.DagsterInstance
) -> None:
    first = evaluated(people_sensor, gone_through, ephemeral)
    assert isinstance(first, dg.SensorResult)
    assert isinstance(
        evaluated(people_sensor, gone_through, ephemeral, first.cursor), dg.SkipReason
    )

    deny(only_chat(gone_through), Switches(publish=True), gone_through.toolbox.chats)
    changed = evaluated(people_sensor, gone_through, ephemeral, first.cursor)
    assert isinstance(changed, dg.SensorResult)
    allow(only_chat(gone_through), ALL, gone_through.toolbox.chats)
    back = evaluated(people_sensor, gone_through, ephemeral, changed.cursor)

    # A state that was there before is asked for again: a run key would be refused for ever.
    for result in (first, changed, back):
        (run,) = submitted(result, ephemeral)
        assert run.run_key is None


def test_people_are_asked_for_again_when_a_blocked_hub_is_ready(
    gone_through: Installation, ephemeral: dg.DagsterInstance
) -> None:
    (hub,) = gone_through.toolbox.hubs()
    gone_through.toolbox.topics.set_state(hub.hub_no, HubState.BLOCKED, "it has no topics")
    blocked = evaluated(people_sensor, gone_through, ephemeral)
    assert isinstance(blocked, dg.SensorResult)

    gone_through.toolbox.topics.set_state(hub.hub_no, HubState.READY)

    assert submitted(evaluated(people_sensor, gone_through, ephemeral, blocked.cursor), ephemeral)


def test_people_are_not_asked_for_while_a_run_about_them_is_under_way(
    gone_through: Installation, ephemeral: dg.DagsterInstance
) -> None:
    job = build_defs().resolve_job_def(PEOPLE_JOB)
    ephemeral.create_run_for_job(job, status=DagsterRunStatus.STARTED)
    assert isinstance(evaluated(people_sensor, gone_through, ephemeral), dg.SkipReason)
