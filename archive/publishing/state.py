"""Both sides of a hub as the store reads them: what it should hold, and what we know it holds.

Values that the store fills and the planner compares, and what the store says right before a send.
What should be there is ``wanted``, what is there ``outbox``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from archive.ids import ChatNo, IdentityId
from archive.publishing.outbox import Actual
from archive.publishing.records import ALL_OTHERS, HubNo, HubRule
from archive.publishing.wanted import WantedContent, WantedTopic
from archive.records import Chat, MediaAccess, MediaFile


@dataclass(frozen=True, slots=True)
class Room:
    """A hub in use, as far as it matters for who goes where.

    Attributes:
        is_open: It can be written to; whoever lives in one that cannot stays there all the same.
        residents: Who has a topic there, or may have.
        messages: About how many there are in it.
    """

    hub_no: HubNo
    rule: HubRule = ALL_OTHERS
    is_open: bool = True
    residents: frozenset[IdentityId] = frozenset()
    messages: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rule of a hub sees of a chat.

    Attributes:
        chat_no: Its number, or that of the chat it became.
        tags: Of both.
    """

    chat_no: ChatNo
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Projection:
    """Both sides of one hub, read in one snapshot.

    Attributes:
        hub: The chat, which a link between two of its topics names.
        wanted: Visible and hidden people whom something publishable shows.
        merged: Into whom each merged person went; who may have been merged in turn.
        erased: People of whom nothing may be left.
        hub_no: Which of the rooms this hub is.
        rooms: Every hub in use, in the order in which hubs of one rule fill; without any, all
            people belong here.
        standings: What rules see of the chats.
        review: Open questions that may be asked in some hub, the most useful first; ``None``
            where nothing is to be asked.
    """

    hub: Chat
    wanted: tuple[WantedTopic, ...] = ()
    actual: Actual = field(default_factory=Actual)
    merged: Mapping[IdentityId, IdentityId] = field(default_factory=dict)
    erased: frozenset[IdentityId] = frozenset()
    hub_no: HubNo | None = None
    rooms: tuple[Room, ...] = ()
    standings: Mapping[ChatNo, Standing] = field(default_factory=dict)
    review: tuple[WantedContent, ...] | None = None


@dataclass(frozen=True, slots=True)
class Material:
    """The file of a source.

    Attributes:
        access: The posting account's key to it, where it has one.
        reading_access: The key of the account that reads the source, for downloading.
    """

    file: MediaFile
    access: MediaAccess | None
    reading_access: MediaAccess | None


@dataclass(frozen=True, slots=True)
class Permission:
    """What the switches say now, asked again right before a send."""

    is_visible: bool
    chat_nos: frozenset[ChatNo]
