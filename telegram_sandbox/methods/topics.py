"""Forum topics: making, editing, listing and deleting them.

Source: https://core.telegram.org/api/forum
"""

from typing import Any, Final

from telethon.tl import functions, types

from telegram_sandbox.errors import RpcRefusal
from telegram_sandbox.methods.places import may_send
from telegram_sandbox.methods.sending import once
from telegram_sandbox.methods.takeout import refuse_inside
from telegram_sandbox.peers import member_of, require_right, resolve_channel
from telegram_sandbox.records import GENERAL_TOPIC, Chat, Message, Topic
from telegram_sandbox.registry import Context, handles
from telegram_sandbox.world import ICON_COLORS

TITLE_MAXIMUM: Final = 128
PAGE_MAXIMUM: Final = 100


def _forum(ctx: Context, peer: Any) -> Chat:
    chat = resolve_channel(ctx, peer)
    if not chat.forum:
        raise RpcRefusal("CHANNEL_FORUM_MISSING")
    return chat


def _checked_title(title: str) -> str:
    if not title.strip():
        raise RpcRefusal("TOPIC_TITLE_EMPTY")
    if len(title) > TITLE_MAXIMUM:
        raise RpcRefusal("TITLE_INVALID")
    return title


@handles(functions.messages.CreateForumTopicRequest)
def create_forum_topic(ctx: Context, request: Any) -> Any:
    """Makes a topic; titles may repeat, random ids may not."""
    chat = _forum(ctx, request.peer)

    def make() -> list[Message]:
        require_right(ctx, chat, "manage_topics")
        may_send(ctx, chat, media=False)
        title = _checked_title(request.title)
        color = ICON_COLORS[0] if request.icon_color is None else request.icon_color
        if color not in ICON_COLORS:
            raise RpcRefusal("ICON_COLOR_INVALID")
        topic = ctx.world.add_topic(
            chat, ctx.account, title, color, ctx.world.now(), request.icon_emoji_id
        )
        opened = chat.history(None).get(topic.id)
        return [opened] if opened else []

    return once(ctx, chat, [request.random_id], make)


def _topic(chat: Chat, topic_id: int) -> Topic:
    topic = chat.topics.get(topic_id)
    if topic is None:
        raise RpcRefusal("TOPIC_DELETED" if topic_id in chat.deleted_topics else "TOPIC_ID_INVALID")
    return topic


@handles(functions.messages.EditForumTopicRequest)
def edit_forum_topic(ctx: Context, request: Any) -> Any:
    """Changes title, emoji, or whether a topic is closed or hidden."""
    chat = _forum(ctx, request.peer)
    topic = _topic(chat, request.topic_id)
    if topic.creator is not ctx.account:
        require_right(ctx, chat, "manage_topics")
    if request.title is not None:
        _checked_title(request.title)
    if request.hidden is not None and topic.id != GENERAL_TOPIC:
        raise RpcRefusal("TOPIC_HIDE_INVALID")
    names = ("title", "icon_emoji_id", "closed", "hidden")
    given = {name: getattr(request, name) for name in names if getattr(request, name) is not None}
    if all(getattr(topic, name) == value for name, value in given.items()):
        raise RpcRefusal("TOPIC_NOT_MODIFIED")
    for name, value in given.items():
        setattr(topic, name, value)
    action = types.MessageActionTopicEdit(**given)
    topic_id = None if topic.id == GENERAL_TOPIC else topic.id
    ctx.world.add_message(chat, ctx.account, ctx.world.now(), action=action, topic_id=topic_id)
    return ctx.views.updates([chat.events[-1]], ctx.world.now())


@handles(functions.messages.UpdatePinnedForumTopicRequest)
def update_pinned_forum_topic(ctx: Context, request: Any) -> Any:
    """Pins a topic to the top of the list."""
    chat = _forum(ctx, request.peer)
    require_right(ctx, chat, "manage_topics")
    _topic(chat, request.topic_id).pinned = request.pinned
    return ctx.views.updates([], ctx.world.now())


@handles(functions.messages.GetForumTopicsRequest)
def get_forum_topics(ctx: Context, request: Any) -> Any:
    """Returns a page of topics: pinned ones first, then by their newest message."""
    refuse_inside(ctx)
    chat = _forum(ctx, request.peer)
    query = (request.q or "").lower()
    topics = sorted(
        (each for each in chat.topics.values() if query in each.title.lower()),
        key=lambda each: (each.pinned, each.top_message),
        reverse=True,
    )
    if request.offset_topic:
        ids = [each.id for each in topics]
        if request.offset_topic in ids:
            rest = topics[ids.index(request.offset_topic) + 1 :]
        else:
            rest = [each for each in topics if each.top_message < request.offset_id]
    else:
        rest = topics
    page = rest[: min(request.limit, PAGE_MAXIMUM)]
    return _answer(ctx, chat, [ctx.views.topic(chat, each) for each in page], page, len(topics))


@handles(functions.messages.GetForumTopicsByIDRequest)
def get_forum_topics_by_id(ctx: Context, request: Any) -> Any:
    """Returns topics by id; a deleted one comes back as such."""
    chat = _forum(ctx, request.peer)
    page = [each for number in request.topics if (each := chat.topics.get(number))]
    shown = [
        ctx.views.topic(chat, chat.topics[number])
        if number in chat.topics
        else types.ForumTopicDeleted(number)
        for number in request.topics
    ]
    return _answer(ctx, chat, shown, page, len(shown))


def _answer(ctx: Context, chat: Chat, shown: list[Any], page: list[Topic], count: int) -> Any:
    tops = [chat.history(None).get(each.top_message) for each in page]
    content = ctx.views.messages(message for message in tops if message)
    known = {user.id for user in content["users"]}
    creators = {each.creator.id: each.creator for each in page if each.creator.id not in known}
    content["users"] += [ctx.views.user(creator) for creator in creators.values()]
    content["chats"] = content["chats"] or [ctx.views.chat(chat)]
    return types.messages.ForumTopics(count=count, topics=shown, pts=chat.pts, **content)


@handles(functions.messages.DeleteTopicHistoryRequest)
def delete_topic_history(ctx: Context, request: Any) -> Any:
    """Deletes a topic with all its messages, a long one in parts; General only loses those."""
    chat = _forum(ctx, request.peer)
    topic = _topic(chat, request.top_msg_id)
    if topic.creator is not ctx.account and not member_of(ctx, chat).may("delete_messages"):
        raise RpcRefusal("CHAT_ADMIN_REQUIRED")
    newest_first = sorted(topic.messages.ids, reverse=True)
    limit = ctx.world.topic_deletion_limit
    gone = ctx.world.delete_messages(chat, None, newest_first[:limit])
    left = len(newest_first[limit:])
    if topic.id != GENERAL_TOPIC and not left:
        del chat.topics[topic.id]
        chat.deleted_topics.add(topic.id)
    return types.messages.AffectedHistory(pts=chat.pts, pts_count=len(gone), offset=left)
