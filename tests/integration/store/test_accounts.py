"""Accounts that rest or were refused: what the store says of them and of their chats."""

from __future__ import annotations

import asyncio
import pickle

import pytest

from archive.accounts import AccountHeld, AccountState
from archive.errors import Permanent
from archive.history import plan_windows
from archive.ids import AccountId, MessageId
from archive.listening import Change, Heard
from archive.records import Account, Chat
from resources.store.accounts import AccountStore
from resources.store.budgets import AccountBudget
from resources.store.chats import ChatStore
from resources.store.database import Database
from resources.store.history import HistoryStore
from resources.store.inbox import InboxStore
from resources.store.update_states import UpdateStateStore
from tests.fakes.sources import a_source
from tests.fakes.telegram import ScriptedHistory, a_message

ADA = Account(AccountId(7), "Ada")


@pytest.fixture
def accounts(database: Database) -> AccountStore:
    store = AccountStore(database)
    store.save(ADA)
    return store


def a_planned_source(database: Database) -> Chat:
    """Allow a chat of one window, which nobody has read."""
    chat = a_source(database)
    source = ScriptedHistory([a_message(3)])
    asyncio.run(plan_windows(chat, source, HistoryStore(database)))
    return chat


def test_a_paused_account_is_granted_no_request_until_it_is_resumed(
    database: Database, accounts: AccountStore
) -> None:
    budget = AccountBudget(database, ADA.account_id, requests_per_minute=60)
    accounts.pause(ADA.account_id)
    for ask in (lambda: budget.take(1), lambda: accounts.require_active(ADA.account_id)):
        with pytest.raises(AccountHeld, match="face-archive accounts resume 7"):
            ask()

    accounts.resume(ADA.account_id)
    accounts.require_active(ADA.account_id)
    assert budget.take(1).flood_seconds == 0


def test_a_refused_account_says_why_and_only_a_login_ends_that(accounts: AccountStore) -> None:
    accounts.fail(ADA.account_id, "Ended in the app: run `face-archive login`.")
    for ask in (accounts.resume, accounts.pause, accounts.require_active):
        with pytest.raises(AccountHeld, match=r"Ended in the app.*face-archive login"):
            ask(ADA.account_id)

    accounts.save(ADA)
    accounts.require_active(ADA.account_id)
    assert accounts.get(ADA.account_id).state_reason is None


def test_a_lane_that_connects_while_its_account_is_paused_does_not_end_the_pause(
    accounts: AccountStore,
) -> None:
    accounts.pause(ADA.account_id)
    accounts.connected(Account(ADA.account_id, "Ada Lovelace"))
    row = accounts.get(ADA.account_id)
    assert (row.state, row.name) == (AccountState.PAUSED, "Ada Lovelace")
    assert row.last_active is not None


def test_an_account_that_never_logged_in_cannot_rest(accounts: AccountStore) -> None:
    with pytest.raises(Permanent, match="face-archive login"):
        accounts.pause(AccountId(8))


def test_why_an_account_is_held_survives_a_worker_process() -> None:
    held = AccountHeld(ADA.account_id, AccountState.PAUSED, None)
    copy = pickle.loads(pickle.dumps(held))
    assert (str(copy), copy.state) == (str(held), AccountState.PAUSED)


@pytest.mark.parametrize("held", [AccountState.PAUSED, AccountState.ERROR])
def test_windows_of_an_account_that_rests_are_not_asked_for_and_then_once_more(
    database: Database, held: AccountState
) -> None:
    chat = a_planned_source(database)
    accounts, history = AccountStore(database), HistoryStore(database)
    (before,) = history.windows_to_submit()

    if held is AccountState.PAUSED:
        accounts.pause(chat.account_id)
    else:
        accounts.fail(chat.account_id, "gone")
    assert history.windows_to_submit() == []

    if held is AccountState.PAUSED:
        accounts.resume(chat.account_id)
    else:
        accounts.save(Account(chat.account_id, "Ada"))
    (after,) = history.windows_to_submit()
    assert after.window == before.window
    # A run that came to nothing meanwhile does not stand in the way.
    assert after.occasion != before.occasion


def test_live_updates_of_an_account_that_rests_are_neither_due_nor_late(
    database: Database,
) -> None:
    chat = a_planned_source(database)
    inbox = InboxStore(database)
    inbox.keep(chat.account_id, Heard((Change(chat.chat_id, MessageId(3), "new"),)))
    assert inbox.waiting(10)

    AccountStore(database).pause(chat.account_id)

    assert not inbox.waiting(10)
    (pulse,) = UpdateStateStore(database).pulses()
    assert (pulse.updates_waiting, pulse.lag_seconds) == (0, 0.0)
    assert ChatStore(database).get(chat.chat_no).state == "active"
