"""A backfill from the command line, against a real Dagster webserver with the real assets."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive.errors import Permanent
from cli.dagster_api import BackfillState, DagsterApi
from cli.exits import ExitCode
from sensors.runs import CHAT_WINDOW, WINDOW_ASSETS

from .conftest import Shell, Town


@pytest.fixture(scope="module")
def webserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterApi]:
    """The webserver alone: without a daemon a backfill is stored and never begins."""
    home = tmp_path_factory.mktemp("dagster")
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="ascii")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [str(Path(sys.executable).with_name("dagster-webserver")), "--host", "127.0.0.1"]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--module-name", "archive_assets.definitions"],
        env={**os.environ, "DAGSTER_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    with closing(process.stdout):
        try:
            started = next((line for line in process.stdout if "Serving" in line), None)
            assert started, "the webserver ended before it served anything"
            yield DagsterApi(port)
        finally:
            process.terminate()
            process.wait(timeout=30)


@pytest.fixture
def served(ada: Shell, webserver: DagsterApi, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Somebody whose ``up`` runs, with one allowed chat of three windows, held."""
    monkeypatch.setenv("FACE_ARCHIVE_WEBSERVER_PORT", webserver.address.rpartition(":")[2])
    return ada


def grown(town: Town) -> None:
    town.family.skip_ids(25_000)
    town.family.text(town.me, "much later")


def test_the_windows_of_a_chat_become_one_backfill_of_the_real_assets(
    served: Shell, town: Town, webserver: DagsterApi
) -> None:
    town.sandbox.call(lambda _: grown(town))
    served.rows("chats", "add", "@family_demo")
    served.rows("chats", "allow", "Family", "--archive", "--yes", "--no-backfill")
    row = served.rows("backfill", "@family_demo")[0]
    assert (row["windows"], row["status"]) == (3, "REQUESTED")
    assert webserver.state(row["backfill"]).total == 3


def test_windows_that_came_since_are_planned_first(served: Shell, town: Town) -> None:
    served.rows("chats", "add", "@family_demo")
    served.rows("chats", "allow", "Family", "--archive", "--yes")
    town.sandbox.call(lambda _: grown(town))
    assert served.rows("backfill", "--unread")[0]["windows"] == 3


def test_waiting_for_a_backfill_in_which_a_window_fails_exits_with_1(
    served: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.rows("chats", "add", "@family_demo")
    served.rows("chats", "allow", "Family", "--archive", "--yes")
    over = BackfillState("COMPLETED_FAILED", total=1, done=0, failed=1)
    monkeypatch.setattr(DagsterApi, "state", lambda *_: over)
    result = served.run("backfill", "--wait")
    assert result.exit_code == ExitCode.FAILED
    assert "Some windows failed" in result.stderr


def test_a_chat_that_may_not_be_archived_is_refused_with_the_way_out(served: Shell) -> None:
    served.rows("chats", "add", "@family_demo")
    result = served.run("backfill", "Family")
    assert result.exit_code == ExitCode.PERSON_MUST_ACT
    assert "chats allow" in result.stderr


def test_nothing_to_read_is_no_error(served: Shell) -> None:
    assert served.rows("backfill") == []


def test_partitions_are_added_once_however_often_and_however_many(webserver: DagsterApi) -> None:
    # More than one request adds.
    keys = [f"77_{number:010}_{number:010}" for number in range(1, 211)]
    for _ in range(2):
        webserver.add_partitions(CHAT_WINDOW, keys, asset=WINDOW_ASSETS[0])
    backfill = webserver.launch(WINDOW_ASSETS, keys, title="all", tags={})
    assert webserver.state(backfill).total == len(keys)


def test_what_dagster_refuses_is_said(webserver: DagsterApi) -> None:
    with pytest.raises(Permanent, match="no partition"):
        webserver.add_partitions("unheard_of", ["1"], asset=WINDOW_ASSETS[0])
    with pytest.raises(Permanent, match="launched nothing"):
        webserver.launch(WINDOW_ASSETS, ["88_0000000001_0000000001"], title="x", tags={})
    with pytest.raises(Permanent, match="does not know"):
        webserver.state("unheard-of")


def test_a_backfill_went_well_only_if_it_is_over_and_nothing_failed() -> None:
    running = BackfillState("REQUESTED", total=2, done=1, failed=0)
    assert not running.is_over
    assert BackfillState("COMPLETED_SUCCESS", total=2, done=2, failed=0).went_well
    assert not BackfillState("COMPLETED", total=2, done=1, failed=1).went_well
    assert not BackfillState("CANCELED", total=2, done=1, failed=0).went_well


def spread(town: Town) -> None:
    """Let the chat have messages in three windows, a year apart, and a video in none."""
    town.family.skip_ids(10_000)
    town.family.text(town.me, "2031", date=datetime(2031, 5, 1, tzinfo=UTC))
    town.family.skip_ids(10_000)
    town.family.text(town.me, "2032", date=datetime(2032, 5, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("options", "windows"),
    [
        ((), 3),
        (("--since", "2031-05-01"), 2),
        (("--since", "2031-05-02"), 1),
        (("--until", "2031-05-01"), 2),
        (("--since", "2031-01-01", "--until", "2031-12-31"), 1),
        (("--last", 1), 1),
        (("--last", 2), 2),
        (("--last", 1_000), 3),
        (("--since", "2040-01-01"), 0),
    ],
)
def test_a_dry_run_says_what_a_part_of_a_chat_takes_and_needs_no_dagster(
    ada: Shell, town: Town, options: tuple[object, ...], windows: int
) -> None:
    town.sandbox.call(lambda _: spread(town))
    ada.rows("chats", "add", "@family_demo")
    ada.rows("chats", "allow", "Family", "--archive", "--yes")

    [row] = ada.rows("backfill", "Family", "--dry-run", *options)

    assert row["windows"] == windows
    if windows == 3:
        assert (row["photos"], row["videos"]) == (3, 0)
    assert (row["megabytes"] > 0) == (row["photos"] > 0)


def test_a_link_begins_a_backfill_at_its_message(ada: Shell, town: Town) -> None:
    town.sandbox.call(lambda _: spread(town))
    ada.rows("chats", "add", "@family_demo")
    ada.rows("chats", "allow", "Family", "--archive", "--yes")

    [row] = ada.rows("backfill", "--from", "https://t.me/family_demo/10500", "--dry-run")

    assert (row["title"], row["windows"]) == ("Family", 2)
    result = ada.run("backfill", "--from", "https://t.me/family_demo", "--dry-run")
    assert result.exit_code == ExitCode.PERSON_MUST_ACT
    assert "no link to a message" in result.stderr
