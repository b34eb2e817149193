"""What a client needs to know before it connects.

Values only: the application's key, the test server if there is one, and how long a wait may be
slept in place. The settings they come from belong to ``resources.settings``; the sessions to
``sessions``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from resources.telegram.proxy import Proxy

DEVICE_MODEL = "Telegram Face Archive"
"""How the program names itself in the account's list of devices: an honest client."""

TEST_SERVER_DC = 2
"""The number a test server goes by: the one Telethon assumes for a new session."""


@dataclass(frozen=True, slots=True)
class TelegramConfig:
    """How to reach Telegram and in whose name.

    Attributes:
        api_id: Id of the owner's application.
        api_hash: Its secret.
        server: Host and port of a test server; ``None`` talks to Telegram.
        server_key_pem: The test server's public RSA key (PKCS#1, PEM).
        flood_sleep_limit_seconds: What one request may wait in place, all waits together.
        request_timeout_seconds: When an answer counts as lost. Telethon itself waits for ever.
        download_concurrency: Parts of files that one connection requests at a time.
        download_pause_seconds: Before a part that did not come is asked for again; doubles.
        proxy: On the way there; ``None`` goes directly.
    """

    api_id: int
    api_hash: str = field(repr=False)
    server: tuple[str, int] | None = None
    server_key_pem: str | None = None
    flood_sleep_limit_seconds: float = 60.0
    request_timeout_seconds: float = 120.0
    download_concurrency: int = 16
    download_pause_seconds: float = 2.0
    proxy: Proxy | None = None
