"""Reacting to messages, and asking who did.

Here belong the requests; what a reaction is lives in the `reactions` module above.
"""

from typing import Any, Final

from telethon.tl import functions, types

from telegram_sandbox.errors import RpcRefusal
from telegram_sandbox.peers import member_of, resolve_chat
from telegram_sandbox.reactions import peer_reactions, react, update_of
from telegram_sandbox.records import Chat, Message
from telegram_sandbox.registry import Context, handles

REACTIONS_MAXIMUM: Final = 3


def _message(ctx: Context, chat: Chat, message_id: int) -> Message:
    message = chat.history(ctx.account).get(message_id)
    if message is None or message.action is not None:
        raise RpcRefusal("MESSAGE_ID_INVALID")
    return message


@handles(functions.messages.SendReactionRequest)
def send_reaction(ctx: Context, request: Any) -> Any:
    """Replaces one's reactions to a message; none takes them back."""
    chat = resolve_chat(ctx, request.peer)
    member_of(ctx, chat)
    message = _message(ctx, chat, request.msg_id)
    given = [each for each in request.reaction or [] if not isinstance(each, types.ReactionEmpty)]
    if not all(isinstance(each, types.ReactionEmoji) for each in given):
        raise RpcRefusal("REACTION_INVALID")
    if len(given) > REACTIONS_MAXIMUM:
        raise RpcRefusal("REACTIONS_TOO_MANY")
    react(ctx.world, message, ctx.account, [each.emoticon for each in given])
    return _updates(ctx, chat, [message])


@handles(functions.messages.GetMessagesReactionsRequest)
def get_messages_reactions(ctx: Context, request: Any) -> Any:
    """Returns the reactions to some messages as updates."""
    chat = resolve_chat(ctx, request.peer)
    history = chat.history(ctx.account)
    return _updates(ctx, chat, [found for each in request.id if (found := history.get(each))])


def _updates(ctx: Context, chat: Chat, messages: list[Message]) -> Any:
    peer = ctx.views.peer(chat)
    content = ctx.views.messages(messages)
    updates = [update_of(message, peer, ctx.account) for message in messages]
    return types.Updates(updates, content["users"], content["chats"], ctx.world.now(), 0)


@handles(functions.messages.GetMessageReactionsListRequest)
def get_message_reactions_list(ctx: Context, request: Any) -> Any:
    """Returns who reacted to a message, all on one page."""
    chat = resolve_chat(ctx, request.peer)
    message = _message(ctx, chat, request.id)
    wanted = getattr(request.reaction, "emoticon", None)
    listed = [
        each
        for each in peer_reactions(message, ctx.account)
        if wanted in {None, each.reaction.emoticon}
    ]
    users = [ctx.views.user(each.user) for each in message.reacted.values()]
    return types.messages.MessageReactionsList(
        count=len(listed), reactions=listed, chats=[ctx.views.chat(chat)], users=users
    )
