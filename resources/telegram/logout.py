"""Logging out: every session of an account is revoked at Telegram, and forgotten here.

What cannot be revoked is forgotten too, and named: its end is then up to a person, in the app.
"""

from __future__ import annotations

from dataclasses import dataclass

from telethon.tl import functions

from archive.errors import ArchiveError
from archive.ids import AccountId
from resources.telegram.client import caller_for, connected
from resources.telegram.config import DEVICE_MODEL, TelegramConfig
from resources.telegram.errors import SessionLost
from resources.telegram.sessions import Lane, SessionFiles
from resources.telegram.telethon_client import build_client

BY_HAND = (
    f"Telegram → Settings → Devices still lists it, as {DEVICE_MODEL!r}: end what is left there."
)


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A session that is forgotten here.

    Attributes:
        still_alive: Why Telegram could not be told of its end; ``None`` where it is over.
    """

    lane: Lane
    still_alive: str | None = None


async def logout(
    config: TelegramConfig, files: SessionFiles, account_id: AccountId | None = None
) -> list[EndedSession]:
    """Revoke an account's sessions and forget them, whether or not Telegram could be told.

    Args:
        config: The application and how to reach Telegram.
        files: Where the sessions lie.
        account_id: Whose; ``None`` for the only account there is.

    Raises:
        Permanent: No account was named, and there is none or are several.
    """
    own = files.chosen(account_id)
    ended = []
    for lane in (lane for lane in Lane if files.has(own, lane)):
        ended.append(await _end(config, files, own, lane))
        files.remove(own, lane)
    return ended


async def revoke(config: TelegramConfig, secret: str) -> None:
    """Revoke one session.

    Raises:
        SessionLost: It was dead.
        Transient: Telegram could not be reached.
    """
    client = build_client(config, secret=secret)
    call = caller_for(client, config)
    async with connected(client, call):
        await call(functions.auth.LogOutRequest())


async def _end(
    config: TelegramConfig, files: SessionFiles, own: AccountId, lane: Lane
) -> EndedSession:
    try:
        await revoke(config, files.load(own, lane).secret)
    except SessionLost:
        # It was over already.
        return EndedSession(lane)
    except ArchiveError as error:
        return EndedSession(lane, still_alive=str(error))
    return EndedSession(lane)
