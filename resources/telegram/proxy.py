"""The proxy on the way to Telegram, as a person writes it.

Only the address; connecting through it is Telethon's (``telethon_client``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote, urlsplit


class ProxyKind(StrEnum):
    """What a proxy speaks."""

    SOCKS5 = "socks5"
    MTPROXY = "mtproxy"


@dataclass(frozen=True, slots=True)
class Proxy:
    """One proxy.

    Attributes:
        user: Of a SOCKS5 proxy that asks for one.
        secret: That user's password, or the secret of an MTProxy.
    """

    kind: ProxyKind
    host: str
    port: int
    user: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)


def parse_proxy(url: str) -> Proxy:
    """Read ``socks5://user:password@host:port`` or ``mtproxy://secret@host:port``.

    Raises:
        ValueError: It is neither; the message repeats nothing of it.
    """
    try:
        parts = urlsplit(url)
        kind, host, port = ProxyKind(parts.scheme), parts.hostname, parts.port
    except ValueError:
        kind, host, port = None, None, None
    if kind is None or not host or not port or parts.path not in {"", "/"}:
        raise ValueError("write socks5://user:password@host:port or mtproxy://secret@host:port")
    name = unquote(parts.username) if parts.username else None
    if kind is ProxyKind.SOCKS5:
        password = unquote(parts.password) if parts.password else None
        return Proxy(kind, host, port, name, password)
    if name is None:
        raise ValueError("an MTProxy has a secret: mtproxy://secret@host:port")
    return Proxy(kind, host, port, secret=name)
