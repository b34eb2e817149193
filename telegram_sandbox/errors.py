"""RPC errors: the server's way to refuse a request.

Here belong the exception that handlers raise and the numeric code that goes with a name.
"""

import re
from typing import Final

from telethon.tl import types

_CODES: Final = (
    (r"(SLOWMODE_|FLOOD_).*WAIT_\d+|TAKEOUT_INIT_DELAY_\d+|PEER_FLOOD", 420),
    (r"(PHONE|NETWORK|USER|FILE|STATS)_MIGRATE_\d+", 303),
    (
        r"AUTH_KEY_UNREGISTERED|AUTH_KEY_INVALID|SESSION_REVOKED|SESSION_EXPIRED"
        r"|SESSION_PASSWORD_NEEDED|USER_DEACTIVATED.*",
        401,
    ),
    (
        r"CHAT_WRITE_FORBIDDEN|MESSAGE_DELETE_FORBIDDEN|CHAT_SEND_\w+_FORBIDDEN"
        r"|MESSAGE_AUTHOR_REQUIRED|PREMIUM_ACCOUNT_REQUIRED",
        403,
    ),
    (r"AUTH_KEY_DUPLICATED", 406),
    (
        r"RANDOM_ID_DUPLICATE|INTERNAL.*|RPC_\w+|INTERDC_.*|PERSISTENT_TIMESTAMP_OUTDATED"
        r"|HISTORY_GET_FAILED|WORKER_BUSY_TOO_LONG_RETRY",
        500,
    ),
    (r"(?i)timeout", -503),
)
"""Codes by name; any other name is a bad request. https://core.telegram.org/api/errors"""


def code_of(name: str) -> int:
    """Returns the code that Telegram sends with an error of that name."""
    return next((code for pattern, code in _CODES if re.fullmatch(pattern, name)), 400)


class RpcRefusal(Exception):
    """A request refused with one of Telegram's errors."""

    def __init__(self, name: str, code: int | None = None) -> None:
        """Takes the error's name, such as `CHANNEL_INVALID`."""
        super().__init__(name)
        self.name = name
        self.code = code_of(name) if code is None else code

    @property
    def body(self) -> bytes:
        """The refusal in TL's binary form."""
        return bytes(types.RpcError(self.code, self.name))
