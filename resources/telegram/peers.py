"""Finding chats: by name, by invite link, by id, or among the newest dialogs.

Nothing here is done on a schedule: a sweep of all dialogs has cost others a wait of 14 hours, 160
name look-ups one of 18. Reading what a person typed is ``archive.chats``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from telethon import utils
from telethon.tl import functions, types

from archive.chats import InviteHash, MarkedId, Reference, Username
from archive.errors import Permanent
from archive.ids import ChatId, MessageId
from archive.records import Account, PeerInfo
from resources.telegram.calling import Caller
from resources.telegram.convert_peers import peer_info

DIALOGS_PER_PAGE = 100
SEARCHED_PAGES = 5
"""How many pages of dialogs a chat is looked for in: the newest 500 chats of the account."""


class TelethonPeers:
    """Names and dialogs through one connection."""

    def __init__(self, call: Caller, account: Account) -> None:
        self._call = call
        self._account = account

    async def resolve(self, reference: Reference) -> PeerInfo:
        """Find the chat that a person named.

        Raises:
            Permanent: There is no such chat, or the account cannot see it; the message says
                what to do.
        """
        if isinstance(reference, Username):
            return await self._by_username(reference.name)
        if isinstance(reference, InviteHash):
            return await self._by_invite(reference.hash)
        return await self._by_id(reference)

    async def dialogs(self, limit: int = DIALOGS_PER_PAGE) -> list[PeerInfo]:
        """Return the newest dialogs, at most ``limit``, each with its newest message's id."""
        found: list[PeerInfo] = []
        if limit > 0:
            async for peer in self._dialogs(pages=-(-limit // DIALOGS_PER_PAGE)):
                found.append(peer)
                if len(found) >= limit:
                    break
        return found

    async def _by_username(self, name: str) -> PeerInfo:
        answer = await self._call(functions.contacts.ResolveUsernameRequest(name))
        wanted = utils.get_peer_id(answer.peer)
        for entity in (*answer.chats, *answer.users):
            if utils.get_peer_id(entity) == wanted:
                return self._seen(entity)
        raise Permanent(f"Telegram knows no chat named @{name}.")

    async def _by_invite(self, invite: str) -> PeerInfo:
        answer = await self._call(functions.messages.CheckChatInviteRequest(invite))
        if isinstance(answer, types.ChatInviteAlready):
            return self._seen(answer.chat)
        raise Permanent(
            "The account is not a member of the chat behind this invite link: "
            "join it in Telegram first, then add it again."
        )

    async def _by_id(self, reference: MarkedId) -> PeerInfo:
        """Find a chat in the dialogs: an id alone opens nothing, the account's key is needed."""
        async for peer in self._dialogs(pages=SEARCHED_PAGES):
            if peer.chat_id == reference.chat_id:
                return peer
        raise Permanent(
            f"No chat {reference.chat_id} among the account's newest "
            f"{SEARCHED_PAGES * DIALOGS_PER_PAGE}: add it by @name or invite link, or write "
            "something in it so that it moves up."
        )

    async def _dialogs(self, pages: int) -> AsyncIterator[PeerInfo]:
        seen: set[ChatId] = set()
        offset = _Offset()
        for _ in range(pages):
            answer = await self._call(offset.request())
            entities = {
                utils.get_peer_id(entity): entity for entity in (*answer.chats, *answer.users)
            }
            fresh = [
                dialog
                for dialog in answer.dialogs
                if ChatId(utils.get_peer_id(dialog.peer)) not in seen
            ]
            for dialog in fresh:
                marked = ChatId(utils.get_peer_id(dialog.peer))
                seen.add(marked)
                peer = peer_info(entities.get(marked), MessageId(dialog.top_message))
                if peer is not None:
                    yield peer
            # A complete answer is the last one; a slice that brings nothing new would repeat.
            if not fresh or not isinstance(answer, types.messages.DialogsSlice):
                return
            offset.move(answer, entities)

    def _seen(self, entity: Any) -> PeerInfo:
        peer = peer_info(entity)
        if peer is None:
            raise Permanent("Telegram shows nothing of this chat to the account.")
        return peer


class _Offset:
    """Where the next page of dialogs begins: behind the oldest top message so far."""

    def __init__(self) -> None:
        self._date: Any = None
        self._id = 0
        self._peer: Any = types.InputPeerEmpty()

    def request(self) -> Any:
        return functions.messages.GetDialogsRequest(
            offset_date=self._date,
            offset_id=self._id,
            offset_peer=self._peer,
            limit=DIALOGS_PER_PAGE,
            hash=0,
        )

    def move(self, answer: Any, entities: dict[int, Any]) -> None:
        """Move behind the last dialog whose top message and peer the answer brought."""
        dates = {
            (utils.get_peer_id(message.peer_id), message.id): message.date
            for message in answer.messages
            if not isinstance(message, types.MessageEmpty)
        }
        for dialog in reversed(answer.dialogs):
            marked = utils.get_peer_id(dialog.peer)
            date = dates.get((marked, dialog.top_message))
            if date is not None and marked in entities:
                self._date, self._id = date, dialog.top_message
                self._peer = utils.get_input_peer(entities[marked], allow_self=False)
                return
