"""What the rules of chats ask of the world: who can resolve a name, and a store.

Only ports and what crosses them; ``naming`` and ``allowing`` call them, ``resources`` and the tests
implement them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from archive.chats.references import Reference
from archive.ids import AccountId, ChatId, ChatNo
from archive.records import Chat, MediaKind, OnDeletion, PeerInfo, Switches
from archive.windows import WindowRow


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
