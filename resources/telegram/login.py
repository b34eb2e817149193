"""Logging in: one code, and a session for every lane.

The first lane is opened with the code that Telegram sends (and the two-factor password, if there
is one). Each further lane shows a login token, the first one accepts it, and the password is
given again while it is in memory: no second code is needed. Sessions that still work are kept.
Asking a person, and hiding what is typed, is the caller's; letting the app scan a code instead is
``qr_login``, the end of sessions ``logout``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from telethon import utils
from telethon.tl import functions, types

from archive.errors import Permanent
from archive.ids import AccountId
from archive.records import Account
from resources.telegram.calling import Caller
from resources.telegram.client import account_of, caller_for, connected, who_am_i
from resources.telegram.config import TelegramConfig
from resources.telegram.errors import TelegramRefused
from resources.telegram.sessions import Lane, SessionFiles, StoredSession
from resources.telegram.telethon_client import build_client, session_secret
from resources.telegram.two_factor import ATTEMPTS, Ask, TwoFactor

PASSWORD_NEEDED = "SESSION_PASSWORD_NEEDED"
_ASK_AGAIN = frozenset({"PHONE_CODE_INVALID", "PHONE_CODE_EMPTY"})


async def login(
    config: TelegramConfig,
    files: SessionFiles,
    *,
    phone: str,
    ask_code: Ask,
    ask_password: Ask,
    lanes: Sequence[Lane] = tuple(Lane),
) -> Account:
    """Log an account in on every lane.

    Args:
        config: The application and how to reach Telegram.
        files: Where the sessions go.
        phone: With country code.
        ask_code: Asks the person for the code that Telegram sent; not asked while a session
            of this number still works.
        ask_password: Asks for the two-factor password; not again once an answer was right.
        lanes: Which to make sessions for; at least one.

    Returns:
        The account.

    Raises:
        Permanent: A wrong number, code or password; the message says what to do.
        Transient: Telegram asks to wait longer than the limit, or cannot be reached.
    """
    password = TwoFactor(ask_password)
    async with _first(config, files, phone, ask_code, password, lanes[0]) as first:
        await let_others_in(config, files, first, password, lanes)
        return first.account


async def let_others_in(
    config: TelegramConfig,
    files: SessionFiles,
    first: First,
    password: TwoFactor,
    lanes: Sequence[Lane],
) -> None:
    """Make a session for every lane that has none, or one that is dead."""
    own = first.account.account_id
    for lane in (lane for lane in lanes if lane is not first.lane):
        if not await _works(config, files, own, lane):
            files.save(own, lane, await _by_token(config, first.call, password))


@dataclass(frozen=True, slots=True)
class First:
    """The connection that lets the others in."""

    call: Caller
    account: Account
    lane: Lane


@asynccontextmanager
async def _first(
    config: TelegramConfig,
    files: SessionFiles,
    phone: str,
    ask_code: Ask,
    password: TwoFactor,
    lane: Lane,
) -> AsyncIterator[First]:
    """Open a logged-in connection: by a session that still works, else by a code."""
    known = await _working(config, files, phone)
    client = build_client(config, secret=known.secret if known else None)
    call = caller_for(client, config)
    async with connected(client, call):
        if known is not None:
            yield First(call, await who_am_i(call), known.lane)
            return
        account = await _by_code(call, phone, ask_code, password)
        # Saved at once: what follows may fail, and codes are few.
        files.save(account.account_id, lane, session_secret(client))
        yield First(call, account, lane)


async def _working(config: TelegramConfig, files: SessionFiles, phone: str) -> StoredSession | None:
    """Find a session of this number that still works."""
    for account_id in files.accounts():
        for lane in Lane:
            stored = files.find(account_id, lane)
            owner = await _phone_of(config, stored.secret) if stored is not None else None
            if owner is not None and owner == utils.parse_phone(phone):
                return stored
            if owner is not None:
                break
    return None


async def _phone_of(config: TelegramConfig, secret: str) -> str | None:
    """Return the number a session belongs to, ``None`` for a dead session."""
    try:
        client = build_client(config, secret=secret)
        call = caller_for(client, config)
        async with connected(client, call):
            users = await call(functions.users.GetUsersRequest([types.InputUserSelf()]))
    except Permanent:
        return None
    return str(users[0].phone) if users and users[0].phone else ""


async def _works(
    config: TelegramConfig, files: SessionFiles, account_id: AccountId, lane: Lane
) -> bool:
    stored = files.find(account_id, lane)
    return stored is not None and await _phone_of(config, stored.secret) is not None


async def _by_code(call: Caller, phone: str, ask_code: Ask, password: TwoFactor) -> Account:
    number = utils.parse_phone(phone)
    if not number:
        raise TelegramRefused("PHONE_NUMBER_INVALID")
    client = call.client
    sent = await call.run("auth.sendCode", lambda: client.send_code_request(number))
    for attempt in range(1, ATTEMPTS + 1):
        code = await ask_code()
        request = functions.auth.SignInRequest(number, sent.phone_code_hash, code.strip())
        try:
            authorization = await call(request)
            break
        except TelegramRefused as error:
            if error.code == PASSWORD_NEEDED:
                authorization = await password.check(call)
                break
            if error.code not in _ASK_AGAIN or attempt == ATTEMPTS:
                raise
    return logged_in(authorization)


async def _by_token(config: TelegramConfig, first: Caller, password: TwoFactor) -> str:
    """Make a session that the first one lets in."""
    client = build_client(config)
    home = first.client.session
    # A token shown in another data centre would first have to be taken to this one.
    client.session.set_dc(home.dc_id, home.server_address, home.port)
    call = caller_for(client, config)
    show = functions.auth.ExportLoginTokenRequest(config.api_id, config.api_hash, [])
    async with connected(client, call):
        shown = await call(show)
        await first(functions.auth.AcceptLoginTokenRequest(shown.token))
        try:
            answer = await call(show)
        except TelegramRefused as error:
            if error.code != PASSWORD_NEEDED:
                raise
            logged_in(await password.check(call))
        else:
            if not isinstance(answer, types.auth.LoginTokenSuccess):
                raise Permanent("Telegram did not accept the login token: run the login again.")
        return session_secret(client)


def logged_in(authorization: Any) -> Account:
    """Return the account that an authorization is for."""
    if not isinstance(authorization, types.auth.Authorization):
        raise Permanent("Telegram knows no account with this number: sign up in the app first.")
    return account_of(authorization.user)
