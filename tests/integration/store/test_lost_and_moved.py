"""Chats that cannot be read any more, and groups that became supergroups."""

from __future__ import annotations

from dataclasses import replace

import pytest

from archive.chats import allow, deny
from archive.history import plan_windows, read_window
from archive.history.ports import ChatLost
from archive.records import Chat, ChatKind, ChatState, PeerInfo, Successor, Switches
from resources.store.chats import ChatStore
from resources.store.database import Database
from resources.store.history import HistoryStore
from tests.fakes.sources import OWNER, a_peer, a_source, live_ids
from tests.fakes.telegram import ScriptedHistory, a_message

ALL = Switches(archive=True, faces=True, publish=True)


@pytest.fixture
def chats(database: Database) -> ChatStore:
    return ChatStore(database)


@pytest.fixture
def history(database: Database) -> HistoryStore:
    return HistoryStore(database)


def lose(request: int) -> None:
    raise ChatLost("the account is not a member of it (CHANNEL_PRIVATE)")


def hours_pass(database: Database, hours: int = 7) -> None:
    with database.transaction() as connection:
        connection.execute(
            "UPDATE chats SET lost_checked_at = lost_checked_at - make_interval(hours => %s)",
            (hours,),
        )


async def test_a_chat_that_is_lost_says_why_and_is_not_asked_for_until_hours_later(
    database: Database, chats: ChatStore, history: HistoryStore
) -> None:
    chat = a_source(database)
    source = ScriptedHistory(a_message(n) for n in range(1, 12_000))
    newest, _ = (await plan_windows(chat, source, history)).windows
    source.before_answer = lose

    result = await read_window(newest, source, history)

    assert result.stopped_reason == "lost"
    lost = chats.get(chat.chat_no)
    assert (lost.state, lost.state_reason) == (
        ChatState.LOST,
        "the account is not a member of it (CHANNEL_PRIVATE)",
    )
    assert history.windows_to_submit() == []
    hours_pass(database)
    [again] = history.windows_to_submit()
    assert again.window == newest
    assert (await read_window(newest, source, history)).stopped_reason == "lost"
    assert history.windows_to_submit() == []
    hours_pass(database, 8)
    assert history.windows_to_submit()[0].occasion != again.occasion


async def test_a_lost_chat_goes_on_where_it_was_when_access_is_back(
    database: Database, chats: ChatStore, history: HistoryStore
) -> None:
    chat = a_source(database)
    source = ScriptedHistory(a_message(n) for n in range(1, 12_000))
    windows = (await plan_windows(chat, source, history)).windows
    await read_window(windows[0], source, history)
    source.before_answer = lose
    await read_window(windows[1], source, history)
    source.before_answer = None
    hours_pass(database)

    [due] = history.windows_to_submit()
    await read_window(due.window, source, history)

    back = chats.get(chat.chat_no)
    assert (back.state, back.state_reason) == (ChatState.ACTIVE, None)
    assert [row.window for row in history.windows_to_submit()] == [windows[1]]
    await read_window(windows[1], source, history)
    assert live_ids(database, chat) == list(range(1, 12_000))


async def test_planning_a_lost_chat_is_no_error_and_finds_out_that_it_is_back(
    database: Database, chats: ChatStore, history: HistoryStore
) -> None:
    chat = a_source(database)
    source = ScriptedHistory([a_message(5)], before_answer=lose)

    assert (await plan_windows(chat, source, history)).stopped_reason == "lost"
    source.before_answer = None
    assert len((await plan_windows(chat, source, history)).windows) == 1
    assert chats.get(chat.chat_no).state is ChatState.ACTIVE


def moved(database: Database, switches: Switches = ALL) -> tuple[Chat, PeerInfo, PeerInfo]:
    """A basic group that is archived, as it looks after it became a supergroup."""
    old, new = a_peer(ChatKind.BASIC_GROUP, access_hash=None), a_peer(title="Family")
    chat = a_source(database, peer=old, switches=switches)
    successor = Successor(new.chat_id, new.access_hash)
    return chat, replace(old, successor=successor), new


def test_the_switches_of_a_group_carry_over_to_the_supergroup_that_it_becomes(
    database: Database, chats: ChatStore
) -> None:
    chat, old, new = moved(database)

    chats.upsert_peer(OWNER, old)

    supergroup = chats.by_chat_id(new.chat_id, OWNER)
    assert supergroup is not None
    assert (supergroup.switches, supergroup.access_hash) == (ALL, new.access_hash)
    assert chats.get(chat.chat_no).migrated_to == supergroup.chat_no
    assert supergroup in chats.unplanned()
    # One chat: named once, allowed and denied as one.
    assert [each.chat_no for each in chats.list()] == [supergroup.chat_no]
    assert [each.chat_no for each in chats.allowed()] == [supergroup.chat_no]
    deny(supergroup, Switches(archive=True), chats)
    assert chats.get(chat.chat_no).switches == Switches()
    allow(chats.get(supergroup.chat_no), Switches(archive=True), chats)
    assert chats.get(chat.chat_no).switches == Switches(archive=True)


def test_the_switches_of_a_supergroup_hold_for_the_group_that_it_was(
    database: Database, chats: ChatStore
) -> None:
    new = a_peer()
    a_source(database, peer=new, switches=Switches(archive=True, faces=True))
    old = a_peer(ChatKind.BASIC_GROUP, access_hash=None, successor=Successor(new.chat_id))

    chats.upsert_peer(OWNER, old)

    found = chats.by_chat_id(old.chat_id, OWNER)
    assert found is not None
    assert found.switches == Switches(archive=True, faces=True)
    assert found in chats.unplanned()


def test_a_supergroup_that_may_not_be_copied_does_not_inherit_publishing(
    database: Database, chats: ChatStore
) -> None:
    _, old, new = moved(database)
    chats.upsert_peer(OWNER, replace(new, noforwards=True))

    chats.upsert_peer(OWNER, old)

    supergroup = chats.by_chat_id(new.chat_id, OWNER)
    assert supergroup is not None
    assert supergroup.switches == Switches(archive=True, faces=True)


def test_a_hub_inherits_nothing(database: Database, chats: ChatStore) -> None:
    chat, old, new = moved(database)
    chats.mark_hub(chats.upsert_peer(OWNER, new).chat_no)

    chats.upsert_peer(OWNER, old)

    supergroup = chats.by_chat_id(new.chat_id, OWNER)
    assert supergroup is not None
    assert supergroup.switches == Switches()
    assert chats.get(chat.chat_no).migrated_to is None


async def test_both_histories_are_windows_of_the_one_chat_newest_first(
    database: Database, chats: ChatStore, history: HistoryStore
) -> None:
    chat, old, new = moved(database)
    await plan_windows(chat, ScriptedHistory([a_message(400)], total=2**31 - 1), history)
    chats.upsert_peer(OWNER, old)
    supergroup = chats.upsert_peer(OWNER, new)
    await plan_windows(supergroup, ScriptedHistory([a_message(10_001)]), history)

    windows = [row.window for row in chats.windows(supergroup.chat_no)]

    assert [(each.chat_no, each.first_id) for each in windows] == [
        (supergroup.chat_no, 10_001),
        (supergroup.chat_no, 1),
        (chat.chat_no, 1),
    ]


def test_seeing_the_move_again_changes_nothing(database: Database, chats: ChatStore) -> None:
    _, old, new = moved(database)
    chats.upsert_peer(OWNER, old)
    supergroup = chats.by_chat_id(new.chat_id, OWNER)
    assert supergroup is not None
    deny(supergroup, Switches(faces=True), chats)

    chats.upsert_peer(OWNER, old)

    assert chats.get(supergroup.chat_no).switches == Switches(archive=True)
