"""Which forum topic an exported message is in, as far as replies tell: the format has no field.

Only what follows from the order of messages: a topic is opened by a service message, and what
replies to it or to something in it is in it.
"""

from __future__ import annotations

from dataclasses import replace

from archive.ids import MessageId, TopicId
from archive.records import Message


class Topics:
    """The topics of one chat, as its messages go by; empty where it is no forum."""

    def __init__(self) -> None:
        self._of: dict[MessageId, TopicId] = {}

    def place(self, message: Message) -> Message:
        """Put a message into its topic, and remember it for those that reply to it."""
        if message.topic_id is not None:
            self._of[message.message_id] = message.topic_id
            return message
        if not self._of or message.reply_to_id is None:
            return message
        topic_id = self._of.get(message.reply_to_id)
        if topic_id is None:
            return message
        self._of[message.message_id] = topic_id
        # What only names its topic is no reply: that is how Telegram says where it is.
        reply_to = None if int(message.reply_to_id) == int(topic_id) else message.reply_to_id
        return replace(message, topic_id=topic_id, reply_to_id=reply_to)
