"""What a message of a hub says to us: a topic's new title, or a command.

Everything else in a hub, our own posts above all, is passed over where it arrives, be it in an
update or in what is read back. Which words are
commands is ``archive.remarks``'; who may give them is asked here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from telethon.tl import functions, types

from archive.ids import ChatId, UserId
from archive.records import Chat, Message, MessageKind
from archive.remarks import Remark, RemarkKind, read_command
from resources.telegram.calling import Caller
from resources.telegram.convert import message_of
from resources.telegram.convert_peers import input_channel, marked_id

# https://core.telegram.org/api/channel: a group has fifty admins at most.
_ADMINS: Final = 200


def remarks_in(update: Any, hubs: Mapping[ChatId, Chat]) -> Iterator[Remark]:
    """Return what an update brings of a hub; an edit brings nothing.

    Args:
        update: Any.
        hubs: By marked id.
    """
    if not isinstance(update, types.UpdateNewChannelMessage):
        return
    message = update.message
    hub = None if isinstance(message, types.MessageEmpty) else hubs.get(_chat_id(message))
    if hub is not None and (remark := remark_of(message_of(message, hub), hub)) is not None:
        yield remark


def remark_of(said: Message, hub: Chat) -> Remark | None:
    """Return what a message of a hub says to us; nothing in General, which is nobody's topic."""
    if said.kind is MessageKind.SERVICE:
        action = json.loads(said.raw).get("action", {})
        title = action.get("title") if action.get("_") == "MessageActionTopicEdit" else None
        return _remark(hub, said, RemarkKind.TITLE, title) if title else None
    command = read_command(said.text) if said.kind is MessageKind.TEXT else None
    return None if command is None else _remark(hub, said, RemarkKind.COMMAND, str(command))


async def admins_of(call: Caller, hub: Chat) -> frozenset[UserId]:
    """Ask who may manage the topics of a hub: whoever may rename them may name people.

    Raises:
        Transient: Telegram did not answer, or asks to wait.
        TelegramRefused: It does not say.
    """
    answer = await call(
        functions.channels.GetParticipantsRequest(
            channel=input_channel(hub),
            filter=types.ChannelParticipantsAdmins(),
            offset=0,
            limit=_ADMINS,
            hash=0,
        )
    )
    return frozenset(UserId(each.user_id) for each in answer.participants if _manages_topics(each))


def _manages_topics(participant: Any) -> bool:
    if isinstance(participant, types.ChannelParticipantCreator):
        return True
    rights = getattr(participant, "admin_rights", None)
    return bool(rights and rights.manage_topics)


def _remark(hub: Chat, said: Message, kind: RemarkKind, text: str) -> Remark | None:
    if said.topic_id is None or said.sender_id is None:
        return None
    return Remark(
        chat_id=hub.chat_id,
        topic_id=said.topic_id,
        message_id=said.message_id,
        sender_id=said.sender_id,
        kind=kind,
        text=text,
        sent_at=said.sent_at,
        reply_to_id=said.reply_to_id,
    )


def _chat_id(message: Any) -> ChatId:
    return ChatId(marked_id(message.peer_id) or 0)
