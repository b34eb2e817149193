"""A basic group becomes a supergroup.

Here belongs what happens to the two chats: both stay, each with its own history, and each says
where the other is.
Source: https://core.telegram.org/api/channel#migration
"""

from telethon.tl import types

from telegram_sandbox.records import Chat, ChatKind
from telegram_sandbox.world import World


def migrate(world: World, group: Chat) -> Chat:
    """Turns a basic group into a supergroup with the same people; returns the supergroup.

    The group is deactivated: its messages stay readable, its last one names the supergroup.
    """
    if group.kind is not ChatKind.GROUP or group.migrated_to is not None:
        raise ValueError("only a basic group migrates, and only once")
    creator = next(member.user for member in group.members.values() if member.creator)
    supergroup = world.add_channel(
        ChatKind.SUPERGROUP, group.title, creator, group.about, origin=group
    )
    supergroup.noforwards = group.noforwards
    group.migrated_to = supergroup
    action = types.MessageActionChatMigrateTo(supergroup.id)
    world.add_message(group, creator, supergroup.date, action=action)
    world.chat_changed(group)
    return supergroup
