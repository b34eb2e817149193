"""Assets run through Dagster in this process: what they leave there, and how they fail."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import dagster as dg
import psycopg
import pytest
from dagster import DagsterEventType
from psycopg import sql

from archive.errors import Permanent, Transient
from archive_assets.build import build_defs
from archive_assets.media import extracted_faces_key, face_embeddings_key, fingerprints_key
from archive_assets.outcomes import dagster_outcome
from resources.telegram.sessions import Lane
from sensors.runs import CHAT_WINDOW, PEOPLE_JOB, WINDOW_ASSETS, WINDOW_JOB
from tests.defs.conftest import family_world
from tests.fixtures.installation import Install, Installation

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

# The only texts that metadata may hold.
WORDS = {"dlib", "cpu", "none", "complete", "settled", "done", "off"}

_TABLES = """
SELECT table_name FROM information_schema.tables
WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
"""


def windows_of(installation: Installation) -> list[str]:
    """Give the keys of the only chat's windows, newest first."""
    (chat,) = installation.toolbox.chats.allowed()
    return [str(row.window.key) for row in installation.toolbox.chats.windows(chat.chat_no)]


def run_window(
    installation: Installation,
    instance: dg.DagsterInstance,
    key: str,
    *assets: dg.AssetKey,
) -> dg.ExecuteInProcessResult:
    """Run the window job, or some of its assets."""
    definitions = build_defs(resource_overrides={"toolbox": installation.toolbox})
    instance.add_dynamic_partitions(CHAT_WINDOW, [key])
    return definitions.resolve_job_def(WINDOW_JOB).execute_in_process(
        QUIET,
        instance=instance,
        partition_key=key,
        asset_selection=list(assets) or None,
        raise_on_error=False,
    )


def retries(result: dg.ExecuteInProcessResult) -> list[float | None]:
    """Give how long each step that asked for another try asked to wait."""
    return [
        event.step_retry_data.seconds_to_wait
        for event in result.all_events
        if event.event_type is DagsterEventType.STEP_UP_FOR_RETRY
    ]


def metadata(result: dg.ExecuteInProcessResult) -> Iterator[tuple[str, Any]]:
    """Give every entry of every materialization and check of a run."""
    for event in result.get_asset_materialization_events():
        yield from event.materialization.metadata.items()
    for evaluation in result.get_asset_check_evaluations():
        yield from evaluation.metadata.items()


# What a run leaves


def test_a_window_becomes_all_its_assets_with_their_checks_passed(
    gone_through: Installation, ephemeral: dg.DagsterInstance
) -> None:
    for key in windows_of(gone_through):
        result = run_window(gone_through, ephemeral, key)
        assert result.success
        made = result.get_asset_materialization_events()
        assert {str(e.asset_key and e.asset_key.to_user_string()) for e in made} == set(
            WINDOW_ASSETS
        )
        checks = result.get_asset_check_evaluations()
        assert [check.passed for check in checks] == [True, True, True]


def test_metadata_holds_counts_and_the_names_of_models_only(
    gone_through: Installation, ephemeral: dg.DagsterInstance
) -> None:
    definitions = build_defs(resource_overrides={"toolbox": gone_through.toolbox})
    people = definitions.resolve_job_def(PEOPLE_JOB)
    results = [run_window(gone_through, ephemeral, key) for key in windows_of(gone_through)]
    results.append(people.execute_in_process(QUIET, instance=ephemeral))

    entries = [entry for result in results for entry in metadata(result)]
    assert entries
    for name, entry in entries:
        value = entry.value
        # Dagster itself adds partition and code version with a slash in their names.
        assert isinstance(value, bool | int | float) or value in WORDS or "/" in name, (name, value)


def test_fingerprints_alone_need_no_model_and_leave_faces_open(
    opted_in: Installation, ephemeral: dg.DagsterInstance
) -> None:
    (key, _) = windows_of(opted_in)
    assert run_window(opted_in, ephemeral, key, dg.AssetKey("chat_history")).success

    result = run_window(opted_in, ephemeral, key, fingerprints_key)

    (event,) = result.get_asset_materialization_events()
    assert event.asset_key == fingerprints_key
    assert event.materialization.metadata["model"].value == "none"
    assert event.materialization.metadata["media_done"].value == 1
    with opted_in.toolbox.database.transaction() as connection:
        states = connection.execute(
            "SELECT DISTINCT state FROM media_products WHERE product = 'faces'"
        ).fetchall()
    assert states == [("pending",)]


def test_dagsters_own_tables_name_no_chat_person_or_file(gone_through: Installation) -> None:
    rows = dagster_rows(gone_through)
    assert "face_embeddings" in rows
    assert names_in(rows, gone_through) == []


def test_a_run_that_failed_names_no_chat_person_or_file_either(opted_in: Installation) -> None:
    _, oldest = windows_of(opted_in)
    refuse_history(opted_in)
    assert not run_window(opted_in, opted_in.instance, oldest).success

    rows = dagster_rows(opted_in)

    assert "STEP_FAILURE" in rows
    assert names_in(rows, opted_in) == []


# How a run fails


def test_a_window_that_fails_leaves_the_others_green(opted_in: Installation) -> None:
    newest, oldest = windows_of(opted_in)
    instance = opted_in.instance
    refuse_history(opted_in)
    assert not run_window(opted_in, instance, newest).success
    assert run_window(opted_in, instance, oldest).success

    assert instance.get_materialized_partitions(face_embeddings_key) == {oldest}
    statuses = instance.get_status_by_partition(
        dg.AssetKey("chat_history"), [newest, oldest], build_defs_partitions()
    )
    assert statuses is not None
    assert {key: status and status.value for key, status in statuses.items()} == {
        newest: "FAILED",
        oldest: "MATERIALIZED",
    }


def test_a_flood_becomes_a_retry_after_as_long_as_telegram_asks(
    install: Install, ephemeral: dg.DagsterInstance
) -> None:
    with install(family_world(), FACE_ARCHIVE_FLOOD_SLEEP_LIMIT_SECONDS="0") as installation:
        installation.set_up()
        (key, _) = windows_of(installation)
        installation.telegram.call(
            lambda sandbox: sandbox.faults.error("messages.getHistory", "FLOOD_WAIT_2")
        )
        result = run_window(installation, ephemeral, key)
    assert retries(result) == [pytest.approx(2, abs=1)]
    assert result.success


def test_a_session_that_is_gone_fails_the_run_at_once_with_the_way_out(
    opted_in: Installation, ephemeral: dg.DagsterInstance
) -> None:
    (account_id,) = opted_in.toolbox.sessions.accounts()
    opted_in.toolbox.sessions.remove(account_id, Lane.LIVE)
    (key, _) = windows_of(opted_in)

    result = run_window(opted_in, ephemeral, key)

    assert not result.success
    assert retries(result) == []
    (failure,) = [e for e in result.all_events if e.event_type is DagsterEventType.STEP_FAILURE]
    assert "face-archive login" in str(failure.step_failure_data.user_failure_data)


@pytest.mark.parametrize(("asked", "given"), [(90.0, 90.0), (None, 30.0)])
def test_a_transient_error_asks_for_a_retry(asked: float | None, given: float) -> None:
    with pytest.raises(dg.RetryRequested) as caught, dagster_outcome():
        raise Transient("flood", asked)
    assert caught.value.seconds_to_wait == given


def test_a_permanent_error_is_never_retried() -> None:
    with pytest.raises(dg.Failure, match="log in again") as caught, dagster_outcome():
        raise Permanent("log in again")
    assert caught.value.allow_retries is False


# Helpers


def build_defs_partitions() -> dg.PartitionsDefinition[str]:
    """Give the partitions of the history asset."""
    graph = build_defs().resolve_asset_graph()
    partitions = graph.get(extracted_faces_key).partitions_def
    assert partitions is not None
    return partitions


def refuse_history(installation: Installation) -> None:
    """Let Telegram refuse the next reading for a reason that nobody has heard of."""
    installation.telegram.call(
        lambda sandbox: sandbox.faults.error("messages.getHistory", "MSG_ID_INVALID")
    )


def dagster_rows(installation: Installation) -> str:
    """Give all that Dagster's database holds, as one text."""
    url = installation.environment["DAGSTER_PG_URL"].replace("+psycopg2", "")
    with psycopg.connect(url) as connection:
        tables = [name for (name,) in connection.execute(_TABLES)]
        texts = [
            str(row)
            for name in tables
            for row in connection.execute(
                sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(name))
            )
        ]
    return "\n".join(texts)


def names_in(text: str, installation: Installation) -> list[str]:
    """Give what of the chats, people and files a text names."""
    (chat_id,) = installation.world.chats
    secrets = [
        *("Lindqvist", "Nora", "nora_lindqvist", "Wilhelmina", "wilhelmina_q"),
        *("Boathouse", "hammock"),
        *(str(each).removeprefix("-100") for each in (chat_id, installation.hub_id)),
        *(str(user_id) for user_id in installation.world.scenario.world.users),
    ]
    assert all(one != other for one, other in pairwise(secrets))
    return [secret for secret in secrets if secret in text]
