"""Accounts that rest or were refused, in Dagster: nothing is asked for in their name."""

from __future__ import annotations

import random
from collections.abc import Iterator

import dagster as dg
import pytest

from archive.records import Chat
from archive_assets.build import build_defs
from cli.demo.photos import sample_photos
from cli.demo.scenario import PHONE, DemoWorld
from sensors.backfill import backfill_sensor
from sensors.reconcile import ACCOUNTS_CHECK, reconcile_sensor
from sensors.runs import CHAT_WINDOW, WINDOW_JOB
from telegram_sandbox import Sandbox, Scenario, User
from tests.defs.conftest import WINDOW_WIDTH
from tests.fixtures.commands import face_archive, rows
from tests.fixtures.installation import Install, Installation
from tests.fixtures.ticks import evaluated, submitted

BENS_PHONE = "+15550177"
CHECK = dg.AssetCheckKey(dg.AssetKey("chat_history"), ACCOUNTS_CHECK)


def run(installation: Installation, key: str) -> dg.ExecuteInProcessResult:
    definitions = build_defs(resource_overrides={"toolbox": installation.toolbox})
    installation.instance.add_dynamic_partitions(CHAT_WINDOW, [key])
    return definitions.resolve_job_def(WINDOW_JOB).execute_in_process(
        instance=installation.instance, partition_key=key, raise_on_error=False
    )


def failure(result: dg.ExecuteInProcessResult) -> str:
    failed = result.filter_events(lambda event: event.is_step_failure)
    failures = [event.step_failure_data.user_failure_data for event in failed]
    return " ".join(each.description or "" for each in failures if each is not None)


def revoke(sandbox: Sandbox) -> None:
    """End the owner's sessions, as from the app's list of devices."""
    (owner,) = (user for user in sandbox.world.users.values() if user.phone)
    sandbox.revoke_sessions(owner)


def healthy(installation: Installation) -> bool:
    result = evaluated(reconcile_sensor, installation, installation.instance)
    assert isinstance(result, dg.SensorResult)
    passed = {
        event.asset_check_key: event.passed
        for event in result.asset_events
        if isinstance(event, dg.AssetCheckEvaluation)
    }
    return passed[CHECK]


def test_a_revoked_session_stops_the_loops_and_shows_everywhere_until_the_next_login(
    opted_in: Installation, ephemeral: dg.DagsterInstance
) -> None:
    requested = submitted(evaluated(backfill_sensor, opted_in, ephemeral), ephemeral)
    assert healthy(opted_in)
    opted_in.telegram.call(revoke)

    result = run(opted_in, requested[0].partition_key)

    assert not result.success
    assert "face-archive login" in failure(result)
    asked = len(opted_in.telegram.call(lambda sandbox: list(sandbox.state.request_log)))
    assert not run(opted_in, requested[1].partition_key).success
    assert isinstance(evaluated(backfill_sensor, opted_in, ephemeral), dg.SkipReason)
    assert not healthy(opted_in)
    # Nobody asks Telegram again.
    assert len(opted_in.telegram.call(lambda sandbox: list(sandbox.state.request_log))) == asked
    (account,) = (
        row
        for row in rows(face_archive(opted_in.environment, "status", "--json"))
        if row["row"] == "account"
    )
    assert account["state"] == "error"
    assert "face-archive login" in account["reason"]
    doctor = face_archive(opted_in.environment, "doctor")
    assert any(
        row["state"] == "fail" and "face-archive login" in row["finding"]
        for row in rows(doctor)
        if row["name"].startswith("account ")
    ), doctor.output

    code = opted_in.world.scenario.login_code
    rows(face_archive(opted_in.environment, "login", "--phone", PHONE, typed=f"{code}\n"))
    again = submitted(evaluated(backfill_sensor, opted_in, ephemeral), ephemeral)
    assert {each.partition_key for each in again} == {each.partition_key for each in requested}
    assert not {each.run_key for each in again} & {each.run_key for each in requested}
    assert run(opted_in, again[0].partition_key).success
    assert healthy(opted_in)


def test_a_paused_account_is_left_out_until_it_is_resumed(
    opted_in: Installation, ephemeral: dg.DagsterInstance
) -> None:
    (window, *_) = submitted(evaluated(backfill_sensor, opted_in, ephemeral), ephemeral)
    face_archive(opted_in.environment, "accounts", "pause")
    asked = len(opted_in.telegram.call(lambda sandbox: list(sandbox.state.request_log)))

    result = run(opted_in, window.partition_key)

    assert not result.success
    assert "face-archive accounts resume" in failure(result)
    assert isinstance(evaluated(backfill_sensor, opted_in, ephemeral), dg.SkipReason)
    assert healthy(opted_in)
    assert len(opted_in.telegram.call(lambda sandbox: list(sandbox.state.request_log))) == asked

    face_archive(opted_in.environment, "accounts", "resume")
    (again, *_) = submitted(evaluated(backfill_sensor, opted_in, ephemeral), ephemeral)
    assert run(opted_in, again.partition_key).success


# Two accounts in one group


@pytest.fixture
def shared(install: Install) -> Iterator[Installation]:
    """A group of two windows that Nora reads and Ben is in, too; nothing of it is read yet."""
    photos = [photo.data for photo in sample_photos(random.Random(1), 1)]
    scenario = Scenario(seed=7)
    nora = scenario.user("Nora", phone=PHONE)
    ben = scenario.user("Ben", phone=BENS_PHONE)
    group = scenario.supergroup("Family", owner=scenario.user("Kim"), members=[nora, ben])
    group.photo(ben, photos[0], caption="old")
    group.skip_ids(WINDOW_WIDTH)
    group.photo(nora, photos[1], caption="new")
    private = scenario.private_chat(nora, ben)
    private.text(ben, "hello")
    chess = scenario.supergroup("Chess", owner=ben, username="chess_demo")
    chess.photo(ben, photos[2], caption="won")
    with install(DemoWorld(scenario, (group.id,)), FACE_ARCHIVE_MIN_FACES="1") as installation:
        installation.set_up()
        code = scenario.login_code
        rows(
            face_archive(
                installation.environment, "login", "--phone", BENS_PHONE, typed=f"{code}\n"
            )
        )
        yield installation


def add(installation: Installation, chat: int | str, account_id: int) -> Chat:
    (row,) = rows(
        face_archive(installation.environment, "chats", "add", chat, "--account", account_id)
    )
    return installation.toolbox.chats.get(row["chat_no"])


def user(installation: Installation, name: str) -> User:
    users = installation.telegram.call(lambda sandbox: list(sandbox.world.users.values()))
    (found,) = (each for each in users if each.first_name == name)
    return found


def messages(installation: Installation) -> list[tuple[str, str]]:
    """Texts of stored messages with the states of their media's fingerprints."""
    with installation.toolbox.database.transaction() as connection:
        return connection.execute(
            "SELECT text, media_products.state FROM messages "
            "JOIN message_media USING (chat_no, message_id) "
            "JOIN media_products USING (media_id) WHERE product = 'fingerprints' ORDER BY text"
        ).fetchall()


def test_a_group_that_two_accounts_see_is_archived_once_and_goes_on_when_one_is_thrown_out(
    shared: Installation, ephemeral: dg.DagsterInstance
) -> None:
    nora, ben = user(shared, "Nora"), user(shared, "Ben")
    (group,) = shared.toolbox.chats.allowed()
    assert add(shared, group.chat_id, ben.id).account_id == nora.id
    new, old = submitted(evaluated(backfill_sensor, shared, ephemeral), ephemeral)
    assert run(shared, new.partition_key).success
    throw_out(shared, group, nora)

    # This run finds out; the next one is Ben's.
    assert run(shared, old.partition_key).success
    assert shared.toolbox.chats.get(group.chat_no).account_id == ben.id
    (again,) = submitted(evaluated(backfill_sensor, shared, ephemeral), ephemeral)
    assert again.partition_key == old.partition_key
    assert again.run_key != old.run_key
    assert run(shared, again.partition_key).success

    assert messages(shared) == [("new", "done"), ("old", "done")]
    assert shared.toolbox.chats.get(group.chat_no).state == "active"


def test_files_that_the_first_reader_saw_are_fetched_by_the_next(
    shared: Installation, ephemeral: dg.DagsterInstance
) -> None:
    ben = user(shared, "Ben")
    (group,) = shared.toolbox.chats.allowed()
    add(shared, group.chat_id, ben.id)
    window, _ = submitted(evaluated(backfill_sensor, shared, ephemeral), ephemeral)
    shared.telegram.call(lambda sandbox: sandbox.faults.flood("upload.getFile", 4000, times=None))
    assert not run(shared, window.partition_key).success
    shared.telegram.call(lambda sandbox: sandbox.faults.clear())

    # Nora's account is flooded for more than an hour.
    again = {
        each.partition_key
        for each in submitted(evaluated(backfill_sensor, shared, ephemeral), ephemeral)
    }
    assert window.partition_key in again
    assert shared.toolbox.chats.get(group.chat_no).account_id == ben.id
    assert run(shared, window.partition_key).success
    assert messages(shared) == [("new", "done")]


def test_private_chats_of_two_accounts_with_each_other_are_two_chats(
    shared: Installation,
) -> None:
    nora, ben = user(shared, "Nora"), user(shared, "Ben")
    noras, bens = add(shared, ben.id, nora.id), add(shared, nora.id, ben.id)
    assert noras.chat_no != bens.chat_no
    assert (noras.account_id, bens.account_id) == (nora.id, ben.id)


def test_what_another_account_reads_is_posted_through_the_hubs(shared: Installation) -> None:
    ben = user(shared, "Ben")
    chess = add(shared, "@chess_demo", ben.id)
    switches = ("--archive", "--faces", "--publish")
    allowed = face_archive(shared.environment, "chats", "allow", chess.chat_no, *switches, "--yes")
    assert allowed.exit_code == 0, allowed.output
    (window,) = shared.toolbox.chats.windows(chess.chat_no)

    shared.materialize([window.window.key])

    with shared.toolbox.database.transaction() as connection:
        posts = connection.execute("SELECT state, method FROM publications").fetchall()
    assert posts == [("sent", "upload")]


def throw_out(installation: Installation, chat: Chat, member: User) -> None:
    def remove(sandbox: Sandbox) -> None:
        sandbox.remove_member(sandbox.state.chat(chat.chat_id), member)

    installation.telegram.call(remove)
