"""What a client missed, and what becomes of pushed updates on the way."""

import asyncio
from functools import partial
from typing import Any

import pytest
from telethon import events, functions, types

from telegram_sandbox import ChatHandle, Sandbox

from .story import Connect, Story


class Heard:
    """The texts of new messages, as a client hears them."""

    def __init__(self) -> None:
        self._texts: asyncio.Queue[str] = asyncio.Queue()

    async def note(self, event: Any) -> None:
        self._texts.put_nowait(event.message.message)

    async def texts(self, count: int) -> list[str]:
        return [await asyncio.wait_for(self._texts.get(), 5) for _ in range(count)]

    def nothing_more(self) -> bool:
        return self._texts.empty()


@pytest.fixture
async def listener(connect: Connect, story: Story) -> tuple[Any, Heard]:
    client = await connect(story.mia, receive_updates=True)
    await client.get_dialogs()
    heard = Heard()
    client.add_event_handler(heard.note, events.NewMessage(incoming=True))
    return client, heard


async def raw(client: Any, *kinds: type) -> "asyncio.Queue[Any]":
    seen: asyncio.Queue[Any] = asyncio.Queue()
    client.add_event_handler(seen.put, events.Raw(kinds))
    return seen


def difference(pts: int, date: Any, **limits: int) -> Any:
    return functions.updates.GetDifferenceRequest(pts, date, 0, **limits)


async def say(sandbox: Sandbox, story: Story, *texts: str) -> None:
    for text in texts:
        await sandbox.post(story.family, partial(ChatHandle.text, sender=story.tom, text=text))


async def test_a_lost_update_is_found_by_the_gap_it_leaves(
    listener: tuple[Any, Heard], sandbox: Sandbox, story: Story
) -> None:
    _, heard = listener
    await say(sandbox, story, "one")
    sandbox.faults.updates.lose()
    await say(sandbox, story, "two", "three")

    assert sorted(await heard.texts(3)) == ["one", "three", "two"]
    assert sandbox.state.requests["updates.getChannelDifference"] == 1


async def test_an_update_that_comes_twice_is_heard_once(
    listener: tuple[Any, Heard], sandbox: Sandbox, story: Story
) -> None:
    _, heard = listener
    await say(sandbox, story, "one")
    sandbox.faults.updates.double()
    await say(sandbox, story, "two", "three")

    assert await heard.texts(3) == ["one", "two", "three"]
    assert heard.nothing_more()


async def test_updates_that_come_in_the_wrong_order_are_all_heard(
    listener: tuple[Any, Heard], sandbox: Sandbox, story: Story
) -> None:
    _, heard = listener
    await say(sandbox, story, "one")
    sandbox.faults.updates.swap()
    await say(sandbox, story, "two", "three")

    assert sorted(await heard.texts(3)) == ["one", "three", "two"]


async def test_updates_too_long_makes_the_client_ask(
    listener: tuple[Any, Heard], sandbox: Sandbox, story: Story
) -> None:
    _, heard = listener
    sandbox.faults.updates.too_long()

    await sandbox.post(story.private, lambda chat: chat.text(story.tom, "psst"))

    assert await heard.texts(1) == ["psst"]
    assert sandbox.state.requests["updates.getDifference"] >= 1


async def test_a_long_difference_comes_in_slices(
    client: Any, sandbox: Sandbox, story: Story
) -> None:
    before = await client(functions.updates.GetStateRequest())
    for number in range(25):
        story.private.text(story.tom, str(number))
    sandbox.world.difference_slice = 10
    pts, sizes = before.pts, []

    while True:
        part = await client(difference(pts, before.date))
        sizes.append(len(part.new_messages))
        if isinstance(part, types.updates.Difference):
            break
        pts = part.intermediate_state.pts

    assert sizes == [10, 10, 5]
    assert part.state.pts == before.pts + 25


async def test_a_difference_is_too_long_by_its_limit_by_the_clients_or_by_a_fault(
    client: Any, sandbox: Sandbox, story: Story
) -> None:
    before = await client(functions.updates.GetStateRequest())
    for number in range(25):
        story.private.text(story.tom, str(number))

    by_client = await client(difference(before.pts, before.date, pts_total_limit=20))
    sandbox.faults.too_long("updates.getDifference")
    by_fault = await client(difference(before.pts, before.date))
    whole = await client(difference(before.pts, before.date))
    sandbox.world.difference_limit = 24
    by_limit = await client(difference(before.pts, before.date))

    too_long = types.updates.DifferenceTooLong(before.pts + 25)
    assert by_client == by_fault == by_limit == too_long
    assert len(whole.new_messages) == 25


async def test_a_channel_difference_says_when_to_come_again(
    client: Any, sandbox: Sandbox, story: Story
) -> None:
    peer = await client.get_input_entity("family_demo")
    start = story.family.record.pts
    story.family.text(story.tom, "missed")
    sandbox.world.difference_timeout_seconds = 30
    ask = functions.updates.GetChannelDifferenceRequest(
        peer, types.ChannelMessagesFilterEmpty(), start, 100
    )

    part = await client(ask)
    sandbox.faults.too_long("updates.getChannelDifference")
    too_long = await client(ask)

    assert (part.final, part.timeout) == (True, 30)
    assert isinstance(too_long, types.updates.ChannelDifferenceTooLong)
    assert too_long.dialog.top_message == story.family.messages[-1].id


async def test_a_deletion_in_the_accounts_own_space_names_no_chat(
    listener: tuple[Any, Heard], client: Any, sandbox: Sandbox, story: Story
) -> None:
    connected, _ = listener
    before = await client(functions.updates.GetStateRequest())
    message = story.private.text(story.tom, "soon gone")
    seen = await raw(connected, types.UpdateDeleteMessages)

    await sandbox.post(story.private, lambda chat: chat.delete(message))
    pushed = await asyncio.wait_for(seen.get(), 5)
    missed = await client(difference(before.pts, before.date))

    assert pushed.messages == [message.id]
    assert missed.new_messages == []
    assert [each.messages for each in missed.other_updates] == [[message.id]]


async def test_top_ids_of_many_chats_come_in_one_answer(client: Any, story: Story) -> None:
    await client.get_dialogs()
    story.private.text(story.tom, "one")
    chats = [story.family, story.news, story.hub, story.private]
    peers = [
        types.InputDialogPeer(await client.get_input_entity(chat.id)) for chat in chats[:3]
    ] + [types.InputDialogPeer(types.InputPeerUser(story.tom.id, await hash_of(client, story)))]

    found = await client(functions.messages.GetPeerDialogsRequest(peers))

    tops = [chat.messages[-1].id for chat in chats]
    assert [each.top_message for each in found.dialogs] == tops


async def hash_of(client: Any, story: Story) -> int:
    message = story.family.text(story.tom, "hello")
    sender = (await client.get_messages("family_demo", ids=message.id)).sender
    return int(sender.access_hash)
