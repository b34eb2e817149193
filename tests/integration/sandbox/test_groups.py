"""Basic groups that become supergroups, and slow mode."""

import asyncio
from typing import Any

import pytest
from telethon import errors, events, functions, types, utils

from telegram_sandbox import ChatHandle, Sandbox

from .story import Connect, Story


@pytest.fixture
def group(story: Story) -> ChatHandle:
    made = story.scenario.group("Old group", owner=story.mia, members=[story.ben, story.tom])
    made.text(story.tom, "first")
    return made


async def test_a_group_becomes_a_supergroup_and_both_say_so(
    client: Any, story: Story, group: ChatHandle
) -> None:
    await client.get_dialogs()

    updates = await client(functions.messages.MigrateChatRequest(-group.id))
    new = next(each for each in updates.chats if isinstance(each, types.Channel))
    old = (await client(functions.messages.GetChatsRequest([-group.id]))).chats[0]
    last = (await client.get_messages(group.id, limit=1))[0]
    first = await client.get_messages(utils.get_peer_id(new), ids=1)

    assert (old.deactivated, old.migrated_to.channel_id) == (True, new.id)
    assert last.action == types.MessageActionChatMigrateTo(new.id)
    assert first.action == types.MessageActionChannelMigrateFrom("Old group", -group.id)
    assert new.megagroup


async def test_the_old_history_stays_readable_and_cannot_be_written_to(
    client: Any, story: Story, group: ChatHandle
) -> None:
    new = group.migrate()
    new.text(story.tom, "second")
    await client.get_dialogs()

    before = [m.text for m in await client.get_messages(group.id, limit=None) if m.text]
    after = [m.text for m in await client.get_messages(new.id, limit=None) if m.text]
    full = await client(functions.channels.GetFullChannelRequest(new.id))

    assert (before, after) == (["first"], ["second"])
    assert full.full_chat.migrated_from_chat_id == -group.id
    assert full.full_chat.migrated_from_max_id == group.messages[-1].id
    with pytest.raises(errors.PeerIdInvalidError):
        await client.send_message(group.id, "too late")


async def test_a_migration_is_pushed_to_who_is_connected(
    connect: Connect, sandbox: Sandbox, story: Story, group: ChatHandle
) -> None:
    client = await connect(story.mia, receive_updates=True)
    seen: asyncio.Queue[Any] = asyncio.Queue()
    client.add_event_handler(seen.put, events.Raw((types.UpdateNewMessage, types.UpdateChat)))

    new = await sandbox.post(group, lambda chat: chat.migrate())
    message, chat = [await asyncio.wait_for(seen.get(), 5) for _ in range(2)]

    assert message.message.action.channel_id == new.record.id
    assert chat.chat_id == -group.id


async def test_only_the_creator_migrates_and_only_once(
    connect: Connect, client: Any, story: Story, group: ChatHandle
) -> None:
    ben = await connect(story.ben)
    migrate = functions.messages.MigrateChatRequest(-group.id)

    with pytest.raises(errors.ChatAdminRequiredError):
        await ben(migrate)
    await client(migrate)
    with pytest.raises(errors.ChatIdInvalidError):
        await client(migrate)


async def test_slow_mode_lets_members_wait_and_admins_not(
    connect: Connect, client: Any, story: Story
) -> None:
    ben = await connect(story.ben)
    peer = await client.get_input_entity("family_demo")
    await client(functions.channels.ToggleSlowModeRequest(peer, 30))

    await ben.send_message("family_demo", "one")
    with pytest.raises(errors.SlowModeWaitError) as refused:
        await ben.send_message("family_demo", "two")
    await client.send_message("family_demo", "one")
    await client.send_message("family_demo", "two")

    assert 28 <= refused.value.seconds <= 30


async def test_a_chat_that_one_lost_is_private_and_one_that_is_gone_is_invalid(
    client: Any, story: Story, group: ChatHandle, sandbox: Sandbox
) -> None:
    await client.get_dialogs()
    sandbox.remove_member(story.hub, story.mia)
    sandbox.delete_chat(story.family)
    sandbox.delete_chat(group)

    with pytest.raises(errors.ChannelPrivateError):
        await client.get_messages(story.hub.id)
    with pytest.raises(errors.ChannelInvalidError):
        await client.get_messages(story.family.id)
    with pytest.raises(errors.ChatIdInvalidError):
        await client.get_messages(group.id)
    assert {dialog.id for dialog in await client.get_dialogs()} == {story.news.id}
