"""Basic groups: what they are, who is in them, and becoming a supergroup.

Here belongs what concerns a basic group as a whole.
"""

from typing import Any

from telethon.tl import functions, types

from telegram_sandbox.errors import RpcRefusal
from telegram_sandbox.migration import migrate
from telegram_sandbox.peers import resolve_group
from telegram_sandbox.registry import Context, handles


@handles(functions.messages.GetChatsRequest)
def get_chats(ctx: Context, request: Any) -> Any:
    """Returns basic groups."""
    return types.messages.Chats([ctx.views.chat(resolve_group(ctx, each)) for each in request.id])


@handles(functions.messages.GetFullChatRequest)
def get_full_chat(ctx: Context, request: Any) -> Any:
    """Returns a basic group with its members."""
    chat = resolve_group(ctx, request.chat_id)
    participants = [
        types.ChatParticipantCreator(user.id)
        if chat.members[user.id].creator
        else types.ChatParticipant(user.id, user.id, chat.date)
        for user in chat.users
    ]
    full = types.ChatFull(
        id=chat.id,
        about=chat.about,
        participants=types.ChatParticipants(chat.id, participants, 1),
        notify_settings=types.PeerNotifySettings(),
    )
    users = [ctx.views.user(user) for user in chat.users]
    return types.messages.ChatFull(full, [ctx.views.chat(chat)], users)


@handles(functions.messages.MigrateChatRequest)
def migrate_chat(ctx: Context, request: Any) -> Any:
    """Turns a basic group into a supergroup; only its creator may."""
    chat = resolve_group(ctx, request.chat_id)
    if not chat.members[ctx.account.id].creator:
        raise RpcRefusal("CHAT_ADMIN_REQUIRED")
    if chat.migrated_to is not None:
        raise RpcRefusal("CHAT_ID_INVALID")
    supergroup = migrate(ctx.world, chat)
    events = [ctx.account.events[-1], supergroup.events[-1]]
    return ctx.views.updates(events, ctx.world.now(), types.UpdateChannel(supergroup.id))
