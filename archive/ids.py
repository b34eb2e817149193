"""The names things have across the whole project.

Only identifiers and the functions that make or read them. What the things are lives in
``records``. Everything here is hashable, comparable and safe to log, except where noted.
"""

from __future__ import annotations

import secrets
from typing import NewType
from uuid import UUID, uuid4

AccountId = NewType("AccountId", int)
"""A Telegram account of the owner: its user id."""

ChatNo = NewType("ChatNo", int)
"""A chat's random surrogate; the only name of a chat that Dagster ever sees."""

ChatId = NewType("ChatId", int)
"""Telegram's marked id of a chat: a user's id, ``-id`` of a basic group, ``-100…`` of a channel."""

UserId = NewType("UserId", int)
"""Telegram's marked id of whoever sent something (a channel may)."""

MessageId = NewType("MessageId", int)
"""Id of a message within its id space; 1 or more."""

TopicId = NewType("TopicId", int)
"""Id of a forum topic within its chat; General is 1."""

MediaId = NewType("MediaId", str)
"""One Telegram file: ``photo:<id>``, ``document:<id>``, or ``message:<chat_no>:<id>``
for a medium that shows no file (paid media, an expired view-once photo)."""

ContentKey = NewType("ContentKey", str)
"""One content, whoever sent it: ``sha256:<hex>``, or ``tgdoc:<id>:<size>`` for a file of which
only parts were read. Should that one ever be read whole, it gets the name of its digest."""

FaceId = NewType("FaceId", UUID)
IdentityId = NewType("IdentityId", UUID)

DecisionId = NewType("DecisionId", UUID)
"""One act of a person or of the matcher: the rows of the log that it wrote."""

# A chat_no stays within 53 bits, so that it survives JSON in every browser.
_CHAT_NO_BITS = 53


def new_chat_no() -> ChatNo:
    """Draw a surrogate for a chat: random, so that nothing about the chat can be read from it."""
    return ChatNo(secrets.randbits(_CHAT_NO_BITS - 1) + 1)


def new_face_id() -> FaceId:
    """Draw a face id: random, because events that name it outlive an erasure."""
    return FaceId(uuid4())


def new_identity_id() -> IdentityId:
    """Draw an identity id: random, because events that name it outlive an erasure."""
    return IdentityId(uuid4())


def new_decision_id() -> DecisionId:
    """Draw a decision's id."""
    return DecisionId(uuid4())


def new_random_id() -> int:
    """Draw the non-zero signed 64-bit id that makes a Telegram send repeatable."""
    while True:
        value = secrets.randbits(64) - (1 << 63)
        if value:
            return value


def content_key(sha256: bytes) -> ContentKey:
    """Name a content by its digest.

    Args:
        sha256: The 32 raw bytes of the digest.
    """
    return ContentKey(f"sha256:{sha256.hex()}")


def ranged_content_key(media_id: MediaId, size_bytes: int) -> ContentKey:
    """Name a content by Telegram's file, where nobody read all of it.

    Args:
        media_id: The document; a forwarded one keeps its id.
        size_bytes: Of the file.
    """
    return ContentKey(f"tgdoc:{media_id.removeprefix('document:')}:{size_bytes}")
