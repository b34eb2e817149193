"""The hub on Telegram: make it, ask what may be done in it, its topics, posts into it.

Implements ``archive.publishing.HubGateway``. Raw requests only, each with the random id it was
given: repeated after a lost answer it returns what the first call made. What to post, in which
order and how fast is decided in ``archive.publishing``; media on the wire are ``posts``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from telethon.extensions import html
from telethon.tl import functions, types

from archive.errors import ItemRejected, Permanent
from archive.ids import MessageId, TopicId
from archive.publishing import (
    CopyRefused,
    HubRights,
    MessageStuck,
    Post,
    PostMethod,
    TopicGone,
    TopicInfo,
)
from archive.records import Chat, MediaAccess, PeerInfo
from resources.telegram.calling import Caller
from resources.telegram.convert_peers import input_channel, input_peer, peer_info
from resources.telegram.errors import SessionLost, StaleReference, TelegramRefused
from resources.telegram.media import TelethonMedia
from resources.telegram.posts import media_by_reference, message_id_of, upload

GENERAL = TopicId(1)
TOPICS_PER_PAGE = 100
_ABOUT = "One topic per person, kept by Telegram Face Archive."

_COPY_CODES = frozenset(
    {
        "CHAT_FORWARDS_RESTRICTED",
        "DOCUMENT_INVALID",
        "FILE_ID_INVALID",
        "IMAGE_PROCESS_FAILED",
        "MEDIA_EMPTY",
        "MEDIA_FILE_INVALID",
        "MEDIA_INVALID",
        "MESSAGE_ID_INVALID",
        "MESSAGE_IDS_EMPTY",
    }
)
_COPY_PREFIXES = ("FILE_REFERENCE_", "PHOTO_")
# A forward names two chats and the refusal does not say which one it means. If it is the hub,
# the next way of copying will say so.
_SOURCE_CODES = frozenset({"CHANNEL_INVALID", "CHANNEL_PRIVATE", "CHAT_ID_INVALID"})

_TOPIC_GONE = frozenset({"TOPIC_DELETED", "TOPIC_ID_INVALID"})
_CHANGED_ALREADY = frozenset({"MESSAGE_NOT_MODIFIED", "CHAT_NOT_MODIFIED"})
_MESSAGE_STUCK = frozenset(
    {"MESSAGE_ID_INVALID", "MESSAGE_EDIT_TIME_EXPIRED", "MESSAGE_AUTHOR_REQUIRED"}
)


class TelethonHub:
    """Writes to hubs through one connection.

    Args:
        call: The connection.
        media: Renews a file reference that has expired.
    """

    def __init__(self, call: Caller, media: TelethonMedia) -> None:
        self._call = call
        self._media = media

    async def create(self, title: str) -> PeerInfo:
        """Make a private forum supergroup of our own.

        Telegram takes no random id here: after a lost answer there may be an empty group more.
        """
        answer = await self._call(
            functions.channels.CreateChannelRequest(
                title=title, about=_ABOUT, megagroup=True, forum=True
            )
        )
        hub = peer_info(answer.chats[0]) if answer.chats else None
        if hub is None:
            raise Permanent("Telegram made a group without showing it: look for it by hand.")
        return hub

    async def inspect(self, hub: Chat) -> HubRights:
        """Ask what the chat is now and what the account may do in it."""
        answer = await self._call(functions.channels.GetChannelsRequest([input_channel(hub)]))
        channel = answer.chats[0] if answer.chats else None
        if not isinstance(channel, types.Channel) or channel.left:
            raise TelegramRefused("CHANNEL_PRIVATE")
        return HubRights(
            is_forum=bool(channel.forum),
            is_public=bool(channel.username or any(u.active for u in channel.usernames or ())),
            can_manage_topics=_may(channel, "manage_topics", "manage_topics"),
            can_post=_may_post(channel),
            can_delete=_may(channel, "delete_messages", None),
            can_pin=_may(channel, "pin_messages", "pin_messages"),
        )

    async def create_topic(
        self, hub: Chat, *, title: str, icon_color: int | None, random_id: int
    ) -> TopicId:
        """Make a topic; repeated with the same random id it returns the first one's id.

        Args:
            hub: The forum.
            title: 1 … 128 characters.
            icon_color: One of Telegram's six colours (RGB); it can never be changed.
            random_id: Drawn once, stored before the first call.
        """
        answer = await self._call(
            functions.messages.CreateForumTopicRequest(
                peer=input_peer(hub), title=title, icon_color=icon_color, random_id=random_id
            )
        )
        return TopicId(message_id_of(answer, random_id))

    async def edit_topic(
        self, hub: Chat, topic_id: TopicId, *, title: str | None = None, closed: bool | None = None
    ) -> None:
        """Rename, close or reopen a topic; one that is so already is no error."""
        request = functions.messages.EditForumTopicRequest(
            peer=input_peer(hub), topic_id=topic_id, title=title, closed=closed
        )
        try:
            await self._call(request)
        except TelegramRefused as error:
            _require_topic(error)
            if error.code != "TOPIC_NOT_MODIFIED":
                raise

    async def delete_topic(self, hub: Chat, topic_id: TopicId) -> None:
        """Delete a topic with everything in it; one that is gone already is no error.

        A long history goes in parts, each request says whether something is left.
        """
        request = functions.messages.DeleteTopicHistoryRequest(
            peer=input_peer(hub), top_msg_id=topic_id
        )
        try:
            while (await self._call(request)).offset > 0:
                pass
        except TelegramRefused as error:
            if error.code not in _TOPIC_GONE:
                raise

    async def topics(self, hub: Chat) -> list[TopicInfo]:
        """List every topic, General included, over all pages."""
        found: dict[TopicId, TopicInfo] = {}
        offset_date, offset_id, offset_topic = None, 0, 0
        while True:
            answer = await self._call(
                functions.messages.GetForumTopicsRequest(
                    peer=input_peer(hub),
                    offset_date=offset_date,
                    offset_id=offset_id,
                    offset_topic=offset_topic,
                    limit=TOPICS_PER_PAGE,
                )
            )
            page = [topic for topic in answer.topics if isinstance(topic, types.ForumTopic)]
            fresh = {topic.id for topic in page} - found.keys()
            if not fresh:
                return list(found.values())
            found.update({t.id: TopicInfo(TopicId(t.id), t.title) for t in page})
            last = page[-1]
            dates = {message.id: getattr(message, "date", None) for message in answer.messages}
            by_creation = answer.order_by_create_date
            offset_date = last.date if by_creation else dates.get(last.top_message, last.date)
            offset_id, offset_topic = last.top_message, last.id

    async def send(self, hub: Chat, topic_id: TopicId, post: Post) -> MessageId:
        """Post into a topic; repeated with the same random id it returns the first one's id.

        Raises:
            CopyRefused: Telegram does not copy the file this way; no message was made.
            Transient: The post may or may not have been made: repeat it as it is.
            Permanent: The hub refuses.
        """
        try:
            if post.method is PostMethod.FORWARD:
                message_id = await self._forward(hub, topic_id, post)
            else:
                message_id = await self._send(hub, topic_id, post)
        except TelegramRefused as error:
            _require_topic(error)
            if _is_about_the_copy(error.code, post.method):
                raise CopyRefused(error.code) from error
            raise
        if post.method is PostMethod.FORWARD and post.caption_html:
            await self.edit(hub, message_id, post.caption_html)
        return message_id

    async def say(
        self, hub: Chat, topic_id: TopicId, html_text: str, *, random_id: int
    ) -> MessageId:
        """Send a text without a preview; repeated it returns the first message's id."""
        text, entities = html.parse(html_text)
        request = functions.messages.SendMessageRequest(
            peer=input_peer(hub),
            message=text,
            entities=entities or None,
            reply_to=_reply_to(topic_id),
            random_id=random_id,
            no_webpage=True,
        )
        try:
            return message_id_of(await self._call(request), random_id)
        except TelegramRefused as error:
            _require_topic(error)
            raise

    async def edit(self, hub: Chat, message_id: MessageId, html_text: str) -> None:
        """Give a message another text or caption; one that has it already is no error.

        Raises:
            MessageStuck: It is gone, or can be changed no more.
        """
        text, entities = html.parse(html_text)
        request = functions.messages.EditMessageRequest(
            peer=input_peer(hub),
            id=message_id,
            message=text,
            entities=entities or None,
            no_webpage=True,
        )
        await self._changing(request)

    async def pin(self, hub: Chat, message_id: MessageId) -> None:
        """Pin a message without telling anybody; one that is pinned already is no error."""
        await self._changing(
            functions.messages.UpdatePinnedMessageRequest(
                peer=input_peer(hub), id=message_id, silent=True
            )
        )

    async def delete_messages(self, hub: Chat, message_ids: Sequence[MessageId]) -> None:
        """Delete at most 100 messages for everybody; those that are gone are passed over."""
        await self._call(
            functions.channels.DeleteMessagesRequest(
                channel=input_channel(hub), id=list(message_ids)
            )
        )

    async def _changing(self, request: Any) -> None:
        try:
            await self._call(request)
        except TelegramRefused as error:
            if error.code in _MESSAGE_STUCK:
                raise MessageStuck(f"A message of the hub: {error.code}") from error
            if error.code not in _CHANGED_ALREADY:
                raise

    async def _send(self, hub: Chat, topic_id: TopicId, post: Post) -> MessageId:
        if post.method is PostMethod.UPLOAD:
            if post.data is None:
                raise Permanent("An upload needs the bytes of the file.")
            media = await upload(self._call, post.data, file=post.file, file_name=post.file_name)
            return await self._send_media(hub, topic_id, post, media)
        if post.file is None or post.access is None:
            raise CopyRefused("MEDIA_EMPTY")
        try:
            media = media_by_reference(post.file, post.access)
            return await self._send_media(hub, topic_id, post, media)
        except StaleReference as error:
            access = await self._refreshed(post, post.access, error)
            media = media_by_reference(post.file, access)
            return await self._send_media(hub, topic_id, post, media)

    async def _send_media(self, hub: Chat, topic_id: TopicId, post: Post, media: Any) -> MessageId:
        text, entities = html.parse(post.caption_html)
        answer = await self._call(
            functions.messages.SendMediaRequest(
                peer=input_peer(hub),
                media=media,
                message=text,
                entities=entities or None,
                reply_to=_reply_to(topic_id),
                random_id=post.random_id,
            )
        )
        return message_id_of(answer, post.random_id)

    async def _refreshed(
        self, post: Post, stale: MediaAccess, error: StaleReference
    ) -> MediaAccess:
        if post.source_chat is None or post.source_message_id is None:
            raise error
        try:
            return await self._media.refreshed(post.source_chat, post.source_message_id, stale)
        except ItemRejected:
            raise error from None
        except SessionLost:
            raise
        except Permanent as refusal:
            # The source cannot be read any more; that says nothing about the hub.
            raise CopyRefused(error.code) from refusal

    async def _forward(self, hub: Chat, topic_id: TopicId, post: Post) -> MessageId:
        """Forward without author and caption: neither says where the picture came from.

        The post's own caption follows as an edit. Should the connection break in between, the
        whole post is repeated: the forward returns its first message, the edit is done then.
        """
        if post.source_chat is None or post.source_message_id is None:
            raise CopyRefused("MESSAGE_ID_INVALID")
        try:
            source = input_peer(post.source_chat)
        except Permanent as error:
            raise CopyRefused("CHANNEL_INVALID") from error
        answer = await self._call(
            functions.messages.ForwardMessagesRequest(
                from_peer=source,
                id=[post.source_message_id],
                to_peer=input_peer(hub),
                random_id=[post.random_id],
                top_msg_id=None if topic_id == GENERAL else topic_id,
                drop_author=True,
                drop_media_captions=True,
            )
        )
        return message_id_of(answer, post.random_id)


def _reply_to(topic_id: TopicId) -> Any:
    """Return what puts a message into a topic; General takes what names none."""
    return None if topic_id == GENERAL else types.InputReplyToMessage(reply_to_msg_id=topic_id)


def _require_topic(error: TelegramRefused) -> None:
    if error.code in _TOPIC_GONE:
        raise TopicGone(f"A topic of the hub: {error.code}") from error


def _is_about_the_copy(code: str, method: PostMethod) -> bool:
    if method is PostMethod.FORWARD and code in _SOURCE_CODES:
        return True
    return code in _COPY_CODES or code.startswith(_COPY_PREFIXES)


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
