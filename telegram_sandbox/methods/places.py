"""Where a message may go: the right to post, slow mode, topics and replies.

Here belongs what is checked before a message is made.
"""

from dataclasses import dataclass
from math import ceil
from typing import Any

from telegram_sandbox.errors import RpcRefusal
from telegram_sandbox.peers import member_of
from telegram_sandbox.records import GENERAL_TOPIC, Chat, ChatKind, Message
from telegram_sandbox.registry import Context


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a chat a message goes."""

    topic_id: int | None = None
    reply_to: Message | None = None


def may_send(ctx: Context, chat: Chat, *, media: bool) -> None:
    """Checks the right to post in a chat.

    Raises:
        RpcRefusal: CHANNEL_PRIVATE, CHAT_ADMIN_REQUIRED, CHAT_WRITE_FORBIDDEN,
            CHAT_SEND_MEDIA_FORBIDDEN, SLOWMODE_WAIT_n, or PEER_ID_INVALID for a group that has
            become a supergroup.
    """
    member = member_of(ctx, chat)
    if chat.migrated_to is not None:
        raise RpcRefusal("PEER_ID_INVALID")
    if chat.kind is ChatKind.CHANNEL:
        if not member.may("post_messages"):
            raise RpcRefusal("CHAT_ADMIN_REQUIRED")
        return
    if member.is_admin:
        return
    banned = member.banned_rights | (chat.default_banned if chat.is_channel else frozenset())
    if "send_messages" in banned:
        raise RpcRefusal("CHAT_WRITE_FORBIDDEN")
    if media and "send_media" in banned:
        raise RpcRefusal("CHAT_SEND_MEDIA_FORBIDDEN")
    before = chat.last_posts.get(ctx.account.id)
    if before is not None and chat.slow_mode_seconds:
        wait = chat.slow_mode_seconds - (ctx.world.now() - before).total_seconds()
        if wait > 0:
            raise RpcRefusal(f"SLOWMODE_WAIT_{ceil(wait)}")


def place_of(ctx: Context, chat: Chat, reply: Any, top_msg_id: int | None = None) -> Place:
    """Returns where a message goes that answers this.

    Raises:
        RpcRefusal: TOPIC_DELETED, TOPIC_CLOSED, or REPLY_MESSAGE_ID_INVALID.
    """
    reply_id = getattr(reply, "reply_to_msg_id", None)
    top_id = getattr(reply, "top_msg_id", None) or top_msg_id
    replied = chat.history(ctx.account).get(reply_id) if reply_id else None
    if not chat.forum:
        if reply_id and replied is None:
            raise RpcRefusal("REPLY_MESSAGE_ID_INVALID")
        return Place(None, replied)
    wanted = top_id or _topic_of_reply(reply_id, replied)
    topic = chat.topics.get(wanted)
    if topic is None:
        raise RpcRefusal("TOPIC_DELETED")
    mine = topic.creator is ctx.account
    if topic.closed and not (mine or member_of(ctx, chat).may("manage_topics")):
        raise RpcRefusal("TOPIC_CLOSED")
    if replied is not None and (replied.topic_id or GENERAL_TOPIC) != topic.id:
        raise RpcRefusal("REPLY_MESSAGE_ID_INVALID")
    return Place(None if topic.id == GENERAL_TOPIC else topic.id, replied)


def _topic_of_reply(reply_id: int | None, replied: Message | None) -> int:
    if not reply_id:
        return GENERAL_TOPIC
    # A missing message counts as a missing topic: its id could only have meant one.
    return reply_id if replied is None else replied.topic_id or GENERAL_TOPIC
