"""Listening: what live updates say, and how they become windows to read again.

A live update is only a hint: it names a message, the inbox keeps the name, and reading the
window brings the message itself. Not here: the connection that updates arrive on
(``resources.telegram``), the reading (``history``), and finding out what no update told
(``reconciling``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import log2
from typing import Literal, Protocol

from archive.errors import Permanent
from archive.history.ports import Plan
from archive.ids import AccountId, ChatId, ChatNo, MessageId
from archive.records import Chat, IdSpace, PeerInfo
from archive.remarks import Remark
from archive.windows import Window, dense_windows, window_at

_ASK_AGAIN_SECONDS = 600.0
"""A window that was asked for and not read by then is asked for again: longer than a run that
waits in the queue behind another, and than Dagster's own tries after a crash."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to one message.

    Attributes:
        chat_id: ``None`` for a deletion in the account's shared id space: Telegram names
            only the message there.
    """

    chat_id: ChatId | None
    message_id: MessageId
    change: Literal["new", "edited", "deleted", "reactions"]


@dataclass(frozen=True, slots=True)
class UpdateState:
    """Where an account's own sequence of updates stands; the names are Telegram's."""

    pts: int
    qts: int
    seq: int
    date: datetime


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard, and where the updates stand once all of it is stored.

    Attributes:
        changes: In the order in which Telegram told them.
        lost_in: Chats some of whose updates are lost; ``None`` among them stands for all chats
            of the account's shared id space.
        state: The account's sequence afterwards; ``None`` where it did not move.
        channels: The sequences of channels and supergroups that moved, each afterwards.
        seen: Chats that updates were about and showed as they had not been seen before.
        remarks: What was said in hubs that means something; of a hub nothing else is heard.
    """

    changes: tuple[Change, ...] = ()
    lost_in: frozenset[ChatId | None] = frozenset()
    state: UpdateState | None = None
    channels: Mapping[ChatId, int] = field(default_factory=dict)
    seen: tuple[PeerInfo, ...] = ()
    remarks: tuple[Remark, ...] = ()

    def then(self, later: Heard) -> Heard:
        """Return both as one, to be stored at once."""
        return Heard(
            self.changes + later.changes,
            self.lost_in | later.lost_in,
            later.state or self.state,
            {**self.channels, **later.channels},
            self.seen + later.seen,
            self.remarks + later.remarks,
        )


@dataclass(frozen=True, slots=True)
class HeardChat:
    """A chat that is listened to.

    Attributes:
        pts: Where its own sequence stands; ``None`` for a chat that has none.
    """

    chat: Chat
    pts: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where listening goes on from.

    Attributes:
        state: ``None`` for an account that was never listened to.
        heard: Chats that have been listened to without a break so far.
        unheard: Chats whose owner allowed them since.
    """

    state: UpdateState | None = None
    heard: tuple[HeardChat, ...] = ()
    unheard: tuple[Chat, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """Live updates of one window that no reading has answered yet.

    Attributes:
        last_inbox_id: The newest of them.
        message_id: The newest message that they name.
        window: Where they lie; ``None`` where no window was planned for the message.
        is_repair: Only lost updates ask for it.
        age_seconds: Since the newest of them came.
    """

    last_inbox_id: int
    chat_no: ChatNo
    message_id: MessageId
    window: Window | None
    is_repair: bool
    age_seconds: float


@dataclass(frozen=True, slots=True)
class DueWindow:
    """A window that live updates ask to be read.

    Attributes:
        occasion: What makes this demand a new one.
        is_new: It was planned just now.
        is_repair: It is read whole because updates were lost; nobody waits for a message.
    """

    window: Window
    occasion: str
    is_new: bool
    is_repair: bool


class InboxStore(Protocol):
    """What the archive remembers of live updates."""

    def chat(self, chat_no: ChatNo) -> Chat:
        """Return a chat; ``Permanent`` where there is none of that number."""
        ...

    def keep(self, account_id: AccountId, heard: Heard) -> int:
        """Store what concerns archived chats and hubs, and the new state, in one transaction.

        Changes of other chats are none of our business. Lost updates become a gap in each of the
        chat's windows. What is seen of known chats follows; one that is new is taken in, switched
        off, if the account's chats were discovered before.

        Returns:
            How many changes were kept.
        """
        ...

    def waiting(self, limit: int) -> Sequence[Waiting]:
        """Return the windows that unanswered updates ask for: repairs last, oldest first."""
        ...

    def planned_through(self, chat_no: ChatNo) -> MessageId:
        """Return the id up to which every message lies in a planned window; 0 for none."""
        ...

    def add_windows(self, chat_no: ChatNo, plan: Plan) -> tuple[Window, ...]:
        """Remember windows and how far they cover; return the new ones."""
        ...


def due_windows(store: InboxStore, limit: int = 2_000) -> list[DueWindow]:
    """Say which windows live updates ask for; plans those that a chat has grown into.

    Args:
        store: Where updates are kept.
        limit: How many windows at most, repairs last, those that wait longest first.
    """
    newest: dict[Window, Waiting] = {}
    planned: set[Window] = set()
    for update in store.waiting(limit):
        window = update.window
        if window is None:
            window, added = _grow(update, store)
            planned.update(added)
        known = newest.get(window)
        if known is None or known.last_inbox_id < update.last_inbox_id:
            newest[window] = update
    return [
        DueWindow(window, _occasion(update), window in planned, update.is_repair)
        for window, update in newest.items()
    ]


def _occasion(update: Waiting) -> str:
    """Name a demand: by its newest update, and with ever longer pauses anew.

    Dagster refuses a repeated run key for ever, and a run may die in a way that nobody repeats.
    """
    tries = update.age_seconds / _ASK_AGAIN_SECONDS
    again = f"-{int(log2(tries)) + 1}" if tries >= 1 else ""
    return f"{update.last_inbox_id}{again}"


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
