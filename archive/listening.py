"""Listening: what live updates say, and how they become windows to read again.

A live update is only a hint: it names a message, the inbox keeps the name, and reading the
window brings the message itself. Not here: the connection that updates arrive on
(``resources.telegram``) and the reading (``history``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from archive.ids import ChatId, MessageId


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to one message.

    Attributes:
        chat_id: ``None`` for a deletion in the account's shared id space: Telegram names
            only the message there.
    """

    chat_id: ChatId | None
    message_id: MessageId
    change: Literal["new", "edited", "deleted"]
