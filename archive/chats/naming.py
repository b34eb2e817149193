"""Naming: the chat that a person means, whether the archive knows it already or not.

Reading what was typed is in ``references``; what may be done with the chat is in ``allowing``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from archive.chats.ports import ChatStore, PeerResolver
from archive.chats.references import InviteHash, MarkedId, Username, parse_reference
from archive.errors import Permanent
from archive.ids import AccountId
from archive.records import Chat


async def add_chat(
    text: str, account_id: AccountId, resolver: PeerResolver, store: ChatStore
) -> Chat:
    """Make a chat known to the archive; everything about it stays off.

    Args:
        text: Name, marked id or link.
        account_id: The account that sees the chat and will read it.
        resolver: That account's connection.
        store: Where chats are remembered.

    Raises:
        Permanent: The text names no chat, or the account may not see it.
        Transient: Telegram did not answer.
    """
    peer = await resolver.resolve(parse_reference(text))
    return await asyncio.to_thread(store.upsert_peer, account_id, peer)


def find_chat(chats: Sequence[Chat], text: str) -> Chat:
    """Find the one chat that a person means.

    Args:
        chats: Those to choose from.
        text: Surrogate number, marked id, ``@username``, link, or title; a part of the title
            will do if only one chat has it.

    Raises:
        Permanent: None or several are meant.
    """
    text = text.strip()
    title = text.casefold()
    readings: list[Callable[[Chat], bool]] = [
        lambda chat: str(chat.chat_no) == text,
        lambda chat: _is_named(chat, text),
        lambda chat: chat.title.casefold() == title,
        lambda chat: bool(title) and title in chat.title.casefold(),
    ]
    for reading in readings:
        match [chat for chat in chats if reading(chat)]:
            case [chat]:
                return chat
            case [_, _, *_] as several:
                raise Permanent(
                    f"{text!r} means {len(several)} chats. Name one by its number: "
                    f"{', '.join(str(chat.chat_no) for chat in several[:10])}."
                )
    raise Permanent(f"No chat is known as {text!r}. `face-archive chats list` shows them.")


def _is_named(chat: Chat, text: str) -> bool:
    try:
        reference = parse_reference(text)
    except Permanent:
        return False
    match reference:
        case Username(name):
            return (chat.username or "").casefold() == name.casefold()
        case MarkedId(chat_id):
            return chat.chat_id == chat_id
        case InviteHash():
            return False
