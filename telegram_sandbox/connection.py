"""One TCP connection: packets in, packets out.

Here belong the loop over a client's packets and MTProto's service messages. The way of a request
to its answer is `calls`'.

Source: https://core.telegram.org/mtproto/service_messages
"""

import asyncio
import logging
import struct
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from telethon.errors import TypeNotFoundError
from telethon.extensions import BinaryReader
from telethon.tl import functions, types
from telethon.tl.core import GzipPacked, MessageContainer
from telethon.tl.tlobject import TLRequest

from telegram_sandbox.calls import Calls, Line
from telegram_sandbox.errors import RpcRefusal
from telegram_sandbox.handshake import Handshake
from telegram_sandbox.registry import method_name
from telegram_sandbox.session import Envelope, KeyRecord, Session, open_envelope
from telegram_sandbox.transport import Framing, detect_framing

if TYPE_CHECKING:
    from telegram_sandbox.server import Sandbox

log = logging.getLogger(__name__)

RPC_RESULT: Final = 0xF35C6D01
OLDEST_SECONDS: Final = 300
NEWEST_SECONDS: Final = 30
WRONG_SALT, TOO_OLD, TOO_NEW = 48, 16, 17
UNKNOWN_KEY: Final = struct.pack("<i", -404)
MESSAGE_RECEIVED: Final = 4

_IGNORED = (
    types.MsgsAck,
    types.MsgsStateInfo,
    types.MsgsAllInfo,
    types.MsgResendReq,
    types.HttpWait,
    types.MsgDetailedInfo,
)


class Connection:
    """Serves one client connection until it ends."""

    def __init__(
        self,
        sandbox: "Sandbox",
        dc: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Keeps the stream and whose address it came to; `run` does the work."""
        self._sandbox = sandbox
        self._dc = dc
        self._reader = reader
        self._writer = writer
        self._framing: Framing | None = None
        self._handshake: Handshake | None = None
        self._sessions: set[Session] = set()
        line = Line(dc, _answer, self._write_all, self._write_half, self.close)
        self._calls = Calls(sandbox, line)

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
        if key is None or key.dc != self._dc:
            self._write(UNKNOWN_KEY)
            return
        self._receive_envelope(key, open_envelope(key, packet))

    def _receive_plain(self, packet: bytes) -> None:
        if self._handshake is None:
            self._handshake = Handshake()
        answer = bytes(self._handshake.answer(BinaryReader(packet[20:]).tgread_object()))
        if self._handshake.result is not None:
            made = self._handshake.result
            self._sandbox.keys[made.auth_key.key_id] = KeyRecord(made.auth_key, made.salt, self._dc)
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
            self._refuse(session, envelope.message_id, RpcRefusal(name))
            return
        self._dispatch(session, envelope.message_id, message, len(envelope.body))

    def _dispatch(self, session: Session, message_id: int, message: Any, size: int) -> None:
        if isinstance(message, MessageContainer):
            for inner in message.messages:
                # Packed together, their bytes count once.
                self._dispatch(session, inner.msg_id, inner.obj, size)
                size = 0
        elif isinstance(message, GzipPacked):
            unpacked = BinaryReader(message.data).tgread_object()
            self._dispatch(session, message_id, unpacked, size)
        elif isinstance(message, _IGNORED):
            return
        elif (answer := self._service_answer(session, message_id, message)) is not None:
            self._sandbox.world.log.counts[method_name(message)] += 1
            self._say(session, answer, answer=True)
        elif isinstance(message, TLRequest) and not session.is_repeat(message_id):
            self._calls.start(session, message_id, message, size)

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

    def _refuse(self, session: Session, message_id: int, refusal: RpcRefusal) -> None:
        self._write(_answer(session, message_id, refusal.body))

    async def _write_all(self, packet: bytes) -> None:
        self._write(packet)
        with suppress(ConnectionError):
            await self._writer.drain()

    def _write_half(self, packet: bytes) -> None:
        if self._framing is not None and not self._writer.is_closing():
            framed = self._framing.frame(packet)
            self._writer.write(framed[: len(framed) // 2])

    def _say(self, session: Session, message: Any, *, answer: bool = False) -> None:
        self._write(session.seal(bytes(message), answer=answer, content=False))


def _answer(session: Session, message_id: int, body: bytes) -> bytes:
    return session.seal(struct.pack("<Iq", RPC_RESULT, message_id) + body, answer=True)


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
