"""What is said in a hub that means something: a topic renamed in the app, a command in a topic.

The words and how they are read; nothing else that happens in a hub is looked at, and nothing else
of it is ever stored. What the words do is ``heeding``'s, hearing them ``listening``'s.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from archive.ids import ChatId, MessageId, TopicId, UserId
from archive.publishing.visible_text import shortened
from archive.publishing.wanted import TITLE_CHARACTERS

LONGEST_ARGUMENT: Final = 256
"""UTF-16 units: more than any name may have, so that cutting makes no name that may be."""

_COMMAND: Final = re.compile(r"\s*/([a-z]+)(?:\s(.*))?", re.IGNORECASE | re.DOTALL)


class Verb(StrEnum):
    """What an admin can say in a topic, after a slash."""

    NAME = "name"
    """Followed by the person's name."""

    MERGE = "merge"
    """Followed by the number of somebody who is this person too."""

    NOT_ME = "notme"
    """In answer to a post: it does not show this person."""

    UNDO = "undo"
    """Takes back what was decided last from within Telegram about this person; in the topic of open
    questions, the last answer that was given there."""

    YES = "yes"
    NO = "no"
    """In answer to a question: whether the face is that person's."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it was read.

    Attributes:
        argument: One visible line; empty where nothing follows.
    """

    verb: Verb
    argument: str = ""

    def __str__(self) -> str:
        return f"/{self.verb} {self.argument}".rstrip()


class RemarkKind(StrEnum):
    """How something was said."""

    TITLE = "title"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Remark:
    """Something said in a topic of a hub.

    Attributes:
        chat_id: The hub.
        sender_id: Who said it; the hub's own id for an admin who hides their name.
        text: The topic's new title, or a command as ``Command`` prints it.
        reply_to_id: The message that it answers, where that is not the topic itself.
        sent_at: In whole seconds, as Telegram tells it.
    """

    chat_id: ChatId
    topic_id: TopicId
    message_id: MessageId
    sender_id: UserId
    kind: RemarkKind
    text: str
    sent_at: datetime
    reply_to_id: MessageId | None = None

    @property
    def is_title(self) -> bool:
        """Whether it gave the topic a title."""
        return self.kind is RemarkKind.TITLE


def read_command(text: str) -> Command | None:
    """Read a message; ``None`` for one that is no command of ours."""
    found = _COMMAND.fullmatch(text)
    if found is None:
        return None
    word, rest = found[1].lower(), found[2] or ""
    if word not in set(Verb):
        return None
    return Command(Verb(word), shortened(rest, LONGEST_ARGUMENT))


def read_title(title: str) -> str:
    """Make a title that somebody gave a topic what our own titles are; empty where none is left."""
    return shortened(title, TITLE_CHARACTERS)
