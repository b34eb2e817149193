"""Listening: what live updates say, and how they become windows to read again.

A live update is only a hint: it names a message, the inbox keeps the name, and reading the
window brings the message itself. Not here: the connection that updates arrive on
(``resources.telegram``) and the reading (``history``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from archive.errors import Permanent
from archive.history_ports import Plan
from archive.ids import AccountId, ChatId, ChatNo, MessageId
from archive.records import Chat, IdSpace
from archive.windows import Window, dense_windows, window_at


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to one message.

    Attributes:
        chat_id: ``None`` for a deletion in the account's shared id space: Telegram names
            only the message there.
    """

    chat_id: ChatId | None
    message_id: MessageId
    change: Literal["new", "edited", "deleted"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A live update that no reading has answered yet.

    Attributes:
        window: Where its message lies; ``None`` where no window was planned for it.
    """

    inbox_id: int
    chat_no: ChatNo
    message_id: MessageId
    window: Window | None


@dataclass(frozen=True, slots=True)
class DueWindow:
    """A window that live updates ask to be read.

    Attributes:
        last_inbox_id: The newest update that asks: what makes this demand a new one.
        is_new: It was planned just now.
    """

    window: Window
    last_inbox_id: int
    is_new: bool


class InboxStore(Protocol):
    """What the archive remembers of live updates."""

    def chat(self, chat_no: ChatNo) -> Chat:
        """Return a chat; ``Permanent`` where there is none of that number."""
        ...

    def source_of(self, account_id: AccountId, change: Change) -> Chat | None:
        """Return the chat that a change speaks of; ``None`` where it is not known."""
        ...

    def add(self, chat_no: ChatNo, change: Change) -> None:
        """Remember a change until it is read."""
        ...

    def waiting(self, limit: int) -> Sequence[Waiting]:
        """Return the oldest unanswered updates of chats that are archived and planned."""
        ...

    def planned_through(self, chat_no: ChatNo) -> MessageId:
        """Return the id up to which every message lies in a planned window; 0 for none."""
        ...

    def add_windows(self, chat_no: ChatNo, plan: Plan) -> tuple[Window, ...]:
        """Remember windows and how far they cover; return the new ones."""
        ...


def receive(change: Change, account_id: AccountId, store: InboxStore) -> bool:
    """Note a change of a chat that is archived; every other is none of our business.

    Args:
        change: What the account heard.
        account_id: The account that heard it.
        store: Where it is kept until it is read.

    Returns:
        Whether it was kept.
    """
    chat = store.source_of(account_id, change)
    if chat is None or chat.is_hub or not chat.switches.archive:
        return False
    store.add(chat.chat_no, change)
    return True


def due_windows(store: InboxStore, limit: int = 2_000) -> list[DueWindow]:
    """Say which windows live updates ask for; plans those that a chat has grown into.

    Args:
        store: Where updates are kept.
        limit: How many updates to look at, oldest first.
    """
    newest: dict[Window, int] = {}
    planned: set[Window] = set()
    for update in store.waiting(limit):
        window = update.window
        if window is None:
            window, added = _grow(update, store)
            planned.update(added)
        newest[window] = max(update.inbox_id, newest.get(window, 0))
    return [DueWindow(window, last, window in planned) for window, last in newest.items()]


def _grow(update: Waiting, store: InboxStore) -> tuple[Window, tuple[Window, ...]]:
    """Plan the window of a message that lies in none.

    In a dense space everything below it is planned with it, by arithmetic. In a sparse one
    only a jump can tell what lies between; the next ``plan_windows`` makes it.

    Returns:
        The window, and all that are new.
    """
    chat = store.chat(update.chat_no)
    if chat.window_width is None:
        raise Permanent(f"Chat {chat.chat_no} has no windows yet: plan them first.")
    window = window_at(chat.chat_no, update.message_id, chat.window_width)
    plan = Plan((window,), chat.window_width, known_top=update.message_id)
    if chat.id_space is IdSpace.OWN:
        through = store.planned_through(chat.chat_no)
        windows = tuple(dense_windows(chat.chat_no, window.last_id, chat.window_width, through))
        plan = Plan(windows, chat.window_width, update.message_id, window.last_id)
    return window, store.add_windows(chat.chat_no, plan)
