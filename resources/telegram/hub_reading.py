"""What a hub says of itself when it is asked: what it is, and what may be done in it.

Nothing here changes anything on Telegram. What is in a hub is ``hub_contents``'s, what is written
to it ``hub_writing``'s.
"""

from __future__ import annotations

from typing import Any

from telethon.tl import functions, types

from archive.ids import UserId
from archive.publishing import HubGone, HubRights
from archive.records import Chat
from resources.telegram.calling import Caller
from resources.telegram.convert_peers import input_channel
from resources.telegram.errors import TelegramRefused
from resources.telegram.remarks import admins_of

_GONE = frozenset({"CHANNEL_INVALID", "CHANNEL_PRIVATE", "CHANNEL_PUBLIC_GROUP_NA"})


class HubReader:
    """Reads hubs through one connection.

    Args:
        call: The connection.
    """

    def __init__(self, call: Caller) -> None:
        self._call = call

    async def inspect(self, hub: Chat) -> HubRights:
        """Ask what the chat is now and what the account may do in it."""
        try:
            answer = await self._call(functions.channels.GetChannelsRequest([input_channel(hub)]))
        except TelegramRefused as error:
            if error.code in _GONE:
                raise HubGone(f"The hub is not there for us: {error.code}") from error
            raise
        channel = answer.chats[0] if answer.chats else None
        if not isinstance(channel, types.Channel) or channel.left:
            raise HubGone("The hub is not there for us.")
        return HubRights(
            is_forum=bool(channel.forum),
            is_public=bool(channel.username or any(u.active for u in channel.usernames or ())),
            can_manage_topics=_may(channel, "manage_topics", "manage_topics"),
            can_post=_may_post(channel),
            can_delete=_may(channel, "delete_messages", None),
            can_pin=_may(channel, "pin_messages", "pin_messages"),
        )

    async def admins(self, hub: Chat) -> frozenset[UserId]:
        """Ask who has a say in a hub.

        Raises:
            Transient: Telegram did not answer, or asks to wait.
            TelegramRefused: It does not say.
        """
        return await admins_of(self._call, hub)


def _may(channel: Any, admin_right: str, member_right: str | None) -> bool:
    """Whether the account holds a right: as creator, as admin, or as everybody does."""
    if channel.creator or (channel.admin_rights and getattr(channel.admin_rights, admin_right)):
        return True
    if member_right is None:
        return False
    banned = (channel.default_banned_rights, channel.banned_rights)
    return not any(rights and getattr(rights, member_right) for rights in banned)


def _may_post(channel: Any) -> bool:
    if channel.creator or channel.admin_rights:
        return True
    return all(
        _may(channel, "post_messages", right)
        for right in ("send_messages", "send_media", "send_photos")
    )
