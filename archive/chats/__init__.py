"""Chats: how the archive comes to know them, and what their owner allows it to do.

    references   what a person typed, as a name, an id or a link
    naming       the chat that is meant by it
    discovering  the chats that an account is in
    allowing     the switches and their rules
    ports        what these ask of Telegram and of the store

Reading messages is ``archive.history``, the ranges they are read in are ``archive.windows``.
"""

from archive.chats.allowing import allow, deny
from archive.chats.naming import add_chat, find_chat
from archive.chats.ports import Allowance, ChatStore, PeerResolver
from archive.chats.references import (
    InviteHash,
    MarkedId,
    Reference,
    Username,
    message_link,
    parse_message_link,
    parse_reference,
)

__all__ = [
    "Allowance",
    "ChatStore",
    "InviteHash",
    "MarkedId",
    "PeerResolver",
    "Reference",
    "Username",
    "add_chat",
    "allow",
    "deny",
    "find_chat",
    "message_link",
    "parse_message_link",
    "parse_reference",
]
