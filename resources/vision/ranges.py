"""A large file that is read only where somebody looks: ranges over a source, behind a file object.

Decoders read from a seekable file, in threads and in processes of their own; the source lives on
the event loop of the main process. In between is a socket of this machine that both know by a
secret. Where the bytes come from is the source's part (Telegram: `resources.telegram.media`).
"""

from __future__ import annotations

import asyncio
import io
import secrets
import socket
import struct
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Client, Connection, Listener
from types import TracebackType
from typing import Final

from archive.media_pass.ports import Ranges

CHUNK_BYTES: Final = 128 * 1024
"""A keyframe of 2 Mbit/s has 50 to 100 kB. Divides Telegram's blocks of 1 MB."""

_CACHED_CHUNKS: Final = 32  # 4 MB: a decoder goes back to its index, and between its streams
_REQUEST: Final = struct.Struct("!QI")
_FAILED: Final = b"!"
_DONE: Final = b"."


class RangeFile(io.RawIOBase):
    """A seekable file of chunks that are fetched when they are read."""

    def __init__(self, read: Callable[[int, int], bytes], size_bytes: int) -> None:
        """Take a source.

        Args:
            read: Gives (offset, size) bytes of the file; blocks; `OSError` where it cannot.
            size_bytes: Of the file.
        """
        super().__init__()
        self._read_range = read
        self._size = size_bytes
        self._place = 0
        self._chunks: OrderedDict[int, bytes] = OrderedDict()

    @property
    def size_bytes(self) -> int:
        """Of the whole file."""
        return self._size

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Give the place of the next byte."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; nothing is fetched yet."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def read(self, size: int = -1) -> bytes:
        """Read up to a chunk's end: whoever wants more asks again."""
        number, start = divmod(self._place, CHUNK_BYTES)
        if self._place >= self._size or size == 0:
            return b""
        part = self._chunk(number)[start:]
        part = part if size < 0 else part[:size]
        self._place += len(part)
        return part

    def _chunk(self, number: int) -> bytes:
        if number in self._chunks:
            self._chunks.move_to_end(number)
            return self._chunks[number]
        offset = number * CHUNK_BYTES
        expected = min(CHUNK_BYTES, self._size - offset)
        chunk = self._read_range(offset, expected)
        if len(chunk) != expected:
            raise OSError(f"{len(chunk)} of {expected} bytes at {offset}")
        self._chunks[number] = chunk
        if len(self._chunks) > _CACHED_CHUNKS:
            self._chunks.popitem(last=False)
        return chunk


@dataclass(frozen=True, slots=True)
class RangedFile:
    """Where a process of ours opens a file that is read in ranges; small and picklable."""

    address: str
    secret: bytes = field(repr=False)
    size_bytes: int

    def open(self) -> RangeFile:
        """Connect.

        Raises:
            OSError: Whoever served it is gone.
        """
        connection = Client(self.address, authkey=self.secret)

        def read(offset: int, size: int) -> bytes:
            try:
                connection.send_bytes(_REQUEST.pack(offset, size))
                answer = connection.recv_bytes()
            except EOFError as exc:
                raise OSError("nobody serves the file any more") from exc
            if answer[:1] == _FAILED:
                raise OSError("the source of the file does not answer")
            return answer[1:]

        return RangeFile(read, self.size_bytes)


class RangeServer:
    """Serves one file to whoever opens it, while the body of a `with` runs.

    Attributes:
        error: What the source raised, if it did: readers only see a file that ends.
    """

    def __init__(self, read: Callable[[int, int], bytes], size_bytes: int) -> None:
        """Take a source; see `RangeFile`."""
        self.error: BaseException | None = None
        self._read = read
        self._size = size_bytes
        self._secret = secrets.token_bytes(32)
        self._listener: Listener | None = None
        self._closing = False

    def __enter__(self) -> RangedFile:
        """Begin to serve."""
        self._listener = Listener(family="AF_UNIX", authkey=self._secret)
        threading.Thread(target=self._serve, name="ranges", daemon=True).start()
        return RangedFile(str(self._listener.address), self._secret, self._size)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Serve nobody new; a reader that is left finds its file at an end."""
        self._closing = True
        if self._listener is not None:
            # Closing does not wake up who waits for a connection. A bare socket: who has stopped
            # waiting would never answer a greeting.
            with suppress(OSError), socket.socket(socket.AF_UNIX) as bell:
                bell.connect(str(self._listener.address))
            self._listener.close()

    def _serve(self) -> None:
        listener = self._listener
        while listener is not None and not self._closing:
            with suppress(OSError, EOFError):  # a reader that died while it connected
                connection = listener.accept()
                threading.Thread(
                    target=self._answer, args=(connection,), name="ranges", daemon=True
                ).start()

    def _answer(self, connection: Connection) -> None:
        with connection, suppress(OSError, EOFError):
            while not self._closing:
                offset, size = _REQUEST.unpack(connection.recv_bytes())
                try:
                    answer = _DONE + self._read(offset, size)
                except BaseException as exc:  # told to whoever holds the server
                    self.error = self.error or exc
                    answer = _FAILED
                connection.send_bytes(answer)


@asynccontextmanager
async def readable(data: bytes | Ranges) -> AsyncIterator[bytes | RangedFile]:
    """Give what a worker can read: bytes as they are, a source as a file served from here.

    Raises:
        ArchiveError: What the source raised, whatever the reader made of it.
    """
    if isinstance(data, bytes):
        yield data
        return
    loop = asyncio.get_running_loop()

    def read(offset: int, size: int) -> bytes:
        return asyncio.run_coroutine_threadsafe(data.read(offset, size), loop).result()

    server = RangeServer(read, data.size_bytes)
    with server as file:
        try:
            yield file
        except Exception:
            if server.error is not None:
                raise server.error from None
            raise
        if server.error is not None:
            raise server.error
