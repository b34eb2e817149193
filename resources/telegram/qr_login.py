"""Logging in with a code that the app scans: nothing is typed but a two-factor password.

A login token is shown as a link; the app, logged in already, accepts it. It is good for half a
minute, then the next one is shown. The further lanes are let in as after any login (``login``).
Source: https://core.telegram.org/api/qr-login
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from telethon.tl import functions, types

from archive.errors import ArchiveError, Permanent
from archive.records import Account
from resources.telegram.calling import Caller
from resources.telegram.client import caller_for, connected
from resources.telegram.config import TelegramConfig
from resources.telegram.errors import TelegramRefused
from resources.telegram.login import PASSWORD_NEEDED, First, let_others_in, logged_in
from resources.telegram.logout import revoke
from resources.telegram.sessions import Lane, SessionFiles
from resources.telegram.telethon_client import build_client, session_secret
from resources.telegram.two_factor import Ask, TwoFactor

_SHOWN_AT_MOST = 10
_LONGEST_SECONDS = 30.0
"""What a token lasts; a clock that is wrong here must not make us wait for longer."""


async def qr_login(
    config: TelegramConfig,
    files: SessionFiles,
    *,
    show: Callable[[str], None],
    ask_password: Ask,
    lanes: Sequence[Lane] = tuple(Lane),
) -> Account:
    """Log an account in on every lane, with one code that its app scans.

    Args:
        config: The application and how to reach Telegram.
        files: Where the sessions go.
        show: Shows a link as a code to scan; called again when the last one is too old.
        ask_password: Asks for the two-factor password; not again once an answer was right.
        lanes: Which to make sessions for; at least one.

    Returns:
        The account.

    Raises:
        Permanent: Nobody scanned a code, or the password was wrong.
        Transient: Telegram asks to wait longer than the limit, or cannot be reached.
    """
    password = TwoFactor(ask_password)
    client = build_client(config, shows_token=True)
    call = caller_for(client, config)
    async with connected(client, call):
        account = await _scanned(call, config, show, password)
        await _save_first(config, files, account, lanes[0], session_secret(client))
        first = First(call, account, lanes[0])
        await let_others_in(config, files, first, password, lanes)
    return account


async def _scanned(
    call: Caller, config: TelegramConfig, show: Callable[[str], None], password: TwoFactor
) -> Account:
    """Show codes until one was scanned."""
    for shown in range(_SHOWN_AT_MOST + 1):
        call.client.token_taken.clear()
        try:
            answer = await _ask(call, config)
        except TelegramRefused as error:
            if error.code != PASSWORD_NEEDED:
                raise
            return logged_in(await password.check(call))
        if isinstance(answer, types.auth.LoginTokenSuccess):
            return logged_in(answer.authorization)
        if shown == _SHOWN_AT_MOST:
            break
        show(link_of(answer.token))
        await _taken_or_old(call.client.token_taken, answer.expires)
    raise Permanent("Nobody scanned the code: run `face-archive login --qr` again.")


async def _ask(call: Caller, config: TelegramConfig) -> Any:
    """Ask for a token, or for what became of the last one, where the account is at home."""
    answer = await call(functions.auth.ExportLoginTokenRequest(config.api_id, config.api_hash, []))
    if not isinstance(answer, types.auth.LoginTokenMigrateTo):
        return answer
    await call.run("connect", lambda: call.client._switch_dc(answer.dc_id))
    return await call(functions.auth.ImportLoginTokenRequest(answer.token))


def link_of(token: bytes) -> str:
    """Return what the app understands as a login token."""
    return "tg://login?token=" + base64.urlsafe_b64encode(token).decode("ascii").rstrip("=")


async def _taken_or_old(taken: asyncio.Event, expires: datetime) -> None:
    seconds = (expires - datetime.now(UTC)).total_seconds()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(min(max(seconds, 1.0), _LONGEST_SECONDS)):
            await taken.wait()


async def _save_first(
    config: TelegramConfig, files: SessionFiles, account: Account, lane: Lane, secret: str
) -> None:
    """Keep the new session; one that it takes the place of is not left behind in the app's list."""
    with contextlib.suppress(ArchiveError):
        earlier = files.find(account.account_id, lane)
        if earlier is not None:
            await revoke(config, earlier.secret)
    files.save(account.account_id, lane, secret)
