"""How one account sees the world: records turned into TL objects.

Here belongs everything that depends on the viewer: access hashes, file references, `out`, the
peer of a private chat. Nothing here changes the world. Files have their views in `media_views`.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from telethon.tl import types

from telegram_sandbox import reactions
from telegram_sandbox.media_records import FileMedia
from telegram_sandbox.media_views import MediaViews
from telegram_sandbox.records import (
    ADMIN_RIGHTS,
    GENERAL_TOPIC,
    Chat,
    ChatKind,
    Event,
    Member,
    Message,
    Topic,
    User,
)
from telegram_sandbox.world import World


class Views:
    """TL objects in the eyes of one account."""

    def __init__(self, world: World, viewer: User) -> None:
        """Keeps whose eyes these are."""
        self._world = world
        self.viewer = viewer
        self._media = MediaViews(world, viewer)

    # Peers

    def peer(self, chat: Chat) -> Any:
        """Returns the peer by which the viewer names a chat."""
        if chat.is_channel:
            return types.PeerChannel(chat.id)
        if chat.kind is ChatKind.GROUP:
            return types.PeerChat(chat.id)
        return types.PeerUser(chat.other(self.viewer).id)

    def user(self, user: User) -> Any:
        """Returns a user; a `min` one if the viewer does not know it."""
        is_self = user is self.viewer
        is_min = user.min_for_others and not is_self
        kind = "min user" if is_min else "user"
        return types.User(
            id=user.id,
            is_self=is_self or None,
            deleted=user.deleted or None,
            bot=user.bot or None,
            bot_info_version=1 if user.bot else None,
            min=is_min or None,
            access_hash=self._world.access_hash(self.viewer, kind, user.id),
            first_name=None if user.deleted else user.first_name,
            last_name=None if user.deleted else user.last_name,
            username=None if user.deleted else user.username,
            phone=user.phone.lstrip("+") if is_self and user.phone else None,
        )

    def chat(self, chat: Chat) -> Any:
        """Returns a group or channel."""
        member = chat.member(self.viewer)
        if chat.kind is ChatKind.GROUP:
            return types.Chat(
                id=chat.id,
                title=chat.title,
                photo=types.ChatPhotoEmpty(),
                participants_count=len(chat.users),
                date=chat.date,
                version=1,
                creator=(member is not None and member.creator) or None,
                left=member is None or None,
                noforwards=chat.noforwards or None,
                deactivated=chat.migrated_to is not None or None,
                migrated_to=self._input_channel(chat.migrated_to) if chat.migrated_to else None,
                default_banned_rights=banned_rights(frozenset()),
            )
        return self._channel(chat, member)

    def _input_channel(self, chat: Chat) -> Any:
        return types.InputChannel(chat.id, self._world.access_hash(self.viewer, "channel", chat.id))

    def _channel(self, chat: Chat, member: Member | None) -> Any:
        access_hash = self._world.access_hash(self.viewer, "channel", chat.id)
        megagroup = chat.kind is ChatKind.SUPERGROUP
        if member is None and chat.username is None:
            return types.ChannelForbidden(
                id=chat.id,
                access_hash=access_hash,
                title=chat.title,
                broadcast=not megagroup or None,
                megagroup=megagroup or None,
            )
        return types.Channel(
            id=chat.id,
            title=chat.title,
            photo=types.ChatPhotoEmpty(),
            date=chat.date if member is None else member.date,
            creator=(member is not None and member.creator) or None,
            left=member is None or None,
            broadcast=not megagroup or None,
            megagroup=megagroup or None,
            forum=chat.forum or None,
            noforwards=chat.noforwards or None,
            slowmode_enabled=chat.slow_mode_seconds > 0 or None,
            access_hash=access_hash,
            username=chat.username,
            admin_rights=admin_rights_of(member) if member and member.is_admin else None,
            banned_rights=(
                banned_rights(member.banned_rights) if member and member.banned_rights else None
            ),
            default_banned_rights=banned_rights(chat.default_banned) if megagroup else None,
            participants_count=len(chat.users),
        )

    # Messages

    def message(self, message: Message) -> Any:
        """Returns a message or service message."""
        common: dict[str, Any] = {
            "id": message.id,
            "peer_id": self.peer(message.chat),
            "date": message.date,
            "out": self._is_out(message) or None,
            "post": message.chat.kind is ChatKind.CHANNEL or None,
            "from_id": self._from(message),
            "reply_to": self._reply(message),
        }
        if message.action is not None:
            return types.MessageService(action=message.action, **common)
        return types.Message(
            message=message.text,
            media=None if message.media is None else self._media.media(message),
            entities=list(message.entities) or None,
            fwd_from=self._forward(message),
            grouped_id=message.grouped_id,
            edit_date=message.edit_date,
            pinned=message.pinned or None,
            reactions=reactions.reactions_view(message, self.viewer),
            noforwards=message.noforwards or None,
            views=1 if message.chat.kind is ChatKind.CHANNEL else None,
            forwards=0 if message.chat.kind is ChatKind.CHANNEL else None,
            **common,
        )

    def _is_out(self, message: Message) -> bool:
        return message.sender is self.viewer and message.chat.kind is not ChatKind.CHANNEL

    def _from(self, message: Message) -> Any:
        if message.sender is None or message.chat.kind is ChatKind.CHANNEL:
            return None
        if message.chat.kind is ChatKind.PRIVATE and not self._is_out(message):
            return None
        return types.PeerUser(message.sender.id)

    def _reply(self, message: Message) -> Any:
        topic = message.topic_id if message.topic_id != GENERAL_TOPIC else None
        replied = message.reply_to.copy_for(message.owner) if message.reply_to else None
        if replied is None and topic is None:
            return None
        if topic is None or (message.action is not None and message.id == topic):
            return types.MessageReplyHeader(reply_to_msg_id=replied.id) if replied else None
        if replied is None or replied.id == topic:
            return types.MessageReplyHeader(forum_topic=True, reply_to_msg_id=topic)
        return types.MessageReplyHeader(
            forum_topic=True, reply_to_msg_id=replied.id, reply_to_top_id=topic
        )

    def _forward(self, message: Message) -> Any:
        forward = message.forward
        if forward is None:
            return None
        source: Any = None
        if forward.channel is not None:
            source = types.PeerChannel(forward.channel.id)
        elif forward.sender is not None:
            source = types.PeerUser(forward.sender.id)
        return types.MessageFwdHeader(
            date=forward.date,
            from_id=source,
            from_name=forward.sender_name,
            channel_post=forward.channel_post,
        )

    def loose_media(self, media: FileMedia, chat: Chat) -> Any:
        """Returns a medium that hangs on no message yet."""
        return self._media.file_media(media, chat)

    def messages(self, messages: Iterable[Message]) -> dict[str, list[Any]]:
        """Returns messages with the users and chats they mention, as answers carry them."""
        messages = list(messages)
        users: dict[int, User] = {}
        chats: dict[int, Chat] = {}
        for message in messages:
            self._mentioned(message, users, chats)
        return {
            "messages": [self.message(message) for message in messages],
            "users": [self.user(user) for user in users.values()],
            "chats": [self.chat(chat) for chat in chats.values()],
        }

    def _mentioned(self, message: Message, users: dict[int, User], chats: dict[int, Chat]) -> None:
        chat = message.chat
        if chat.kind is ChatKind.PRIVATE:
            users.update((user.id, user) for user in chat.users)
        else:
            chats[chat.id] = chat
        if message.sender is not None and chat.kind is not ChatKind.CHANNEL:
            users[message.sender.id] = message.sender
        if message.forward is not None and message.forward.sender is not None:
            users[message.forward.sender.id] = message.forward.sender
        if message.forward is not None and message.forward.channel is not None:
            chats[message.forward.channel.id] = message.forward.channel

    def topic(self, chat: Chat, topic: Topic) -> Any:
        """Returns a forum topic with its newest message."""
        top = topic.top_message
        return types.ForumTopic(
            id=topic.id,
            date=topic.date,
            peer=self.peer(chat),
            title=topic.title,
            icon_color=topic.icon_color,
            top_message=top,
            read_inbox_max_id=top,
            read_outbox_max_id=top,
            unread_count=0,
            unread_mentions_count=0,
            unread_reactions_count=0,
            unread_poll_votes_count=0,
            from_id=types.PeerUser(topic.creator.id),
            notify_settings=types.PeerNotifySettings(),
            my=topic.creator is self.viewer or None,
            closed=topic.closed or None,
            pinned=topic.pinned or None,
            hidden=topic.hidden or None,
            icon_emoji_id=topic.icon_emoji_id,
        )

    # Updates

    def update(self, event: Event) -> Any:
        """Returns an event as the update that announces it."""
        channel = event.chat.is_channel
        numbered: dict[str, int] = {"pts": event.pts, "pts_count": event.count}
        if event.kind in {"new", "edit"} and event.message is not None:
            constructor = {
                ("new", True): types.UpdateNewChannelMessage,
                ("new", False): types.UpdateNewMessage,
                ("edit", True): types.UpdateEditChannelMessage,
                ("edit", False): types.UpdateEditMessage,
            }[event.kind, channel]
            return constructor(message=self.message(event.message), **numbered)
        if event.kind == "reactions" and event.message is not None:
            return reactions.update_of(event.message, self.peer(event.chat), self.viewer)
        ids = list(event.ids)
        if event.kind == "delete":
            if channel:
                return types.UpdateDeleteChannelMessages(event.chat.id, ids, **numbered)
            return types.UpdateDeleteMessages(ids, **numbered)
        pinned = event.kind == "pin" or None
        if channel:
            return types.UpdatePinnedChannelMessages(event.chat.id, ids, pinned=pinned, **numbered)
        return types.UpdatePinnedMessages(self.peer(event.chat), ids, pinned=pinned, **numbered)

    def updates(self, events: Iterable[Event], date: datetime, *extra: Any) -> Any:
        """Returns events packed as the answer to a request, or as a push."""
        events = list(events)
        mentioned = self.messages(event.message for event in events if event.message)
        return types.Updates(
            updates=[*extra, *(self.update(event) for event in events)],
            users=mentioned["users"],
            chats=mentioned["chats"],
            date=date,
            seq=0,
        )


def admin_rights_of(member: Member) -> Any:
    """Returns the admin rights that a member holds."""
    held = ADMIN_RIGHTS if member.creator else member.admin_rights
    return types.ChatAdminRights(**dict.fromkeys(held, True))


def banned_rights(names: frozenset[str]) -> Any:
    """Returns the named things as forbidden."""
    return types.ChatBannedRights(until_date=None, **dict.fromkeys(names, True))
