"""Chats in the store: added, allowed, denied, found, made a hub."""

from __future__ import annotations

from dataclasses import replace

import pytest

from archive.chats import Reference, Username, add_chat, allow, deny
from archive.errors import Permanent
from archive.history import plan_windows, read_window
from archive.ids import AccountId, ChatNo
from archive.records import Account, ChatKind, MediaKind, PeerInfo, Switches
from resources.store.accounts import AccountStore
from resources.store.chats import ChatStore
from resources.store.database import Database
from resources.store.history import HistoryStore
from tests.fakes.sources import OWNER, a_peer, a_source
from tests.fakes.telegram import ScriptedHistory, a_message


class OneChat:
    """A Telegram that knows one name."""

    def __init__(self, peer: PeerInfo) -> None:
        self.peer = peer

    async def resolve(self, reference: Reference) -> PeerInfo:
        assert reference == Username("family")
        return self.peer


@pytest.fixture
def chats(database: Database) -> ChatStore:
    AccountStore(database).save(Account(OWNER, "Owner"))
    return ChatStore(database)


async def test_an_added_chat_is_known_and_everything_about_it_is_off(
    chats: ChatStore,
) -> None:
    peer = a_peer(title="Family", username="family")

    chat = await add_chat("https://t.me/family/12", OWNER, OneChat(peer), chats)

    assert chat.switches == Switches()
    assert chat.access_hash == peer.access_hash
    assert chats.get(chat.chat_no) == chat
    assert chats.list() == [chat]
    assert chats.allowed() == []


def test_adding_again_updates_the_name_and_keeps_number_switches_and_key(
    chats: ChatStore,
) -> None:
    peer = a_peer(title="Old name")
    before = allow(chats.upsert_peer(OWNER, peer), Switches(archive=True), chats)

    after = chats.upsert_peer(OWNER, replace(peer, title="New name"))
    partial = chats.upsert_peer(OWNER, replace(peer, title="Partial", access_hash=None))

    assert after == replace(before, title="New name")
    assert partial.access_hash == peer.access_hash


def test_a_private_chat_is_another_one_for_each_account(chats: ChatStore) -> None:
    other = AccountId(77)
    AccountStore(chats._database).save(Account(other, "Other"))
    peer = a_peer(ChatKind.PRIVATE)

    mine, theirs = chats.upsert_peer(OWNER, peer), chats.upsert_peer(other, peer)

    assert mine.chat_no != theirs.chat_no
    assert chats.by_chat_id(peer.chat_id, other) == theirs


async def test_faces_switched_on_make_only_read_windows_with_media_dirty(
    database: Database, chats: ChatStore
) -> None:
    chat = a_source(database)
    history = HistoryStore(database)
    source = ScriptedHistory([a_message(1), a_message(10_001, photo=1), a_message(20_001)])
    for window in (await plan_windows(chat, source, history)).windows:
        await read_window(window, source, history)
    chat = chats.get(chat.chat_no)

    chat = allow(chat, Switches(faces=True), chats)
    [row] = history.windows_to_submit()
    await read_window(row.window, source, history)

    assert row.window.first_id == 10_001
    assert row.dirty
    assert history.windows_to_submit() == []
    allow(chat, Switches(archive=True), chats)
    assert history.windows_to_submit() == []
    allow(chat, Switches(publish=True), chats, max_media_bytes=10)
    assert history.windows_to_submit() == []
    allow(chats.get(chat.chat_no), Switches(), chats, max_media_bytes=11)
    [again] = history.windows_to_submit()
    assert again.occasion != row.occasion


def test_what_may_not_be_copied_loses_its_publish_switch_when_we_learn_it(
    database: Database, chats: ChatStore
) -> None:
    peer = a_peer()
    everything = Switches(archive=True, faces=True, publish=True)
    chat = a_source(database, peer=peer, switches=everything)

    chat = chats.upsert_peer(OWNER, replace(peer, noforwards=True))

    assert chat.switches == Switches(archive=True, faces=True)


def test_limits_of_a_chat_are_kept(database: Database, chats: ChatStore) -> None:
    chat = a_source(database)

    allow(
        chat,
        Switches(),
        chats,
        hold_backfill=True,
        media_types=frozenset({MediaKind.VIDEO}),
        max_media_bytes=1,
    )

    chat = chats.get(chat.chat_no)
    assert chat.media_types == {MediaKind.VIDEO}
    assert chat.max_media_bytes == 1
    assert chat.hold_backfill
    assert deny(chat, Switches(archive=True), chats).switches == Switches()


def test_a_source_cannot_become_a_hub_nor_a_hub_a_source(
    database: Database, chats: ChatStore
) -> None:
    chat = a_source(database)
    with pytest.raises(Permanent, match="never a source"):
        chats.mark_hub(chat.chat_no)

    deny(chat, Switches(archive=True), chats)
    chats.mark_hub(chat.chat_no)

    with pytest.raises(Permanent, match="hub"):
        allow(chats.get(chat.chat_no), Switches(archive=True), chats)


def test_an_unknown_number_is_an_error(chats: ChatStore) -> None:
    with pytest.raises(Permanent, match="no chat of number 5"):
        chats.get(ChatNo(5))
