from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Literal

import pytest

from archive.errors import Transient
from archive.ids import ChatId, MessageId
from archive.listening import Change
from resources.telegram.sessions import Lane
from tests.integration.telegram.conftest import House


def heard(
    change: Literal["new", "edited", "deleted"], message_id: int, chat_id: int | None = None
) -> Change:
    return Change(None if chat_id is None else ChatId(chat_id), MessageId(message_id), change)


class Ear:
    """Hears the feed in the background."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[Change] = asyncio.Queue()
        self.ready = asyncio.Event()

    async def next(self) -> Change:
        return await asyncio.wait_for(self.heard.get(), 10)


@asynccontextmanager
async def listening(house: House) -> AsyncIterator[Ear]:
    account = await house.open(Lane.LISTENER)
    ear = Ear()
    task = asyncio.create_task(account.feed.run(ear.heard.put, ready=ear.ready.set))
    await ear.ready.wait()
    try:
        yield ear
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_new_message_is_heard(house: House) -> None:
    friend = house.scenario.user("Bob")
    group = house.scenario.supergroup("Family", owner=house.me, members=[friend])
    async with listening(house) as ear:
        message = await house.sandbox.post(group, lambda chat: chat.text(friend, "hello"))
        assert await ear.next() == heard("new", message.id, group.id)


async def test_what_comes_before_anybody_asks_is_heard_then(house: House) -> None:
    group = house.scenario.supergroup("Family", owner=house.me)
    account = await house.open(Lane.LISTENER)
    message = await house.sandbox.post(group, lambda chat: chat.text(house.me, "early"))
    await account.peers.dialogs()
    changes: asyncio.Queue[Change] = asyncio.Queue()
    task = asyncio.create_task(account.feed.run(changes.put))
    assert await asyncio.wait_for(changes.get(), 10) == heard("new", message.id, group.id)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_private_message_is_heard_with_its_sender_as_chat(house: House) -> None:
    friend = house.scenario.user("Bob")
    private = house.scenario.private_chat(house.me, friend)
    async with listening(house) as ear:
        message = await house.sandbox.post(private, lambda chat: chat.text(friend, "hello"))
        assert await ear.next() == heard("new", message.id, friend.id)


async def test_edits_and_deletions_are_heard_in_order(house: House) -> None:
    group = house.scenario.supergroup("Family", owner=house.me)
    async with listening(house) as ear:
        first = await house.sandbox.post(group, lambda chat: chat.text(house.me, "helo"))
        await house.sandbox.post(group, lambda chat: chat.edit(first, text="hello"))
        await house.sandbox.post(group, lambda chat: chat.delete(first))
        changes = [await ear.next() for _ in range(3)]
    assert [(change.message_id, change.change) for change in changes] == [
        (first.id, "new"),
        (first.id, "edited"),
        (first.id, "deleted"),
    ]
    assert {change.chat_id for change in changes} == {group.id}


async def test_a_private_deletion_names_no_chat(house: House) -> None:
    friend = house.scenario.user("Bob")
    private = house.scenario.private_chat(house.me, friend)
    async with listening(house) as ear:
        message = await house.sandbox.post(private, lambda chat: chat.text(friend, "hello"))
        await house.sandbox.post(private, lambda chat: chat.delete(message))
        assert [await ear.next() for _ in range(2)][1] == heard("deleted", message.id)


async def test_messages_are_heard_again_after_the_connection_broke(house: House) -> None:
    group = house.scenario.supergroup("Family", owner=house.me)
    async with listening(house) as ear:
        await house.sandbox.post(group, lambda chat: chat.text(house.me, "before"))
        assert (await ear.next()).change == "new"
        asked = house.asked("users.getUsers")
        house.sandbox.drop_connections()
        await until(lambda: house.asked("users.getUsers") > asked)
        message = await house.sandbox.post(group, lambda chat: chat.text(house.me, "after"))
        assert (await ear.next()).message_id == message.id


async def test_a_failing_inbox_ends_the_feed(house: House) -> None:
    group = house.scenario.supergroup("Family", owner=house.me)
    account = await house.open(Lane.LISTENER)
    ready = asyncio.Event()

    async def full(change: Change) -> None:
        raise Transient(f"no room for {change.message_id}")

    task = asyncio.create_task(account.feed.run(full, ready=ready.set))
    await ready.wait()
    await house.sandbox.post(group, lambda chat: chat.text(house.me, "hello"))
    with pytest.raises(Transient, match="no room"):
        await asyncio.wait_for(task, 10)


async def test_a_closed_connection_ends_the_feed_as_a_passing_trouble(house: House) -> None:
    account = await house.open(Lane.LISTENER)
    ready = asyncio.Event()
    heard: asyncio.Queue[Change] = asyncio.Queue()
    task = asyncio.create_task(account.feed.run(heard.put, ready=ready.set))
    await ready.wait()
    await house.stack.aclose()
    with pytest.raises(Transient, match="connection"):
        await asyncio.wait_for(task, 10)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until something has happened."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)
