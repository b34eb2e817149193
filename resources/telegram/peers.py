"""Finding chats: by name, by invite link, by id, or among the newest dialogs.

Nothing here is done on a schedule: 160 name look-ups have cost others a wait of 18 hours. Reading
what a person typed is ``archive.chats``; all dialogs of an account are ``dialogs``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from telethon import utils
from telethon.tl import functions, types

from archive.chats import InviteHash, MarkedId, Reference, Username
from archive.chats.discovering import Beyond
from archive.errors import Permanent
from archive.ids import ChatId
from archive.records import Account, PeerInfo
from resources.telegram.calling import Caller
from resources.telegram.convert_peers import peer_info
from resources.telegram.dialogs import DIALOGS_PER_PAGE, beyond, dialogs_request, peers_in

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
        place: Beyond | None = None
        for _ in range(pages):
            answer = await self._call(dialogs_request(place))
            fresh = [peer for peer in peers_in(answer) if peer.chat_id not in seen]
            for peer in fresh:
                seen.add(peer.chat_id)
                yield peer
            # A complete answer is the last one; a slice that brings nothing new would repeat.
            if not fresh or not isinstance(answer, types.messages.DialogsSlice):
                return
            place = beyond(answer)

    def _seen(self, entity: Any) -> PeerInfo:
        peer = peer_info(entity)
        if peer is None:
            raise Permanent("Telegram shows nothing of this chat to the account.")
        return peer
