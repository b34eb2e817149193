"""Pushed updates, differences, faults, threads."""

import asyncio
from typing import Any

import pytest
from telethon import TelegramClient, errors, events, functions, types
from telethon.crypto import rsa
from telethon.sessions import StringSession

from telegram_sandbox import Sandbox, Scenario, run_in_thread

from .story import JPEG, Connect, Story


def first(client: Any, builder: Any) -> "asyncio.Future[Any]":
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def note(event: Any) -> None:
        if not future.done():
            future.set_result(event)

    client.add_event_handler(note, builder)
    return future


async def test_a_new_message_an_edit_and_a_deletion_are_pushed(
    connect: Connect, story: Story, sandbox: Sandbox
) -> None:
    client = await connect(story.mia, receive_updates=True)
    new, edited, deleted = (
        first(client, builder)
        for builder in (events.NewMessage(), events.MessageEdited(), events.MessageDeleted())
    )

    message = await sandbox.post(story.family, lambda chat: chat.photo(story.tom, JPEG))
    assert (await asyncio.wait_for(new, 5)).message.id == message.id
    await sandbox.post(story.family, lambda chat: chat.edit(message, text="changed"))
    assert (await asyncio.wait_for(edited, 5)).message.text == "changed"
    await sandbox.post(story.family, lambda chat: chat.delete(message))
    assert (await asyncio.wait_for(deleted, 5)).deleted_ids == [message.id]


async def test_what_one_account_sends_reaches_the_other(
    connect: Connect, client: Any, story: Story
) -> None:
    ben = await connect(story.ben, receive_updates=True)
    arrived = first(ben, events.NewMessage())
    await client.get_dialogs()

    await client.send_message("family_demo", "hello")

    event = await asyncio.wait_for(arrived, 5)
    assert (event.message.text, event.message.out, event.sender_id) == (
        "hello",
        False,
        story.mia.id,
    )


async def test_the_difference_holds_what_was_missed(client: Any, story: Story) -> None:
    before = await client(functions.updates.GetStateRequest())
    message = story.private.text(story.tom, "missed")
    story.private.text(story.tom, "second")
    story.private.edit(message, text="edited")
    story.family.text(story.tom, "elsewhere")

    missed = await client(
        functions.updates.GetDifferenceRequest(before.pts, before.date, before.qts)
    )

    assert [m.message for m in missed.new_messages] == ["edited", "second"]
    assert [type(each) for each in missed.other_updates] == [
        types.UpdateEditMessage,
        types.UpdateChannelTooLong,
    ]
    assert missed.state.pts == before.pts + 3


async def test_a_channel_difference_is_short_long_or_too_long(
    client: Any, story: Story, sandbox: Sandbox
) -> None:
    peer = await client.get_input_entity("family_demo")
    channel = types.InputChannel(peer.channel_id, peer.access_hash)
    start = story.family.record.pts

    async def difference(pts: int) -> Any:
        everything = types.ChannelMessagesFilterEmpty()
        return await client(
            functions.updates.GetChannelDifferenceRequest(channel, everything, pts, 100)
        )

    nothing = await difference(start)
    for number in range(150):
        story.family.text(story.tom, str(number))
    part = await difference(start)
    sandbox.world.difference_limit = 100
    too_long = await difference(start)

    assert isinstance(nothing, types.updates.ChannelDifferenceEmpty)
    assert (len(part.new_messages), part.final, part.pts) == (100, False, start + 100)
    assert too_long.dialog.pts == start + 150


async def test_a_lost_answer_does_not_double_the_message(
    client: Any, story: Story, sandbox: Sandbox
) -> None:
    sandbox.faults.drop_after(functions.messages.SendMessageRequest)

    sent = await client.send_message("family_demo", "once")

    assert sandbox.state.requests["messages.sendMessage"] == 2
    assert [m.id for m in story.family.messages[1:]] == [sent.id]


async def test_a_connection_cut_before_the_effect_is_repeated(
    client: Any, story: Story, sandbox: Sandbox
) -> None:
    sandbox.faults.drop_before("messages.sendMessage")

    await client.send_message("family_demo", "late but there")

    assert [m.text for m in story.family.messages[1:]] == ["late but there"]


async def test_an_error_meets_the_call_it_was_meant_for(client: Any, sandbox: Sandbox) -> None:
    sandbox.faults.error("users.getUsers", "FLOOD_WAIT_30", first=2)

    await client.get_me()
    with pytest.raises(errors.FloodWaitError) as refused:
        await client.get_me()

    assert refused.value.seconds == 30


async def test_a_delayed_call_does_not_hold_up_the_others(client: Any, sandbox: Sandbox) -> None:
    sandbox.faults.delay("users.getUsers", 0.2)
    slow = asyncio.create_task(client.get_me())
    await asyncio.sleep(0)

    await client(functions.help.GetConfigRequest())

    assert not slow.done()
    await slow


async def test_a_random_id_in_flight_is_a_duplicate(
    connect: Connect, client: Any, story: Story, sandbox: Sandbox
) -> None:
    other = await connect(story.mia, request_retries=0, raise_last_call_error=True)
    send = functions.messages.SendMessageRequest
    arrived = sandbox.state.requests
    sandbox.faults.delay(send, 0.3)
    peer = await client.get_input_entity("family_demo")
    slow = asyncio.create_task(client(send(peer, "a", random_id=5)))
    while not arrived["messages.sendMessage"]:
        await asyncio.sleep(0)

    refused = other._sender.send(send(peer, "a", random_id=5))
    with pytest.raises(errors.RandomIdDuplicateError):
        await refused

    await slow


def test_a_sandbox_in_a_thread_serves_a_client_without_a_loop_of_its_own() -> None:
    scenario = Scenario(seed=3)
    mia = scenario.user("Mia", phone="+15550001")
    group = scenario.supergroup("Group", owner=mia, username="group_demo")

    async def read(host: str, port: int) -> list[str]:
        session = StringSession()
        session.set_dc(2, host, port)
        client = TelegramClient(session, 1, "hash", receive_updates=False)
        await client.connect()
        try:
            await client.sign_in(mia.phone)
            await client.sign_in(mia.phone, "12345")
            return [m.text async for m in client.iter_messages("group_demo", limit=1)]
        finally:
            await client.disconnect()

    with run_in_thread(scenario) as running:
        rsa.add_key(running.public_key_pem, old=False)
        running.post(group, lambda chat: chat.text(mia, "from another thread"))
        found = asyncio.run(read(running.host, running.port))
        unknown = running.call(lambda sandbox: sandbox.state.unknown_requests)

    assert found == ["from another thread"]
    assert unknown == []


async def test_one_key_serves_several_connections_at_once(
    connect: Connect, client: Any, story: Story
) -> None:
    saved = StringSession.save(client.session)
    others = [await connect(session=StringSession(saved)) for _ in range(3)]

    names = await asyncio.gather(*(each.get_me() for each in [client, *others]))

    assert {each.id for each in names} == {story.mia.id}


async def test_latency_is_paid_once_by_requests_that_are_in_flight_together(
    client: Any, sandbox: Sandbox
) -> None:
    sandbox.faults.latency_seconds = 0.1
    loop = asyncio.get_running_loop()
    began = loop.time()

    await asyncio.gather(*(client.get_me() for _ in range(10)))

    assert 0.1 <= loop.time() - began < 0.6
