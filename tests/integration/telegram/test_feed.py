"""The feed of updates: what is heard, what was owed, what is lost, and where it all stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pytest

from archive.budgets import Permit, RequestBudget, Unmetered
from archive.errors import Permanent, Transient
from archive.ids import ChatId, MessageId
from archive.listening import Change, Heard, HeardChat, Standing
from archive.records import Chat, Presence
from resources.telegram.client import TelegramAccount, connect
from resources.telegram.feed import TelethonFeed
from resources.telegram.sessions import Lane
from telegram_sandbox import ChatHandle
from tests.integration.telegram.conftest import House


def heard(
    change: Literal["new", "edited", "deleted", "reactions"],
    message_id: int,
    chat_id: int | None = None,
) -> Change:
    return Change(None if chat_id is None else ChatId(chat_id), MessageId(message_id), change)


class Told:
    """A budget that lends nothing and keeps what it is told."""

    def __init__(self) -> None:
        self.floods: list[tuple[str, float]] = []

    def take(self, requests: int) -> Permit:
        raise AssertionError("a listener waits for no budget")

    def flooded(self, method: str, seconds: float) -> None:
        self.floods.append((method, seconds))


@dataclass
class Ear:
    """Keeps what a feed hands over, as the store would."""

    feed: TelethonFeed
    account: TelegramAccount
    changes: list[Change] = field(default_factory=list)
    lost_in: set[int | None] = field(default_factory=set)
    last: Heard = field(default_factory=Heard)
    chats: dict[ChatId, Chat] = field(default_factory=dict)
    batches: int = 0
    may_keep: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_keep.set()

    async def keep(self, batch: Heard) -> None:
        self.batches += 1
        await self.may_keep.wait()
        self.changes += batch.changes
        self.lost_in |= batch.lost_in
        self.last = self.last.then(batch)

    async def hear(self, *chats: Chat) -> None:
        self.chats |= {chat.chat_id: chat for chat in chats}
        await self.feed.hear(await self.account.tops.tops(chats))
        await self.feed.caught_up()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.01)

    async def hears(self, *expected: Change) -> None:
        await self.until(lambda: len(self.changes) >= len(expected))
        assert self.changes == list(expected)

    @property
    def standing(self) -> Standing:
        """Where a next connection goes on from, if all of it was stored."""
        heard = [HeardChat(chat, self.last.channels.get(key)) for key, chat in self.chats.items()]
        return Standing(self.last.state, tuple(heard))


@asynccontextmanager
async def listening(
    house: House,
    *handles: ChatHandle,
    standing: Standing | None = None,
    budget: RequestBudget | None = None,
) -> AsyncIterator[Ear]:
    """Listen to chats, from now on or from where another connection stood."""
    if not house.files.accounts():
        await house.login(lanes=[Lane.LISTENER])
    connection = connect(house.config, house.files, Lane.LISTENER, standing=standing, budget=budget)
    async with connection as account:
        assert account.feed is not None
        ear = Ear(account.feed, account)
        if standing is not None:
            ear.chats = {each.chat.chat_id: each.chat for each in standing.heard}
            channels = {e.chat.chat_id: e.pts for e in standing.heard if e.pts is not None}
            ear.last = Heard(state=standing.state, channels=channels)
        task = asyncio.create_task(account.feed.run(ear.keep))
        try:
            await ear.feed.caught_up()
            if handles:
                chats = [await house.chat(account, each, n) for n, each in enumerate(handles, 1)]
                await ear.hear(*chats)
                channels = {top.chat.chat_id: top.pts for top in await account.tops.tops(chats)}
                known = {key: pts for key, pts in channels.items() if pts is not None}
                ear.last = ear.last.then(Heard(channels=known))
            yield ear
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


# While it listens


async def test_a_new_message_is_heard(house: House) -> None:
    friend = house.scenario.user("Bob")
    group = house.scenario.supergroup("Family", owner=house.me, members=[friend])
    async with listening(house, group) as ear:
        message = await house.sandbox.post(group, lambda chat: chat.text(friend, "hello"))
        await ear.hears(heard("new", message.id, group.id))


async def test_a_chat_that_is_not_heard_says_nothing_and_costs_no_request(house: House) -> None:
    group = house.scenario.supergroup("Family", owner=house.me)
    other = house.scenario.supergroup("Work", owner=house.me)
    async with listening(house, group) as ear:
        house.sandbox.faults.updates.lose()
        for text in ("lost", "makes a gap"):
            await house.sandbox.post(other, lambda chat, text=text: chat.text(house.me, text))
        message = await house.sandbox.post(group, lambda chat: chat.text(house.me, "hello"))
        await ear.hears(heard("new", message.id, group.id))
        assert set(ear.last.channels) == {group.id}


async def test_a_chat_that_is_joined_or_lost_is_seen(house: House) -> None:
    owner = house.scenario.user("Eve")
    group = house.scenario.supergroup("Family", owner=owner)
    async with listening(house) as ear:
        house.sandbox.add_member(group, house.me)
        await ear.until(lambda: len(ear.last.seen) == 1)
        house.sandbox.remove_member(group, house.me)
        await ear.until(lambda: len(ear.last.seen) == 2)
        joined, lost = ear.last.seen
        assert (joined.chat_id, joined.title, joined.presence) == (
            *(group.id, "Family"),
            Presence.INSIDE,
        )
        assert (lost.chat_id, lost.presence) == (group.id, Presence.SHUT_OUT)


async def test_a_chat_is_seen_once_until_it_looks_different(house: House) -> None:
    friend = house.scenario.user("Bob")
    private = house.scenario.private_chat(house.me, friend)
    async with listening(house) as ear:
        for text in ("one", "two"):
            await house.sandbox.post(private, lambda chat, text=text: chat.text(friend, text))
        await ear.until(lambda: len(ear.changes) == 2)
        friend.first_name = "Robert"
        await house.sandbox.post(private, lambda chat: chat.text(friend, "three"))
        await ear.until(lambda: len(ear.changes) == 3)
        assert [peer.title for peer in ear.last.seen] == ["Bob", "Robert"]


async def test_a_private_message_is_heard_with_its_sender_as_chat(house: House) -> None:
    friend = house.scenario.user("Bob")
    private = house.scenario.private_chat(house.me, friend)
    async with listening(house) as ear:
        message = await house.sandbox.post(private, lambda chat: chat.text(friend, "hello"))
        await ear.hears(heard("new", message.id, friend.id))


async def test_edits_reactions_and_deletions_are_heard_in_order(house: House) -> None:
    group = house.scenario.supergroup("Family", owner=house.me)
    async with listening(house, group) as ear:
        first = await house.sandbox.post(group, lambda chat: chat.text(house.me, "helo"))
        await house.sandbox.post(group, lambda chat: chat.edit(first, text="hello"))
        await house.sandbox.post(group, lambda chat: chat.react(first, house.me, "👍"))
        await house.sandbox.post(group, lambda chat: chat.delete(first))
        kinds = ("new", "edited", "reactions", "deleted")
        await ear.hears(*(heard(kind, first.id, group.id) for kind in kinds))


async def test_a_private_deletion_names_no_chat(house: House) -> None:
    friend = house.scenario.user("Bob")
    private = house.scenario.private_chat(house.me, friend)
    async with listening(house) as ear:
        message = await house.sandbox.post(private, lambda chat: chat.text(friend, "hello"))
        await house.sandbox.post(private, lambda chat: chat.delete(message))
        await ear.hears(heard("new", message.id, friend.id), heard("deleted", message.id))


async def test_what_comes_while_a_batch_is_stored_is_stored_at_once(house: House) -> None:
    group = house.scenario.supergroup("Family", owner=house.me)
    async with listening(house, group) as ear:
        before = ear.batches
        ear.may_keep.clear()
        for number in range(100):
            group.text(house.me, str(number))
        await ear.until(lambda: ear.batches == before + 1)
        # An answer comes behind what was pushed before it.
        await ear.account.peers.dialogs()
        ear.may_keep.set()
        await ear.until(lambda: len(ear.changes) == 100)
        assert ear.batches - before < 100


@pytest.mark.parametrize("mishap", ["lose", "double", "swap", "too_long"])
async def test_pushes_that_go_wrong_lose_nothing(house: House, mishap: str) -> None:
    group = house.scenario.supergroup("Family", owner=house.me)
    async with listening(house, group) as ear:
        getattr(house.sandbox.faults.updates, mishap)(first=2)
        sent = [
            await house.sandbox.post(group, lambda chat, n=n: chat.text(house.me, str(n)))
            for n in range(4)
        ]
        wanted = {message.id for message in sent}
        await ear.until(lambda: {change.message_id for change in ear.changes} >= wanted)
        assert ear.lost_in == set()


# While it did not


@pytest.fixture
async def away(house: House) -> tuple[ChatHandle, ChatHandle, Standing]:
    """A group and a private chat that were listened to once, and where that ended."""
    friend = house.scenario.user("Bob")
    group = house.scenario.supergroup("Family", owner=house.me, members=[friend])
    private = house.scenario.private_chat(house.me, friend)
    async with listening(house, group) as ear:
        for chat in (group, private):
            await house.sandbox.post(chat, lambda chat: chat.text(friend, "known"))
        await ear.until(lambda: len(ear.changes) == 2)
        standing = ear.standing
    return group, private, standing


async def test_all_that_happened_meanwhile_is_heard(
    house: House, away: tuple[ChatHandle, ChatHandle, Standing]
) -> None:
    group, private, standing = away
    friend = house.sandbox.world.users[private.id]
    known = {chat: chat.messages[-1] for chat in (group, private)}
    wanted: set[Change] = set()
    for chat in (group, private):
        message = chat.text(friend, "missed")
        chat.edit(message, text="and edited")
        chat.edit(known[chat], text="edited")
        wanted |= {heard("new", message.id, chat.id), heard("edited", known[chat].id, chat.id)}
        doomed = chat.text(friend, "short-lived")
        chat.delete(doomed)
        wanted.add(heard("deleted", doomed.id, chat.id if chat is group else None))

    async with listening(house, standing=standing) as ear:
        assert wanted <= set(ear.changes)
        assert ear.lost_in == set()


async def test_more_than_a_slice_that_happened_meanwhile_is_heard(
    house: House, away: tuple[ChatHandle, ChatHandle, Standing]
) -> None:
    group, private, standing = away
    friend = house.sandbox.world.users[private.id]
    sent = {
        (chat.id, chat.text(friend, str(n)).id) for n in range(250) for chat in (group, private)
    }

    async with listening(house, standing=standing) as ear:
        assert {(change.chat_id, change.message_id) for change in ear.changes} == sent
        assert len(ear.changes) == len(sent)


async def test_nothing_is_heard_twice_by_the_next_connection(
    house: House, away: tuple[ChatHandle, ChatHandle, Standing]
) -> None:
    *_, standing = away
    async with listening(house, standing=standing) as ear:
        assert ear.changes == []


async def test_a_difference_that_is_too_long_is_a_loss_in_the_accounts_own_space(
    house: House, away: tuple[ChatHandle, ChatHandle, Standing]
) -> None:
    group, private, standing = away
    friend = house.sandbox.world.users[private.id]
    private.text(friend, "missed")
    in_group = group.text(friend, "not missed")
    house.sandbox.faults.too_long("updates.getDifference")

    async with listening(house, standing=standing) as ear:
        assert ear.lost_in == {None}
        # The answer names no channel; what happened in them is found all the same.
        assert ear.changes == [heard("new", in_group.id, group.id)]
        assert ear.last.state is not None
        assert ear.last.state.pts == house.me.pts


async def test_a_channel_difference_that_is_too_long_is_a_loss_in_that_chat(
    house: House, away: tuple[ChatHandle, ChatHandle, Standing]
) -> None:
    group, private, standing = away
    friend = house.sandbox.world.users[private.id]
    group.text(friend, "missed")
    newest = group.text(friend, "told as the newest")
    house.sandbox.faults.too_long("updates.getChannelDifference")

    async with listening(house, standing=standing) as ear:
        assert ear.lost_in == {group.id}
        assert ear.changes == [heard("new", newest.id, group.id)]
        assert ear.last.channels == {group.id: group.record.pts}
        message = await house.sandbox.post(group, lambda chat: chat.text(friend, "and on"))
        await ear.until(lambda: heard("new", message.id, group.id) in ear.changes)


async def test_a_channel_whose_key_was_never_stored_is_caught_up_all_the_same(
    house: House, away: tuple[ChatHandle, ChatHandle, Standing]
) -> None:
    group, private, standing = away
    (known,) = standing.heard
    keyless = replace(known, chat=replace(known.chat, access_hash=None))
    missed = group.text(house.sandbox.world.users[private.id], "missed")

    async with listening(house, standing=replace(standing, heard=(keyless,))) as ear:
        assert ear.changes == [heard("new", missed.id, group.id)]


async def test_a_difference_that_is_refused_for_now_is_asked_for_again(
    house: House,
    away: tuple[ChatHandle, ChatHandle, Standing],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("resources.telegram.update_box.RETRY_SECONDS", 0.1)
    group, private, standing = away
    friend = house.sandbox.world.users[private.id]
    missed = {group.text(friend, "missed").id, private.text(friend, "missed").id}
    house.sandbox.faults.error("updates.getDifference", "FLOOD_WAIT_1")
    house.sandbox.faults.error("updates.getChannelDifference", "FLOOD_WAIT_1")

    async with listening(house, standing=standing) as ear:
        assert {change.message_id for change in ear.changes} == missed
        assert ear.lost_in == set()


@pytest.mark.parametrize("method", ["updates.getDifference", "updates.getChannelDifference"])
async def test_a_long_flood_of_a_difference_is_told_to_whoever_waits_for_it_and_to_the_account(
    house: House,
    away: tuple[ChatHandle, ChatHandle, Standing],
    monkeypatch: pytest.MonkeyPatch,
    method: str,
) -> None:
    monkeypatch.setattr("resources.telegram.feed.RETRY_SECONDS", 0.1)
    group, private, standing = away
    friend = house.sandbox.world.users[private.id]
    group.text(friend, "missed")
    house.sandbox.faults.flood(method, 3600)
    account = Told()

    with pytest.raises(Transient) as told:
        async with listening(house, standing=standing, budget=Unmetered(account)):
            pass

    assert told.value.retry_after_seconds == pytest.approx(3600, abs=60)
    assert account.floods == [(method, 3600)]


async def test_what_happens_while_the_connection_is_broken_is_heard(house: House) -> None:
    friend = house.scenario.user("Bob")
    group = house.scenario.supergroup("Family", owner=house.me, members=[friend])
    private = house.scenario.private_chat(house.me, friend)
    async with listening(house, group) as ear:

        def break_and_speak(sandbox: Any) -> set[int]:
            sandbox.drop_connections()
            return {chat.text(friend, "meanwhile").id for chat in (group, private)}

        meanwhile = break_and_speak(house.sandbox)
        await ear.until(lambda: {change.message_id for change in ear.changes} == meanwhile)
        await asyncio.wait_for(ear.feed.reconnected.wait(), 10)


# How it ends


async def test_a_failing_inbox_ends_the_feed(house: House) -> None:
    account = await house.open(Lane.LISTENER)
    assert account.feed is not None

    async def full(batch: Heard) -> None:
        raise Transient(f"no room for {len(batch.changes)} changes")

    with pytest.raises(Transient, match="no room"):
        await asyncio.wait_for(account.feed.run(full), 10)


async def test_a_closed_connection_ends_the_feed_as_a_passing_trouble(house: House) -> None:
    account = await house.open(Lane.LISTENER)
    assert account.feed is not None
    ear = Ear(account.feed, account)
    ready = asyncio.Event()
    task = asyncio.create_task(account.feed.run(ear.keep, ready=ready.set))
    await ready.wait()
    await house.stack.aclose()
    with pytest.raises(Transient, match="connection"):
        await asyncio.wait_for(task, 10)


async def test_a_revoked_session_ends_the_feed_with_the_way_out(house: House) -> None:
    private = house.scenario.private_chat(house.me, house.scenario.user("Bob"))
    account = await house.open(Lane.LISTENER)
    assert account.feed is not None
    ear = Ear(account.feed, account)
    task = asyncio.create_task(account.feed.run(ear.keep))
    await account.feed.caught_up()
    house.sandbox.faults.error("updates.getDifference", "AUTH_KEY_UNREGISTERED")
    house.sandbox.faults.updates.too_long()
    await house.sandbox.post(private, lambda chat: chat.text(house.me, "hello"))
    with pytest.raises(Permanent, match="face-archive login"):
        await asyncio.wait_for(task, 10)
