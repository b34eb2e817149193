"""The server: listens on loopback, knows the keys.

Here belong the life of the server and the hooks that tests and demos use while it runs. Single
connections are `connection`'s business, updates are `pushes`'.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from telethon.tl import types

import telegram_sandbox.methods  # noqa: F401 - importing it registers the handlers
from telegram_sandbox.connection import Connection
from telegram_sandbox.faults import Faults, Upset
from telegram_sandbox.handles import ChatHandle
from telegram_sandbox.handshake import PUBLIC_KEY_PEM
from telegram_sandbox.media_records import HOME_DC, StoredFile
from telegram_sandbox.pushes import Pushes
from telegram_sandbox.records import (
    ADMIN_RIGHTS,
    CHANNEL_MARK,
    Chat,
    LoginToken,
    Member,
    Message,
    User,
)
from telegram_sandbox.request_log import LoggedRequest
from telegram_sandbox.scenario import Scenario
from telegram_sandbox.session import KeyRecord, Session
from telegram_sandbox.takeouts import Takeouts
from telegram_sandbox.world import World

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

    def __init__(
        self,
        scenario: Scenario,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        file_dc: int | None = None,
    ) -> None:
        """Takes the world of the scenario over; a scenario serves one sandbox at a time.

        Args:
            scenario: users, chats and messages to start with.
            host: loopback address to listen on.
            port: 0 takes a free one.
            file_dc: number of a second data centre (not 2) that listens on a port of its own and
                serves the files that say so: `photo(…, dc=4)`, or all after `move_files`.
        """
        self.world = scenario.world
        self.state = State(self.world)
        self.faults = Faults()
        self.host = host
        self.port = port
        self.public_key_pem = PUBLIC_KEY_PEM
        self.login_code = scenario.login_code
        self.keys: dict[int, KeyRecord] = {}
        self.file_dc = file_dc
        self.ports: dict[int, int] = {}
        """The ports by data centre, once it listens."""
        self.login_tokens: dict[bytes, LoginToken] = {}
        self.tickets: dict[bytes, tuple[User, int]] = {}
        """Exported authorizations: whose, and for which data centre."""
        self.takeouts = Takeouts()
        self.password_challenges: dict[int, Any] = {}
        self.login_hashes: dict[str, str] = {}
        self.uploads: dict[tuple[int, int], dict[int, bytes]] = {}
        self.pushes = Pushes(self)
        self.tasks: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []
        self._connections: dict[Connection, asyncio.Task[None] | None] = {}

    async def __aenter__(self) -> Self:
        """Starts to listen."""
        self.world.live = True
        self.pushes.start()
        self.port = await self._listen(HOME_DC, self.port)
        if self.file_dc is not None:
            await self._listen(self.file_dc, 0)
        return self

    async def _listen(self, dc: int, port: int) -> int:
        server = await asyncio.start_server(partial(self._serve, dc), self.host, port)
        self._servers.append(server)
        self.ports[dc] = server.sockets[0].getsockname()[1]
        return self.ports[dc]

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stops to listen and ends all connections."""
        self.world.live = False
        self.pushes.stop()
        for server in self._servers:
            server.close()
        serving = [task for task in self._connections.values() if task is not None]
        self.drop_connections()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*serving, *self.tasks, return_exceptions=True)

    async def _serve(
        self, dc: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        connection = Connection(self, dc, reader, writer)
        self._connections[connection] = asyncio.current_task()
        try:
            await connection.run()
        finally:
            del self._connections[connection]

    def place_of(self, dc: int) -> int:
        """Returns the data centre that serves for this one: itself if it has an address."""
        return dc if dc in self.ports else HOME_DC

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
        for file in self._files_of(messages):
            file.epoch += 1

    def move_files(self, *messages: Message) -> None:
        """Moves files to the other data centre: of these messages, or all.

        Messages read from now on say so; who uses what it read before gets FILE_MIGRATE_n.
        """
        for file in self._files_of(messages):
            file.dc = self.file_dc or HOME_DC

    def _files_of(self, messages: Sequence[Message]) -> Iterable[StoredFile]:
        if not messages:
            return self.world.files.values()
        media = [getattr(message.media, "file", None) for message in messages]
        return [file for file in media if file is not None]

    def expire_login_tokens(self) -> None:
        """Lets every login token be older than it may be."""
        for token in self.login_tokens.values():
            token.expires = self.world.now()

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
        self._tell_of_membership(chat.record, user)

    def add_member(self, chat: ChatHandle, user: User) -> None:
        """Lets a user join a group or channel."""
        chat.record.members[user.id] = Member(user, self.world.now())
        self._tell_of_membership(chat.record, user)

    def _tell_of_membership(self, chat: Chat, user: User) -> None:
        change = types.UpdateChannel if chat.is_channel else types.UpdateChat
        self.pushes.to_user(
            user,
            lambda views: types.Updates(
                [change(chat.id)], [], [views.chat(chat)], self.world.now(), 0
            ),
        )

    def delete_chat(self, chat: ChatHandle) -> None:
        """Deletes a channel or group for everybody: it cannot be named any more."""
        del self.world.chats[chat.record.id]
        self.world.chat_changed(chat.record)

    def drop_connections(self) -> None:
        """Cuts every connection; clients reconnect by themselves."""
        for connection in list(self._connections):
            connection.close()

    def sessions_of(self, user: User) -> int:
        """Returns how many keys the user is logged in with."""
        return sum(1 for key in self.keys.values() if key.user is user and key.dc == HOME_DC)

    def upset(self, upset: Upset, session: Session) -> None:
        """Lets something happen to the server while this session asks."""
        if upset is Upset.REVOKE_SESSION:
            session.key.user = None
            return
        upsets: dict[Upset, Callable[[], object]] = {
            Upset.EXPIRE_REFERENCES: self.expire_file_references,
            Upset.MOVE_FILES: self.move_files,
            Upset.END_TAKEOUTS: self.takeouts.end_all,
            Upset.NEW_SALTS: self.change_salts,
            Upset.CUT_ALL: self.drop_connections,
        }
        upsets[upset]()
