"""From what a client names to what exists: input peers, channels and users.

Here belongs the check that an account may use the name it used: right access hash, still a
member. What it then may do there is the handlers' business.
"""

from typing import Any

from telethon.tl import types

from telegram_sandbox.errors import RpcRefusal
from telegram_sandbox.records import Chat, ChatKind, Member, User
from telegram_sandbox.registry import Context


def resolve_user(ctx: Context, given: Any) -> User:
    """Returns the user that an InputUser or InputPeerUser names.

    Raises:
        RpcRefusal: USER_ID_INVALID for an unknown user or a wrong access hash.
    """
    if isinstance(given, types.InputUserSelf | types.InputPeerSelf):
        return ctx.account
    if isinstance(given, types.InputUserFromMessage | types.InputPeerUserFromMessage):
        user = ctx.world.users.get(given.user_id)
        message = resolve_chat(ctx, given.peer).history(ctx.account).get(given.msg_id)
        if user is None or message is None:
            raise RpcRefusal("USER_ID_INVALID")
        return user
    user = ctx.world.users.get(getattr(given, "user_id", 0))
    if user is None:
        raise RpcRefusal("USER_ID_INVALID")
    # Telegram takes the hash of a `min` user nowhere but in a few file locations.
    expected = ctx.world.access_hash(ctx.account, "user", user.id)
    if user is not ctx.account and given.access_hash != expected:
        raise RpcRefusal("USER_ID_INVALID")
    return user


def resolve_channel(ctx: Context, given: Any, *, as_member: bool = False) -> Chat:
    """Returns the channel or supergroup that an InputChannel or InputPeerChannel names.

    Raises:
        RpcRefusal: CHANNEL_INVALID for a wrong name, CHANNEL_PRIVATE for one that is closed to
            the account.
    """
    chat = ctx.world.chats.get(getattr(given, "channel_id", 0))
    if chat is None or not chat.is_channel:
        raise RpcRefusal("CHANNEL_INVALID")
    if hasattr(given, "access_hash"):
        if given.access_hash != ctx.world.access_hash(ctx.account, "channel", chat.id):
            raise RpcRefusal("CHANNEL_INVALID")
    elif resolve_chat(ctx, given.peer).history(ctx.account).get(given.msg_id) is None:
        raise RpcRefusal("CHANNEL_INVALID")
    if chat.member(ctx.account) is None and (as_member or chat.username is None):
        raise RpcRefusal("CHANNEL_PRIVATE")
    return chat


def resolve_chat(ctx: Context, given: Any) -> Chat:
    """Returns the chat of any kind that an InputPeer names.

    Raises:
        RpcRefusal: PEER_ID_INVALID, CHAT_ID_INVALID, CHANNEL_INVALID or CHANNEL_PRIVATE.
    """
    if isinstance(given, types.InputPeerChannel | types.InputPeerChannelFromMessage):
        return resolve_channel(ctx, given)
    if isinstance(given, types.InputPeerChat):
        return resolve_group(ctx, given.chat_id)
    if isinstance(given, types.InputPeerEmpty):
        raise RpcRefusal("PEER_ID_INVALID")
    try:
        return ctx.world.private_chat(ctx.account, resolve_user(ctx, given))
    except RpcRefusal as refusal:
        raise RpcRefusal("PEER_ID_INVALID") from refusal


def resolve_group(ctx: Context, chat_id: int) -> Chat:
    """Returns the basic group of that id, if the account is in it."""
    chat = ctx.world.chats.get(chat_id)
    if chat is None or chat.kind is not ChatKind.GROUP or chat.member(ctx.account) is None:
        raise RpcRefusal("CHAT_ID_INVALID")
    return chat


def member_of(ctx: Context, chat: Chat) -> Member:
    """Returns what the account is in the chat.

    Raises:
        RpcRefusal: CHANNEL_PRIVATE when it is not in it.
    """
    member = chat.member(ctx.account)
    if member is None:
        raise RpcRefusal("CHANNEL_PRIVATE")
    return member


def require_right(ctx: Context, chat: Chat, right: str) -> None:
    """Lets through who holds that admin right, or who may because ordinary members may.

    Raises:
        RpcRefusal: CHAT_ADMIN_REQUIRED.
    """
    member = member_of(ctx, chat)
    everybody = (
        right in {"change_info", "pin_messages", "manage_topics"}
        and chat.kind is ChatKind.SUPERGROUP
        and right not in chat.default_banned | member.banned_rights
    )
    if not (member.may(right) or everybody or not chat.is_channel):
        raise RpcRefusal("CHAT_ADMIN_REQUIRED")
