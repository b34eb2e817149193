"""The topics of a hub and the texts in them: made, changed, taken away.

Raw requests only, each with the random id it was given. Posts with media are ``hub``'s, because
there a refusal may be one of the file only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from telethon.extensions import html
from telethon.tl import functions, types

from archive.ids import MessageId, TopicId
from archive.publishing import MessageStuck, TopicGone
from archive.records import Chat
from resources.telegram.calling import Caller
from resources.telegram.convert_peers import input_channel, input_peer
from resources.telegram.errors import TelegramRefused
from resources.telegram.posts import message_id_of

GENERAL = TopicId(1)

_TOPIC_GONE = frozenset({"TOPIC_DELETED", "TOPIC_ID_INVALID"})
_CHANGED_ALREADY = frozenset({"MESSAGE_NOT_MODIFIED", "CHAT_NOT_MODIFIED"})
_MESSAGE_STUCK = frozenset(
    {"MESSAGE_ID_INVALID", "MESSAGE_EDIT_TIME_EXPIRED", "MESSAGE_AUTHOR_REQUIRED"}
)


class HubWriter:
    """Writes topics and texts through one connection.

    Args:
        call: The connection.
    """

    def __init__(self, call: Caller) -> None:
        self._call = call

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
            require_topic(error)
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

    async def say(
        self, hub: Chat, topic_id: TopicId, html_text: str, *, random_id: int
    ) -> MessageId:
        """Send a text without a preview; repeated it returns the first message's id."""
        text, entities = html.parse(html_text)
        request = functions.messages.SendMessageRequest(
            peer=input_peer(hub),
            message=text,
            entities=entities or None,
            reply_to=reply_to(topic_id),
            random_id=random_id,
            no_webpage=True,
        )
        try:
            return message_id_of(await self._call(request), random_id)
        except TelegramRefused as error:
            require_topic(error)
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


def reply_to(topic_id: TopicId) -> Any:
    """Return what puts a message into a topic; General takes what names none."""
    return None if topic_id == GENERAL else types.InputReplyToMessage(reply_to_msg_id=topic_id)


def require_topic(error: TelegramRefused) -> None:
    """Tell a refusal that means that a topic was deleted from all others.

    Raises:
        TopicGone: It was.
    """
    if error.code in _TOPIC_GONE:
        raise TopicGone(f"A topic of the hub: {error.code}") from error
