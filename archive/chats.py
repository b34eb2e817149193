"""Chats: how the archive comes to know them, and what their owner allows it to do.

The switches and their rules. Reading what a person typed is in ``references``, reading
messages in ``history``, the ranges they are read in are ``windows``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from archive.errors import Permanent
from archive.ids import AccountId, ChatId, ChatNo
from archive.records import Chat, MediaKind, OnDeletion, PeerInfo, Switches
from archive.references import (
    InviteHash,
    MarkedId,
    Reference,
    Username,
    message_link,
    parse_message_link,
    parse_reference,
)
from archive.windows import WindowRow

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


class PeerResolver(Protocol):
    """Whoever can ask Telegram which chat is meant."""

    async def resolve(self, reference: Reference) -> PeerInfo:
        """Find the chat.

        Raises:
            Permanent: There is no such chat, or the account may not see it.
            Transient: Telegram asks to wait, or did not answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the owner of a chat decided about it, as it is to be stored.

    Attributes:
        max_media_bytes: Largest file to fetch; ``None`` leaves it to the setting.
        hold_backfill: Windows are planned but not submitted by themselves.
        on_deletion: What a deletion does to faces and posts.
    """

    switches: Switches
    media_types: frozenset[MediaKind]
    max_media_bytes: int | None
    hold_backfill: bool
    on_deletion: OnDeletion


class ChatStore(Protocol):
    """What the archive remembers of chats."""

    def get(self, chat_no: ChatNo) -> Chat:
        """Return a chat; ``Permanent`` where there is none of that number."""
        ...

    def by_chat_id(self, chat_id: ChatId, account_id: AccountId) -> Chat | None:
        """Return the chat that an account means by a marked id."""
        ...

    def find(self, text: str) -> Chat:
        """Return the one chat meant by a number, marked id, ``@username`` or title.

        Raises:
            Permanent: None or several are meant.
        """
        ...

    def list(self) -> Sequence[Chat]:
        """Return the chats that were added, by title."""
        ...

    def known(self) -> Sequence[Chat]:
        """Return the chats that were added or that an account was found in, by title."""
        ...

    def allowed(self) -> Sequence[Chat]:
        """Return the chats that may be archived, by title."""
        ...

    def upsert_peer(self, account_id: AccountId, peer: PeerInfo) -> Chat:
        """Add a chat, or bring what is known of it up to date."""
        ...

    def set_allowance(
        self, chat_no: ChatNo, allowance: Allowance, *, again: bool, drop_faces: bool = False
    ) -> Chat:
        """Store what the owner decided.

        Args:
            chat_no: The chat.
            allowance: All of it.
            again: Mark the windows that hold media dirty: a pass would now do more of them.
            drop_faces: What was made of its faces is to be erased (``archive.deletions``).
        """
        ...

    def windows(self, chat_no: ChatNo) -> Sequence[WindowRow]:
        """Return the chat's windows, newest first."""
        ...

    def mark_hub(self, chat_no: ChatNo) -> None:
        """Make the chat a hub; ``Permanent`` where it is a source."""
        ...


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


def allow(
    chat: Chat,
    switches: Switches,
    store: ChatStore,
    *,
    hold_backfill: bool | None = None,
    media_types: frozenset[MediaKind] | None = None,
    max_media_bytes: int | None = None,
    on_deletion: OnDeletion | None = None,
) -> Chat:
    """Switch on what the owner allows; what is not named stays as it is.

    Planning the chat's windows comes next (``history.plan_windows``): it has to ask Telegram.

    Args:
        chat: The chat as it is stored now.
        switches: Those to turn on.
        store: Where chats are remembered.
        hold_backfill: Whether windows wait until somebody asks for them.
        media_types: Kinds to fetch from now on.
        max_media_bytes: Largest file to fetch from now on.
        on_deletion: What a deletion does to faces and posts; holds for earlier ones too.

    Raises:
        Permanent: A rule forbids it; the message says which and what to do.
    """
    now = chat.switches
    wanted = Switches(
        archive=now.archive or switches.archive,
        faces=now.faces or switches.faces,
        publish=now.publish or switches.publish,
        keep_originals=now.keep_originals or switches.keep_originals,
    )
    _check(chat, wanted)
    allowance = Allowance(
        wanted,
        chat.media_types if media_types is None else media_types,
        chat.max_media_bytes if max_media_bytes is None else max_media_bytes,
        chat.hold_backfill if hold_backfill is None else hold_backfill,
        on_deletion or chat.on_deletion,
    )
    return store.set_allowance(chat.chat_no, allowance, again=_does_more(chat, allowance))


def deny(chat: Chat, switches: Switches, store: ChatStore) -> Chat:
    """Switch off what the owner forbids, and with it what cannot be without it.

    Work under way looks at the switch before each commit, so nothing new is stored after this.
    With the faces goes what was made of them, unless another chat allows it: from now on
    ``deletions.erase_lost`` finds it.

    Args:
        chat: The chat as it is stored now.
        switches: Those to turn off.
        store: Where chats are remembered.
    """
    archive = chat.switches.archive and not switches.archive
    faces = archive and chat.switches.faces and not switches.faces
    publish = faces and chat.switches.publish and not switches.publish
    originals = archive and chat.switches.keep_originals and not switches.keep_originals
    allowance = Allowance(
        Switches(archive, faces, publish, originals),
        chat.media_types,
        chat.max_media_bytes,
        chat.hold_backfill,
        chat.on_deletion,
    )
    drop_faces = switches.archive or switches.faces
    return store.set_allowance(chat.chat_no, allowance, again=False, drop_faces=drop_faces)


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


def _check(chat: Chat, wanted: Switches) -> None:
    """Refuse what the rules forbid, with the way out."""
    if chat.is_hub:
        raise Permanent("This chat is a hub, and a hub is never a source. Choose another chat.")
    if wanted.faces and not wanted.archive:
        raise Permanent("Faces are found in what is archived: allow --archive as well.")
    if wanted.keep_originals and not wanted.archive:
        raise Permanent("Originals are kept of what is archived: allow --archive as well.")
    if wanted.publish and not wanted.faces:
        raise Permanent("Posts show faces that were found: allow --faces as well.")
    if wanted.publish and chat.noforwards:
        raise Permanent(
            "This chat forbids copying its content, so it may be archived but never published. "
            "Allow --archive and --faces without --publish."
        )


def _does_more(chat: Chat, allowance: Allowance) -> bool:
    """Whether a media pass over windows already done would now produce more."""
    if not allowance.switches.archive:
        return False
    larger = chat.max_media_bytes is not None and (
        allowance.max_media_bytes is None or allowance.max_media_bytes > chat.max_media_bytes
    )
    return (
        not chat.switches.archive
        or (allowance.switches.faces and not chat.switches.faces)
        or (allowance.switches.keep_originals and not chat.switches.keep_originals)
        or bool(allowance.media_types - chat.media_types)
        or larger
    )
