"""Reactions to messages: changing them, and one account's view of them.

Here belongs all about reactions but the requests. Who reacts has at most one set of emoji a
message; every copy of the message shares them.
Source: https://core.telegram.org/api/reactions
"""

from collections.abc import Sequence
from typing import Any

from telethon.tl import types

from telegram_sandbox.records import ChatKind, Message, Reaction, User
from telegram_sandbox.world import World


def react(world: World, message: Message, user: User, emoticons: Sequence[str]) -> None:
    """Replaces a user's reactions to a message; none at all takes them back."""
    if emoticons:
        message.reacted[user.id] = Reaction(user, world.now(), tuple(emoticons))
    else:
        message.reacted.pop(user.id, None)
    world.reactions_changed(message)


def reactions_view(message: Message, viewer: User) -> Any:
    """Returns the reactions in an account's eyes; None where there never was one."""
    if not message.reacted:
        return message.reactions
    counts: dict[str, int] = {}
    for reaction in message.reacted.values():
        for emoticon in reaction.emoticons:
            counts[emoticon] = counts.get(emoticon, 0) + 1
    mine = message.reacted.get(viewer.id)
    chosen = mine.emoticons if mine else ()
    results = [
        types.ReactionCount(
            types.ReactionEmoji(emoticon),
            count,
            chosen_order=chosen.index(emoticon) if emoticon in chosen else None,
        )
        for emoticon, count in sorted(counts.items(), key=lambda each: -each[1])
    ]
    # Broadcast channels do not say who reacted.
    named = message.chat.kind is not ChatKind.CHANNEL
    recent = peer_reactions(message, viewer) if named else None
    return types.MessageReactions(results, can_see_list=named or None, recent_reactions=recent)


def peer_reactions(message: Message, viewer: User) -> list[Any]:
    """Returns who reacted how, newest first."""
    newest_first = sorted(message.reacted.values(), key=lambda each: each.date, reverse=True)
    return [
        types.MessagePeerReaction(
            types.PeerUser(each.user.id),
            each.date,
            types.ReactionEmoji(emoticon),
            my=each.user is viewer or None,
        )
        for each in newest_first
        for emoticon in each.emoticons
    ]


def update_of(message: Message, peer: Any, viewer: User) -> Any:
    """Returns the update that announces a message's reactions."""
    shown = reactions_view(message, viewer) or types.MessageReactions([])
    return types.UpdateMessageReactions(peer, message.id, shown, top_msg_id=message.topic_id)
