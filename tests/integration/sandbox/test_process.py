"""The sandbox in a process of its own."""

import time
from statistics import median
from typing import Any

import pytest
from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.sessions import StringSession

from telegram_sandbox import Sandbox, Scenario, run_in_process
from telegram_sandbox.methods.history import answer, slice_history
from telegram_sandbox.process import RemoteError
from telegram_sandbox.views import Views
from telegram_sandbox.wire import packed, serialise

from .story import JPEG

PHONE = "+15550001"
HERE = __name__


def big_group() -> Scenario:
    """A scenario as benchmarks have them."""
    scenario = Scenario(seed=4)
    mia = scenario.user("Mia", phone=PHONE)
    group = scenario.supergroup("Big", owner=mia, username="big_demo")
    for number in range(1000):
        group.text(mia, f"message {number}")
    return scenario


def count_requests(sandbox: Sandbox, method: str) -> int:
    """A question to the running server."""
    return sandbox.state.requests[method]


async def test_a_client_reads_from_a_server_in_another_process() -> None:
    with run_in_process("tests.integration.sandbox.test_process:big_group") as server:
        rsa.add_key(server.public_key_pem, old=False)
        session = StringSession()
        session.set_dc(2, server.host, server.port)
        client = TelegramClient(session, 1, "hash", receive_updates=False)
        await client.connect()
        await client.sign_in(PHONE)
        await client.sign_in(PHONE, "12345")
        found = [m.id async for m in client.iter_messages("big_demo", limit=300)]
        await client.disconnect()
        asked = server.call(f"{HERE}:count_requests", method="messages.getHistory")
        with pytest.raises(RemoteError, match="no_such"):
            server.call(f"{HERE}:no_such")

    assert found == list(range(1001, 701, -1))
    assert asked == 3


def test_what_builds_no_scenario_ends_the_process() -> None:
    with (
        pytest.raises(RemoteError, match="ended with exit code 1"),
        run_in_process("builtins:dict"),
    ):
        pass


@pytest.mark.parametrize("kind", ["text", "photo"])
def test_a_big_history_is_cheap_to_build_and_to_serve(kind: str) -> None:
    scenario = Scenario(seed=1)
    mia = scenario.user("Mia", phone=PHONE)
    group = scenario.supergroup("Big", owner=mia)
    add: Any = group.text if kind == "text" else lambda u, t: group.photo(u, JPEG, caption=t)

    began = time.process_time()
    for number in range(20_000):
        add(mia, f"message {number}")
    built = time.process_time() - began

    served = []
    for _ in range(20):
        began = time.process_time()
        page(scenario, mia, group)
        served.append(time.process_time() - began)

    assert built < 2
    assert median(served) < 0.005


def page(scenario: Scenario, viewer: Any, group: Any) -> bytes:
    """What the server does for a page of a hundred."""

    class Asking:
        views = Views(scenario.world, viewer)

    history = group.record.history(None)
    cut = slice_history(
        history.ids,
        history.at,
        offset_id=10_000,
        offset_date=None,
        add_offset=0,
        limit=100,
        max_id=0,
        min_id=0,
    )
    return packed(serialise(answer(Asking(), group.record, cut)))  # type: ignore[arg-type]
