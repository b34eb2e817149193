"""Sending, forwarding, editing and deleting; the rule of random ids."""

from typing import Any

import pytest
from telethon import errors, functions, types, utils

from telegram_sandbox import Sandbox

from .story import JPEG, MP4, Connect, Story


def text(peer: Any, words: str, random_id: int, **options: Any) -> Any:
    return functions.messages.SendMessageRequest(peer, words, random_id=random_id, **options)


def new_ids(updates: Any) -> list[int]:
    return [each.id for each in updates.updates if isinstance(each, types.UpdateMessageID)]


async def test_a_repeated_random_id_returns_the_first_message(
    connect: Connect, client: Any, story: Story, sandbox: Sandbox
) -> None:
    first = await client(text("family_demo", "once", 42))
    other_session = await connect(story.mia)
    again = await other_session(text("family_demo", "twice", 42))

    assert new_ids(again) == new_ids(first)
    assert [m.text for m in sandbox.state.chat(story.family.id).messages[1:]] == ["once"]


async def test_a_random_id_counts_for_one_peer_and_one_account(
    connect: Connect, client: Any, story: Story
) -> None:
    ben = await connect(story.ben)
    ids = [
        new_ids(await client(text("family_demo", "a", 42))),
        new_ids(await ben(text("family_demo", "b", 42))),
    ]
    await client(text(types.InputPeerSelf(), "c", 42))

    assert ids == [[2], [3]]
    assert len(story.scenario.private_chat(story.mia, story.mia).messages) == 1


async def test_a_photo_is_sent_by_reference_without_moving_bytes(
    client: Any, story: Story, sandbox: Sandbox
) -> None:
    record = story.family.photo(story.tom, JPEG)
    source = await client.get_messages("family_demo", ids=record.id)
    media = types.InputMediaPhoto(utils.get_input_photo(source.photo))
    await client.get_dialogs()

    await client(functions.messages.SendMediaRequest(story.hub.id, media, "caption", random_id=9))

    sent = story.hub.messages[-1]
    assert (sent.text, sent.media.file.id) == ("caption", source.photo.id)  # type: ignore[union-attr]
    assert sandbox.state.requests["upload.getFile"] == 0


async def test_protected_content_is_neither_forwarded_nor_copied(client: Any, story: Story) -> None:
    record = story.news.photo(story.tom, JPEG)
    story.news.record.noforwards = True
    await client.get_dialogs()
    message = await client.get_messages(story.news.id, ids=record.id)
    media = types.InputMediaPhoto(utils.get_input_photo(message.photo))

    with pytest.raises(errors.ChatForwardsRestrictedError):
        await client.forward_messages("family_demo", message)
    with pytest.raises(errors.ChatForwardsRestrictedError):
        await client(functions.messages.SendMediaRequest("family_demo", media, "", random_id=3))


async def test_an_album_is_uploaded_item_by_item_and_sent_at_once(
    client: Any, story: Story, sandbox: Sandbox
) -> None:
    sent = await client.send_file("family_demo", [JPEG, JPEG, JPEG], caption=["a", "b", "c"])
    await client.forward_messages("me", sent)
    forwarded = await client.get_messages("me", limit=3)

    assert sandbox.state.requests["messages.uploadMedia"] == 3
    assert sandbox.state.requests["messages.sendMultiMedia"] == 1
    assert [m.text for m in story.family.messages[1:]] == ["a", "b", "c"]
    assert len({m.grouped_id for m in sent}) == len({m.grouped_id for m in forwarded}) == 1
    assert forwarded[0].grouped_id not in {None, sent[0].grouped_id}


async def test_a_long_caption_is_refused(client: Any) -> None:
    with pytest.raises(errors.MediaCaptionTooLongError):
        await client.send_file("family_demo", MP4, caption="x" * 1025)


async def test_only_admins_post_in_a_channel(client: Any, story: Story) -> None:
    await client.get_dialogs()

    with pytest.raises(errors.ChatAdminRequiredError):
        await client.send_message(story.news.id, "hi")


async def test_own_messages_are_edited_and_deleted_and_foreign_ones_are_not(
    connect: Connect, client: Any, story: Story
) -> None:
    ben = await connect(story.ben)
    foreign = story.family.text(story.tom, "Tom's")
    mine = await ben.send_message("family_demo", "mine")

    edited = await ben.edit_message("family_demo", mine.id, "changed")
    with pytest.raises(errors.MessageAuthorRequiredError):
        await ben.edit_message("family_demo", foreign.id, "no")
    with pytest.raises(errors.MessageDeleteForbiddenError):
        await ben.delete_messages("family_demo", foreign.id)
    await ben.delete_messages("family_demo", mine.id)
    await client.delete_messages("family_demo", foreign.id)

    assert (edited.text, edited.edit_date is not None) == ("changed", True)
    assert [m.id for m in story.family.messages] == [1]


async def test_a_message_is_pinned(client: Any, story: Story) -> None:
    message = story.family.text(story.tom, "keep")

    await client.pin_message("family_demo", message.id)

    assert story.family.message(message.id).pinned


async def test_an_unknown_request_fails_loudly(client: Any, sandbox: Sandbox) -> None:
    with pytest.raises(errors.RPCError, match="SANDBOX_UNKNOWN_METHOD_STORIES_GETALLSTORIES"):
        await client(functions.stories.GetAllStoriesRequest())

    assert sandbox.state.unknown_requests == ["stories.getAllStories"]
