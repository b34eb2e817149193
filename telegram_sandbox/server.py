"""The server: listens on loopback, knows the keys, pushes updates.

Here belong the life of the server, the hooks that tests and demos use while it runs, and the
push of updates to connected sessions. Single connections are `connection`'s business.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from telethon.tl import types

import telegram_sandbox.methods  # noqa: F401 - importing it registers the handlers
from telegram_sandbox.connection import Connection, packed
from telegram_sandbox.faults import Faults
from telegram_sandbox.handles import ChatHandle
from telegram_sandbox.handshake import PUBLIC_KEY_PEM
from telegram_sandbox.records import ADMIN_RIGHTS, CHANNEL_MARK, Chat, Event, Message, User
from telegram_sandbox.scenario import Scenario
from telegram_sandbox.session import KeyRecord, Session
from telegram_sandbox.views import Views
from telegram_sandbox.world import LoggedRequest, World

_T = TypeVar("_T")


class State:
    """What a test may look at."""

    def __init__(self, world: World) -> None:
        """Looks into that world."""
        self._world = world
        self.crashes: list[str] = []
        """Requests on which a handler broke: always a defect of the sandbox."""

    @property
    def requests(self) -> Counter[str]:
        """How often each method was called, by names such as `messages.getHistory`."""
        return self._world.log.counts

    @property
    def request_log(self) -> list[LoggedRequest]:
        """The latest requests in order."""
        return list(self._world.log.entries)

    @property
    def unknown_requests(self) -> list[str]:
        """Methods that were called though the sandbox does not know them."""
        return self._world.log.unknown

    def chat(self, chat_id: int, account: User | None = None) -> ChatHandle:
        """Returns the chat of that marked id.

        Args:
            chat_id: -100… for channels, negative for basic groups, a user's id for private chats.
            account: whose private chat or basic group; needed for those only.
        """
        if chat_id < 0:
            bare = -chat_id - CHANNEL_MARK if chat_id < -CHANNEL_MARK else -chat_id
            return ChatHandle(self._world, self._world.chats[bare], account)
        if account is None:
            raise ValueError("a private chat is looked at through an account")
        chat = self._world.private_chat(account, self._world.users[chat_id])
        return ChatHandle(self._world, chat, account)


class Sandbox:
    """The running server; use it with `async with`."""

    def __init__(self, scenario: Scenario, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """Takes the world of the scenario over; a scenario serves one sandbox at a time.

        Args:
            scenario: users, chats and messages to start with.
            host: loopback address to listen on.
            port: 0 takes a free one.
        """
        self.world = scenario.world
        self.state = State(self.world)
        self.faults = Faults()
        self.host = host
        self.port = port
        self.public_key_pem = PUBLIC_KEY_PEM
        self.login_code = scenario.login_code
        self.keys: dict[int, KeyRecord] = {}
        self.login_tokens: dict[bytes, User | None] = {}
        self.password_challenges: dict[int, Any] = {}
        self.login_hashes: dict[str, str] = {}
        self.uploads: dict[tuple[int, int], dict[int, bytes]] = {}
        self.acting: Session | None = None
        self.tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._connections: dict[Connection, asyncio.Task[None] | None] = {}

    async def __aenter__(self) -> Self:
        """Starts to listen."""
        self.world.live = True
        self.world.listeners.append(self._on_event)
        self.world.chat_listeners.append(self._on_chat_change)
        self._server = await asyncio.start_server(self._serve, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stops to listen and ends all connections."""
        self.world.live = False
        self.world.listeners.remove(self._on_event)
        self.world.chat_listeners.remove(self._on_chat_change)
        if self._server is not None:
            self._server.close()
        serving = [task for task in self._connections.values() if task is not None]
        self.drop_connections()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*serving, *self.tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self, reader, writer)
        self._connections[connection] = asyncio.current_task()
        try:
            await connection.run()
        finally:
            del self._connections[connection]

    # Hooks for tests and demos

    async def post(self, chat: ChatHandle, change: Callable[[ChatHandle], _T]) -> _T:
        """Changes a chat while the server runs; updates have been pushed when it returns."""
        result = change(chat)
        await asyncio.sleep(0)
        return result

    def revoke_sessions(self, user: User) -> int:
        """Logs the user's sessions out; their next request gets AUTH_KEY_UNREGISTERED."""
        revoked = [key for key in self.keys.values() if key.user is user]
        for key in revoked:
            key.user = None
        return len(revoked)

    def expire_file_references(self, *messages: Message) -> None:
        """Makes references invalid that were given out so far: of these messages, or of all."""
        files = set(self.world.files.values())
        if messages:
            media = [getattr(message.media, "file", None) for message in messages]
            files = {file for file in files if file in media}
        for file in files:
            file.epoch += 1

    def change_salts(self) -> None:
        """Gives every key a new salt; clients learn it by bad_server_salt."""
        for key in self.keys.values():
            key.salt ^= 0x5A5A5A5A

    def restrict(self, chat: ChatHandle, user: User, **rights: bool) -> None:
        """Grants (True) or takes (False) rights of a member.

        Names of admin rights (`manage_topics`, `post_messages`, …) change what the user holds as
        an admin; names of banned rights (`send_messages`, `send_media`, …) what is forbidden to
        it. A creator becomes an ordinary admin, as after handing the chat over.
        """
        member = chat.record.members[user.id]
        if member.creator:
            member.creator, member.admin_rights = False, ADMIN_RIGHTS
        for name, allowed in rights.items():
            if name in ADMIN_RIGHTS:
                held = member.admin_rights
                member.admin_rights = held | {name} if allowed else held - {name}
            else:
                banned = member.banned_rights
                member.banned_rights = banned - {name} if allowed else banned | {name}
        self.world.chat_changed(chat.record)

    def remove_member(self, chat: ChatHandle, user: User) -> None:
        """Takes a user out of a chat."""
        chat.record.members[user.id].gone = True
        self._push(
            user, lambda _: types.UpdateShort(types.UpdateChannel(chat.record.id), self.world.now())
        )

    def drop_connections(self) -> None:
        """Cuts every connection; clients reconnect by themselves."""
        for connection in list(self._connections):
            connection.close()

    def sessions_of(self, user: User) -> int:
        """Returns how many keys the user is logged in with."""
        return sum(1 for key in self.keys.values() if key.user is user)

    # Pushed updates

    def _on_event(self, owner: User | None, event: Event) -> None:
        readers = event.chat.users if owner is None else [owner]
        for user in readers:
            self._push(user, lambda views: views.updates([event], event.date))

    def _on_chat_change(self, chat: Chat) -> None:
        for user in chat.users:
            self._push(
                user,
                lambda views: types.Updates(
                    [types.UpdateChannel(chat.id)], [], [views.chat(chat)], self.world.now(), 0
                ),
            )

    def _push(self, user: User, make: Callable[[Views], Any]) -> None:
        sessions = [
            session
            for key in self.keys.values()
            if key.user is user
            for session in key.sessions.values()
            if session.send is not None and session.wants_updates and session is not self.acting
        ]
        if sessions:
            self.push_to(sessions, make(Views(self.world, user)))

    def push_to(self, sessions: list[Session], update: Any) -> None:
        """Sends an update to these sessions."""
        body = packed(bytes(update))
        for session in sessions:
            if session.send is not None:
                session.send(session.seal(body, answer=False))
