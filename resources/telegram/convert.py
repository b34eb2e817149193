"""Telethon's messages become the archive's.

Who sent it, what it answers, which topic it is in, where it came from. Files are converted in
``convert_files``, people and chats in ``convert_peers``, the whole object in ``raw``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from telethon.tl import types

from archive.ids import AccountId, ChatId, MessageId, TopicId, UserId
from archive.records import Chat, Message, MessageKind, Page
from resources.telegram.convert_files import medium_of
from resources.telegram.convert_peers import chats_of, marked_id, predecessors_of, users_of
from resources.telegram.raw import compact_json, without_nul


class _Reply(NamedTuple):
    message_id: MessageId | None
    topic_id: TopicId | None


def page_of(answer: Any, chat: Chat) -> Page:
    """Convert an answer that brings messages, with the users and chats they speak of.

    Messages of other chats are left out: ids of the account's shared space may name them.
    """
    return Page(
        messages=tuple(message_of(item, chat) for item in _items_of(answer, chat)),
        users=users_of(answer.users),
        # In this order: a description of the whole group replaces what its successor says of it.
        chats=(*predecessors_of(answer.messages, chat), *chats_of(answer.chats)),
        # Only a slice of a history counts; a complete answer is its own count.
        total=getattr(answer, "count", len(answer.messages)),
    )


def ids_of(answer: Any, chat: Chat) -> tuple[MessageId, ...]:
    """Tell which messages ``page_of`` would convert."""
    return tuple(MessageId(item.id) for item in _items_of(answer, chat))


def message_of(message: Any, chat: Chat) -> Message:
    """Convert a message or service message of a chat."""
    message_id = MessageId(message.id)
    medium = medium_of(message.media, chat.chat_no, message_id)
    forward = message.fwd_from
    reply = _reply_of(message)
    return Message(
        message_id=message_id,
        kind=_kind_of(message, has_medium=medium is not None),
        sent_at=message.date,
        sender_id=_sender_of(message, chat.account_id),
        # A hidden edit is a reaction or a counter, not a change of what was said.
        edited_at=None if message.edit_hide else message.edit_date,
        text=without_nul(message.message or ""),
        reply_to_id=reply.message_id,
        topic_id=reply.topic_id,
        grouped_id=message.grouped_id,
        forwarded_from=_user_id(marked_id(forward.from_id)) if forward is not None else None,
        forwarded_message_id=_message_id(forward.channel_post) if forward is not None else None,
        forwarded_at=forward.date if forward is not None else None,
        media=medium.file if medium is not None else None,
        access=medium.access if medium is not None else None,
        raw=compact_json(message),
    )


def _kind_of(message: Any, *, has_medium: bool) -> MessageKind:
    if isinstance(message, types.MessageService):
        return MessageKind.SERVICE
    return MessageKind.MEDIA if has_medium else MessageKind.TEXT


def _items_of(answer: Any, chat: Chat) -> list[Any]:
    return [item for item in answer.messages if _is_of(item, chat.chat_id)]


def _is_of(message: Any, chat_id: ChatId) -> bool:
    if isinstance(message, types.MessageEmpty):
        return False
    return marked_id(message.peer_id) == chat_id


def _sender_of(message: Any, account_id: AccountId) -> UserId | None:
    """Return the author; where none is named it is the other one, ourselves, or the chat."""
    if message.from_id is not None:
        return _user_id(marked_id(message.from_id))
    if message.out and isinstance(message.peer_id, types.PeerUser):
        return UserId(account_id)
    return _user_id(marked_id(message.peer_id))


def _reply_of(message: Any) -> _Reply:
    """Tell a reply from the place in a forum, which Telegram says in the same field."""
    if isinstance(getattr(message, "action", None), types.MessageActionTopicCreate):
        return _Reply(None, TopicId(message.id))
    header = message.reply_to
    if not isinstance(header, types.MessageReplyHeader):
        return _Reply(None, None)
    # A quote out of another chat names an id that is not of this one.
    replied = None if header.reply_to_peer_id is not None else header.reply_to_msg_id
    if not header.forum_topic:
        return _Reply(_message_id(replied), None)
    if header.reply_to_top_id is None:
        return _Reply(None, None if replied is None else TopicId(replied))
    return _Reply(_message_id(replied), TopicId(header.reply_to_top_id))


def _user_id(value: int | None) -> UserId | None:
    return None if value is None else UserId(value)


def _message_id(value: int | None) -> MessageId | None:
    return None if value is None else MessageId(value)
