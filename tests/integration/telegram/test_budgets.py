"""Floods and the budget, from the request down to the row that the account's runs share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from telethon.tl import functions, types

from archive.errors import Transient
from archive.records import Account
from resources.store.accounts import AccountRow, AccountStore
from resources.store.budgets import AccountBudget
from resources.store.database import Database
from resources.telegram.calling import Caller, is_counted
from resources.telegram.sessions import Lane
from resources.telegram.stats import RequestStats
from tests.integration.store.test_budgets import let_pass
from tests.integration.telegram.conftest import House, house

__all__ = ["house"]

DIALOGS = functions.messages.GetDialogsRequest(None, 0, types.InputPeerEmpty(), 10, 0)
METHOD = "messages.getDialogs"


@dataclass
class Runs:
    """Callers of one account, as its runs would have them, and a clock that sleeping moves."""

    house: House
    database: Database
    account: Account
    naps: list[float] = field(default_factory=list)
    shown: list[AccountRow] = field(default_factory=list)

    async def caller(self, lane: Lane, *, requests_per_minute: int = 600) -> Caller:
        """Open a lane whose requests ask the account's budget."""
        connection = await self.house.open(lane)
        client: Any = connection.history._call.client
        return Caller(
            client,
            RequestStats(on_wait=lambda name, seconds: self.house.waits.append((name, seconds))),
            flood_sleep_limit_seconds=60,
            request_timeout_seconds=10,
            budget=AccountBudget(
                self.database, self.account.account_id, requests_per_minute=requests_per_minute
            ),
            sleep=self._nap,
        )

    def row(self) -> AccountRow:
        """What `accounts list` and `status` show."""
        return AccountStore(self.database).get(self.account.account_id)

    async def _nap(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.shown.append(self.row())
        let_pass(self.database, seconds)


@pytest.fixture
async def runs(house: House, database: Database) -> Runs:
    account = await house.login()
    AccountStore(database).save(account)
    return Runs(house, database, account)


async def test_a_flood_of_thirty_seconds_is_slept_and_shown(runs: Runs) -> None:
    call = await runs.caller(Lane.BACKFILL)
    runs.house.sandbox.faults.error(METHOD, "FLOOD_WAIT_30")

    await call(DIALOGS)

    assert runs.naps == [30]
    assert runs.house.waits == [(METHOD, 30)]
    assert [(row.flood_method, row.flood_until is not None) for row in runs.shown] == [
        (METHOD, True)
    ]
    assert (call.stats.floods, call.stats.waited_seconds) == (1, 30)
    assert runs.row().flood_until is None


async def test_an_hours_flood_ends_the_request_with_the_time_to_come_back(runs: Runs) -> None:
    call = await runs.caller(Lane.BACKFILL)
    runs.house.sandbox.faults.error(METHOD, "FLOOD_WAIT_3600")

    with pytest.raises(Transient) as flood:
        await call(DIALOGS)

    assert flood.value.retry_after_seconds == 3600
    assert runs.naps == []
    assert runs.row().flood_method == METHOD


async def test_no_lane_asks_telegram_anything_while_the_accounts_flood_holds(runs: Runs) -> None:
    call, other = await runs.caller(Lane.BACKFILL), await runs.caller(Lane.LIVE)
    runs.house.sandbox.faults.error(METHOD, "FLOOD_WAIT_3600")
    with pytest.raises(Transient):
        await call(DIALOGS)
    asked = runs.house.asked(METHOD)

    for each in (call, other):
        with pytest.raises(Transient) as flood:
            await each(DIALOGS)
        assert flood.value.retry_after_seconds == pytest.approx(3600, abs=30)

    assert runs.house.asked(METHOD) == asked
    let_pass(runs.database, 3570)
    await other(DIALOGS)
    assert runs.naps == [pytest.approx(30, abs=30)]
    assert other.stats.floods == 0


@pytest.mark.parametrize("wait", ["SLOWMODE_WAIT_20", "TAKEOUT_INIT_DELAY_20"])
async def test_a_wait_of_one_chat_or_one_export_holds_up_nobody_else(runs: Runs, wait: str) -> None:
    call = await runs.caller(Lane.BACKFILL)
    runs.house.sandbox.faults.error(METHOD, wait)
    await call(DIALOGS)
    assert runs.naps == [20]
    assert runs.shown[0].flood_until is None


async def test_requests_beyond_the_budget_wait_for_their_turn(runs: Runs) -> None:
    call = await runs.caller(Lane.BACKFILL, requests_per_minute=2)
    for _ in range(4):
        await call(DIALOGS)
    assert runs.naps == [pytest.approx(30, abs=15), pytest.approx(30, abs=15)]
    assert call.stats.paced_seconds == sum(runs.naps)
    assert runs.house.waits == []


@pytest.mark.parametrize(
    ("name", "counted"),
    [
        ("messages.getHistory", True),
        ("upload.getFile", True),
        ("contacts.resolveUsername", True),
        ("messages.sendMedia", False),
        ("messages.createForumTopic", False),
        ("upload.saveFilePart", False),
        ("connect", False),
    ],
)
def test_what_only_looks_is_counted(name: str, *, counted: bool) -> None:
    assert is_counted(name) is counted
