"""Answers in TL's binary form.

Here belong serialising what a handler returns, compression, and the limit of bytes that one
connection carries.
"""

import asyncio
import gzip
import struct
from typing import Any, Final

from telethon.tl.core import GzipPacked
from telethon.tl.tlobject import TLObject

VECTOR: Final = 0x1CB5C415
TRUE, FALSE = 0x997275B5, 0xBC799737
GZIP_FROM_BYTES: Final = 1024


def serialise(result: Any) -> bytes:
    """Returns a handler's result in TL's binary form."""
    if isinstance(result, list):
        head = struct.pack("<Ii", VECTOR, len(result))
        return head + b"".join(
            struct.pack("<i", item) if isinstance(item, int) else bytes(item) for item in result
        )
    if isinstance(result, bool):
        return struct.pack("<I", TRUE if result else FALSE)
    return bytes(result)


def packed(body: bytes) -> bytes:
    """Returns the body gzipped where that makes it smaller."""
    if len(body) < GZIP_FROM_BYTES:
        return body
    squeezed = gzip.compress(body, compresslevel=1)
    whole = struct.pack("<I", GzipPacked.CONSTRUCTOR_ID) + TLObject.serialize_bytes(squeezed)
    return whole if len(whole) < len(body) else body


class Pipe:
    """One direction of a connection, which carries so many bytes a second and no more."""

    def __init__(self) -> None:
        """Starts idle."""
        self._free_at = 0.0

    async def carry(self, size: int, bytes_per_second: float | None) -> None:
        """Waits until that many bytes have passed behind those that came before."""
        if bytes_per_second is None:
            return
        now = asyncio.get_running_loop().time()
        self._free_at = max(now, self._free_at) + size / bytes_per_second
        await asyncio.sleep(self._free_at - now)
