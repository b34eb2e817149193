"""Users and chats: from Telethon's to the archive's, and back to what a request names.

A ``min`` constructor brings a name but no key: its access hash is not one that requests take,
so it is left out here and can never replace a real one. Not here: finding chats (``peers``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from telethon import utils
from telethon.tl import types

from archive.errors import Permanent
from archive.ids import ChatId, MessageId, UserId
from archive.records import Chat, ChatKind, PeerInfo, Presence, Successor, User


def users_of(users: Iterable[Any]) -> tuple[User, ...]:
    """Convert the users an answer brings; empty shells are left out."""
    return tuple(_user(user) for user in users if isinstance(user, types.User))


def chats_of(chats: Iterable[Any]) -> tuple[PeerInfo, ...]:
    """Convert the chats an answer brings; empty shells are left out."""
    peers = (peer_info(chat) for chat in chats)
    return tuple(peer for peer in peers if peer is not None)


def predecessors_of(messages: Iterable[Any], chat: Chat) -> tuple[PeerInfo, ...]:
    """Return the basic group that a supergroup was, where its first message says so.

    Source: https://core.telegram.org/constructor/messageActionChannelMigrateFrom
    """
    actions = (getattr(message, "action", None) for message in messages)
    return tuple(
        PeerInfo(
            chat_id=ChatId(utils.get_peer_id(types.PeerChat(action.chat_id))),
            kind=ChatKind.BASIC_GROUP,
            title=action.title,
            successor=Successor(chat.chat_id),
        )
        for action in actions
        if isinstance(action, types.MessageActionChannelMigrateFrom)
    )


def peer_info(entity: Any, top_message_id: MessageId | None = None) -> PeerInfo | None:
    """Convert a user, group or channel; ``None`` for one that only has an id."""
    if isinstance(entity, types.User):
        kind, title = ChatKind.PRIVATE, utils.get_display_name(entity) or f"User {entity.id}"
    elif isinstance(entity, types.Chat | types.ChatForbidden):
        kind, title = ChatKind.BASIC_GROUP, entity.title
    elif isinstance(entity, types.Channel | types.ChannelForbidden):
        kind = ChatKind.CHANNEL if entity.broadcast else ChatKind.SUPERGROUP
        title = entity.title
    else:
        return None
    return PeerInfo(
        chat_id=ChatId(utils.get_peer_id(entity)),
        kind=kind,
        title=title,
        username=_username(entity),
        access_hash=None if getattr(entity, "min", None) else getattr(entity, "access_hash", None),
        is_forum=bool(getattr(entity, "forum", None)),
        noforwards=bool(getattr(entity, "noforwards", None)),
        top_message_id=top_message_id,
        successor=_successor(entity),
        presence=_presence(entity),
    )


def marked_id(peer: Any) -> int | None:
    """Return the marked id of a peer, ``None`` of none."""
    return None if peer is None else int(utils.get_peer_id(peer))


def input_peer(chat: Chat) -> Any:
    """Return what a request names a chat by.

    Raises:
        Permanent: The account's key to the chat is not known.
    """
    if int(chat.chat_id) == int(chat.account_id):
        return types.InputPeerSelf()
    return keyed_peer(chat.chat_id, chat.kind, chat.access_hash)


def keyed_peer(chat_id: ChatId, kind: ChatKind, access_hash: int | None) -> Any:
    """Return what a request names a chat by, from its id and the account's key to it.

    Raises:
        Permanent: It needs a key, and that is not known.
    """
    if kind is ChatKind.BASIC_GROUP:
        return types.InputPeerChat(-chat_id)
    if access_hash is None:
        raise Permanent("The account's key to this chat is not known: add the chat again.")
    real_id, _ = utils.resolve_id(chat_id)
    if kind is ChatKind.PRIVATE:
        return types.InputPeerUser(real_id, access_hash)
    return types.InputPeerChannel(real_id, access_hash)


def input_channel(chat: Chat) -> Any:
    """Return what a request on channels and supergroups names one by."""
    return utils.get_input_channel(input_peer(chat))


def _user(user: Any) -> User:
    return User(
        user_id=UserId(user.id),
        first_name=user.first_name or None,
        last_name=user.last_name or None,
        username=_username(user),
        is_bot=bool(user.bot),
        is_deleted=bool(user.deleted),
    )


def _successor(entity: Any) -> Successor | None:
    """Return the supergroup that a basic group became."""
    channel = getattr(entity, "migrated_to", None)
    if not isinstance(channel, types.InputChannel):
        return None
    return Successor(
        ChatId(utils.get_peer_id(types.PeerChannel(channel.channel_id))), channel.access_hash
    )


def _presence(entity: Any) -> Presence:
    """Return what the account is to a group or channel."""
    if isinstance(entity, types.ChatForbidden | types.ChannelForbidden):
        return Presence.SHUT_OUT
    is_outside = getattr(entity, "left", None) or getattr(entity, "deactivated", None)
    return Presence.OUTSIDE if is_outside else Presence.INSIDE


def _username(entity: Any) -> str | None:
    """Return the plain username, or the first active one of a peer that has several."""
    name = getattr(entity, "username", None)
    if name:
        return str(name)
    several = getattr(entity, "usernames", None) or ()
    return next((str(item.username) for item in several if item.active), None)
