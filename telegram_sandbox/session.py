"""Sessions: encryption, message ids and sequence numbers, seen from the server.

Here belong the authorization keys with what is bound to them, and the sessions that run over
them: sealing and opening envelopes, numbering messages. What a message asks for, and sockets,
do not belong here.

Source: https://core.telegram.org/mtproto/description
"""

import secrets
import struct
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from telethon.crypto import AES

from telegram_sandbox.media_records import HOME_DC
from telegram_sandbox.records import User

REMEMBERED_MESSAGES: Final = 1000
"""How many message ids of a client a session remembers to recognise a repeated one."""


class EnvelopeError(ConnectionError):
    """An envelope that its key does not open."""


@dataclass(slots=True, eq=False)
class KeyRecord:
    """An authorization key and what the server binds to it."""

    auth_key: Any
    salt: int
    dc: int = HOME_DC
    user: User | None = None
    password_pending: User | None = None
    login_token: bytes | None = None
    app_name: str = ""
    sessions: dict[int, "Session"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A decrypted message of a client."""

    salt: int
    session_id: int
    message_id: int
    sequence: int
    body: bytes


def _aes(key: bytes, message_key: bytes, x: int) -> tuple[bytes, bytes]:
    a = sha256(message_key + key[x : x + 36]).digest()
    b = sha256(key[x + 40 : x + 76] + message_key).digest()
    return a[:8] + b[8:24] + a[24:32], b[:8] + a[8:24] + b[24:32]


def open_envelope(key: KeyRecord, packet: bytes) -> Envelope:
    """Decrypts a client's packet (key id, message key, cipher text).

    Raises:
        EnvelopeError: the message key does not match the content.
    """
    secret: bytes = key.auth_key.key
    message_key = packet[8:24]
    aes_key, aes_iv = _aes(secret, message_key, 0)
    plain = AES.decrypt_ige(packet[24:], aes_key, aes_iv)
    if sha256(secret[88:120] + plain).digest()[8:24] != message_key:
        raise EnvelopeError("message key does not match")
    salt, session_id, message_id, sequence, length = struct.unpack("<qqqii", plain[:32])
    return Envelope(salt, session_id, message_id, sequence, plain[32 : 32 + length])


class Session:
    """One client session: numbers its messages and knows where to send them."""

    def __init__(self, key: KeyRecord, session_id: int) -> None:
        """Starts a session of that key, not yet attached to a connection."""
        self.key = key
        self.id = session_id
        self.unique_id = int.from_bytes(secrets.token_bytes(8), "little", signed=True)
        self.wants_updates = False
        self.send: Callable[[bytes], None] | None = None
        self._content_messages = 0
        self._last_message_id = 0
        self._seen: OrderedDict[int, None] = OrderedDict()

    def is_repeat(self, message_id: int) -> bool:
        """Remembers a client's message id; true if it came before."""
        if message_id in self._seen:
            return True
        self._seen[message_id] = None
        if len(self._seen) > REMEMBERED_MESSAGES:
            self._seen.popitem(last=False)
        return False

    def seal(self, body: bytes, *, answer: bool, content: bool = True) -> bytes:
        """Returns the encrypted packet for a body.

        Args:
            body: a serialised TL object.
            answer: true for the answer to a request, false for what the server says unasked.
            content: whether the client must acknowledge it.
        """
        secret: bytes = self.key.auth_key.key
        plain = struct.pack(
            "<qqqii",
            self.key.salt,
            self.id,
            self._next_message_id(answer=answer),
            self._next_sequence(content=content),
            len(body),
        )
        plain += body
        plain += secrets.token_bytes(-(len(plain) + 12) % 16 + 12)
        message_key = sha256(secret[96:128] + plain).digest()[8:24]
        aes_key, aes_iv = _aes(secret, message_key, 8)
        key_id = struct.pack("<Q", self.key.auth_key.key_id)
        sealed: bytes = AES.encrypt_ige(plain, aes_key, aes_iv)
        return key_id + message_key + sealed

    def _next_message_id(self, *, answer: bool) -> int:
        # Servers' ids are odd: 1 modulo 4 for answers, 3 for the rest.
        now = int(time.time() * 2**32) & ~3
        self._last_message_id = max(now, (self._last_message_id & ~3) + 4)
        return self._last_message_id | (1 if answer else 3)

    def _next_sequence(self, *, content: bool) -> int:
        sequence = self._content_messages * 2 + int(content)
        self._content_messages += int(content)
        return sequence
