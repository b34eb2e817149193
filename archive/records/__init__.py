"""What the archive knows of Telegram: chats, people who write, messages, media.

Plain frozen values that adapters produce and use cases consume; no behaviour beyond what
follows from the fields. Faces live in ``archive.faces.records``, people in
``archive.identity.records``, posts in ``archive.publishing``. Import from here.
"""

from archive.records.chats import (
    Account,
    Chat,
    ChatKind,
    ChatState,
    IdSpace,
    OnDeletion,
    PeerInfo,
    Presence,
    Successor,
    Switches,
    TakeoutNote,
)
from archive.records.media import (
    KEEPABLE_KINDS,
    SEARCHABLE_KINDS,
    VIDEO_KINDS,
    MediaAccess,
    MediaFile,
    MediaKind,
)
from archive.records.messages import Counts, ForumTopic, Message, MessageKind, Page, User

__all__ = [
    "KEEPABLE_KINDS",
    "SEARCHABLE_KINDS",
    "VIDEO_KINDS",
    "Account",
    "Chat",
    "ChatKind",
    "ChatState",
    "Counts",
    "ForumTopic",
    "IdSpace",
    "MediaAccess",
    "MediaFile",
    "MediaKind",
    "Message",
    "MessageKind",
    "OnDeletion",
    "Page",
    "PeerInfo",
    "Presence",
    "Successor",
    "Switches",
    "TakeoutNote",
    "User",
]
