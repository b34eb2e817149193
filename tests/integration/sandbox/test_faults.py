"""What goes wrong on demand between a request and its answer."""

import asyncio
import random
from typing import Any

import pytest
from telethon import errors, functions, types

from telegram_sandbox import Drop, Fault, Faults, Sandbox, Upset

from .story import MP4, Connect, Story


def asked(sandbox: Sandbox, method: str) -> int:
    return sandbox.state.requests[method]


def get_file(file: Any, limit: int = 4096) -> Any:
    location = types.InputDocumentFileLocation(file.id, file.access_hash, file.file_reference, "")
    return functions.upload.GetFileRequest(location, 0, limit)


async def video(client: Any, story: Story, **options: Any) -> Any:
    record = story.family.video(story.tom, MP4, **options)
    return await client.get_messages("family_demo", ids=record.id)


@pytest.mark.parametrize("when", Drop)
async def test_a_message_is_there_once_wherever_the_connection_is_cut(
    client: Any, story: Story, sandbox: Sandbox, when: Drop
) -> None:
    sandbox.faults.drop("messages.sendMessage", when)

    sent = await client.send_message("family_demo", "once")

    assert [m.id for m in story.family.messages[1:]] == [sent.id]
    assert asked(sandbox, "messages.sendMessage") == 2


async def test_a_flood_meets_the_method_and_call_it_was_meant_for(
    client: Any, sandbox: Sandbox
) -> None:
    sandbox.faults.flood("messages.getHistory", 3600, first=2)
    await client.get_messages("family_demo")

    with pytest.raises(errors.FloodWaitError) as refused:
        await client.get_messages("family_demo")

    assert refused.value.seconds == 3600
    assert [method for method, _ in sandbox.faults.struck] == ["messages.getHistory"]


async def test_a_slow_download_gets_a_flood_of_its_own(
    client: Any, story: Story, sandbox: Sandbox
) -> None:
    message = await video(client, story)
    sandbox.faults.flood("upload.getFile", 7, premium=True)

    with pytest.raises(errors.FloodPremiumWaitError) as refused:
        await client(get_file(message.document))

    assert refused.value.seconds == 7


async def test_a_piece_of_a_file_can_be_cut_short(
    client: Any, story: Story, sandbox: Sandbox
) -> None:
    message = await video(client, story)
    sandbox.faults.truncate_chunk(100)

    short = await client(get_file(message.document))
    whole = await client(get_file(message.document))

    assert (short.bytes, whole.bytes) == (MP4[:100], MP4[:4096])


async def test_references_expire_in_the_middle_of_a_download(
    client: Any, story: Story, sandbox: Sandbox
) -> None:
    message = await video(client, story)
    sandbox.faults.upset("upload.getFile", Upset.EXPIRE_REFERENCES, first=3)

    assert await client.download_media(message, bytes) == MP4
    assert asked(sandbox, "channels.getMessages") == 2


async def test_a_file_of_the_other_data_centre_is_fetched_there(
    client: Any, story: Story, sandbox: Sandbox
) -> None:
    message = await video(client, story, dc=4)

    assert message.document.dc_id == 4
    assert await client.download_media(message, bytes) == MP4
    places = [e.dc for e in sandbox.state.request_log if e.method == "upload.getFile"]
    assert places[-1] == 4
    assert asked(sandbox, "auth.importAuthorization") == 1
    assert sandbox.sessions_of(story.mia) == 1


async def test_a_file_that_moves_is_refused_where_it_was(
    client: Any, story: Story, sandbox: Sandbox
) -> None:
    message = await video(client, story)
    sandbox.faults.upset("upload.getFile", Upset.MOVE_FILES, first=2)

    assert await client.download_media(message, bytes) == MP4
    with pytest.raises(errors.FileMigrateError) as refused:
        await client(get_file(message.document))

    assert refused.value.new_dc == 4
    again = await client.get_messages("family_demo", ids=message.id)
    assert again.document.dc_id == 4


async def test_a_ticket_is_for_one_data_centre_and_one_use(client: Any, sandbox: Sandbox) -> None:
    with pytest.raises(errors.DcIdInvalidError):
        await client(functions.auth.ExportAuthorizationRequest(2))
    ticket = await client(functions.auth.ExportAuthorizationRequest(4))

    with pytest.raises(errors.AuthBytesInvalidError):
        await client(functions.auth.ImportAuthorizationRequest(ticket.id, ticket.bytes))


async def test_a_session_is_logged_out_in_the_middle(
    client: Any, story: Story, sandbox: Sandbox
) -> None:
    sandbox.faults.upset("messages.getHistory", Upset.REVOKE_SESSION, first=2)
    await client.get_messages("family_demo")

    with pytest.raises(errors.AuthKeyUnregisteredError):
        await client.get_messages("family_demo")


@pytest.mark.parametrize("upset", [Upset.NEW_SALTS, Upset.CUT_ALL])
async def test_a_client_gets_over_new_salts_and_a_cut(
    client: Any, sandbox: Sandbox, upset: Upset
) -> None:
    sandbox.faults.upset("users.getUsers", upset)

    assert await client.get_me()


async def test_bandwidth_is_shared_by_what_is_in_flight_on_a_connection(
    client: Any, story: Story, sandbox: Sandbox
) -> None:
    message = await video(client, story)
    sandbox.faults.bytes_per_second = 2_000_000
    loop = asyncio.get_running_loop()
    began = loop.time()

    await asyncio.gather(*(client(get_file(message.document, 65536)) for _ in range(6)))

    assert loop.time() - began >= 6 * 65536 / 2_000_000


async def test_an_upload_is_slowed_down_too(client: Any, sandbox: Sandbox) -> None:
    sandbox.faults.bytes_per_second = 2_000_000
    loop = asyncio.get_running_loop()
    began = loop.time()

    await client.upload_file(random.Random(1).randbytes(400_000), part_size_kb=64)

    assert loop.time() - began >= 0.2


def test_jitter_repeats_with_its_seed() -> None:
    def drawn(seed: int) -> list[float]:
        faults = Faults(seed)
        faults.latency_seconds, faults.jitter_seconds = 0.1, 0.05
        return [faults.draw_latency() for _ in range(20)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert all(0.1 <= each <= 0.15 for each in drawn(1))


def test_several_rules_meet_one_call_together() -> None:
    faults = Faults()
    faults.add(Fault("a.b", delay_seconds=0.5, page_limit=3))
    faults.add(Fault(None, error="FLOOD_WAIT_1", delay_seconds=0.25, times=None))

    verdict = faults.judge("a.b")

    assert (verdict.delay_seconds, verdict.error, verdict.page_limit) == (0.75, "FLOOD_WAIT_1", 3)
    assert faults.judge("a.b").delay_seconds == 0.25


async def test_replies_may_be_short_too(
    connect: Connect, client: Any, story: Story, sandbox: Sandbox
) -> None:
    topic = story.hub.topic(story.mia, "Anna")
    for number in range(9):
        story.hub.text(story.mia, str(number), topic=topic)
    await client.get_dialogs()
    sandbox.faults.short_page(4, method="messages.getReplies")

    hub = await client.get_input_entity(story.hub.id)
    replies = functions.messages.GetRepliesRequest(hub, topic.id, 0, None, 0, 100, 0, 0, 0)

    assert len((await client(replies)).messages) == 4
    assert len((await client(replies)).messages) == 10
