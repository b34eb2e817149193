"""Takeout sessions: begun, used, refused, invalidated."""

from typing import Any

import pytest
from telethon import errors, functions, types

from telegram_sandbox import Sandbox, Upset

from .story import Connect, Story


async def test_a_history_is_read_inside_a_takeout_and_the_log_says_so(
    client: Any, story: Story, sandbox: Sandbox
) -> None:
    story.family.text(story.tom, "hello")

    async with client.takeout() as takeout:
        found = [m.text async for m in takeout.iter_messages("family_demo", wait_time=0)]

    inside = {entry.method for entry in sandbox.state.request_log if entry.in_takeout}
    assert found == ["hello", None]
    assert {"messages.getHistory", "account.finishTakeoutSession"} <= inside
    assert sandbox.takeouts.count == 0


async def test_a_delay_is_asked_for_before_a_takeout_begins(client: Any, sandbox: Sandbox) -> None:
    sandbox.faults.error("account.initTakeoutSession", "TAKEOUT_INIT_DELAY_86400")

    with pytest.raises(errors.TakeoutInitDelayError) as refused:
        async with client.takeout():
            pass

    assert refused.value.seconds == 86400


async def test_a_takeout_is_invalidated_in_the_middle(
    client: Any, story: Story, sandbox: Sandbox
) -> None:
    sandbox.faults.upset("messages.getHistory", Upset.END_TAKEOUTS, first=2)

    async with client.takeout(finalize=False) as takeout:
        await takeout.get_messages("family_demo")
        with pytest.raises(errors.TakeoutInvalidError):
            await takeout.get_messages("family_demo")

    assert await client.get_messages("family_demo")


async def test_a_second_export_ends_the_first(connect: Connect, client: Any, story: Story) -> None:
    other = await connect(story.mia)
    begin = functions.account.InitTakeoutSessionRequest
    first = await client(begin())
    await other(begin())

    with pytest.raises(errors.TakeoutInvalidError):
        await client(
            functions.InvokeWithTakeoutRequest(first.id, functions.updates.GetStateRequest())
        )


async def test_protected_chats_and_topics_are_read_outside_a_takeout_only(
    client: Any, story: Story
) -> None:
    story.family.record.noforwards = True
    await client.get_dialogs()
    hub = await client.get_input_entity(story.hub.id)
    topics = functions.messages.GetForumTopicsRequest(hub, None, 0, 0, 10)

    async with client.takeout() as takeout:
        with pytest.raises(errors.ChatForwardsRestrictedError):
            await takeout.get_messages("family_demo")
        with pytest.raises(errors.MethodInvalidError):
            await takeout(topics)

    assert await client.get_messages("family_demo")
    assert (await client(topics)).topics


async def test_a_range_of_ids_bounds_what_a_history_shows(client: Any, story: Story) -> None:
    for number in range(30):
        story.private.text(story.tom, str(number))
    peer = await client.get_input_entity(story.tom.id) if await client.get_dialogs() else None
    page = functions.messages.GetHistoryRequest(peer, 0, None, 0, 100, 0, 0, 0)

    async with client.takeout() as takeout:
        ranges = await takeout(functions.messages.GetSplitRangesRequest())
        part = await takeout(
            functions.InvokeWithMessagesRangeRequest(types.MessageRange(5, 9), page)
        )

    assert [(each.min_id, each.max_id) for each in ranges] == [(1, 2**31 - 1)]
    assert [m.id for m in part.messages] == [9, 8, 7, 6, 5]


async def test_a_takeout_is_finished_from_inside_only(client: Any) -> None:
    with pytest.raises(errors.TakeoutRequiredError):
        await client(functions.account.FinishTakeoutSessionRequest())
