"""How far chats have come: the newest message of each, many chats in one request.

Not a sweep of all dialogs: only chats that are named are asked for, a hundred at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from telethon import utils
from telethon.tl import functions, types

from archive.ids import MessageId
from archive.reconciling import Top
from archive.records import Chat
from resources.telegram.calling import Caller
from resources.telegram.convert_peers import input_peer
from resources.telegram.errors import TelegramRefused

CHATS_PER_REQUEST = 100
"""Telegram takes no more peers at once (INPUT_PEERS_TOO_MUCH, core.telegram.org)."""


class TelethonTops:
    """Asks how far chats have come, through one connection."""

    def __init__(self, call: Caller) -> None:
        self._call = call

    async def tops(self, chats: Sequence[Chat]) -> Sequence[Top]:
        """Ask for all of them at once; chats that the account cannot see are left out."""
        found: list[Top] = []
        for start in range(0, len(chats), CHATS_PER_REQUEST):
            found += await self._tops(chats[start : start + CHATS_PER_REQUEST])
        return found

    async def _tops(self, chats: Sequence[Chat]) -> list[Top]:
        """Ask for some; one that is refused must not hide the others."""
        request = functions.messages.GetPeerDialogsRequest(
            [types.InputDialogPeer(input_peer(chat)) for chat in chats]
        )
        try:
            answer = await self._call(request)
        except TelegramRefused:
            if len(chats) == 1:
                return []
            middle = len(chats) // 2
            return await self._tops(chats[:middle]) + await self._tops(chats[middle:])
        by_id = {int(chat.chat_id): chat for chat in chats}
        return [
            _top(dialog, by_id[marked])
            for dialog in answer.dialogs
            if (marked := utils.get_peer_id(dialog.peer)) in by_id
        ]


def _top(dialog: Any, chat: Chat) -> Top:
    return Top(chat, MessageId(dialog.top_message), dialog.pts or None)
