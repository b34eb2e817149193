"""One message of a Telegram Desktop export (``result.json``) becomes a message of the archive.

The same fields as ``resources.telegram.convert`` fills from Telegram's own object, as far as the
format has them: it names no album, no file id and no access. Nothing in an export is trusted to
be of the right type. Finding the messages in the file is ``resources.desktop_export``'s.

Source: https://core.telegram.org/import-export, and what Telegram Desktop 5 writes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from archive.errors import ItemRejected, Permanent
from archive.exports.records import EXPORTED, ExportedChat, ExportedMessage
from archive.ids import ChatId, ChatNo, MediaId, MessageId, TopicId, UserId
from archive.records import ChatKind, MediaFile, MediaKind, Message, MessageKind, User
from archive.windows import MAX_MESSAGE_ID

_CHANNEL: Final = 10**12
_LARGEST_ID: Final = 2**52
_LARGEST_SIDE: Final = 2**31 - 1
_ID: Final = re.compile(r"(user|channel|chat)([0-9]{1,15})")

_CHATS: Final = {
    "personal_chat": ChatKind.PRIVATE,
    "bot_chat": ChatKind.PRIVATE,
    "saved_messages": ChatKind.PRIVATE,
    "private_group": ChatKind.BASIC_GROUP,
    "private_supergroup": ChatKind.SUPERGROUP,
    "public_supergroup": ChatKind.SUPERGROUP,
    "private_channel": ChatKind.CHANNEL,
    "public_channel": ChatKind.CHANNEL,
}

_KINDS: Final = {
    "sticker": MediaKind.STICKER,
    "video_message": MediaKind.ROUND_VIDEO,
    "voice_message": MediaKind.VOICE,
    "animation": MediaKind.GIF,
    "video_file": MediaKind.VIDEO,
    "audio_file": MediaKind.AUDIO,
}

# Where files lie is kept beside the medium: a later export of the same message may have them
# elsewhere, or at all, and it is the same message.
_PATHS: Final = frozenset({"photo", "file", "thumbnail"})

# ``json.dumps`` would make an encoder for every message. What JSON was read from has no circles.
_encode: Final = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False
).encode


def chat_of(head: Mapping[str, object]) -> ExportedChat:
    """Read the head of a chat.

    Raises:
        Permanent: It names no chat, or one of a kind that the archive does not know.
    """
    kind = _CHATS.get(str(head.get("type")))
    bare = head.get("id")
    if kind is None:
        raise Permanent(f"The export holds a chat of the type {head.get('type')!r}.")
    if type(bare) is not int or not 0 < bare < _LARGEST_ID:
        raise Permanent(f"The export names a chat by {bare!r}, which is no id.")
    name = head.get("name")
    title = name if isinstance(name, str) and name else f"Chat {bare}"
    return ExportedChat(ChatId(_marked(kind, bare)), kind, _sound(title))


def message_of(item: object, chat_no: ChatNo) -> ExportedMessage:
    """Convert one element of ``messages``.

    Raises:
        ItemRejected: It is no message: ``wrong_type``, ``bad_id`` or ``bad_date``.
    """
    if not isinstance(item, dict):
        raise ItemRejected("wrong_type", "a message is no object")
    message_id = _id_of(item)
    file, path = _file_of(item, chat_no, message_id)
    is_service = item.get("type") == "service"
    sender_id = _peer(item.get("actor_id" if is_service else "from_id"))
    reply_to = _number(item, "reply_to_message_id", MAX_MESSAGE_ID)
    elsewhere = "reply_to_peer_id" in item
    opens_topic = is_service and item.get("action") == "topic_created"
    message = Message(
        message_id=message_id,
        kind=_kind(is_service=is_service, has_file=file is not None),
        sent_at=_required_time(item),
        sender_id=sender_id,
        edited_at=_time(item, "edited"),
        text=_text_of(item),
        reply_to_id=None if reply_to is None or elsewhere else MessageId(reply_to),
        topic_id=TopicId(message_id) if opens_topic else None,
        forwarded_from=_peer(item.get("forwarded_from_id")),
        media=file,
        raw=_raw(item),
    )
    name = item.get("actor" if is_service else "from")
    return ExportedMessage(message, _sender(sender_id, name), path)


def _kind(*, is_service: bool, has_file: bool) -> MessageKind:
    if is_service:
        return MessageKind.SERVICE
    return MessageKind.MEDIA if has_file else MessageKind.TEXT


def _id_of(item: Mapping[str, object]) -> MessageId:
    number = item.get("id")
    if type(number) is not int:
        raise ItemRejected("wrong_type", "the id of a message is no number")
    # Of a group that became a supergroup, the earlier messages have negative numbers.
    if not 0 < number <= MAX_MESSAGE_ID:
        raise ItemRejected("bad_id", f"{number} is no id of a message")
    return MessageId(number)


def _file_of(
    item: Mapping[str, object], chat_no: ChatNo, message_id: MessageId
) -> tuple[MediaFile | None, str | None]:
    """Return the file that a message carries, and where it lies."""
    if item.get("type") == "service":
        # A group's new picture: Telegram's own messages do not count it as theirs either.
        return None, None
    is_photo = "photo" in item
    if not is_photo and "file" not in item:
        return None, None
    written = item["photo" if is_photo else "file"]
    if not isinstance(written, str):
        raise ItemRejected("wrong_type", "the path of a file is no text")
    file = MediaFile(
        media_id=MediaId(f"message:{chat_no}:{message_id}"),
        kind=_kind_of_file(item, is_photo=is_photo),
        mime_type="image/jpeg" if is_photo else _words(item, "mime_type"),
        file_name=None if is_photo else _words(item, "file_name"),
        size_bytes=_number(item, "photo_file_size" if is_photo else "file_size", _LARGEST_ID),
        width=_number(item, "width", _LARGEST_SIDE),
        height=_number(item, "height", _LARGEST_SIDE),
        duration_seconds=_number(item, "duration_seconds", _LARGEST_SIDE),
    )
    # "(File not included. Change data exporting settings to download.)" and its like.
    return file, None if not written or written.startswith("(") else _sound(written)


def _kind_of_file(item: Mapping[str, object], *, is_photo: bool) -> MediaKind:
    if "self_destruct_period_seconds" in item:
        return MediaKind.VIEW_ONCE
    if is_photo:
        return MediaKind.PHOTO
    named = _KINDS.get(str(item.get("media_type")))
    major = str(item.get("mime_type", "")).partition("/")[0]
    typed = {
        "image": MediaKind.IMAGE_DOCUMENT,
        "video": MediaKind.VIDEO,
        "audio": MediaKind.AUDIO,
    }
    return named or typed.get(major, MediaKind.DOCUMENT)


def _text_of(item: Mapping[str, object]) -> str:
    """Join what is said; the marks of bold, links and the like stay in the whole object."""
    entities = item.get("text_entities")
    parts = entities if isinstance(entities, list) and entities else item.get("text", "")
    if isinstance(parts, str):
        return _sound(parts)
    if not isinstance(parts, list):
        raise ItemRejected("wrong_type", "the text of a message is no text")
    return _sound("".join(map(_part, parts)))


def _part(part: object) -> str:
    text = part.get("text") if isinstance(part, dict) else part
    if not isinstance(text, str):
        raise ItemRejected("wrong_type", "a part of a message's text is no text")
    return text


def _required_time(item: Mapping[str, object]) -> datetime:
    time = _time(item, "date")
    if time is None:
        raise ItemRejected("bad_date", "the message has no date")
    return time


def _time(item: Mapping[str, object], name: str) -> datetime | None:
    """Read a time; old exports write only the clock of the machine that exported."""
    stamp, written = item.get(f"{name}_unixtime"), item.get(name)
    try:
        if isinstance(stamp, str | int) and not isinstance(stamp, bool):
            return datetime.fromtimestamp(int(stamp), UTC)
        if isinstance(written, str):
            return datetime.fromisoformat(written).astimezone(UTC)
    except (ValueError, OverflowError, OSError) as exc:
        raise ItemRejected("bad_date", f"{name} is no time") from exc
    if written is not None or stamp is not None:
        raise ItemRejected("wrong_type", f"{name} is no time")
    return None


def _number(item: Mapping[str, object], name: str, largest: int) -> int | None:
    value = item.get(name)
    return value if type(value) is int and 0 < value <= largest else None


def _words(item: Mapping[str, object], name: str) -> str | None:
    value = item.get(name)
    return _sound(value) if isinstance(value, str) and value else None


def _peer(value: object) -> UserId | None:
    """Read `user5`, `channel5` or `chat5`; old exports write the bare number of a user."""
    if type(value) is int and 0 < value < _LARGEST_ID:
        return UserId(value)
    named = _ID.fullmatch(value) if isinstance(value, str) else None
    if named is None or not 0 < (bare := int(named[2])) < _LARGEST_ID:
        return None
    kinds = {"channel": ChatKind.CHANNEL, "chat": ChatKind.BASIC_GROUP, "user": ChatKind.PRIVATE}
    return UserId(_marked(kinds[named[1]], bare))


def _sender(user_id: UserId | None, name: object) -> User | None:
    if user_id is None or user_id < 0 or not isinstance(name, str) or not name:
        return None
    # The format has one name; Telegram's own two replace it when they come.
    return User(user_id, _sound(name), None, None)


def _marked(kind: ChatKind, bare: int) -> int:
    match kind:
        case ChatKind.PRIVATE:
            return bare
        case ChatKind.BASIC_GROUP:
            return -bare
        case _:
            return -(_CHANNEL + bare)


def _raw(item: Mapping[str, Any]) -> str:
    kept = {name: item[name] for name in item if name not in _PATHS} | {"_": EXPORTED}
    try:
        raw = _encode(kept)
    except ValueError as exc:
        raise ItemRejected("wrong_type", "a number in it is none") from exc
    return _sound(raw)


def _sound(text: str) -> str:
    """Replace halves of a character that JSON can write and no encoding has."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text
