"""What Telegram and the network raise, in the three words the archive knows.

This is the one place where Telethon's errors are read; ``calling`` applies it to every request
and a test proves that no class of Telethon's list is left out. Not here: waiting (``calling``)
and what a refusal means for a file or a hub (``media``, ``hub``).

::

    Transient                 flood waits, server errors, a running first call
    └── ConnectionLost        the connection is gone: another one may work
    Permanent
    ├── SessionLost           nobody is logged in any more: run `face-archive login`
    └── TelegramRefused       Telegram said no, with its code
        ├── StaleReference    the file's reference expired: ask for its message again
        └── FileElsewhere     another data centre holds the file
"""

from __future__ import annotations

import re
from typing import Any

from telethon import errors
from telethon.errors.rpcerrorlist import rpc_errors_dict, rpc_errors_re

from archive.errors import ArchiveError, Permanent, Transient

DUPLICATE_RETRY_SECONDS = 2.0
"""How soon to ask again while the first call of a random id is still running."""

TRANSPORT_FLOOD_SECONDS = 60.0
"""A flood answered by the transport (429) names no time; a minute is what clients wait."""

RECONNECT_SECONDS = 10.0
"""When to try again after Telethon gave a connection up: long enough for a router's hiccup."""

_CODES: dict[type, str] = {
    **{cls: re.sub(r"\(\\d\+\)", "X", pattern) for pattern, cls in rpc_errors_re},
    **{cls: code for code, cls in rpc_errors_dict.items()},
}

_WAITS = (
    errors.FloodWaitError,
    errors.FloodPremiumWaitError,
    errors.SlowModeWaitError,
    errors.FloodTestPhoneWaitError,
    errors.TakeoutInitDelayError,
)

# The others hold for one chat, one export, or a test number.
_WAITS_OF_THE_ACCOUNT = (errors.FloodWaitError, errors.FloodPremiumWaitError)

# RANDOM_ID_DUPLICATE is a ServerError for Telethon, hence transient, which is what it is.
_PASSING = (
    errors.ServerError,
    errors.TimedOutError,
    errors.RpcCallFailError,
    errors.RpcMcgetFailError,
    errors.InterdcCallErrorError,
    errors.InterdcCallRichErrorError,
    errors.MsgWaitFailedError,
    errors.AuthRestartError,
    # The server lost parts of an upload; repeating the whole send brings them anew.
    errors.FilePartMissingError,
    errors.InvalidDCError,
)

_LOST_SESSION = (
    errors.AuthKeyDuplicatedError,
    errors.AuthKeyInvalidError,
    errors.AuthKeyPermEmptyError,
    errors.AuthKeyUnregisteredError,
    errors.SessionExpiredError,
    errors.SessionRevokedError,
    errors.UserDeactivatedBanError,
    errors.UserDeactivatedError,
)

_STALE = (
    errors.FileReferenceEmptyError,
    errors.FileReferenceExpiredError,
    errors.FileReferenceInvalidError,
    errors.FilerefUpgradeNeededError,
)

_NETWORK = (
    OSError,
    EOFError,
    errors.BadMessageError,
    errors.InvalidChecksumError,
    errors.ReadCancelledError,
    errors.SecurityError,
)

_REMEDIES = {
    "API_ID_INVALID": "check TG_API_ID and TG_API_HASH (my.telegram.org)",
    "CHANNEL_INVALID": "the account does not know this chat; add it again by name or link",
    "CHANNEL_PRIVATE": "the account is not, or no longer, a member of this chat",
    "CHAT_ADMIN_REQUIRED": "the account needs admin rights in this chat",
    "CHAT_FORWARDS_RESTRICTED": "the chat protects its content",
    "CHAT_WRITE_FORBIDDEN": "the account may not write in this chat",
    "INVITE_HASH_EXPIRED": "ask for a new invite link",
    "INVITE_HASH_INVALID": "ask for a new invite link",
    "PASSWORD_HASH_INVALID": "the two-factor password is wrong; run `face-archive login` again",
    "PEER_FLOOD": "Telegram limits this account for now; see @SpamBot",
    "PHONE_CODE_EXPIRED": "the code is too old; run `face-archive login` for a new one",
    "PHONE_CODE_INVALID": "the code is wrong; run `face-archive login` again",
    "PHONE_NUMBER_BANNED": "Telegram banned this number",
    "PHONE_NUMBER_FLOOD": "too many codes were asked for; try again tomorrow",
    "PHONE_NUMBER_INVALID": "write the number with its country code, such as +49…",
    "PHONE_PASSWORD_FLOOD": "too many tries; run `face-archive login` again tomorrow",
    "USERNAME_INVALID": "no chat can have this name",
    "USERNAME_NOT_OCCUPIED": "nobody has this name",
}


# Of sessions that another login does not bring back by itself.
_WAYS_BACK = {
    "AUTH_KEY_DUPLICATED": (
        "somebody used it at the same time, so keep no copy of the data folder in use; "
        "run `face-archive login`"
    ),
    "USER_DEACTIVATED": (
        "Telegram says that the account was deleted; `face-archive accounts remove` if it was"
    ),
    "USER_DEACTIVATED_BAN": (
        "Telegram banned the account; the app says how to ask for it back, and then "
        "run `face-archive login`"
    ),
}


class ConnectionLost(Transient):
    """A connection is gone, with everything that was on its way.

    Args:
        detail: What gave it up.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(f"The connection to Telegram failed ({detail}).", RECONNECT_SECONDS)
        self.detail = detail

    def __reduce__(self) -> tuple[type[ConnectionLost], tuple[str]]:
        """Pickle by the detail."""
        return type(self), (self.detail,)


class SessionLost(Permanent):
    """The stored session is worth nothing any more.

    Args:
        code: Telegram's word for it.
    """

    def __init__(self, code: str) -> None:
        way_out = _WAYS_BACK.get(code, "run `face-archive login`")
        super().__init__(f"The session of this account is no longer valid ({code}): {way_out}.")
        self.code = code

    def __reduce__(self) -> tuple[type[SessionLost], tuple[str]]:
        """Pickle by the code."""
        return type(self), (self.code,)


class TelegramRefused(Permanent):
    """Telegram refused a request.

    Args:
        code: Telegram's code, such as ``CHANNEL_PRIVATE``, for callers that have another way.
    """

    def __init__(self, code: str) -> None:
        remedy = _REMEDIES.get(code)
        super().__init__(f"Telegram refused: {code}" + (f" – {remedy}." if remedy else ""))
        self.code = code

    def __reduce__(self) -> tuple[type[TelegramRefused], tuple[Any, ...]]:
        """Pickle by the code."""
        return type(self), (self.code,)


class StaleReference(TelegramRefused):
    """The reference of a file expired; its message brings a new one."""


class FileElsewhere(TelegramRefused):
    """A file lies in another data centre.

    Args:
        dc_id: The number of that data centre.
    """

    def __init__(self, dc_id: int) -> None:
        super().__init__("FILE_MIGRATE")
        self.dc_id = dc_id

    def __reduce__(self) -> tuple[type[FileElsewhere], tuple[int]]:
        """Pickle by the data centre."""
        return type(self), (self.dc_id,)


def wait_seconds(error: BaseException) -> float | None:
    """Return how long Telegram asks us to wait, or ``None`` if this is no request to wait."""
    return float(max(error.seconds, 1)) if isinstance(error, _WAITS) else None


def concerns_account(error: BaseException) -> bool:
    """Whether a wait holds for every request of the account, not for this kind of it alone."""
    return isinstance(error, _WAITS_OF_THE_ACCOUNT)


def lost_connection(detail: str) -> ConnectionLost:
    """Return the error for a connection that is gone; it concerns everything on it."""
    return ConnectionLost(detail)


def translate(error: BaseException) -> ArchiveError | None:
    """Return the error in the archive's words; ``None`` for one that is a defect of ours."""
    if isinstance(error, ArchiveError):
        return error
    if isinstance(error, errors.RPCError):
        return _translate_answer(error)
    if isinstance(error, errors.AuthKeyNotFound):
        return SessionLost("AUTH_KEY_NOT_FOUND")
    if isinstance(error, errors.InvalidBufferError):
        return _translate_transport(error)
    if isinstance(error, TimeoutError):
        return Transient("Telegram did not answer in time.")
    if isinstance(error, _NETWORK):
        return lost_connection(type(error).__name__)
    if isinstance(error, errors.TypeNotFoundError):
        return Permanent("Telegram answered in a newer language than ours: update the program.")
    if isinstance(error, ValueError) and str(error).startswith("Request was unsuccessful"):
        return Transient("Telegram did not answer.")
    return None


def _translate_answer(error: Any) -> ArchiveError:
    code = code_of(error)
    waiting = wait_seconds(error)
    if waiting is not None:
        return Transient(f"Telegram asks to wait {waiting:.0f} s.", waiting)
    if isinstance(error, errors.RandomIdDuplicateError):
        return Transient("The first call is still running.", DUPLICATE_RETRY_SECONDS)
    if isinstance(error, errors.FileMigrateError):
        return FileElsewhere(error.new_dc)
    if isinstance(error, _STALE) or code.startswith("FILE_REFERENCE_"):
        return StaleReference(code)
    if isinstance(error, _LOST_SESSION) or _is_unknown(error, errors.UnauthorizedError):
        return SessionLost(code)
    if isinstance(error, _PASSING) or _is_unknown(error, errors.FloodError):
        return Transient(f"Telegram has trouble ({code}).")
    return TelegramRefused(code)


def _translate_transport(error: Any) -> ArchiveError:
    if error.code == 404:
        return SessionLost("AUTH_KEY_NOT_FOUND")
    if error.code == 429:
        return Transient("Telegram limits new connections.", TRANSPORT_FLOOD_SECONDS)
    return lost_connection("bad data")


def code_of(error: Any) -> str:
    """Return Telegram's code of an RPC error, such as ``CHANNEL_PRIVATE``."""
    return _CODES.get(type(error)) or str(error.message or type(error).__name__)


def _is_unknown(error: Any, family: type) -> bool:
    """Whether an error has no class of its own, only that of its HTTP-like number."""
    return type(error) is family
