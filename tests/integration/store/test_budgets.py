"""One row that all runs of an account share: what they may ask for, and until when not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from archive.errors import Permanent
from archive.ids import AccountId
from archive.records import Account
from resources.store.accounts import AccountStore
from resources.store.budgets import AccountBudget
from resources.store.database import Database

ACCOUNT = AccountId(1)


@pytest.fixture
def accounts(database: Database) -> AccountStore:
    accounts = AccountStore(database)
    accounts.save(Account(ACCOUNT, "Owner"))
    return accounts


def budget(database: Database, requests_per_minute: int = 60) -> AccountBudget:
    return AccountBudget(database, ACCOUNT, requests_per_minute=requests_per_minute)


def let_pass(database: Database, seconds: float) -> None:
    """Move what the account's row says into the past: so much time has gone by."""
    with database.transaction() as connection:
        connection.execute(
            "UPDATE accounts SET flood_until = flood_until - make_interval(secs => %(s)s),"
            " spent_until = spent_until - make_interval(secs => %(s)s)",
            {"s": seconds},
        )


@pytest.mark.usefixtures("accounts")
def test_an_idle_minute_may_be_spent_at_once_and_then_each_waits_its_turn(
    database: Database,
) -> None:
    one, other = budget(database, 6), budget(database, 6)
    first = [each.take(1).pace_seconds for _ in range(3) for each in (one, other)]
    assert first == [0.0] * 6

    waits = [each.take(1).pace_seconds for _ in range(3) for each in (one, other)]

    assert waits == [pytest.approx(10 * n, abs=9) for n in (1, 2, 3, 4, 5, 6)]
    let_pass(database, 100)
    assert one.take(1).pace_seconds == 0


@pytest.mark.usefixtures("accounts")
def test_runs_that_ask_at_the_same_moment_never_share_a_turn(database: Database) -> None:
    shared = budget(database, 1)
    assert shared.take(1).pace_seconds == 0
    with ThreadPoolExecutor(6) as pool:
        waits = sorted(pool.map(lambda _: shared.take(1).pace_seconds, range(12)))
    assert waits == [pytest.approx(60 * n, abs=30) for n in range(1, 13)]


@pytest.mark.usefixtures("accounts")
def test_asking_for_nothing_costs_nothing(database: Database) -> None:
    shared = budget(database, 1)
    for _ in range(5):
        assert shared.take(0).pace_seconds == 0
    assert shared.take(1).pace_seconds == 0


def test_a_flood_holds_for_every_run_takes_nothing_and_is_shown(
    database: Database, accounts: AccountStore
) -> None:
    budget(database).flooded("messages.getHistory", 3600)

    permit = budget(database, 1).take(1)

    assert permit.flood_seconds == pytest.approx(3600, abs=30)
    shown = accounts.get(ACCOUNT)
    assert shown.flood_until is not None
    assert shown.flood_method == "messages.getHistory"
    let_pass(database, 3601)
    assert budget(database, 1).take(1).flood_seconds == 0
    assert budget(database, 1).take(0).flood_seconds == 0
    assert accounts.get(ACCOUNT).flood_until is None


@pytest.mark.usefixtures("accounts")
def test_a_shorter_flood_shortens_nothing(database: Database) -> None:
    shared = budget(database)
    shared.flooded("messages.getHistory", 3600)
    shared.flooded("upload.getFile", 5)
    assert shared.take(1).flood_seconds == pytest.approx(3600, abs=30)


def test_floods_and_budgets_of_two_accounts_are_apart(
    database: Database, accounts: AccountStore
) -> None:
    accounts.save(Account(AccountId(2), "Other"))
    budget(database).flooded("messages.getHistory", 3600)
    assert AccountBudget(database, AccountId(2), requests_per_minute=1).take(1).flood_seconds == 0


def test_an_account_that_never_logged_in_has_no_budget(database: Database) -> None:
    with pytest.raises(Permanent, match="login"):
        budget(database).take(1)
