"""Forum topics and the rights over them."""

from typing import Any

import pytest
from telethon import errors, functions, types

from telegram_sandbox import ICON_COLORS, Sandbox

from .story import Connect, Story, refused

messages = functions.messages


@pytest.fixture
async def hub(client: Any, story: Story) -> Any:
    await client.get_dialogs()
    return await client.get_input_entity(story.hub.id)


def create(hub: Any, title: str, random_id: int, color: int | None = None) -> Any:
    return messages.CreateForumTopicRequest(hub, title, icon_color=color, random_id=random_id)


async def listed(client: Any, hub: Any, **options: Any) -> Any:
    values = {"offset_date": None, "offset_id": 0, "offset_topic": 0, "limit": 100} | options
    return await client(messages.GetForumTopicsRequest(hub, **values))


async def test_general_is_always_there(client: Any, hub: Any) -> None:
    topics = (await listed(client, hub)).topics

    assert [(each.id, each.title) for each in topics] == [(1, "General")]


async def test_topics_are_made_and_two_may_share_a_title(
    client: Any, hub: Any, story: Story
) -> None:
    for random_id in (1, 2, 2):
        await client(create(hub, "Anna", random_id, ICON_COLORS[3]))

    topics = (await listed(client, hub)).topics

    assert [(t.id, t.title, t.icon_color) for t in topics[:2]] == [
        (3, "Anna", ICON_COLORS[3]),
        (2, "Anna", ICON_COLORS[3]),
    ]
    assert [t.title for t in story.hub.topics] == ["General", "Anna", "Anna"]


async def test_a_long_list_comes_in_pages(client: Any, hub: Any, story: Story) -> None:
    for number in range(130):
        story.hub.topic(story.mia, f"T{number}")

    first = await listed(client, hub)
    last = first.topics[-1]
    second = await listed(client, hub, offset_topic=last.id, offset_id=last.top_message)

    assert (first.count, len(first.topics), len(second.topics)) == (131, 100, 31)
    assert {t.id for t in first.topics}.isdisjoint(t.id for t in second.topics)


async def test_a_topic_is_renamed_closed_and_deleted(client: Any, hub: Any, story: Story) -> None:
    topic = story.hub.topic(story.mia, "Old")
    await client(messages.EditForumTopicRequest(hub, topic.id, title="New", closed=True))
    shown = await client(messages.GetForumTopicsByIDRequest(hub, [topic.id]))
    await client(messages.DeleteTopicHistoryRequest(hub, topic.id))
    gone = await client(messages.GetForumTopicsByIDRequest(hub, [topic.id]))

    assert (shown.topics[0].title, shown.topics[0].closed) == ("New", True)
    assert isinstance(gone.topics[0], types.ForumTopicDeleted)
    with pytest.raises(errors.TopicDeletedError):
        await client.send_message(hub, "late", reply_to=topic.id)


async def test_posts_land_in_their_topic_and_general_has_no_header(
    client: Any, hub: Any, story: Story
) -> None:
    topic = story.hub.topic(story.mia, "Anna")
    post = await client.send_message(hub, "first", reply_to=topic.id)
    inside = types.InputReplyToMessage(post.id, top_msg_id=topic.id)
    await client(messages.SendMessageRequest(hub, "answer", reply_to=inside, random_id=1))
    reply = await client.get_messages(hub, ids=post.id + 1)
    general = await client.send_message(hub, "to all")

    assert (post.reply_to.forum_topic, post.reply_to.reply_to_msg_id) == (True, topic.id)
    assert (reply.reply_to.reply_to_msg_id, reply.reply_to.reply_to_top_id) == (post.id, topic.id)
    assert general.reply_to is None
    in_topic = await client.get_messages(hub, limit=None, reply_to=topic.id)
    assert [m.id for m in in_topic] == [reply.id, post.id, topic.id]


@pytest.mark.parametrize(
    ("title", "color", "error"),
    [
        ("", None, "TOPIC_TITLE_EMPTY"),
        ("x" * 129, None, "TITLE_INVALID"),
        ("x", 0x123456, "ICON_COLOR_INVALID"),
    ],
)
async def test_title_and_colour_are_checked(
    client: Any, hub: Any, title: str, color: int | None, error: str
) -> None:
    with refused(error):
        await client(create(hub, title, 1, color))


async def test_a_member_may_not_make_topics(connect: Connect, story: Story) -> None:
    ben = await connect(story.ben)
    await ben.get_dialogs()
    hub = await ben.get_input_entity(story.hub.id)

    with pytest.raises(errors.ChatAdminRequiredError):
        await ben(create(hub, "Anna", 1))


async def test_a_right_that_was_taken_is_missed(
    client: Any, hub: Any, story: Story, sandbox: Sandbox
) -> None:
    sandbox.restrict(story.hub, story.mia, manage_topics=False)
    mine = await client(functions.channels.GetParticipantRequest(hub, types.InputPeerSelf()))

    assert mine.participant.admin_rights.post_messages
    assert not mine.participant.admin_rights.manage_topics
    with pytest.raises(errors.ChatAdminRequiredError):
        await client(create(hub, "Anna", 1))


async def test_a_hub_is_made_from_nothing(client: Any, sandbox: Sandbox) -> None:
    made = await client(
        functions.channels.CreateChannelRequest("People", "", megagroup=True, forum=True)
    )
    hub = made.chats[0]

    await client(create(hub, "Anna", 1))

    assert hub.forum
    assert [t.title for t in sandbox.state.chat(-(10**12) - hub.id).topics] == ["General", "Anna"]
