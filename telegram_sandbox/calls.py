"""The way of one request: from its wrappers through log, faults and handler to its answer.

Here belongs everything that meets every request alike. What a request does is the handlers'
business; packets and sockets are `connection`'s.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from telethon.tl import functions

from telegram_sandbox.errors import RpcRefusal
from telegram_sandbox.faults import Drop, Verdict
from telegram_sandbox.media_records import HOME_DC
from telegram_sandbox.registry import Context, entry_for, method_name
from telegram_sandbox.request_log import LoggedRequest
from telegram_sandbox.session import Session
from telegram_sandbox.wire import Pipe, packed, serialise

if TYPE_CHECKING:
    from telegram_sandbox.server import Sandbox

log = logging.getLogger(__name__)

LOGGED_WITHOUT_BODY: Final = frozenset({"upload.saveFilePart", "upload.saveBigFilePart"})
FILE_DC_METHODS: Final = ("upload.", "help.", "auth.importAuthorization")
"""What a data centre answers that is not the account's home, by how the names begin."""


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """A request without its wrappers, and what they asked for."""

    request: Any
    after: tuple[int, ...] = ()
    quiet: bool = False
    takeout_id: int | None = None
    id_range: tuple[int, int] | None = None


def unwrap(request: Any) -> Unwrapped:
    """Takes off the wrappers of a request."""
    after: list[int] = []
    quiet, takeout_id, id_range = False, None, None
    while True:
        if isinstance(request, functions.InvokeWithoutUpdatesRequest):
            quiet = True
        elif isinstance(request, functions.InvokeAfterMsgRequest):
            after.append(request.msg_id)
        elif isinstance(request, functions.InvokeAfterMsgsRequest):
            after.extend(request.msg_ids)
        elif isinstance(request, functions.InvokeWithTakeoutRequest):
            takeout_id = request.takeout_id
        elif isinstance(request, functions.InvokeWithMessagesRangeRequest):
            id_range = (request.range.min_id, request.range.max_id)
        elif not isinstance(
            request, functions.InvokeWithLayerRequest | functions.InitConnectionRequest
        ):
            return Unwrapped(request, tuple(after), quiet, takeout_id, id_range)
        request = request.query


@dataclass(frozen=True, slots=True)
class Line:
    """What a call needs of its connection."""

    dc: int
    answer: Callable[[Session, int, bytes], bytes]
    """Seals the answer to the message of that id."""
    write: Callable[[bytes], Awaitable[None]]
    write_half: Callable[[bytes], None]
    cut: Callable[[], None]


class Calls:
    """Carries out the requests of one connection."""

    def __init__(self, sandbox: "Sandbox", line: Line) -> None:
        """Keeps the server and the way back to the client."""
        self._sandbox = sandbox
        self._line = line
        self._running: dict[int, asyncio.Task[None]] = {}
        self._there, self._back = Pipe(), Pipe()

    def start(self, session: Session, message_id: int, request: Any, size: int) -> None:
        """Begins to carry out a request of that many bytes; others need not wait for it."""
        task = asyncio.create_task(self._run(session, message_id, unwrap(request), size))
        self._running[message_id] = task
        self._sandbox.tasks.add(task)
        task.add_done_callback(self._sandbox.tasks.discard)
        task.add_done_callback(lambda _: self._running.pop(message_id, None))

    async def _run(self, session: Session, message_id: int, call: Unwrapped, size: int) -> None:
        await asyncio.gather(*(self._running[each] for each in call.after if each in self._running))
        session.wants_updates = session.wants_updates or not call.quiet
        name = method_name(call.request)
        self._log(name, session, call)
        verdict = self._sandbox.faults.judge(name)
        if verdict.drop in {Drop.BEFORE, Drop.DURING}:
            self._line.cut()
        if verdict.drop is Drop.BEFORE:
            return
        await self._there.carry(size, self._sandbox.faults.bytes_per_second)
        body = await self._result(session, call, verdict)
        if verdict.drop is None:
            await self._back.carry(len(body), self._sandbox.faults.bytes_per_second)
            await self._line.write(self._line.answer(session, message_id, body))
            return
        if verdict.drop is Drop.MIDWAY:
            self._line.write_half(self._line.answer(session, message_id, body))
        self._line.cut()

    def _log(self, name: str, session: Session, call: Unwrapped) -> None:
        requests = self._sandbox.world.log
        requests.counts[name] += 1
        kept = None if name in LOGGED_WITHOUT_BODY else call.request
        in_takeout = call.takeout_id is not None
        entry = LoggedRequest(name, session.key.user, kept, in_takeout, self._line.dc)
        requests.entries.append(entry)

    async def _result(self, session: Session, call: Unwrapped, verdict: Verdict) -> bytes:
        """Returns the answer or the refusal in TL's binary form, once all waiting is done."""
        half = self._sandbox.faults.draw_latency() / 2
        world = self._sandbox.world
        claims = _random_ids(session, call.request)
        if claims & world.in_flight:
            return RpcRefusal("RANDOM_ID_DUPLICATE").body
        world.in_flight |= claims
        try:
            if (before := verdict.delay_seconds + half) > 0:
                await asyncio.sleep(before)
            if verdict.upset is not None:
                self._sandbox.upset(verdict.upset, session)
            if verdict.error is not None:
                return RpcRefusal(verdict.error).body
            result = self._execute(session, call, verdict)
            if half > 0:
                await asyncio.sleep(half)
            return result
        finally:
            world.in_flight -= claims

    def _execute(self, session: Session, call: Unwrapped, verdict: Verdict) -> bytes:
        name = method_name(call.request)
        context = Context(
            self._sandbox,
            self._sandbox.world,
            session,
            verdict,
            self._line.dc,
            call.takeout_id,
            call.id_range,
        )
        self._sandbox.pushes.acting = session
        try:
            body = self._handled(name, context, call.request)
        except RpcRefusal as refusal:
            return refusal.body
        except Exception as bug:
            log.exception("the sandbox failed to handle %s", name)
            self._sandbox.state.crashes.append(f"{name}: {bug!r}")
            return RpcRefusal(f"SANDBOX_BUG_{type(bug).__name__.upper()}").body
        finally:
            self._sandbox.pushes.acting = None
        # Files are compressed already.
        return body if name == "upload.getFile" else packed(body)

    def _handled(self, name: str, context: Context, request: Any) -> bytes:
        entry = entry_for(request)
        if entry is None:
            self._sandbox.world.log.unknown.append(name)
            log.error("the sandbox does not know %s", name)
            raise RpcRefusal(f"SANDBOX_UNKNOWN_METHOD_{name.replace('.', '_').upper()}")
        if context.dc != HOME_DC and not name.startswith(FILE_DC_METHODS):
            raise RpcRefusal(f"USER_MIGRATE_{HOME_DC}")
        key = context.session.key
        if key.user is None and not entry.public:
            waits = key.password_pending is not None
            raise RpcRefusal("SESSION_PASSWORD_NEEDED" if waits else "AUTH_KEY_UNREGISTERED")
        if context.takeout_id is not None:
            self._sandbox.takeouts.check(context.takeout_id, key)
        return serialise(entry.handler(context, request))


def _random_ids(session: Session, request: Any) -> set[tuple[int, str, int]]:
    """Returns the claims of a sending request: who, where, and its random ids."""
    peer = getattr(request, "to_peer", None) or getattr(request, "peer", None)
    given = getattr(request, "random_id", None)
    if peer is None or given is None or session.key.user is None:
        return set()
    ids = given if isinstance(given, list) else [given]
    return {(session.key.user.id, bytes(peer).hex(), each) for each in ids}
