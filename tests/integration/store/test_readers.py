"""Which of several accounts reads a chat: one, as long as it can, then another that can."""

from __future__ import annotations

from dataclasses import replace

import pytest

from archive.ids import AccountId
from archive.records import Account, Chat, ChatKind, ChatState, Presence
from resources.store.accounts import AccountStore
from resources.store.budgets import AccountBudget
from resources.store.chats import ChatStore
from resources.store.database import Database
from resources.store.history import HistoryStore
from resources.store.peers import upsert_peers
from tests.fakes.sources import a_peer, a_source

ADA, BEN, CLEO = AccountId(1), AccountId(2), AccountId(3)


class Town:
    """A supergroup that Ada reads, and what her and the others' answers say of it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.accounts = AccountStore(database)
        self.chats = ChatStore(database)
        self.peer = a_peer()
        self.chat = a_source(database, account_id=ADA, peer=self.peer)
        for account_id in (BEN, CLEO):
            self.accounts.save(Account(account_id, "Other"))

    def seen_by(
        self, account_id: AccountId, presence: Presence = Presence.INSIDE, key: int | None = 99
    ) -> None:
        peer = replace(self.peer, presence=presence, access_hash=key)
        with self.database.transaction() as connection:
            upsert_peers(connection, account_id, [peer])

    def flood(self, account_id: AccountId, seconds: float) -> None:
        budget = AccountBudget(self.database, account_id, requests_per_minute=60)
        budget.flooded("messages.getHistory", seconds)

    @property
    def now(self) -> Chat:
        return self.chats.get(self.chat.chat_no)


@pytest.fixture
def town(database: Database) -> Town:
    return Town(database)


def test_a_chat_that_two_accounts_see_is_one_chat_with_one_reader(town: Town) -> None:
    again = town.chats.upsert_peer(BEN, replace(town.peer, access_hash=7))
    assert (again.chat_no, again.account_id) == (town.chat.chat_no, ADA)
    assert town.accounts.hand_over() == 0


def test_a_private_chat_of_two_accounts_is_two_chats_that_never_change_hands(
    town: Town, database: Database
) -> None:
    peer = a_peer(ChatKind.PRIVATE)
    adas = a_source(database, account_id=ADA, peer=peer)
    bens = a_source(database, account_id=BEN, peer=peer)
    assert adas.chat_no != bens.chat_no

    town.accounts.pause(ADA)

    assert town.chats.get(adas.chat_no).account_id == ADA
    assert town.chats.get(bens.chat_no).account_id == BEN


def test_a_paused_reader_gives_way_and_the_chat_stays_with_who_took_over(town: Town) -> None:
    town.seen_by(BEN)
    town.accounts.pause(ADA)
    assert (town.now.account_id, town.now.access_hash) == (BEN, 99)
    town.accounts.resume(ADA)
    assert town.now.account_id == BEN


@pytest.mark.parametrize(
    ("presence", "key"), [(Presence.OUTSIDE, 99), (Presence.SHUT_OUT, 99), (Presence.INSIDE, None)]
)
def test_who_is_not_inside_or_has_no_key_takes_nothing_over(
    town: Town, presence: Presence, key: int | None
) -> None:
    town.seen_by(BEN, presence, key)
    town.accounts.fail(ADA, "gone")
    assert town.now.account_id == ADA


def test_a_reader_that_is_shut_out_gives_way_and_without_another_the_chat_is_lost(
    town: Town, database: Database
) -> None:
    history = HistoryStore(database)
    town.seen_by(BEN)

    history.mark_lost(town.chat, "CHANNEL_PRIVATE")
    assert (town.now.account_id, town.now.state) == (BEN, ChatState.ACTIVE)
    # Another run of Ada's that began before.
    history.mark_lost(town.chat, "CHANNEL_PRIVATE")
    assert (town.now.account_id, town.now.state) == (BEN, ChatState.ACTIVE)

    history.mark_lost(town.now, "CHANNEL_PRIVATE")
    assert (town.now.account_id, town.now.state) == (BEN, ChatState.LOST)

    # Ada is let in again, and tells it with any answer.
    town.seen_by(ADA)
    assert town.accounts.hand_over() == 1
    assert (town.now.account_id, town.now.state) == (ADA, ChatState.ACTIVE)


def test_a_long_flood_hands_over_to_who_is_not_flooded_and_a_short_one_does_not(
    town: Town,
) -> None:
    town.seen_by(BEN)
    town.flood(ADA, 3500)
    assert town.accounts.hand_over() == 0
    town.flood(ADA, 3700)
    town.flood(BEN, 30)
    assert town.accounts.hand_over() == 0
    town.seen_by(CLEO)
    assert town.accounts.hand_over() == 1
    assert town.now.account_id == CLEO


def test_of_several_the_least_flooded_takes_over(town: Town) -> None:
    town.seen_by(BEN)
    town.seen_by(CLEO)
    town.flood(BEN, 3600)
    town.accounts.pause(ADA)
    assert town.now.account_id == CLEO


def test_a_hub_stays_with_the_account_that_may_write_to_it(town: Town, database: Database) -> None:
    peer = a_peer()
    hub = town.chats.upsert_peer(ADA, peer)
    town.chats.mark_hub(hub.chat_no)
    with database.transaction() as connection:
        upsert_peers(connection, BEN, [peer])
    town.accounts.pause(ADA)
    assert town.chats.get(hub.chat_no).account_id == ADA


def test_what_only_a_removed_account_could_read_stays_and_is_lost(
    town: Town, database: Database
) -> None:
    alone = a_source(database, account_id=ADA)
    private = a_source(database, ChatKind.PRIVATE, account_id=ADA)
    town.seen_by(BEN)
    going = town.accounts.departure(ADA)
    assert (going.chats, going.handed_over, going.hubs) == (3, 1, 0)

    town.accounts.remove(ADA)

    assert town.now.account_id == BEN
    for chat in (alone, private):
        left = town.chats.get(chat.chat_no)
        assert (left.account_id, left.state, left.access_hash) == (ADA, ChatState.LOST, None)
        assert "removed" in (left.state_reason or "")
    assert [row.account_id for row in town.accounts.list()] == [BEN, CLEO]


def test_saying_what_would_go_changes_nothing(town: Town) -> None:
    town.seen_by(BEN)
    before = town.now
    town.accounts.departure(ADA)
    assert town.now == before


def test_an_export_says_nothing_of_who_is_inside(town: Town) -> None:
    town.seen_by(BEN)
    town.seen_by(BEN, key=None)
    town.accounts.pause(ADA)
    assert town.now.account_id == BEN


def test_a_chat_that_changed_hands_is_asked_for_anew(town: Town, database: Database) -> None:
    history = HistoryStore(database)
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO windows (window_key, chat_no, first_id, last_id) "
            "VALUES (%s || '_0000000001_0000010000', %s, 1, 10000)",
            (town.chat.chat_no, town.chat.chat_no),
        )
    (before,) = history.windows_to_submit()
    town.seen_by(BEN)
    town.accounts.pause(ADA)
    (after,) = history.windows_to_submit()
    assert after.window == before.window
    assert after.occasion != before.occasion
