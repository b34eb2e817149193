"""Hubs: the private forums that receive the people, made or chosen, looked at and checked.

What a chat must be for that is ``archive.publishing.rights``; what goes into it is
``archive.publishing``. A chat that is a hub is never a source, and the other way round.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from archive.chats import ChatStore, PeerResolver, parse_reference
from archive.errors import Permanent
from archive.ids import AccountId, ChatId, ChatNo
from archive.publishing import (
    Hub,
    HubBlocked,
    HubGateway,
    HubNo,
    HubRights,
    HubRule,
    HubState,
    require_hub_rights,
    require_usable,
    rights_in,
)
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

    def add(self, chat_no: ChatNo, rule: HubRule) -> Hub:
        """Let publishing go to a chat that is marked as a hub, beside others."""
        ...

    def retire(self, hub_no: HubNo) -> None:
        """Let publishing go there no more; what is there stays."""
        ...

    def set_state(self, hub_no: HubNo, state: HubState, reason: str | None = None) -> None:
        """Keep whether a hub can be used now, and why not."""
        ...


@dataclass(frozen=True, slots=True)
class HubCheck:
    """What a look at a hub found.

    Attributes:
        rights: ``None`` where there is no such chat for us any more.
        blocked_reason: What is wrong, with the way out; ``None`` if nothing is.
    """

    hub: Hub
    rights: HubRights | None
    blocked_reason: str | None


async def create_hub(
    title: str,
    account_id: AccountId,
    gateway: HubGateway,
    chats: ChatStore,
    hubs: HubStore,
    rule: HubRule | None = None,
    *,
    instead: bool = False,
) -> Hub:
    """Make a private forum of our own and publish there from now on.

    Args:
        title: Of the group.
        account_id: The account that makes it and will post.
        gateway: That account's connection.
        chats: Where chats are remembered.
        hubs: Where hubs are remembered.
        rule: What goes there, beside other hubs; ``None`` for everything, and nowhere else.
        instead: Without a rule: publish no more where it went so far.

    Raises:
        Transient: Telegram did not answer; there may be an empty group that nothing uses.
        Permanent: Telegram refused, or publishing goes elsewhere already; then nothing was made.
    """
    if rule is None and not instead:
        await asyncio.to_thread(_require_none_else, hubs, None)
    peer = await gateway.create(title)
    chat = await asyncio.to_thread(chats.upsert_peer, account_id, peer)
    return await asyncio.to_thread(_adopt, chat, chats, hubs, rule)


async def use_hub(
    text: str,
    account_id: AccountId,
    resolver: PeerResolver,
    gateway: HubGateway,
    chats: ChatStore,
    hubs: HubStore,
    rule: HubRule | None = None,
    *,
    instead: bool = False,
) -> Hub:
    """Publish into an existing forum from now on.

    Args:
        text: Name, marked id or link of the chat.
        account_id: The account that will post.
        resolver: Finds the chat.
        gateway: That account's connection.
        chats: Where chats are remembered.
        hubs: Where hubs are remembered.
        rule: As for ``create_hub``.
        instead: As for ``create_hub``.

    Raises:
        Permanent: The chat is a source, no private forum, or the account lacks a right there; or
            publishing goes elsewhere already.
        Transient: Telegram did not answer.
    """
    peer = await resolver.resolve(parse_reference(text))
    if rule is None and not instead:
        await asyncio.to_thread(_require_none_else, hubs, peer.chat_id)
    chat = await asyncio.to_thread(chats.upsert_peer, account_id, peer)
    _require_no_source(chat)
    if chat.kind is not ChatKind.SUPERGROUP:
        raise HubBlocked(
            f"{chat.title!r} cannot be the hub: only a group with topics can. Make one with "
            "`face-archive hub create`."
        )
    await require_usable(gateway, chat)
    return await asyncio.to_thread(_adopt, chat, chats, hubs, rule)


async def check_hub(hub: Hub, gateway: HubGateway, hubs: HubStore) -> HubCheck:
    """Ask Telegram whether a hub can be used now, and remember the answer.

    Raises:
        Transient: Telegram did not answer.
    """
    rights, state, reason = None, HubState.READY, None
    try:
        rights = await rights_in(gateway, hub.chat)
        require_hub_rights(rights)
    except HubBlocked as blocked:
        state, reason = HubState.BLOCKED, str(blocked)
    # How full it is, publishing knows.
    if not (state is HubState.READY and hub.state is HubState.FULL):
        await asyncio.to_thread(hubs.set_state, hub.hub_no, state, reason)
    return HubCheck(hub, rights, reason)


def hubs_in_use(hubs: HubStore, configured: ChatId | None = None) -> list[Hub]:
    """Return where publishing goes, in the order in which the hubs were added.

    Args:
        hubs: Where hubs are remembered.
        configured: The setting HUB_GROUP_ID, which wins over ``hub use`` and ``hub add``.

    Raises:
        Permanent: HUB_GROUP_ID names a chat that is not a hub.
    """
    known = hubs.hubs()
    if configured is None:
        return [hub for hub in known if hub.in_use]
    if found := [hub for hub in known if hub.chat.chat_id == configured]:
        return found
    raise Permanent(
        "HUB_GROUP_ID names a chat that is not a hub yet: run `face-archive hub use` with that id, "
        "or leave HUB_GROUP_ID empty."
    )


def require_hubs(hubs: HubStore, configured: ChatId | None = None) -> list[Hub]:
    """Return where publishing goes; at least one.

    Raises:
        Permanent: Nowhere yet; the message says how to choose.
    """
    if not (found := hubs_in_use(hubs, configured)):
        raise Permanent(
            "No hub is configured, so there is nowhere to publish to. Make one with "
            "`face-archive hub create`, or choose one with `face-archive hub use`."
        )
    return found


def crowded(hubs: Sequence[Hub]) -> list[Hub]:
    """Return the full hubs whose rule has no other hub with room for somebody new."""
    roomy = {hub.rule for hub in hubs if hub.state is HubState.READY}
    return [hub for hub in hubs if hub.state is HubState.FULL and hub.rule not in roomy]


def find_hub(text: str, hubs: HubStore) -> Hub:
    """Return the hub that somebody means by a title or a marked id.

    Raises:
        Permanent: None is called so, or several are.
    """
    found = [hub for hub in hubs.hubs() if text in {hub.chat.title, str(hub.chat.chat_id)}]
    if len(found) != 1:
        raise Permanent(
            f"{'Several hubs are' if found else 'No hub is'} called {text!r}: name one as "
            "`face-archive hub list` does, by its marked id."
        )
    return found[0]


def _adopt(chat: Chat, chats: ChatStore, hubs: HubStore, rule: HubRule | None) -> Hub:
    """Mark first: a chat that is in use but not marked could be switched on as a source."""
    chats.mark_hub(chat.chat_no)
    return hubs.use(chat.chat_no) if rule is None else hubs.add(chat.chat_no, rule)


def _require_none_else(hubs: HubStore, chat_id: ChatId | None) -> None:
    """Retire no hub that nobody spoke of."""
    others = [hub for hub in hubs.hubs() if hub.in_use and hub.chat.chat_id != chat_id]
    if others:
        titles = ", ".join(f"“{hub.chat.title}”" for hub in others)
        raise Permanent(
            f"Publishing goes to {titles}. `face-archive hub add` publishes to another beside it; "
            "with --instead it goes nowhere else from now on, and what is there stays, uncorrected."
        )


def _require_no_source(chat: Chat) -> None:
    if chat.switches.archive:
        raise Permanent(
            f"{chat.title!r} is a source, and a hub is never a source: run `face-archive chats "
            f"deny {chat.chat_no} --archive` first, or choose another chat."
        )
