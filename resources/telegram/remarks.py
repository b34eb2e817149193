"""What an update says that was said in a hub: a topic's new title, or a command.

Everything else in a hub, our own posts above all, is passed over where it arrives. Which words are
commands is ``archive.remarks``'; who may give them is asked here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from telethon.tl import functions, types

from archive.ids import ChatId, UserId
from archive.records import Chat, Message, MessageKind
from archive.remarks import Remark, RemarkKind, read_command
from resources.telegram.calling import Caller
from resources.telegram.convert import message_of
from resources.telegram.convert_peers import input_channel, marked_id
from resources.telegram.raw import without_nul

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
    if hub is None:
        return
    action = getattr(message, "action", None)
    title = action.title if isinstance(action, types.MessageActionTopicEdit) else None
    said = message_of(message, hub)
    if title:
        yield from _remark(hub, said, RemarkKind.TITLE, without_nul(title))
    elif said.kind is MessageKind.TEXT and (command := read_command(said.text)):
        yield from _remark(hub, said, RemarkKind.COMMAND, str(command))


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


def _remark(hub: Chat, said: Message, kind: RemarkKind, text: str) -> Iterator[Remark]:
    """Put together what was said; nothing of it in General, which is nobody's topic."""
    if said.topic_id is None or said.sender_id is None:
        return
    yield Remark(
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
