"""One TCP connection: packets in, packets out.

Here belong the loop over a client's packets, MTProto's service messages and the way of a request
through log, faults and handler to its answer. What a request does is the handlers' business.

Source: https://core.telegram.org/mtproto/service_messages
"""

import asyncio
import gzip
import logging
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from telethon.errors import TypeNotFoundError
from telethon.extensions import BinaryReader
from telethon.tl import functions, types
from telethon.tl.core import GzipPacked, MessageContainer
from telethon.tl.tlobject import TLObject, TLRequest

from telegram_sandbox.errors import RpcRefusal
from telegram_sandbox.faults import Drop, Verdict
from telegram_sandbox.handshake import Handshake
from telegram_sandbox.registry import Context, entry_for, method_name
from telegram_sandbox.session import Envelope, KeyRecord, Session, open_envelope
from telegram_sandbox.transport import Framing, detect_framing
from telegram_sandbox.world import LoggedRequest

if TYPE_CHECKING:
    from telegram_sandbox.server import Sandbox

log = logging.getLogger(__name__)

RPC_RESULT: Final = 0xF35C6D01
VECTOR: Final = 0x1CB5C415
GZIP_FROM_BYTES: Final = 1024
OLDEST_SECONDS: Final = 300
NEWEST_SECONDS: Final = 30
WRONG_SALT, TOO_OLD, TOO_NEW = 48, 16, 17
UNKNOWN_KEY: Final = struct.pack("<i", -404)
MESSAGE_RECEIVED: Final = 4
LOGGED_WITHOUT_BODY: Final = frozenset({"upload.saveFilePart", "upload.saveBigFilePart"})

_IGNORED = (
    types.MsgsAck,
    types.MsgsStateInfo,
    types.MsgsAllInfo,
    types.MsgResendReq,
    types.HttpWait,
    types.MsgDetailedInfo,
)
_WRAPPERS = (
    functions.InvokeWithLayerRequest,
    functions.InitConnectionRequest,
    functions.InvokeWithoutUpdatesRequest,
    functions.InvokeAfterMsgRequest,
    functions.InvokeAfterMsgsRequest,
)


def serialise(result: Any) -> bytes:
    """Returns a handler's result in TL's binary form."""
    if isinstance(result, list):
        head = struct.pack("<Ii", VECTOR, len(result))
        return head + b"".join(
            struct.pack("<i", item) if isinstance(item, int) else bytes(item) for item in result
        )
    if isinstance(result, bool):
        return struct.pack("<I", 0x997275B5 if result else 0xBC799737)
    return bytes(result)


def packed(body: bytes) -> bytes:
    """Returns the body gzipped where that makes it smaller."""
    if len(body) < GZIP_FROM_BYTES:
        return body
    squeezed = gzip.compress(body, compresslevel=1)
    whole = struct.pack("<I", GzipPacked.CONSTRUCTOR_ID) + TLObject.serialize_bytes(squeezed)
    return whole if len(whole) < len(body) else body


class Connection:
    """Serves one client connection until it ends."""

    def __init__(
        self, sandbox: "Sandbox", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Keeps the stream; `run` does the work."""
        self._sandbox = sandbox
        self._reader = reader
        self._writer = writer
        self._framing: Framing | None = None
        self._handshake: Handshake | None = None
        self._sessions: set[Session] = set()
        self._running: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Reads packets until the client or a fault ends the connection."""
        try:
            self._framing = await detect_framing(self._reader, self._writer)
            while True:
                self._receive(await self._framing.read())
        except (asyncio.IncompleteReadError, ConnectionError) as end:
            log.debug("connection ended: %r", end)
        finally:
            self.close()

    def close(self) -> None:
        """Ends the connection; requests that are being handled still have their effect."""
        for session in self._sessions:
            if session.send == self._write:
                session.send = None
        self._sessions.clear()
        self._writer.close()

    def _write(self, packet: bytes) -> None:
        if self._framing is not None and not self._writer.is_closing():
            self._framing.write(packet)

    def _receive(self, packet: bytes) -> None:
        (key_id,) = struct.unpack_from("<Q", packet)
        if key_id == 0:
            self._receive_plain(packet)
            return
        key = self._sandbox.keys.get(key_id)
        if key is None:
            self._write(UNKNOWN_KEY)
            return
        self._receive_envelope(key, open_envelope(key, packet))

    def _receive_plain(self, packet: bytes) -> None:
        if self._handshake is None:
            self._handshake = Handshake()
        answer = bytes(self._handshake.answer(BinaryReader(packet[20:]).tgread_object()))
        if self._handshake.result is not None:
            made = self._handshake.result
            self._sandbox.keys[made.auth_key.key_id] = KeyRecord(made.auth_key, made.salt)
            self._handshake = None
        message_id = int(time.time() * 2**32) & ~3 | 1
        self._write(struct.pack("<qqi", 0, message_id, len(answer)) + answer)

    def _receive_envelope(self, key: KeyRecord, envelope: Envelope) -> None:
        known = key.sessions.get(envelope.session_id)
        session = known or Session(key, envelope.session_id)
        session.send = self._write
        self._sessions.add(session)
        complaint = _complaint(key, envelope)
        if complaint is not None:
            self._say(session, complaint)
            return
        if known is None:
            key.sessions[session.id] = session
            created = types.NewSessionCreated(envelope.message_id, session.unique_id, key.salt)
            self._say(session, created)
        try:
            message = BinaryReader(envelope.body).tgread_object()
        except TypeNotFoundError as error:
            name = f"SANDBOX_UNKNOWN_CONSTRUCTOR_{error.invalid_constructor_id:08X}"
            self._sandbox.world.log.unknown.append(name)
            log.error("%s", name)  # noqa: TRY400 - the trace would show Telethon's reader only
            self._answer_error(session, envelope.message_id, RpcRefusal(name))
            return
        self._dispatch(session, envelope.message_id, message)

    def _dispatch(self, session: Session, message_id: int, message: Any) -> None:
        if isinstance(message, MessageContainer):
            for inner in message.messages:
                self._dispatch(session, inner.msg_id, inner.obj)
        elif isinstance(message, GzipPacked):
            self._dispatch(session, message_id, BinaryReader(message.data).tgread_object())
        elif isinstance(message, _IGNORED):
            return
        elif (answer := self._service_answer(session, message_id, message)) is not None:
            self._sandbox.world.log.counts[method_name(message)] += 1
            self._say(session, answer, answer=True)
        elif isinstance(message, TLRequest) and not session.is_repeat(message_id):
            task = asyncio.create_task(self._call(session, message_id, message))
            self._running[message_id] = task
            self._sandbox.tasks.add(task)
            task.add_done_callback(self._sandbox.tasks.discard)
            task.add_done_callback(lambda _: self._running.pop(message_id, None))

    def _service_answer(self, session: Session, message_id: int, message: Any) -> Any:
        """Returns the bare answer to a service request; None for any other message."""
        if isinstance(message, functions.PingRequest | functions.PingDelayDisconnectRequest):
            return types.Pong(message_id, message.ping_id)
        if isinstance(message, types.MsgsStateReq):
            info = bytes([MESSAGE_RECEIVED]) * len(message.msg_ids)
            return types.MsgsStateInfo(message_id, info)
        if isinstance(message, functions.GetFutureSaltsRequest):
            return types.FutureSalts(message_id, int(time.time()), [])
        if isinstance(message, functions.DestroySessionRequest):
            gone = session.key.sessions.pop(message.session_id, None)
            kind = types.DestroySessionNone if gone is None else types.DestroySessionOk
            return kind(message.session_id)
        if isinstance(message, functions.DestroyAuthKeyRequest):
            self._sandbox.keys.pop(session.key.auth_key.key_id, None)
            return types.DestroyAuthKeyOk()
        return None

    async def _call(self, session: Session, message_id: int, request: Any) -> None:
        request, after, quiet = _unwrap(request)
        await asyncio.gather(*(self._running[each] for each in after if each in self._running))
        session.wants_updates = session.wants_updates or not quiet
        name = method_name(request)
        world = self._sandbox.world
        world.log.counts[name] += 1
        kept = None if name in LOGGED_WITHOUT_BODY else request
        world.log.entries.append(LoggedRequest(name, session.key.user, kept))
        verdict = self._sandbox.faults.judge(name)
        if verdict.drop is Drop.BEFORE:
            self.close()
            return
        result = await self._result(session, request, verdict)
        if verdict.drop is Drop.AFTER:
            self.close()
        elif isinstance(result, RpcRefusal):
            self._answer_error(session, message_id, result)
        else:
            self._answer(session, message_id, result)
            with suppress(ConnectionError):
                await self._writer.drain()

    async def _result(self, session: Session, request: Any, verdict: Verdict) -> bytes | RpcRefusal:
        """Returns the answer in TL's binary form, or the refusal, once all waiting is done."""
        half = self._sandbox.faults.latency_seconds / 2
        world = self._sandbox.world
        claims = _random_ids(session, request)
        if claims & world.in_flight:
            return RpcRefusal("RANDOM_ID_DUPLICATE")
        world.in_flight |= claims
        try:
            if (before := verdict.delay_seconds + half) > 0:
                await asyncio.sleep(before)
            if verdict.error is not None:
                return RpcRefusal(verdict.error)
            result = self._execute(session, request, verdict)
            if half > 0:
                await asyncio.sleep(half)
            return result
        finally:
            world.in_flight -= claims

    def _execute(self, session: Session, request: Any, verdict: Verdict) -> bytes | RpcRefusal:
        name = method_name(request)
        entry = entry_for(request)
        if entry is None:
            self._sandbox.world.log.unknown.append(name)
            log.error("the sandbox does not know %s", name)
            return RpcRefusal(f"SANDBOX_UNKNOWN_METHOD_{name.replace('.', '_').upper()}")
        if session.key.user is None and not entry.public:
            waits = session.key.password_pending is not None
            return RpcRefusal("SESSION_PASSWORD_NEEDED" if waits else "AUTH_KEY_UNREGISTERED")
        context = Context(self._sandbox, self._sandbox.world, session, verdict.page_limit)
        self._sandbox.acting = session
        try:
            body = serialise(entry.handler(context, request))
            # Files are compressed already.
            return body if name == "upload.getFile" else packed(body)
        except RpcRefusal as refusal:
            return refusal
        except Exception as bug:
            log.exception("the sandbox failed to handle %s", name)
            self._sandbox.state.crashes.append(f"{name}: {bug!r}")
            return RpcRefusal(f"SANDBOX_BUG_{type(bug).__name__.upper()}")
        finally:
            self._sandbox.acting = None

    def _answer(self, session: Session, message_id: int, body: bytes) -> None:
        result = struct.pack("<Iq", RPC_RESULT, message_id) + body
        self._write(session.seal(result, answer=True))

    def _answer_error(self, session: Session, message_id: int, refusal: RpcRefusal) -> None:
        self._answer(session, message_id, bytes(types.RpcError(refusal.code, refusal.name)))

    def _say(self, session: Session, message: Any, *, answer: bool = False) -> None:
        self._write(session.seal(bytes(message), answer=answer, content=False))


def _complaint(key: KeyRecord, envelope: Envelope) -> Any:
    """Returns what is wrong with the envelope of a message, if anything is."""
    common = (envelope.message_id, envelope.sequence)
    age = time.time() - (envelope.message_id >> 32)
    if age > OLDEST_SECONDS:
        return types.BadMsgNotification(*common, TOO_OLD)
    if -age > NEWEST_SECONDS:
        return types.BadMsgNotification(*common, TOO_NEW)
    if envelope.salt != key.salt:
        return types.BadServerSalt(*common, WRONG_SALT, key.salt)
    return None


def _unwrap(request: Any) -> tuple[Any, Sequence[int], bool]:
    """Takes off the wrappers; returns the request, what it waits for, and if it wants no updates.

    Takeout wrappers are requests of their own right: they stay on and fail loudly.
    """
    after: list[int] = []
    quiet = False
    while isinstance(request, _WRAPPERS):
        quiet = quiet or isinstance(request, functions.InvokeWithoutUpdatesRequest)
        if isinstance(request, functions.InvokeAfterMsgRequest):
            after.append(request.msg_id)
        elif isinstance(request, functions.InvokeAfterMsgsRequest):
            after.extend(request.msg_ids)
        request = request.query
    return request, after, quiet


def _random_ids(session: Session, request: Any) -> set[tuple[int, str, int]]:
    """Returns the claims of a sending request: who, where, and its random ids."""
    peer = getattr(request, "to_peer", None) or getattr(request, "peer", None)
    given = getattr(request, "random_id", None)
    if peer is None or given is None or session.key.user is None:
        return set()
    ids = given if isinstance(given, list) else [given]
    return {(session.key.user.id, bytes(peer).hex(), each) for each in ids}
