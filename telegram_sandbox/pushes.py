"""Pushing updates to connected sessions.

Here belongs who gets to know of an event while it is connected. Who is not, asks for the
difference later.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from telegram_sandbox.media_records import HOME_DC
from telegram_sandbox.records import Chat, Event, User
from telegram_sandbox.session import Session
from telegram_sandbox.views import Views
from telegram_sandbox.wire import packed

if TYPE_CHECKING:
    from telegram_sandbox.server import Sandbox


class Pushes:
    """Listens to the world and tells the sessions."""

    def __init__(self, sandbox: "Sandbox") -> None:
        """Keeps the server, whose keys and faults it needs."""
        self._sandbox = sandbox
        self._world = sandbox.world
        self.acting: Session | None = None
        """The session whose request is being handled: its answer tells it already."""

    def start(self) -> None:
        """Begins to listen to the world."""
        self._world.listeners.append(self._on_event)
        self._world.chat_listeners.append(self._on_chat_change)

    def stop(self) -> None:
        """Ceases to listen."""
        self._world.listeners.remove(self._on_event)
        self._world.chat_listeners.remove(self._on_chat_change)

    def to_user(self, user: User, make: Callable[[Views], Any]) -> None:
        """Pushes what `make` returns to every session of a user, free of faults."""
        if sessions := self._sessions(user):
            self.to_sessions(sessions, make(Views(self._world, user)))

    def to_sessions(self, sessions: list[Session], update: Any) -> None:
        """Sends an update to these sessions."""
        self._send(sessions, packed(bytes(update)))

    def _on_event(self, owner: User | None, event: Event) -> None:
        for user in event.chat.users if owner is None else [owner]:
            if sessions := self._sessions(user):
                update = Views(self._world, user).updates([event], event.date)
                body = packed(bytes(update))
                for arriving in self._sandbox.faults.updates.deliver(user.id, body):
                    self._send(sessions, arriving)

    def _on_chat_change(self, chat: Chat) -> None:
        change = types.UpdateChannel if chat.is_channel else types.UpdateChat
        for user in chat.users:
            self.to_user(
                user,
                lambda views: types.Updates(
                    [change(chat.id)], [], [views.chat(chat)], self._world.now(), 0
                ),
            )

    def _sessions(self, user: User) -> list[Session]:
        return [
            session
            for key in self._sandbox.keys.values()
            if key.user is user and key.dc == HOME_DC
            for session in key.sessions.values()
            if session.send is not None and session.wants_updates and session is not self.acting
        ]

    def _send(self, sessions: list[Session], body: bytes) -> None:
        for session in sessions:
            if session.send is not None:
                session.send(session.seal(body, answer=False))
