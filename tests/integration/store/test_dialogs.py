"""What updates show of chats: names that follow, access that is lost, chats that are joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from archive.chats.discovering import Beyond, DialogCursor, DialogList
from archive.ids import AccountId
from archive.listening import Heard
from archive.records import (
    Account,
    Chat,
    ChatKind,
    ChatState,
    PeerInfo,
    Presence,
    Successor,
    Switches,
)
from resources.store.accounts import AccountStore
from resources.store.chats import ChatStore
from resources.store.database import Database
from resources.store.dialogs import DialogStore
from resources.store.inbox import InboxStore
from tests.fakes.sources import OWNER, a_peer, a_source


@pytest.fixture
def chats(database: Database) -> ChatStore:
    AccountStore(database).save(Account(OWNER, "Owner"))
    return ChatStore(database)


@pytest.fixture
def dialogs(database: Database, chats: ChatStore) -> DialogStore:
    return DialogStore(database)


def show(database: Database, *peers: PeerInfo) -> None:
    InboxStore(database).keep(OWNER, Heard(seen=peers))


def titles(chats: Sequence[Chat]) -> list[str]:
    return [chat.title for chat in chats]


def peer_of(chat: Chat) -> PeerInfo:
    return PeerInfo(chat.chat_id, chat.kind, chat.title, access_hash=chat.access_hash)


def test_a_joined_chat_is_taken_in_switched_off_and_new_once_chats_were_discovered(
    database: Database, chats: ChatStore, dialogs: DialogStore
) -> None:
    dialogs.begin(OWNER)
    dialogs.keep(OWNER, [a_peer()], None)
    dialogs.begin(OWNER)
    dialogs.keep(OWNER, [], None)

    show(database, a_peer(title="Joined"))

    [joined] = [chats.get(number) for number in dialogs.new()]
    assert (joined.title, joined.switches) == ("Joined", Switches())
    assert chats.list() == []


def test_before_a_discovery_updates_bring_no_chat_that_nobody_named(
    database: Database, chats: ChatStore
) -> None:
    added = a_source(database)

    show(database, a_peer(title="Private matter"), replace(peer_of(added), title="Renamed"))

    assert titles(chats.known()) == ["Renamed"]


def test_who_is_shut_out_loses_the_chat_and_who_is_back_goes_on(
    database: Database, chats: ChatStore
) -> None:
    chat = a_source(database)

    show(database, replace(peer_of(chat), presence=Presence.SHUT_OUT))
    lost = chats.get(chat.chat_no)
    show(database, peer_of(chat))

    assert lost.state is ChatState.LOST
    assert lost.state_reason == "the account is not, or no longer, a member of it"
    assert (chats.get(chat.chat_no).state, chats.get(chat.chat_no).switches) == (
        ChatState.ACTIVE,
        chat.switches,
    )


def test_what_one_account_is_shut_out_of_another_still_reads(
    database: Database, chats: ChatStore
) -> None:
    chat, other = a_source(database), AccountId(77)
    AccountStore(database).save(Account(other, "Other"))

    shut_out = replace(peer_of(chat), presence=Presence.SHUT_OUT)
    InboxStore(database).keep(other, Heard(seen=(shut_out,)))

    assert chats.get(chat.chat_no).state is ChatState.ACTIVE


def test_a_group_that_an_update_shows_as_moved_is_one_chat_with_its_supergroup(
    database: Database, chats: ChatStore
) -> None:
    group = a_source(database, ChatKind.BASIC_GROUP)
    heir = a_peer()
    moved = replace(peer_of(group), successor=Successor(heir.chat_id, 5))

    show(database, replace(moved, presence=Presence.OUTSIDE))
    show(database, replace(heir, title="Heir"))

    [one] = chats.list()
    assert (one.chat_id, one.title, one.switches.archive) == (heir.chat_id, "Heir", True)


def test_a_reading_goes_on_where_its_last_page_was_stored(
    chats: ChatStore, dialogs: DialogStore
) -> None:
    peer = a_peer(ChatKind.PRIVATE)
    place = Beyond(datetime(2026, 1, 1, tzinfo=UTC), 7, peer.chat_id, peer.kind, peer.access_hash)
    cursor = DialogCursor(DialogList.ARCHIVE, place)
    assert dialogs.begin(OWNER).cursor == DialogCursor()

    dialogs.keep(OWNER, [peer], cursor)

    assert dialogs.begin(OWNER).cursor == cursor
    assert dialogs.begin(OWNER).seen == 1
    assert dialogs.keep(OWNER, [], None).cursor is None
    assert dialogs.begin(OWNER).cursor == DialogCursor()
