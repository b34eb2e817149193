"""Hubs: the private forum that receives the people, made or chosen, looked at and checked.

What a chat must be for that is ``archive.publishing.rights``; what goes into it is
``archive.publishing``. A chat that is a hub is never a source, and the other way round.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from archive.chats import ChatStore, PeerResolver, parse_reference
from archive.errors import Permanent
from archive.ids import AccountId, ChatId, ChatNo
from archive.publishing import Hub, HubBlocked, HubGateway, HubNo, HubRights, require_hub_rights
from archive.records import Chat, ChatKind

DEFAULT_TITLE = "People"


class HubStore(Protocol):
    """What the archive remembers of hubs."""

    def hubs(self) -> list[Hub]:
        """Return every hub, the one in use first."""
        ...

    def use(self, chat_no: ChatNo) -> Hub:
        """Let publishing go to a chat that is marked as a hub, and to no other."""
        ...

    def set_blocked(self, hub_no: HubNo, reason: str | None) -> None:
        """Keep why a hub cannot be used now, or that it can."""
        ...


@dataclass(frozen=True, slots=True)
class HubCheck:
    """What a look at a hub found.

    Attributes:
        blocked_reason: What is wrong, with the way out; ``None`` if nothing is.
    """

    hub: Hub
    rights: HubRights
    blocked_reason: str | None


async def create_hub(
    title: str, account_id: AccountId, gateway: HubGateway, chats: ChatStore, hubs: HubStore
) -> Hub:
    """Make a private forum of our own and publish there from now on.

    Args:
        title: Of the group.
        account_id: The account that makes it and will post.
        gateway: That account's connection.
        chats: Where chats are remembered.
        hubs: Where hubs are remembered.

    Raises:
        Transient: Telegram did not answer; there may be an empty group that nothing uses.
        Permanent: Telegram refused.
    """
    peer = await gateway.create(title)
    chat = await asyncio.to_thread(chats.upsert_peer, account_id, peer)
    return await asyncio.to_thread(_adopt, chat, chats, hubs)


async def use_hub(
    text: str,
    account_id: AccountId,
    resolver: PeerResolver,
    gateway: HubGateway,
    chats: ChatStore,
    hubs: HubStore,
) -> Hub:
    """Publish into an existing forum from now on.

    Args:
        text: Name, marked id or link of the chat.
        account_id: The account that will post.
        resolver: Finds the chat.
        gateway: That account's connection.
        chats: Where chats are remembered.
        hubs: Where hubs are remembered.

    Raises:
        Permanent: The chat is a source, no private forum, or the account lacks a right there.
        Transient: Telegram did not answer.
    """
    peer = await resolver.resolve(parse_reference(text))
    chat = await asyncio.to_thread(chats.upsert_peer, account_id, peer)
    _require_no_source(chat)
    if chat.kind is not ChatKind.SUPERGROUP:
        raise HubBlocked(
            f"{chat.title!r} cannot be the hub: only a group with topics can. Make one with "
            "`face-archive hub create`."
        )
    require_hub_rights(await gateway.inspect(chat))
    return await asyncio.to_thread(_adopt, chat, chats, hubs)


async def check_hub(hub: Hub, gateway: HubGateway, hubs: HubStore) -> HubCheck:
    """Ask Telegram whether a hub can be used now, and remember the answer.

    Raises:
        Transient: Telegram did not answer.
        Permanent: The account cannot see the hub any more.
    """
    rights = await gateway.inspect(hub.chat)
    reason = None
    try:
        require_hub_rights(rights)
    except HubBlocked as blocked:
        reason = str(blocked)
    await asyncio.to_thread(hubs.set_blocked, hub.hub_no, reason)
    return HubCheck(hub, rights, reason)


def hub_in_use(hubs: HubStore, configured: ChatId | None = None) -> Hub | None:
    """Return where publishing goes; ``None`` where no hub was ever chosen.

    Args:
        hubs: Where hubs are remembered.
        configured: The setting HUB_GROUP_ID, which wins over the last ``hub use``.

    Raises:
        Permanent: HUB_GROUP_ID names a chat that is not a hub.
    """
    known = hubs.hubs()
    if configured is None:
        return next((hub for hub in known if hub.in_use), None)
    for hub in known:
        if hub.chat.chat_id == configured:
            return hub
    raise Permanent(
        "HUB_GROUP_ID names a chat that is not a hub yet: run `face-archive hub use` with that id, "
        "or leave HUB_GROUP_ID empty."
    )


def require_hub(hubs: HubStore, configured: ChatId | None = None) -> Hub:
    """Return where publishing goes.

    Raises:
        Permanent: Nowhere yet; the message says how to choose.
    """
    hub = hub_in_use(hubs, configured)
    if hub is None:
        raise Permanent(
            "No hub is configured, so there is nowhere to publish to. Make one with "
            "`face-archive hub create`, or choose one with `face-archive hub use`."
        )
    return hub


def _adopt(chat: Chat, chats: ChatStore, hubs: HubStore) -> Hub:
    """Mark first: a chat that is in use but not marked could be switched on as a source."""
    chats.mark_hub(chat.chat_no)
    return hubs.use(chat.chat_no)


def _require_no_source(chat: Chat) -> None:
    if chat.switches.archive:
        raise Permanent(
            f"{chat.title!r} is a source, and a hub is never a source: run `face-archive chats "
            f"deny {chat.chat_no} --archive` first, or choose another chat."
        )
