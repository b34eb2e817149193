"""The hub on Telegram: make it, and post into it.

Implements ``archive.publishing.HubGateway``, together with what a hub is (``hub_reading``), what
is in it (``hub_contents``), and its topics and texts (``hub_writing``). Raw requests only, each
with the random id it was given: repeated after a lost answer it returns what the first call made.
What to post, in which order and how fast is decided in ``archive.publishing``; media on the wire
are ``posts``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from telethon.extensions import html
from telethon.tl import functions, types

from archive.errors import ItemRejected, Permanent
from archive.ids import MessageId, TopicId
from archive.publishing import (
    CopyRefused,
    Post,
    PostMethod,
)
from archive.records import Chat, MediaAccess, PeerInfo
from resources.telegram.calling import Caller
from resources.telegram.convert_peers import input_peer, peer_info
from resources.telegram.errors import SessionLost, StaleReference, TelegramRefused
from resources.telegram.hub_contents import HubContents
from resources.telegram.hub_reading import HubReader
from resources.telegram.hub_writing import GENERAL, HubWriter, reply_to, require_topic
from resources.telegram.media import TelethonMedia
from resources.telegram.posts import media_by_reference, message_id_of, message_ids_of, upload

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
# What goes by itself may not go with others.
_ALBUM_CODES = frozenset({"MEDIA_GROUPED_INVALID", "MEDIA_TYPE_INVALID", "MULTI_MEDIA_TOO_LONG"})
# A forward names two chats and the refusal does not say which one it means. If it is the hub,
# the next way of copying will say so.
_SOURCE_CODES = frozenset({"CHANNEL_INVALID", "CHANNEL_PRIVATE", "CHAT_ID_INVALID"})


class TelethonHub(HubReader, HubContents, HubWriter):
    """Reads and writes hubs through one connection.

    Args:
        call: The connection.
        media: Renews a file reference that has expired.
    """

    def __init__(self, call: Caller, media: TelethonMedia) -> None:
        super().__init__(call)
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
            require_topic(error)
            if _is_about_the_copy(error.code, post.method):
                raise CopyRefused(error.code) from error
            raise
        if post.method is PostMethod.FORWARD and post.caption_html:
            await self.edit(hub, message_id, post.caption_html)
        return message_id

    async def send_album(
        self, hub: Chat, topic_id: TopicId, posts: Sequence[Post]
    ) -> list[MessageId]:
        """Post 2 … 10 contents by reference with one request; repeated likewise.

        Raises:
            CopyRefused: Telegram does not copy them so; no message was made of any.
            Transient: They may or may not have been posted: repeat them as they are.
            Permanent: The hub refuses.
        """
        try:
            answer = await self._send_multi_media(hub, topic_id, posts)
        except TelegramRefused as error:
            require_topic(error)
            if _is_about_the_copy(error.code, PostMethod.REFERENCE) or error.code in _ALBUM_CODES:
                raise CopyRefused(error.code) from error
            raise
        return message_ids_of(answer, [post.random_id for post in posts])

    async def _send_multi_media(self, hub: Chat, topic_id: TopicId, posts: Sequence[Post]) -> Any:
        try:
            return await self._call(_album(hub, topic_id, posts))
        except StaleReference as error:
            # Which one it is would be worth knowing only if asking for it cost much.
            fresh = [
                replace(post, access=await self._refreshed(post, post.access, error))
                for post in posts
                if post.access is not None
            ]
            return await self._call(_album(hub, topic_id, fresh))

    async def _send(self, hub: Chat, topic_id: TopicId, post: Post) -> MessageId:
        if post.method in {PostMethod.UPLOAD, PostMethod.CROP}:
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
                reply_to=reply_to(topic_id),
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


def _album(hub: Chat, topic_id: TopicId, posts: Sequence[Post]) -> Any:
    return functions.messages.SendMultiMediaRequest(
        peer=input_peer(hub),
        multi_media=[_single(post) for post in posts],
        reply_to=reply_to(topic_id),
    )


def _single(post: Post) -> Any:
    if post.file is None or post.access is None:
        raise CopyRefused("MEDIA_EMPTY")
    text, entities = html.parse(post.caption_html)
    return types.InputSingleMedia(
        media=media_by_reference(post.file, post.access),
        random_id=post.random_id,
        message=text,
        entities=entities or None,
    )


def _is_about_the_copy(code: str, method: PostMethod) -> bool:
    if method is PostMethod.FORWARD and code in _SOURCE_CODES:
        return True
    return code in _COPY_CODES or code.startswith(_COPY_PREFIXES)
