"""TCP framing: how MTProto packets are cut out of a byte stream.

Here belong the three framings a client may choose (full, intermediate, abridged) and the
detection of which one it chose. What a packet means does not belong here.

Source: https://core.telegram.org/mtproto/mtproto-transports
"""

import asyncio
import struct
from collections.abc import Callable
from zlib import crc32

MAX_PACKET_BYTES = 4 * 1024 * 1024
"""Larger than any legal packet (1 MiB of file plus envelope); guards against a garbled length."""


class FramingError(ConnectionError):
    """The peer sent bytes that are no packet of its framing."""


class Framing:
    """Reads and writes whole packets; one instance a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Keeps the two halves of the stream."""
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        """Returns the next packet's payload; raises IncompleteReadError at the end."""
        raise NotImplementedError

    def frame(self, payload: bytes) -> bytes:
        """Returns the payload as it goes over the wire."""
        raise NotImplementedError

    def write(self, payload: bytes) -> None:
        """Queues one packet on the stream."""
        self._writer.write(self.frame(payload))

    async def _payload(self, length: int) -> bytes:
        if not 0 < length <= MAX_PACKET_BYTES:
            raise FramingError(f"packet of {length} bytes")
        return await self._reader.readexactly(length)


class FullFraming(Framing):
    """Length, sequence number, payload, CRC32: Telethon's default."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes
    ) -> None:
        """Takes the four bytes that were read to detect the framing."""
        super().__init__(reader, writer)
        self._head = head
        self._sent = 0

    async def read(self) -> bytes:
        """Returns the next payload after checking its CRC32."""
        head = self._head or await self._reader.readexactly(4)
        self._head = b""
        (length,) = struct.unpack("<i", head)
        rest = await self._payload(length - 4)
        if crc32(head + rest[:-4]) != struct.unpack("<I", rest[-4:])[0]:
            raise FramingError("wrong CRC32")
        return rest[4:-4]

    def frame(self, payload: bytes) -> bytes:
        """Adds length, running number and checksum."""
        body = struct.pack("<ii", len(payload) + 12, self._sent) + payload
        self._sent += 1
        return body + struct.pack("<I", crc32(body))


class IntermediateFraming(Framing):
    """Four bytes of length, then the payload."""

    async def read(self) -> bytes:
        """Returns the next payload."""
        (length,) = struct.unpack("<i", await self._reader.readexactly(4))
        return await self._payload(length)

    def frame(self, payload: bytes) -> bytes:
        """Adds the length."""
        return struct.pack("<i", len(payload)) + payload


class AbridgedFraming(Framing):
    """One or four bytes of length in words, then the payload."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes
    ) -> None:
        """Takes the bytes that detection read beyond the one-byte tag."""
        super().__init__(reader, writer)
        self._head = head

    async def _exactly(self, count: int) -> bytes:
        taken, self._head = self._head[:count], self._head[count:]
        return taken + await self._reader.readexactly(count - len(taken))

    async def read(self) -> bytes:
        """Returns the next payload."""
        words = (await self._exactly(1))[0]
        if words == 0x7F:
            words = int.from_bytes(await self._exactly(3), "little")
        if not 0 < words * 4 <= MAX_PACKET_BYTES:
            raise FramingError(f"packet of {words} words")
        return await self._exactly(words * 4)

    def frame(self, payload: bytes) -> bytes:
        """Adds the length in four-byte words."""
        words = len(payload) // 4
        head = bytes([words]) if words < 0x7F else b"\x7f" + words.to_bytes(3, "little")
        return head + payload


_TAGGED: dict[bytes, Callable[[asyncio.StreamReader, asyncio.StreamWriter], Framing]] = {
    b"\xee\xee\xee\xee": IntermediateFraming,
}


async def detect_framing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Framing:
    """Looks at the first four bytes and returns the framing that the client speaks."""
    head = await reader.readexactly(4)
    if head[0] == 0xEF:
        return AbridgedFraming(reader, writer, head[1:])
    tagged = _TAGGED.get(head)
    return tagged(reader, writer) if tagged else FullFraming(reader, writer, head)
