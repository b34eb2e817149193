"""References: how people name a chat, and how a link names a message.

Reading text and making links, nothing else: asking Telegram who is meant is the adapter's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from archive.errors import Permanent
from archive.ids import ChatId, MessageId, TopicId
from archive.records import Chat, IdSpace

_USERNAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{2,31}")
_INVITE = re.compile(r"[A-Za-z0-9_-]{10,}")
_LINK = re.compile(
    r"(?:https?://)?(?:www\.)?(?:[a-z0-9_]+\.)?(?:t\.me|telegram\.(?:me|dog))(?:[/?#]|$)", re.I
)
# First path parts of t.me that name no chat: https://core.telegram.org/api/links
_NOT_A_CHAT = frozenset(
    [
        "addemoji",
        "addlist",
        "addstickers",
        "addtheme",
        "bg",
        "call",
        "confirmphone",
        "contact",
        "giftcode",
        "invoice",
        "iv",
        "login",
        "m",
        "nft",
        "proxy",
        "setlanguage",
        "share",
        "socks",
    ]
)
# Marked ids of channels and supergroups are this offset minus the bare id.
_CHANNEL_OFFSET = -1_000_000_000_000
# A phone number has at most 15 digits (ITU-T E.164); an invite hash is longer or has letters.
_PHONE_DIGITS = 15


@dataclass(frozen=True, slots=True)
class Username:
    """A public name, without the ``@``."""

    name: str


@dataclass(frozen=True, slots=True)
class MarkedId:
    """A chat named by its marked id."""

    chat_id: ChatId


@dataclass(frozen=True, slots=True)
class InviteHash:
    """The secret part of an invite link to a chat that the account is a member of."""

    hash: str


Reference = Username | MarkedId | InviteHash


def parse_reference(text: str) -> Reference:
    """Read what a person typed or pasted to name a chat.

    Args:
        text: ``@name``, ``name``, a marked id, or any link of ``t.me`` or ``tg://``.

    Raises:
        Permanent: It names no chat; the message says which forms do.
    """
    text = text.strip()
    if re.fullmatch(r"[-–−]?[0-9]{1,19}", text):
        return _marked(int(re.sub("[–−]", "-", text)), text)
    try:
        if text.lower().startswith("tg:"):
            return _parse_app_link(text)
        if _LINK.match(text):
            return _parse_web_link(text)
    except ValueError as exc:
        raise _not_a_chat(text) from exc
    return _username(text.removeprefix("@"), text)


def parse_message_link(text: str) -> tuple[str, MessageId]:
    """Read a link to a message.

    Returns:
        What names the chat, for ``chats.find_chat``, and the message.

    Raises:
        Permanent: It names no message.
    """
    text = text.strip()
    url = urlsplit(text if "://" in text else f"https://{text}")
    parts = [part for part in url.path.split("/") if part]
    if _LINK.match(text) and len(parts) > 1 and parts[-1].isdecimal():
        is_private = parts[0] == "c"
        # c/<channel>/<message>, or with a topic before the message; the channel is no message.
        if len(parts) > (2 if is_private else 1) and int(parts[-1]) > 0:
            reference = parse_reference(text)
            if isinstance(reference, Username):
                return f"@{reference.name}", MessageId(int(parts[-1]))
            if isinstance(reference, MarkedId):
                return str(reference.chat_id), MessageId(int(parts[-1]))
    raise Permanent(
        f"{text!r} is no link to a message: copy one in Telegram, such as "
        "https://t.me/c/1234567890/5."
    )


def message_link(chat: Chat, message_id: MessageId, topic_id: TopicId | None = None) -> str | None:
    """Make the link that opens a message in Telegram.

    Returns:
        ``None`` for private chats and basic groups: Telegram has no links into them.
    """
    if chat.id_space is IdSpace.ACCOUNT:
        return None
    place = chat.username or f"c/{_CHANNEL_OFFSET - chat.chat_id}"
    topic = f"{topic_id}/" if topic_id is not None else ""
    return f"https://t.me/{place}/{topic}{message_id}"


def _parse_web_link(text: str) -> Reference:
    url = urlsplit(text if "://" in text else f"https://{text}")
    subdomain = (url.hostname or "").removeprefix("www.").rpartition(".t.me")[0]
    if subdomain:
        return _username(subdomain, text)
    parts = [part for part in url.path.split("/") if part]
    match parts:
        case ["c", channel, *_] if channel.isdecimal():
            return _channel(channel, text)
        case ["joinchat", invite, *_]:
            return _invite(invite, text)
        case ["s" | "boost", name, *_]:
            return _username(name, text)
        case [name, *_] if name.startswith(("+", "%2B", " ")):
            return _invite(name.removeprefix("%2B").lstrip("+ "), text)
        case [name, *_] if name.lower() not in _NOT_A_CHAT:
            return _username(name, text)
        case _:
            raise _not_a_chat(text)


def _parse_app_link(text: str) -> Reference:
    url = urlsplit(text)
    action = (url.netloc or url.path.strip("/")).lower()
    query = {key: values[0] for key, values in parse_qs(url.query).items()}
    match action:
        case "resolve" | "boost" if "domain" in query:
            return _username(query["domain"], text)
        case "join" if "invite" in query:
            return _invite(query["invite"], text)
        case "privatepost" | "boost" if "channel" in query:
            return _channel(query["channel"], text)
        case "user" if query.get("id", "").isdecimal():
            return _marked(int(query["id"]), text)
        case "openmessage" if query.get("user_id", "").isdecimal():
            return _marked(int(query["user_id"]), text)
        case "openmessage" if query.get("chat_id", "").isdecimal():
            return _marked(-int(query["chat_id"]), text)
        case _:
            raise _not_a_chat(text)


def _username(name: str, text: str) -> Username:
    if not _USERNAME.fullmatch(name):
        raise _not_a_chat(text)
    return Username(name)


def _invite(invite: str, text: str) -> InviteHash:
    is_phone = invite.isdecimal() and len(invite) <= _PHONE_DIGITS
    if is_phone or not _INVITE.fullmatch(invite):
        raise _not_a_chat(text)
    return InviteHash(invite)


def _channel(bare_id: str, text: str) -> MarkedId:
    if not bare_id.isdecimal():
        raise _not_a_chat(text)
    return _marked(_CHANNEL_OFFSET - int(bare_id), text)


def _marked(chat_id: int, text: str) -> MarkedId:
    if chat_id == 0:
        raise _not_a_chat(text)
    return MarkedId(ChatId(chat_id))


def _not_a_chat(text: str) -> Permanent:
    return Permanent(
        f"{text!r} does not name a chat. Use @name, a marked id such as -1001234567890, "
        "a t.me link to the chat or to one of its messages, or its invite link."
    )
