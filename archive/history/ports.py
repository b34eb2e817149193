"""What history asks of the world: a source of pages and a store, and what crosses both.

Only ports and values; ``planning`` and ``reading`` call them, ``resources`` and the tests implement
them. The store is synchronous and safe to call from several threads; it is called off the event
loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from archive.errors import Permanent
from archive.ids import ChatNo, MessageId
from archive.records import Chat, Message, Page, PeerInfo, User
from archive.windows import Descent, Window, WindowRow

StoppedReason = Literal["done", "switched_off", "lost"]
"""``lost``: the account cannot read the chat any more, which is now the chat's state."""


class ChatLost(Permanent):
    """The account cannot read the chat any more; it may come back.

    Args:
        reason: Why, for a person.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"The chat cannot be read: {reason}.")
        self.reason = reason

    def __reduce__(self) -> tuple[type[ChatLost], tuple[str]]:
        """Pickle by the reason."""
        return type(self), (self.reason,)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One answer as it came: enough to ask for the next, its content for when there is time.

    Attributes:
        ids: Of its messages, newest first.
        open: Takes it apart, which costs as much as receiving it did.
    """

    ids: tuple[MessageId, ...]
    open: Callable[[], Page]


class HistorySource(Protocol):
    """One account's view of chats, a page at a time."""

    async def below(self, chat: Chat, message_id: MessageId) -> Arrival:
        """Ask for the newest hundred messages below an id; see ``page``."""
        ...

    async def page(
        self,
        chat: Chat,
        *,
        offset_id: int,
        offset_date: datetime | None = None,
        add_offset: int = 0,
        limit: int = 100,
    ) -> Page:
        """Read one page, newest first.

        Args:
            chat: The chat, with the account's key to it.
            offset_id: Exclusive upper end; 0 begins at the newest message.
            offset_date: With ``offset_id`` 0: begins at the newest message before this moment.
            add_offset: Moves the page: positive to older, negative to newer messages.
            limit: 1 … 100.

        Returns:
            The page; a short one is no sign of the end, an empty one is.

        Raises:
            Transient: Telegram asks to wait, or did not answer.
            ChatLost: The account cannot read the chat (any more).
            Permanent: Telegram refuses for another reason.
        """
        ...

    async def messages(self, chat: Chat, ids: Sequence[MessageId]) -> Page:
        """Read at most 100 messages by id; those that do not exist in the chat are absent."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """Windows to be known, and how far they cover the chat.

    Attributes:
        windows: Newest first; known ones among them change nothing.
        width: Of the chat's windows; the first one stored stays.
        known_top: Largest id known to exist.
        planned_through: Every message up to here lies in a planned window; 0 claims nothing.
    """

    windows: tuple[Window, ...]
    width: int
    known_top: MessageId
    planned_through: MessageId = MessageId(0)  # noqa: RUF009 - a NewType call is the int itself


@dataclass(frozen=True, slots=True)
class Look:
    """A window as it stands before something is asked of Telegram.

    Attributes:
        as_of: The store's time now: what is asked later is at least as new.
        inbox_up_to: Newest live update known now: what is asked later contains it.
        has_gap: A live update says that others were lost: only reading the window whole helps.
    """

    row: WindowRow
    as_of: datetime
    inbox_up_to: int
    has_gap: bool


@dataclass(frozen=True, slots=True)
class PageCommit:
    """What one answer brings and what it proves, to be stored in one transaction.

    Attributes:
        first_id: Beginning of the ids that the answer speaks of.
        last_id: Their end, included.
        named: Only these of them; ``None`` for every one.
        as_of: The store's time before the question: it can say nothing about what came later.
        inbox_up_to: Live updates up to here about these ids are answered.
        descent: Where the reading stands after this page.
    """

    window: Window
    messages: tuple[Message, ...]
    users: tuple[User, ...]
    chats: tuple[PeerInfo, ...]
    first_id: MessageId
    last_id: MessageId
    named: tuple[MessageId, ...] | None
    as_of: datetime
    inbox_up_to: int
    descent: Descent | None


@dataclass(frozen=True, slots=True)
class Stored:
    """What a commit did.

    Attributes:
        as_of: The store's time after it.
        added: Messages that were not there before.
        deleted: Messages that were there and exist no more.
        media: Media the page's messages carry.
        held: Messages that seem to exist no more, but too many at once: a person decides.
    """

    as_of: datetime
    added: int
    deleted: int
    media: int
    held: int = 0


class HistoryStore(Protocol):
    """What the archive remembers of windows and messages."""

    def chat(self, chat_no: ChatNo) -> Chat:
        """Return a chat; ``Permanent`` where there is none of that number."""
        ...

    def planned_through(self, chat_no: ChatNo) -> MessageId:
        """Return the id up to which every message lies in a planned window; 0 for none."""
        ...

    def add_windows(self, chat_no: ChatNo, plan: Plan) -> tuple[Window, ...]:
        """Remember windows and how far they cover; return the new ones, in their order."""
        ...

    def look(self, window: Window) -> Look:
        """Say how far a window is; ``Permanent`` where it was never planned."""
        ...

    def store_page(self, chat: Chat, commit: PageCommit) -> Stored | None:
        """Store a page with its cursor in one transaction.

        Messages that ought to be in it and are not are marked as deleted. Storing it again
        changes nothing.

        Returns:
            ``None`` where the chat may no longer be archived: then nothing was stored.
        """
        ...

    def finish(self, window: Window, descent: Descent, *, gaps_up_to: int) -> None:
        """End a reading: raise the watermark to its reach; gaps up to there are closed."""
        ...

    def waiting(self, window: Window, up_to: int) -> tuple[MessageId, ...]:
        """Return the messages in the window that live updates up to there still name."""
        ...

    def mark_lost(self, chat: Chat, reason: str) -> None:
        """Note that the chat's account cannot read it; one that can does from now on."""
        ...

    def mark_active(self, chat_no: ChatNo) -> None:
        """Note that it can again."""
        ...

    def settle(self, window: Window) -> None:
        """Note that everything asked of the window so far is read: it is no longer dirty."""
        ...
