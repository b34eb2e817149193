"""A plain folder of pictures and videos becomes a chat of its own: each file a message.

Which number a file gets and what its message says. Listing the folder is
``resources.desktop_export.pictures``'s.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from archive.exports.records import EXPORTED, ExportedChat, ExportedMessage
from archive.ids import ChatId, ChatNo, MediaId, MessageId
from archive.records import ChatKind, MediaFile, MediaKind, Message, MessageKind

# Below every id that Telegram gives: its own marked ids have at most 13 digits
# (https://core.telegram.org/api/bots/ids).
_LOWEST: Final = -(2**62)
_BITS: Final = 60


@dataclass(frozen=True, slots=True)
class Picture:
    """A file in the folder.

    Attributes:
        path: Relative, parts divided by ``/``.
        mime_type: By its name; an image or a video.
        changed_at: Its own date.
    """

    path: str
    mime_type: str
    size_bytes: int
    changed_at: datetime


def folder_chat(folder: str, title: str) -> ExportedChat:
    """Name the chat of a folder: the same folder is the same chat."""
    digest = int.from_bytes(sha256(folder.encode()).digest()) >> (256 - _BITS)
    return ExportedChat(ChatId(_LOWEST + digest), ChatKind.CHANNEL, title)


def messages_of(
    pictures: Iterable[Picture], known: Mapping[str, MessageId], chat_no: ChatNo
) -> Iterator[ExportedMessage]:
    """Make a message of each file, by number; a new one comes after all that are known.

    Args:
        pictures: Of the folder as it is now.
        known: The numbers of files that were there before.
        chat_no: The folder's chat.
    """
    numbers = dict(known)
    following = max(known.values(), default=0) + 1
    found = {each.path: each for each in pictures}
    for path in sorted(found.keys() - known.keys(), key=lambda name: _age(found[name])):
        numbers[path] = MessageId(following)
        following += 1
    for path in sorted(found, key=lambda name: numbers[name]):
        yield _message(found[path], numbers[path], chat_no)


def _age(picture: Picture) -> tuple[datetime, str]:
    return picture.changed_at, picture.path


def _message(picture: Picture, message_id: MessageId, chat_no: ChatNo) -> ExportedMessage:
    is_video = picture.mime_type.startswith("video/")
    raw = {
        "_": EXPORTED,
        "file_name": picture.path,
        "size": picture.size_bytes,
        "date": picture.changed_at.isoformat(),
    }
    file = MediaFile(
        media_id=MediaId(f"message:{chat_no}:{message_id}"),
        kind=MediaKind.VIDEO if is_video else MediaKind.IMAGE_DOCUMENT,
        mime_type=picture.mime_type,
        file_name=picture.path.rpartition("/")[2],
        size_bytes=picture.size_bytes,
    )
    message = Message(
        message_id=message_id,
        kind=MessageKind.MEDIA,
        sent_at=picture.changed_at,
        media=file,
        raw=json.dumps(raw, ensure_ascii=False, separators=(",", ":")),
    )
    return ExportedMessage(message, path=picture.path)
