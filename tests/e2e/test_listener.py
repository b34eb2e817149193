"""The listener: every account, every opted-in chat, from where it was the last time."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from archive.chats import add_chat, allow, deny
from archive.errors import Permanent, Transient
from archive.ids import AccountId
from archive.records import Chat, Switches
from cli.demo.scenario import PHONE, DemoWorld
from resources.store.locks import account_lane
from resources.telegram.login import login
from resources.telegram.sessions import Lane
from resources.toolbox import Toolbox
from sensors import ear, listener
from telegram_sandbox import ChatHandle, Scenario, User
from tests.fixtures.commands import face_archive, rows
from tests.fixtures.installation import Install, Installation
from tests.fixtures.kills import Worker
from tests.fixtures.waiting import until

OTHER_PHONE = "+15550177"
COMMAND = [sys.executable, "-m", "sensors.listener"]
ARCHIVE = Switches(archive=True)


@dataclass(repr=False)
class Street:
    """Two accounts that share a group, with a group of each one's own."""

    installation: Installation
    nora: User
    ben: User
    group: ChatHandle
    private: ChatHandle
    bens: ChatHandle

    @property
    def toolbox(self) -> Toolbox:
        return self.installation.toolbox

    def say(self, chat: ChatHandle, text: str = "hello") -> int:
        return self.installation.telegram.post(chat, lambda chat: chat.text(self.ben, text)).id

    def inbox(self, change: str = "new") -> list[tuple[int, int]]:
        """Marked chat ids and message ids of what waits, in its order."""
        with self.toolbox.database.transaction() as connection:
            return connection.execute(
                "SELECT chat_id, message_id FROM inbox JOIN chats USING (chat_no) "
                "WHERE change = %s AND applied_at IS NULL ORDER BY inbox_id",
                (change,),
            ).fetchall()

    def chat(self, handle: ChatHandle) -> Chat:
        (chat,) = [each for each in self.toolbox.chats.list() if each.chat_id == handle.id]
        return chat

    async def heard(self, *expected: tuple[ChatHandle, int]) -> None:
        wanted = [(chat.id, message) for chat, message in expected]
        await eventually(lambda: self.inbox() == wanted)


@pytest.fixture
def street(install: Install) -> Iterator[Street]:
    scenario = Scenario(seed=5)
    nora = scenario.user("Nora", phone=PHONE)
    ben = scenario.user("Ben", phone=OTHER_PHONE)
    group = scenario.supergroup("Family", owner=nora, members=[ben])
    private = scenario.private_chat(nora, ben)
    bens = scenario.supergroup("Chess", owner=ben)
    for chat in (group, private, bens):
        chat.text(ben, "long ago")
    with install(DemoWorld(scenario, (group.id, private.id))) as installation:
        installation.set_up()
        yield Street(installation, nora, ben, group, private, bens)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing wait longer than a moment."""
    monkeypatch.setattr(ear, "_HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(listener, "_FIRST_BACK_OFF_SECONDS", 0.05)
    monkeypatch.setattr(listener, "_NEW_ACCOUNTS_SECONDS", 0.05)


@asynccontextmanager
async def listening(street: Street) -> AsyncIterator[asyncio.Task[None]]:
    """Run the listener in this process; everything allowed so far is heard."""
    stop = asyncio.Event()
    task = asyncio.create_task(listener.listen_to_all(street.toolbox, stop))
    try:
        await everything_heard(street)
        yield task
    finally:
        stop.set()
        await asyncio.wait([task])


async def everything_heard(street: Street) -> None:
    def heard() -> bool:
        accounts = street.toolbox.sessions.accounts()
        standing = [street.toolbox.updates.standing(each) for each in accounts]
        pulses = street.toolbox.updates.pulses()
        return not any(each.unheard for each in standing) and all(
            pulse.heartbeat_seconds_ago is not None for pulse in pulses
        )

    await eventually(heard)


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.02)


async def log_in(street: Street, phone: str) -> AccountId:
    async def code() -> str:
        return street.installation.world.scenario.login_code

    account = await login(
        street.toolbox.telegram_config,
        street.toolbox.sessions,
        phone=phone,
        ask_code=code,
        ask_password=code,
    )
    street.toolbox.accounts.save(account)
    return account.account_id


async def add(street: Street, handle: ChatHandle, account_id: AccountId) -> Chat:
    box = street.toolbox
    async with box.telegram(Lane.LIVE, account_id) as telegram:
        chat = await add_chat(str(handle.id), account_id, telegram.peers, box.chats)
    return allow(chat, ARCHIVE, box.chats)


# As a process


def test_what_happened_while_it_was_down_arrives_when_it_is_back(street: Street) -> None:
    worker = Worker(COMMAND, street.installation)
    process = worker.start()
    first = street.say(street.group)
    until(lambda: (street.group.id, first) in street.inbox(), "the message")
    until(lambda: len(street.inbox("gap")) == 2, "the chats to be heard")
    until(lambda: not unheard(street), "the chats to be heard")
    (row,) = live_rows(street)
    assert (row["listening"], row["updates_waiting"]) == (True, 1)
    worker.kill()
    process.wait()

    missed = [(chat.id, street.say(chat, "missed")) for chat in (street.group, street.private)]
    process = worker.start()
    until(lambda: set(missed) <= set(street.inbox()), "what was missed")
    process.send_signal(signal.SIGTERM)

    assert process.wait(20) == 0
    assert sorted(street.inbox()) == sorted([(street.group.id, first), *missed])


def unheard(street: Street) -> bool:
    (account_id,) = street.toolbox.sessions.accounts()
    return bool(street.toolbox.updates.standing(account_id).unheard)


def live_rows(street: Street) -> list[dict[str, object]]:
    status = face_archive(street.installation.environment, "status", "--json")
    return [row for row in rows(status) if row["row"] == "live"]


# In this process


@pytest.mark.usefixtures("impatient")
async def test_a_message_in_the_hub_is_none_of_the_inboxs_business(street: Street) -> None:
    async with listening(street):
        hub = street.installation.telegram.call(
            lambda sandbox: sandbox.state.chat(street.installation.hub_id)
        )
        street.say(hub, "a post")
        heard = street.say(street.group)
        await street.heard((street.group, heard))


@pytest.mark.usefixtures("impatient")
async def test_a_chat_is_heard_as_soon_as_it_is_allowed_and_no_longer_than_it_is(
    street: Street,
) -> None:
    chat = deny(street.chat(street.group), ARCHIVE, street.toolbox.chats)
    async with listening(street):
        street.say(street.group, "not allowed")
        first = street.say(street.private)
        await street.heard((street.private, first))

        allow(chat, ARCHIVE, street.toolbox.chats)
        await everything_heard(street)
        second = street.say(street.group)
        await eventually(lambda: (street.group.id, second) in street.inbox())

        deny(street.chat(street.group), ARCHIVE, street.toolbox.chats)
        denied = street.say(street.group, "not allowed any more")
        third = street.say(street.private)
        await eventually(lambda: street.inbox()[-1] == (street.private.id, third))
        assert (street.group.id, denied) not in street.inbox()


@pytest.mark.usefixtures("impatient")
async def test_an_account_that_logs_in_while_it_runs_is_heard_too(street: Street) -> None:
    async with listening(street):
        ben = await log_in(street, OTHER_PHONE)
        await add(street, street.bens, ben)
        await everything_heard(street)
        theirs, ours = street.say(street.bens), street.say(street.group)
        # Two connections: which of them is first is not said.
        both = sorted([(street.bens.id, theirs), (street.group.id, ours)])
        await eventually(lambda: sorted(street.inbox()) == both)


@pytest.mark.usefixtures("impatient")
async def test_an_account_whose_session_is_gone_leaves_the_others_listening(
    street: Street,
) -> None:
    await log_in(street, OTHER_PHONE)
    async with listening(street) as task:
        revoked = street.installation.telegram
        revoked.call(lambda sandbox: sandbox.revoke_sessions(street.ben))
        revoked.call(lambda sandbox: sandbox.drop_connections())
        heard = street.say(street.group)
        await eventually(lambda: (street.group.id, heard) in street.inbox())
        assert not task.done()


@pytest.mark.usefixtures("impatient")
async def test_with_its_only_session_gone_it_waits_for_the_next_login(street: Street) -> None:
    async with listening(street) as task:
        telegram = street.installation.telegram
        telegram.call(lambda sandbox: sandbox.revoke_sessions(street.nora))
        telegram.call(lambda sandbox: sandbox.drop_connections())
        await eventually(lambda: state_of(street) == "error")
        assert not task.done()

        await log_in(street, PHONE)
        await everything_heard_again(street)
        heard = street.say(street.group)
        await eventually(lambda: (street.group.id, heard) in street.inbox())


@pytest.mark.usefixtures("impatient")
async def test_a_login_that_falls_between_two_of_its_looks_is_not_taken_for_nobody_being_left(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, loop, logins = listener._to_hear, asyncio.get_running_loop(), [PHONE]

    def overtaken(toolbox: Toolbox) -> dict[str, AccountId]:
        found = look(toolbox)
        if logins:
            coming = log_in(street, logins.pop())
            asyncio.run_coroutine_threadsafe(coming, loop).result(30)
        return found

    async with listening(street) as task:
        telegram = street.installation.telegram
        telegram.call(lambda sandbox: sandbox.revoke_sessions(street.nora))
        telegram.call(lambda sandbox: sandbox.drop_connections())
        await eventually(lambda: state_of(street) == "error")

        monkeypatch.setattr(listener, "_to_hear", overtaken)
        await everything_heard_again(street)
        assert not task.done()


@pytest.mark.usefixtures("impatient")
async def test_with_nobody_logged_in_it_ends_and_says_why(street: Street) -> None:
    (nora,) = street.toolbox.sessions.accounts()
    for lane in Lane:
        street.toolbox.sessions.remove(nora, lane)
    with pytest.raises(Permanent, match="face-archive login"):
        await asyncio.wait_for(listener.listen_to_all(street.toolbox, asyncio.Event()), 20)


@pytest.mark.usefixtures("impatient")
async def test_a_paused_account_hangs_up_and_hears_what_it_missed_once_it_is_resumed(
    street: Street,
) -> None:
    (nora,) = street.toolbox.sessions.accounts()
    async with listening(street) as task:
        street.toolbox.accounts.pause(nora)
        await eventually(lambda: lane_is_free(street, nora))
        asked = street.installation.requests("updates.getDifference")
        missed = street.say(street.group)
        await asyncio.sleep(0.3)
        assert street.installation.requests("updates.getDifference") == asked
        assert not task.done()

        street.toolbox.accounts.resume(nora)
        await eventually(lambda: (street.group.id, missed) in street.inbox())


def state_of(street: Street) -> str:
    (row,) = street.toolbox.accounts.list()
    return row.state


async def everything_heard_again(street: Street) -> None:
    (nora,) = street.toolbox.sessions.accounts()
    await eventually(lambda: not lane_is_free(street, nora))
    await everything_heard(street)


def lane_is_free(street: Street, account_id: AccountId) -> bool:
    try:
        with account_lane(street.toolbox.database, account_id, Lane.LISTENER):
            return True
    except Transient:
        return False


@pytest.mark.usefixtures("impatient")
async def test_a_connection_that_was_given_up_is_made_again(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resources.telegram.telethon_client._LISTENER_CONNECTION_RETRIES", 0)
    async with listening(street):
        street.installation.telegram.call(lambda sandbox: sandbox.drop_connections())
        heard = street.say(street.group)
        await eventually(lambda: (street.group.id, heard) in street.inbox())
