"""Reactions: sent, pushed, counted, named."""

import asyncio
from typing import Any

import pytest
from telethon import errors, events, functions, types

from telegram_sandbox import Sandbox

from .story import Connect, Story


def emoji(*emoticons: str) -> list[Any]:
    return [types.ReactionEmoji(each) for each in emoticons]


def reaction(message_id: int, *emoticons: str) -> Any:
    return functions.messages.SendReactionRequest(
        "family_demo", message_id, reaction=emoji(*emoticons)
    )


def counts(message: Any) -> dict[str, int]:
    results = message.reactions.results if message.reactions else []
    return {each.reaction.emoticon: each.count for each in results}


async def test_a_reaction_is_in_the_history_and_says_whose_it_is(
    connect: Connect, client: Any, story: Story
) -> None:
    message = story.family.text(story.tom, "like this?")
    ben = await connect(story.ben)
    await client(reaction(message.id, "👍"))
    await ben(reaction(message.id, "👍", "🔥"))

    mine = await client.get_messages("family_demo", ids=message.id)

    assert counts(mine) == {"👍": 2, "🔥": 1}
    assert [each.chosen_order for each in mine.reactions.results] == [0, None]
    assert {each.peer_id.user_id for each in mine.reactions.recent_reactions} == {
        story.mia.id,
        story.ben.id,
    }


async def test_a_reaction_is_pushed_but_belongs_to_no_sequence(
    connect: Connect, story: Story, sandbox: Sandbox
) -> None:
    client = await connect(story.mia, receive_updates=True)
    message = story.family.text(story.tom, "like this?")
    before = story.family.record.pts
    arrived: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def note(update: Any) -> None:
        arrived.set_result(update)

    client.add_event_handler(note, events.Raw(types.UpdateMessageReactions))
    await sandbox.post(story.family, lambda chat: chat.react(message, story.ben, "🎉"))

    update = await asyncio.wait_for(arrived, 5)
    assert (update.msg_id, counts(update)) == (message.id, {"🎉": 1})
    assert story.family.record.pts == before


async def test_reactions_in_a_private_chat_are_shared_by_both_copies(
    connect: Connect, client: Any, story: Story
) -> None:
    both = story.scenario.private_chat(story.mia, story.ben)
    story.private.text(story.tom, "takes Mia's id 1")
    mine = both.text(story.mia, "to Ben")
    both.react(mine, story.ben, "❤")
    ben = await connect(story.ben)
    await ben.get_dialogs()
    await client.get_dialogs()

    theirs = await ben.get_messages(story.mia.id, ids=1)
    ours = await client.get_messages(story.ben.id, ids=mine.id)

    assert counts(theirs) == counts(ours) == {"❤": 1}


async def test_a_reaction_is_taken_back(client: Any, story: Story) -> None:
    message = story.family.text(story.tom, "like this?")
    await client(reaction(message.id, "👍"))

    await client(reaction(message.id))

    assert counts(await client.get_messages("family_demo", ids=message.id)) == {}


async def test_who_reacted_is_listed(client: Any, story: Story) -> None:
    message = story.family.text(story.tom, "like this?")
    story.family.react(message, story.ben, "👍")
    story.family.react(message, story.tom, "🔥")
    peer = await client.get_input_entity("family_demo")

    everybody = await client(
        functions.messages.GetMessageReactionsListRequest(peer, message.id, 10)
    )
    asked = await client(functions.messages.GetMessagesReactionsRequest(peer, [message.id]))

    assert (everybody.count, {each.id for each in everybody.users}) == (
        2,
        {story.ben.id, story.tom.id},
    )
    assert counts(asked.updates[0]) == {"👍": 1, "🔥": 1}


async def test_there_is_no_reaction_to_what_is_not_there(client: Any) -> None:
    with pytest.raises(errors.MessageIdInvalidError):
        await client(reaction(999, "👍"))
